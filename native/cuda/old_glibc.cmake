# CUDA's static runtime is linked with threads and dlopen of the glibc that it is built on; glibc 2.34 moved them to another library and gave them new versions. What is
# made here stands in for the libraries in which an old glibc has them, when libyangtuo-cuda is linked: their names, functions and versions, and nothing else. At run time
# every glibc has these libraries, a newer one for the sake of such programs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(first_glibc GLIBC_2.2.5)
    set(dlmopen_glibc GLIBC_2.3.4)
else()
    set(first_glibc GLIBC_2.17)
    set(dlmopen_glibc GLIBC_2.17)
endif()

# name.so.release with functions of a version, which come with VERSION; links the target with it.
function(link_old_library target name release)
    set(stem ${CMAKE_CURRENT_BINARY_DIR}/old_${name})
    set(code "")
    set(map "")
    set(version ${first_glibc})
    set(versions ${version})
    foreach(word IN LISTS ARGN)
        if(word MATCHES "^GLIBC")
            set(version ${word})
            list(APPEND versions ${version})
        else()
            string(APPEND code "void ${word}(void);\nvoid ${word}(void) {}\n")
            string(APPEND names_${version} " ${word};")
        endif()
    endforeach()
    list(REMOVE_DUPLICATES versions)
    foreach(version IN LISTS versions)
        string(APPEND map "${version} { global:${names_${version}} };\n")
    endforeach()
    file(GENERATE OUTPUT ${stem}.c CONTENT "${code}")
    file(GENERATE OUTPUT ${stem}.map CONTENT "${map}")
    add_library(old_${name} SHARED ${stem}.c)
    # The compiler knows other types of them. No sanitizer, which would add symbols.
    target_compile_options(old_${name} PRIVATE -fno-builtin -fno-sanitize=all)
    target_link_options(old_${name} PRIVATE -nostdlib LINKER:--version-script=${stem}.map LINKER:-soname,${name}.so.${release})
    set_target_properties(old_${name} PROPERTIES C_VISIBILITY_PRESET default NO_SONAME ON LINK_DEPENDS ${stem}.map)
    add_dependencies(${target} old_${name})
    target_link_libraries(${target} PRIVATE -Wl,--push-state,--no-as-needed $<TARGET_FILE:old_${name}> -Wl,--pop-state)
endfunction()

link_old_library(yangtuo_cuda libpthread 0
    pthread_attr_destroy pthread_attr_getdetachstate pthread_attr_init pthread_attr_setdetachstate pthread_attr_setstacksize pthread_cond_broadcast
    pthread_condattr_destroy pthread_condattr_init pthread_condattr_setpshared pthread_create pthread_detach pthread_equal pthread_exit pthread_getspecific
    pthread_join pthread_key_create pthread_key_delete pthread_kill pthread_mutex_destroy pthread_mutex_init pthread_mutex_lock pthread_mutex_trylock
    pthread_mutex_unlock pthread_mutexattr_destroy pthread_mutexattr_init pthread_mutexattr_setpshared pthread_mutexattr_settype pthread_once
    pthread_rwlock_destroy pthread_rwlock_init pthread_rwlock_rdlock pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock pthread_rwlock_tryrdlock
    pthread_rwlock_trywrlock pthread_rwlock_unlock pthread_rwlock_wrlock pthread_rwlockattr_destroy pthread_rwlockattr_init pthread_rwlockattr_setpshared
    pthread_self pthread_setspecific pthread_sigmask pthread_spin_destroy pthread_spin_init pthread_spin_lock pthread_spin_trylock pthread_spin_unlock sem_close
    sem_destroy sem_getvalue sem_init sem_open sem_post sem_timedwait sem_trywait sem_unlink sem_wait)
link_old_library(yangtuo_cuda libdl 2 dladdr dlclose dlerror dlopen dlsym dlvsym ${dlmopen_glibc} dlmopen)
link_old_library(yangtuo_cuda librt 1 shm_open shm_unlink)
