# Manual pages and completion, made from what they describe by the command that was built.
find_package(Python3 COMPONENTS Interpreter)
if(NOT Python3_FOUND OR OPENSSPI_SANITIZE OR OPENSSPI_FUZZ OR CMAKE_CROSSCOMPILING)
    message(STATUS "No manual pages: they need Python 3, and a command that runs here and is not sanitized")
    return()
endif()
set(OPENSSPI_MANUAL ${PROJECT_BINARY_DIR}/man)
file(GLOB templates CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/opensspi/*.h)
add_custom_command(OUTPUT ${OPENSSPI_MANUAL}/done
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${OPENSSPI_MANUAL}
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/make_manual.py ${PROJECT_SOURCE_DIR} $<TARGET_FILE:sspi> ${OPENSSPI_MANUAL}
    COMMAND $<TARGET_FILE:sspi> completion bash > ${OPENSSPI_MANUAL}/bash_completion
    COMMAND ${CMAKE_COMMAND} -E touch ${OPENSSPI_MANUAL}/done
    DEPENDS sspi ${templates} ${headers} ${PROJECT_SOURCE_DIR}/tools/make_manual.py ${PROJECT_SOURCE_DIR}/docs/configuration.md
    VERBATIM)
add_custom_target(manual ALL DEPENDS ${OPENSSPI_MANUAL}/done)
foreach(section 1 3 5 7 8)
    if(section EQUAL 8 AND NOT OPENSSPI_WITH_DAEMON)
        continue()
    endif()
    install(DIRECTORY ${OPENSSPI_MANUAL}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} FILES_MATCHING PATTERN "*.${section}")
endforeach()
install(FILES ${OPENSSPI_MANUAL}/bash_completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sspi)
