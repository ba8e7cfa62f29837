# To be sourced by the launcher: `yangtuo test --device cuda` runs the tests of the kernels for CUDA devices on a GPU instead of emulated. What cannot run says why, in a line at
# the end. Ends with 0 if everything that ran was right and something ran on a GPU, with 1 if something failed, and with 77 if nothing ran on a GPU.

device_build=$target/native-device
device_log=$device_build.log
device_lines=
device_failed=

# A line for the end.
note() {
    device_lines="$device_lines
  - $1"
}

finish_device_tests() {
    say "tests on a GPU:$device_lines"
    if [ -n "$device_failed" ]; then
        exit 1
    fi
    exit "$1"
}

nothing_ran() {
    note "nothing ran on a GPU: $1"
    finish_device_tests 77
}

# The reasons of what was skipped, from ctest's log, each once.
note_skipped() {
    sed -n 's/^SKIPPED: //p' "$device_build/Testing/Temporary/LastTest.log" | sort -u > "$device_build/skipped"
    while read -r reason; do
        note "not run: $reason"
    done < "$device_build/skipped"
}

# Runs tests by a pattern over their names. $1: what they are.
run_device_tests() {
    what=$1
    shift
    if ctest --test-dir "$device_build" --output-on-failure --no-tests=error "$@"; then
        note "$what: ran"
    else
        note "$what: FAILED, see above"
        device_failed=yes
    fi
    note_skipped
}

test_device() {
    require_build_tools
    find_nvcc || nothing_ran "nvcc was not found on the PATH, in \$CUDA_HOME or /usr/local/cuda; CUDA 12.4 or newer has it"
    is_new_nvcc || nothing_ran "$nvcc is of CUDA ${cuda_version:-(unknown)}, and 12.4 or newer is needed"
    # What the driver, that of Windows and that of Jetsons make; building takes minutes.
    [ -e /dev/nvidiactl ] || [ -e /dev/dxg ] || [ -e /dev/nvmap ] || nothing_ran "this machine has no NVIDIA driver (there is no /dev/nvidiactl)"
    command -v c++ > /dev/null || nothing_ran "there is no C++ compiler; on Debian and Ubuntu: apt-get install g++"
    forget_foreign_build "$device_build"
    say "configuring; log: $device_log"
    cmake -S "$home/native" -B "$device_build" -DBUILD_TESTING=ON -DYANGTUO_CUDA=ON -DYANGTUO_CUDA_DEVICE_TESTS=ON -DCMAKE_CUDA_COMPILER="$nvcc" \
        > "$device_log" 2>&1 || die "CMake failed; the log is in $device_log"
    say "building, which takes some minutes the first time; log: $device_log"
    cmake --build "$device_build" --target yangtuo_cuda cuda_probe --parallel 4 >> "$device_log" 2>&1 || die "the build failed; the log is in $device_log"
    device_status=0
    devices=$("$device_build/cuda/device/cuda_probe" "$device_build/libyangtuo-cuda.so") || device_status=$?
    case $device_status in
        0) note "$(printf '%s\n' "$devices" | head -n 1)" ;;
        77) nothing_ran "$(printf '%s\n' "$devices" | sed -n 's/^SKIPPED: //p')" ;;
        *) die "the library for CUDA devices cannot be opened: $devices" ;;
    esac
    cmake --build "$device_build" --parallel 4 >> "$device_log" 2>&1 || die "the build failed; the log is in $device_log"
    run_device_tests "C tests of kernels and stages" -R '^gpu-'
    ensure_jar
    if (export YANGTUO_CUDA=off && run_maven --file "$home/pom.xml" verify -Dtest=CudaHardwareTest \
        -Dyangtuo.test.cuda.library="$device_build/libyangtuo-cuda.so" "$@"); then
        note "Java tests: ran"
    else
        note "Java tests: FAILED, see above"
        device_failed=yes
    fi
    if grep -q '^YANGTUO_COMPUTE_SANITIZER:.*NOTFOUND' "$device_build/CMakeCache.txt"; then
        note "not run: compute-sanitizer, which was not found; it is part of the CUDA toolkit"
    else
        for tool in memcheck racecheck synccheck initcheck; do
            run_device_tests "compute-sanitizer, $tool" -R "^$tool-"
        done
    fi
    finish_device_tests 0
}
