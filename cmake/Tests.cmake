# Everything CTest runs but the corpora (Fuzz.cmake).
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# How much slower than otherwise programs may be: bounds on waiting are as much longer.
set(slowness 1)
if(CMAKE_CROSSCOMPILING_EMULATOR) # valgrind is the first
    set(slowness 20)
elseif(OPENSSPI_SANITIZE STREQUAL "thread")
    set(slowness 5)
endif()

# Helpers of more than one test: tests/support/*.c and, beside the unit tests, every C file not named test_*.c.
file(GLOB_RECURSE unit_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/*.c)
file(GLOB support_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.c)
file(GLOB failing_calls_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/failing/*.c)
# ThreadSanitizer's runtime calls them itself before it is ready for what is compiled for it.
if(OPENSSPI_SANITIZE STREQUAL "thread")
    set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/support/failing/calls.c ${PROJECT_SOURCE_DIR}/tests/libraries/failing_calls.c
        PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
endif()
set(unit_tests ${unit_files})
list(FILTER unit_tests INCLUDE REGEX "/test_[^/]*\\.c$")
list(FILTER unit_files EXCLUDE REGEX "/test_[^/]*\\.c$")
list(APPEND support_files ${unit_files})
foreach(folder IN LISTS OPENSSPI_PACKAGES_LEFT_OUT)
    list(FILTER support_files EXCLUDE REGEX "/(support/${folder}_|unit/${folder}/)")
endforeach()
add_library(test_support_flags INTERFACE)
target_include_directories(test_support_flags INTERFACE ${PROJECT_SOURCE_DIR}/tests)
target_compile_options(test_support_flags INTERFACE -UNDEBUG)
target_link_libraries(test_support_flags INTERFACE PkgConfig::CMOCKA)
if(OPENSSPI_VALGRIND)
    target_compile_definitions(test_support_flags INTERFACE OPENSSPI_VALGRIND=1) # the daemon that tests start keeps system calls (Daemon.cmake)
endif()

# tests/libraries/*.c are shared objects that tests load at run time; TEST_LIBRARIES is where they lie.
file(GLOB library_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/libraries/*.c)
foreach(source IN LISTS library_files)
    get_filename_component(name ${source} NAME_WE)
    add_library(library_${name} MODULE ${source})
    target_compile_options(library_${name} PRIVATE -fvisibility=default)
    target_include_directories(library_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    set_target_properties(library_${name} PROPERTIES
        PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/libraries)
    add_dependencies(test_support_flags library_${name})
endforeach()
if(OPENSSPI_SANITIZE STREQUAL "thread") # other programs load it, too, setpriv among them, and the runtime ends in those
    target_link_options(library_failing_calls PRIVATE -fno-sanitize=thread)
endif()
target_compile_definitions(test_support_flags INTERFACE TEST_LIBRARIES="${PROJECT_BINARY_DIR}/tests/libraries")
add_library(test_support STATIC ${support_files})
target_link_libraries(test_support PUBLIC test_support_flags opensspi_internal)
target_compile_definitions(test_support PRIVATE OPENSSPI_LSAD="${PROJECT_BINARY_DIR}/opensspi-lsad")

# tests/unit/base/test_reader.c becomes unit.base.reader, the target and the test. A test of a folder below the packages
# is linked with that folder and what it stands on; the others, and one that says "build: all", with the whole library.
foreach(source IN LISTS unit_tests)
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/tests/unit ${source})
    string(REGEX REPLACE "/.*" "" folder ${path})
    if(folder IN_LIST OPENSSPI_PACKAGES_LEFT_OUT)
        continue()
    endif()
    string(REGEX REPLACE "test_([^/]*)\\.c$" "\\1" name ${path})
    string(REPLACE "/" "." name unit/${name})
    if(name MATCHES "^unit\\.lsa\\.(bounds|calls|daemon|daemon_clients|daemon_users|keys|renewal|requests|sandbox|server)$" AND (NOT OPENSSPI_WITH_DAEMON OR OPENSSPI_PACKAGES_LEFT_OUT))
        continue()
    endif()
    get_filename_component(place ${path} DIRECTORY)
    get_filename_component(output ${source} NAME_WE)
    opensspi_build_line(${source} kind words)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES
        OUTPUT_NAME ${output} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/unit/${place})
    if(folder IN_LIST OPENSSPI_LOW_FOLDERS AND NOT kind STREQUAL "all")
        target_link_libraries(${name} PRIVATE opensspi_${folder} test_support_flags)
    else()
        target_link_libraries(${name} PRIVATE test_support opensspi_internal test_support_flags)
    endif()
    # Functions that stand before the C library's, in these tests only: libraries find them where the program shows them.
    file(STRINGS ${source} failing LIMIT_COUNT 1 REGEX "support/failing/calls\\.h")
    if(failing)
        target_sources(${name} PRIVATE ${failing_calls_files})
        target_link_options(${name} PRIVATE -rdynamic)
    endif()
    if(name MATCHES "^unit\\.lsa\\.(bounds|keys|requests|server)$") # the daemon itself, over a loop of the test's
        opensspi_add_daemon_parts(${name})
    endif()
    if(name STREQUAL "unit.lsa.sandbox")
        target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/lsad/log.c ${PROJECT_SOURCE_DIR}/lsad/sandbox.c)
        target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/lsad)
        target_link_libraries(${name} PRIVATE PkgConfig::UV PkgConfig::SECCOMP)
    endif()
    add_test(NAME ${name} COMMAND ${name})
    set(timeout 900) # a bound for what hangs, on any machine
    if(CMAKE_CROSSCOMPILING_EMULATOR OR OPENSSPI_SANITIZE STREQUAL "thread") # valgrind is the first
        set(timeout 3600)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout})
    if(failing) # some hundred times the same work, much of it on disk
        set_tests_properties(${name} PROPERTIES TIMEOUT 3600)
    endif()
    # ThreadSanitizer follows the order of 64 locks at once and ends where fork takes more (src/base/fork.c): tests that fork go without that, and their
    # children may start threads.
    file(STRINGS ${source} forks LIMIT_COUNT 1 REGEX "fork\\(\\)|\"forks\"|lsa_daemon\\.h")
    if(forks AND OPENSSPI_SANITIZE STREQUAL "thread")
        set_tests_properties(${name} PROPERTIES ENVIRONMENT TSAN_OPTIONS=detect_deadlocks=0:die_after_fork=0)
    endif()
endforeach()

# What is written in instructions that not every processor has runs in these tests on all that have AES's: tests/emulated has the others in C, slowly, and
# fails where they are not come by.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(emulated_sources ${PROJECT_SOURCE_DIR}/src/crypto/krb5_stitch.c ${PROJECT_SOURCE_DIR}/src/crypto/processor.c
        ${PROJECT_SOURCE_DIR}/tests/emulated/taken.c)
    foreach(name unit.crypto.krb5_crypto unit.crypto.krb5_encrypt unit.kerberos.lanes unit.kerberos.session unit.kerberos.threads unit.api.messages)
        if(TARGET ${name})
            get_target_property(source ${name} SOURCES)
            get_target_property(libraries ${name} LINK_LIBRARIES)
            add_executable(${name}.emulated ${source} ${emulated_sources})
            target_compile_options(${name}.emulated PRIVATE -include ${PROJECT_SOURCE_DIR}/tests/emulated/sha.h)
            target_link_libraries(${name}.emulated PRIVATE ${libraries})
            add_test(NAME ${name}.emulated COMMAND ${name}.emulated)
            get_test_property(${name} TIMEOUT timeout)
            set_tests_properties(${name}.emulated PROPERTIES TIMEOUT ${timeout})
        endif()
    endforeach()
endif()

# Modules with packages of other people's, each with something wrong: tests/modules/cases.txt names them; lsa.c has those
# whose names begin with "lsa_", broken.c the others.
set(modules_folder ${PROJECT_BINARY_DIR}/tests/modules)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/modules/cases.txt)
file(STRINGS ${PROJECT_SOURCE_DIR}/tests/modules/cases.txt cases)
string(REPLACE " " ";" cases "${cases}")
add_custom_target(test_modules)
foreach(case IN LISTS cases)
    set(module_source broken)
    if(case MATCHES "^lsa_")
        set(module_source lsa)
    endif()
    add_library(module_${case} MODULE ${PROJECT_SOURCE_DIR}/tests/modules/${module_source}.c)
    set_target_properties(module_${case} PROPERTIES PREFIX "" OUTPUT_NAME ${case} C_VISIBILITY_PRESET hidden
        LIBRARY_OUTPUT_DIRECTORY ${modules_folder})
    target_include_directories(module_${case} PRIVATE ${PROJECT_SOURCE_DIR}/include/opensspi)
    target_compile_definitions(module_${case} PRIVATE CASE_${case})
    add_dependencies(test_modules module_${case})
endforeach()
add_dependencies(test_support test_modules sharedkey sharedkey_lsa)
target_compile_definitions(test_support PRIVATE
    OPENSSPI_TEST_MODULES="${modules_folder}" OPENSSPI_TEST_SAMPLE="${PROJECT_BINARY_DIR}/samples/provider")

# The handshakes of these once more, through a daemon of their own (tests/support/lsa_daemon.h); those that fake packages or randomness in their own process, or
# ask no authority, stay out. Kerberos' tickets are in a cache of the test's, which is
# no matter of the daemon's: there the client's side stays in the process ("auto").
if(OPENSSPI_WITH_DAEMON)
    math(EXPR handshake_patience "1800 * ${slowness}")
    foreach(source IN LISTS unit_tests)
        file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/tests/unit ${source})
        string(REGEX REPLACE "test_([^/]*)\\.c$" "\\1" name ${path})
        string(REPLACE "/" "." name ${name})
        if(NOT TARGET unit.${name} OR NOT name MATCHES
           "^(credssp\\.(bad_peers|handed|handshake|life|tsssp)|digest\\.(http|life|sasl|threads|wrong_peer)|ntlm\\.(bindings|handshake|life|old_clients|relay|threads)|negotiate\\.(life|threads))$|^api\\.(attributes|client_identity|context_rules|credentials|ntlm_behaviour|password)$|^kerberos\\.(attributes|handshake|life|threads)$")
            continue()
        endif()
        set(mode daemon)
        if(name MATCHES "^(kerberos|api\\.credentials)")
            set(mode auto)
        endif()
        add_test(NAME daemon.${name} COMMAND unit.${name})
        get_test_property(unit.${name} ENVIRONMENT environment)
        if(NOT environment)
            set(environment "")
        endif()
        list(APPEND environment OPENSSPI_TEST_LSAD=${PROJECT_BINARY_DIR}/opensspi-lsad OPENSSPI_TEST_LSA_MODE=${mode})
        set_tests_properties(daemon.${name} PROPERTIES TIMEOUT ${handshake_patience} ENVIRONMENT "${environment}")
    endforeach()
endif()

add_subdirectory(tests/headers)
add_subdirectory(tests/win32)

# The Tcl package, by tcltest; the samples of samples/tcl are run there too.
if(TARGET twapi_crypto)
    add_test(NAME tcl.sspi COMMAND tclsh ${PROJECT_SOURCE_DIR}/tests/tcl/all.tcl)
    set_tests_properties(tcl.sspi PROPERTIES TIMEOUT 1800 ENVIRONMENT
        "OPENSSPI_SSPI=${PROJECT_BINARY_DIR}/sspi;OPENSSPI_SOURCE=${PROJECT_SOURCE_DIR};TCLLIBPATH=${PROJECT_BINARY_DIR}/tcl/opensspi")
    list(GET TCL_INCLUDE_DIRS 0 tcl_headers)
    add_test(NAME tcl.rules_of_9 COMMAND sh ${PROJECT_SOURCE_DIR}/tests/tcl/rules_of_9.sh ${PROJECT_SOURCE_DIR} ${tcl_headers})
    set_tests_properties(tcl.rules_of_9 PROPERTIES TIMEOUT 900)
endif()

# tests/built, tests/cli, tests/docs, tests/interop and tests/tools: test_*.py are one test each; other Python files there are their helpers.
opensspi_add_programs(interop ${PROJECT_SOURCE_DIR}/tests/interop)
opensspi_add_programs(truth ${PROJECT_SOURCE_DIR}/tests/truth)
set(groups cli docs interop tools)
if(NOT OPENSSPI_SANITIZE AND NOT OPENSSPI_VALGRIND AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND OPENSSPI_WITH_TCL AND OPENSSPI_WITH_DAEMON) # with the flags that programs are shipped with
    list(APPEND groups built)
endif()
set(watch_programs "")
math(EXPR patience "1800 * ${slowness}")
foreach(group IN LISTS groups)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${group}/test_*.py)
    foreach(source IN LISTS sources)
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "^test_" "" name ${name})
        if((name MATCHES "^lsa_" AND NOT OPENSSPI_WITH_DAEMON) OR (name MATCHES "^tcl_" AND NOT TARGET twapi_crypto))
            continue()
        endif()
        if(OPENSSPI_VALGRIND)
            set(watch_programs ${PROJECT_SOURCE_DIR}/tools/memcheck_programs.py ${group}.${name})
        endif()
        add_test(NAME ${group}.${name} COMMAND ${watch_programs} /usr/bin/python3 -m pytest -q -p no:cacheprovider -p slow_clock
            --basetemp=${PROJECT_BINARY_DIR}/Testing/tmp-${group}-${name} ${source}
                 WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
        file(STRINGS ${source} domain LIMIT_COUNT 1 REGEX "^from (ad|member) import")
        if(domain)
            set_tests_properties(${group}.${name} PROPERTIES FIXTURES_REQUIRED domain)
        endif()
        # A bound: some start a dozen computers with domain controllers, compile programs, or Wine, on machines that are busy.
        set_tests_properties(${group}.${name} PROPERTIES TIMEOUT ${patience} ENVIRONMENT
            "PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support;OPENSSPI_SLOWNESS=${slowness};OPENSSPI_BUILD=${PROJECT_BINARY_DIR};OPENSSPI_SOURCE=${PROJECT_SOURCE_DIR};OPENSSPI_SSPI=${PROJECT_BINARY_DIR}/sspi;OPENSSPI_LIB=${PROJECT_BINARY_DIR}/libopensspi.so.${PROJECT_VERSION_MAJOR};OPENSSPI_DOMAIN=${PROJECT_BINARY_DIR}/Testing/domain;PYTHONDONTWRITEBYTECODE=1")
    endforeach()
endforeach()

# An Active Directory domain as it is provisioned, which each test that needs one copies (tests/interop/ad.py).
set(domain ${PROJECT_BINARY_DIR}/Testing/domain)
add_test(NAME interop.domain COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/interop/ad.py ${domain})
add_test(NAME interop.domain_after COMMAND ${CMAKE_COMMAND} -E rm -rf ${domain})
set_tests_properties(interop.domain PROPERTIES FIXTURES_SETUP domain TIMEOUT 900 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
set_tests_properties(interop.domain_after PROPERTIES FIXTURES_CLEANUP domain)

# The longest first, where CTest has not seen them yet, so that the last cores are not left with one of them; about their seconds.
foreach(pair interop.sockauth=92 interop.domain=90 interop.porting_wine=69 interop.kerberos_wine=61 interop.domain_accounts=44
        interop.lsa_delegation_ad=37 interop.lsa_hostile=37 interop.docs=36 interop.kerberos_peers=32 interop.porting=31 interop.kerberos_ad=31
        interop.delegation_sample=31 interop.tls_peers=30 interop.kerberos_delegation=28 interop.lsa_delegation=21 interop.kerberos_failures=20)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 cost)
    if(TEST ${name})
        set_property(TEST ${name} PROPERTY COST ${cost})
    endif()
endforeach()
