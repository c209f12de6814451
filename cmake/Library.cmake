# The library. Each folder of src/ is a static library opensspi_<folder> that knows the folders of its own floor and
# of the floors below, so that a test of a low floor neither needs nor sees what stands above it. opensspi_internal is
# all of them; opensspi (shared) and opensspi_static are made from the same objects.

if(NOT OPENSSPI_WITH_SCHANNEL OR NOT OPENSSPI_WITH_NEGOTIATE)
    set(OPENSSPI_WITH_CREDSSP OFF)
endif()
set(OPENSSPI_PACKAGES_LEFT_OUT "") # folders
set(OPENSSPI_DEFINITIONS "")       # OPENSSPI_WITH_NTLM=1 and its like, for the few files that ask
foreach(package NTLM NEGOTIATE KERBEROS SCHANNEL CREDSSP DIGEST)
    if(OPENSSPI_WITH_${package})
        list(APPEND OPENSSPI_DEFINITIONS OPENSSPI_WITH_${package}=1)
    else()
        string(TOLOWER ${package} folder)
        list(APPEND OPENSSPI_PACKAGES_LEFT_OUT ${folder})
    endif()
endforeach()

add_library(opensspi_common INTERFACE)
target_include_directories(opensspi_common INTERFACE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include/opensspi ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(opensspi_common INTERFACE ${OPENSSPI_DEPENDENCIES})
set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/api/builtin.c APPEND PROPERTY COMPILE_DEFINITIONS ${OPENSSPI_DEFINITIONS})

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/floors.txt)
file(STRINGS tools/floors.txt floor_lines REGEX "^[a-z]")
set(OPENSSPI_FOLDERS "")     # those that are built
set(OPENSSPI_LOW_FOLDERS "") # those below the packages
# Everything is bound at start (cmake/Flags.cmake): a detour by the PLT takes time and gives nothing.
check_c_compiler_flag(-Werror\ -fno-plt HAVE_fno_plt)
set(known "")
set(below "")
foreach(line IN LISTS floor_lines)
    separate_arguments(folders UNIX_COMMAND "${line}")
    list(POP_FRONT folders floor)
    list(APPEND known ${folders})
    set(here "")
    foreach(folder IN LISTS folders)
        if(folder IN_LIST OPENSSPI_PACKAGES_LEFT_OUT)
            continue()
        endif()
        file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.c)
        add_library(opensspi_${folder} STATIC ${sources})
        if(HAVE_fno_plt)
            target_compile_options(opensspi_${folder} PRIVATE -fno-plt)
        endif()
        list(APPEND here ${folder})
    endforeach()
    foreach(folder IN LISTS here)
        target_link_libraries(opensspi_${folder} PUBLIC opensspi_common)
        set(uses ${below})
        if(NOT floor STREQUAL "packages")
            list(APPEND uses ${here})
            list(REMOVE_ITEM uses ${folder})
        endif()
        foreach(use IN LISTS uses)
            target_link_libraries(opensspi_${folder} PUBLIC opensspi_${use})
        endforeach()
    endforeach()
    list(APPEND below ${here})
    if(floor MATCHES "^(ground|core|identity)$")
        list(APPEND OPENSSPI_LOW_FOLDERS ${here})
    endif()
    list(APPEND OPENSSPI_FOLDERS ${here})
endforeach()

file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src src/*.c)
foreach(source IN LISTS all_sources)
    string(REGEX REPLACE "/.*" "" folder ${source})
    if(NOT folder IN_LIST known)
        message(FATAL_ERROR "src/${source}: its folder stands on no floor of tools/floors.txt")
    endif()
endforeach()

add_library(opensspi_internal INTERFACE)
target_link_libraries(opensspi_internal INTERFACE opensspi_common)
target_compile_definitions(opensspi_internal INTERFACE ${OPENSSPI_DEFINITIONS})
set(objects "")
foreach(folder IN LISTS OPENSSPI_FOLDERS)
    target_link_libraries(opensspi_internal INTERFACE opensspi_${folder})
    list(APPEND objects $<TARGET_OBJECTS:opensspi_${folder}>)
endforeach()

# Public functions live in src/api; the version script, not visibility, decides which of its names leave the library.
target_compile_options(opensspi_api PRIVATE -fvisibility=default)

set(OPENSSPI_EXPORTS ${PROJECT_SOURCE_DIR}/src/api/exports.map)
add_library(opensspi SHARED ${objects})
add_library(OpenSSPI::opensspi ALIAS opensspi)
set_target_properties(opensspi PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} LINKER_LANGUAGE C LINK_DEPENDS ${OPENSSPI_EXPORTS})
target_include_directories(opensspi INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include/opensspi> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/opensspi>)
target_link_libraries(opensspi PRIVATE ${OPENSSPI_DEPENDENCIES})
target_link_options(opensspi PRIVATE -Wl,--version-script=${OPENSSPI_EXPORTS} -Wl,-Bsymbolic-functions)
# Threads that wait for a KDC may still run in it when a program lets it go.
target_link_options(opensspi PRIVATE -Wl,-z,nodelete)
if(NOT OPENSSPI_SANITIZE)
    # clang leaves the sanitizer's runtime to the program.
    target_link_options(opensspi PRIVATE -Wl,--no-undefined)
endif()

# One object with every name local but the exported ones, in an archive.
set(OPENSSPI_ARCHIVE ${PROJECT_BINARY_DIR}/libopensspi.a)
add_custom_command(OUTPUT ${OPENSSPI_ARCHIVE}
    COMMAND ${CMAKE_COMMAND} -DEXPORTS=${OPENSSPI_EXPORTS} -DARCHIVE=${OPENSSPI_ARCHIVE} -DLINKER=${CMAKE_LINKER}
            -DOBJCOPY=${CMAKE_OBJCOPY} -DAR=${CMAKE_AR} -P ${PROJECT_SOURCE_DIR}/cmake/Archive.cmake -- ${objects}
    DEPENDS ${objects} ${OPENSSPI_EXPORTS} ${PROJECT_SOURCE_DIR}/cmake/Archive.cmake ${PROJECT_SOURCE_DIR}/cmake/Objects.cmake
    COMMAND_EXPAND_LISTS VERBATIM COMMENT "Making libopensspi.a with internal names localised")
add_custom_target(opensspi_archive ALL DEPENDS ${OPENSSPI_ARCHIVE})
add_library(opensspi_static INTERFACE)
add_library(OpenSSPI::static ALIAS opensspi_static)
add_dependencies(opensspi_static opensspi_archive)
target_include_directories(opensspi_static INTERFACE ${PROJECT_SOURCE_DIR}/include/opensspi)
target_link_libraries(opensspi_static INTERFACE ${OPENSSPI_ARCHIVE} ${OPENSSPI_DEPENDENCIES})
