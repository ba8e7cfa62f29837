# Linux on aarch64, with Debian's cross compiler; tests run under qemu's user mode emulation.
#   apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

find_program(YANGTUO_QEMU NAMES qemu-aarch64 qemu-aarch64-static)
if(YANGTUO_QEMU)
    # The processor `max` has every extension that qemu knows; -L is where Debian's cross C library is.
    set(CMAKE_CROSSCOMPILING_EMULATOR "${YANGTUO_QEMU};-cpu;max;-L;/usr/aarch64-linux-gnu")
endif()

set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
