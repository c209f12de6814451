# What is installed, and how others find it.
include(CMakePackageConfigHelpers)

# What is installed is built with the search path that it is installed with. Where CMake leaves room for another one, the path ends with an empty
# part, which the dynamic linker takes for the current directory.
foreach(target sspi opensspi opensspi_win32 opensspi-lsad twapi_crypto)
    if(TARGET ${target})
        set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
    endif()
endforeach()

install(DIRECTORY include/opensspi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Where README.md's links lead, too: tools/check.sh sees to it.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
install(DIRECTORY samples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN "CMakeLists.txt" EXCLUDE PATTERN "demo.sh" EXCLUDE)
install(TARGETS sspi RUNTIME)

install(TARGETS opensspi EXPORT opensspi-targets LIBRARY)
install(FILES ${OPENSSPI_ARCHIVE} DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The prefix is worked out from where the file lies, so that a moved or staged tree still works.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}
           OUTPUT_VARIABLE OPENSSPI_INCLUDEDIR)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_FULL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE OPENSSPI_LIBDIR)
cmake_path(SET pkgconfig NORMALIZE ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${pkgconfig} OUTPUT_VARIABLE OPENSSPI_PREFIX)
if(OPENSSPI_COVERAGE) # the archive counts, too
    set(OPENSSPI_COUNTERS " -lgcov")
endif()
configure_file(cmake/opensspi.pc.in opensspi.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/opensspi.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET opensspi_win32)
    install(TARGETS opensspi_win32 EXPORT opensspi-targets LIBRARY)
    configure_file(cmake/opensspi-win32.pc.in opensspi-win32.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/opensspi-win32.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
    # -lsecur32, as build files for mingw-w64 say.
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/links)
    foreach(name libsecur32.so libSecur32.so)
        file(CREATE_LINK libopensspi.so ${PROJECT_BINARY_DIR}/links/${name} SYMBOLIC)
        install(FILES ${PROJECT_BINARY_DIR}/links/${name} DESTINATION ${CMAKE_INSTALL_LIBDIR})
    endforeach()
endif()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/opensspi)
configure_package_config_file(cmake/opensspi-config.cmake.in opensspi-config.cmake INSTALL_DESTINATION ${package}
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(opensspi-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/opensspi-config.cmake ${PROJECT_BINARY_DIR}/opensspi-config-version.cmake
        DESTINATION ${package})
install(EXPORT opensspi-targets NAMESPACE OpenSSPI:: DESTINATION ${package})

add_custom_target(uninstall
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt -P ${PROJECT_SOURCE_DIR}/cmake/Uninstall.cmake
    VERBATIM)
