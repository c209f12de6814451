# opensspi-lsad: src/ behind a socket, with libuv's loop and libseccomp's filter.
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
file(GLOB daemon_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lsad/*.c)
add_executable(opensspi-lsad ${daemon_sources})
target_include_directories(opensspi-lsad PRIVATE ${PROJECT_SOURCE_DIR}/lsad)
target_link_libraries(opensspi-lsad PRIVATE opensspi_internal PkgConfig::UV PkgConfig::SECCOMP)
if(OPENSSPI_VALGRIND)
    target_compile_definitions(opensspi-lsad PRIVATE OPENSSPI_VALGRIND=1) # which needs system calls of its own
endif()
set_target_properties(opensspi-lsad PROPERTIES POSITION_INDEPENDENT_CODE ON)

set(OPENSSPI_SYSTEMD_UNITS lib/systemd/system CACHE STRING "Where systemd's units are installed; empty: nowhere")
install(TARGETS opensspi-lsad RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
if(OPENSSPI_SYSTEMD_UNITS)
    # With the prefix of the installation, which may be another than that of the configuration.
    install(CODE "set(DAEMON \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/opensspi-lsad\")
        configure_file(\"${PROJECT_SOURCE_DIR}/lsad/systemd/opensspi-lsad.service.in\" \"${PROJECT_BINARY_DIR}/opensspi-lsad.service\" @ONLY)")
    install(FILES ${PROJECT_BINARY_DIR}/opensspi-lsad.service ${PROJECT_SOURCE_DIR}/lsad/systemd/opensspi-lsad.socket
            DESTINATION ${OPENSSPI_SYSTEMD_UNITS})
    install(FILES ${PROJECT_SOURCE_DIR}/lsad/systemd/opensspi-lsad.sysusers DESTINATION lib/sysusers.d RENAME opensspi-lsad.conf)
endif()

# For tests: the daemon's code in another program, with the loop of tests/fuzz/lsad in libuv's place.
function(opensspi_add_daemon_parts target)
    set(parts ${daemon_sources})
    list(FILTER parts EXCLUDE REGEX "/(main|peer|sandbox)\\.c$")
    target_sources(${target} PRIVATE ${parts} ${PROJECT_SOURCE_DIR}/tests/fuzz/lsad/daemon_world.c ${PROJECT_SOURCE_DIR}/tests/fuzz/lsad/fake_loop.c
        ${PROJECT_SOURCE_DIR}/tests/fuzz/lsad/request_cases.c)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/lsad ${UV_INCLUDE_DIRS})
endfunction()
