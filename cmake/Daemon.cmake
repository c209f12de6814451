# opensspi-lsad: src/ behind a socket, with libuv's loop and libseccomp's filter.
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
file(GLOB daemon_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lsad/*.c)
add_executable(opensspi-lsad ${daemon_sources})
target_include_directories(opensspi-lsad PRIVATE ${PROJECT_SOURCE_DIR}/lsad)
target_link_libraries(opensspi-lsad PRIVATE opensspi_internal PkgConfig::UV PkgConfig::SECCOMP)
set_target_properties(opensspi-lsad PROPERTIES POSITION_INDEPENDENT_CODE ON)

set(OPENSSPI_SYSTEMD_UNITS lib/systemd/system CACHE STRING "Where systemd's units are installed; empty: nowhere")
install(TARGETS opensspi-lsad RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
if(OPENSSPI_SYSTEMD_UNITS)
    configure_file(lsad/systemd/opensspi-lsad.service.in opensspi-lsad.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/opensspi-lsad.service ${PROJECT_SOURCE_DIR}/lsad/systemd/opensspi-lsad.socket
            DESTINATION ${OPENSSPI_SYSTEMD_UNITS})
endif()
