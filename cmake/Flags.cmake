# Warnings, hardening and sanitizers for everything that is compiled here.
include(CheckCCompilerFlag)

add_compile_options(-Wall -Wextra -Wconversion -Wshadow $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
if(OPENSSPI_WERROR)
    add_compile_options(-Werror)
endif()

# Empty, so that a file may still say "#define _GNU_SOURCE" itself.
add_compile_definitions($<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE=>)

add_compile_options(-fvisibility=hidden -fno-omit-frame-pointer)
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)

foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
    check_c_compiler_flag(-Werror\ ${flag} ${have})
    if(${have})
        add_compile_options(${flag})
    endif()
endforeach()

# Every object here keeps to shadow stacks; the linker says so of the whole only where the C library's start files do, unless it is told.
include(CheckLinkerFlag)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i[3-6]86)$")
    check_linker_flag(C -Wl,-z,shstk HAVE_z_shstk)
    if(HAVE_z_shstk)
        add_link_options(-Wl,-z,shstk)
    endif()
endif()

if(OPENSSPI_SANITIZE)
    add_compile_options(-fsanitize=${OPENSSPI_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${OPENSSPI_SANITIZE})
else()
    # Sanitizers check more than _FORTIFY_SOURCE does and do not see through its wrappers.
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()

# Lines counted for ./run coverage, by all threads and by children that leave with _exit.
if(OPENSSPI_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic -fprofile-abs-path)
    add_link_options(--coverage -Wl,--wrap=_exit)
    add_library(opensspi_coverage OBJECT ${PROJECT_SOURCE_DIR}/tools/coverage_exit.c)
    link_libraries($<TARGET_OBJECTS:opensspi_coverage>)
endif()

if(OPENSSPI_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES Clang)
        message(FATAL_ERROR "OPENSSPI_FUZZ needs clang: use the preset fuzz.")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
