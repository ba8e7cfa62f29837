# Checks that a shared library runs with an old glibc: it asks for no symbol, and no feature of the loader, that a newer one brought.
#   cmake -DOBJDUMP=FILE -DLIBRARY=FILE -DNEWEST=2.17 -P glibc.cmake
cmake_minimum_required(VERSION 3.18)

execute_process(COMMAND "${OBJDUMP}" -p -T "${LIBRARY}" OUTPUT_VARIABLE dump RESULT_VARIABLE status ERROR_VARIABLE problem)
if(NOT status EQUAL 0 OR NOT dump MATCHES "DYNAMIC SYMBOL TABLE")
    message(FATAL_ERROR "${LIBRARY}: ${OBJDUMP} gave status ${status}, or nothing: ${problem}")
endif()

set(too_new "")
string(REGEX MATCHALL "GLIBC_[0-9.]+[) ] *[^\n]+" symbols "${dump}")
foreach(symbol IN LISTS symbols)
    # A line of the symbol table ends with the name; a line of the version table has the version last, and is not matched.
    if(symbol MATCHES "^GLIBC_([0-9.]+)[) ] *([^ ]+)$" AND CMAKE_MATCH_1 VERSION_GREATER NEWEST)
        list(APPEND too_new "${CMAKE_MATCH_2} (GLIBC_${CMAKE_MATCH_1})")
    endif()
endforeach()
# The feature has no symbol.
if(dump MATCHES "GLIBC_ABI_[A-Z_]+")
    list(APPEND too_new "${CMAKE_MATCH_0}")
endif()
if(too_new)
    list(JOIN too_new ", " too_new)
    message("FAILED ${LIBRARY} does not run with glibc ${NEWEST}; newer are: ${too_new}")
    message(FATAL_ERROR "The library needs a newer glibc than it should: see native/src/old_glibc.h")
endif()
