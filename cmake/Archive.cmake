# cmake -DEXPORTS= -DARCHIVE= -DLINKER= -DOBJCOPY= -DAR= -P Archive.cmake -- objects...
# Joins the objects into one, makes every name local that EXPORTS (a version script, with names or patterns) does not list as global, and puts
# the result into the archive ARCHIVE.
include(${CMAKE_CURRENT_LIST_DIR}/Objects.cmake)

file(READ ${EXPORTS} script)
string(REGEX REPLACE "/\\*([^*]|\\*+[^*/])*\\*+/" " " script "${script}")
string(REGEX REPLACE "#[^\n]*" " " script "${script}")
string(REGEX REPLACE "local:.*" "" script "${script}")
string(REGEX REPLACE ".*global:" "" script "${script}")
string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*\\*?" names "${script}")
if(NOT names)
    message(FATAL_ERROR "${EXPORTS} exports nothing")
endif()
list(JOIN names "\n" text)

set(joined ${ARCHIVE}.o)
file(WRITE ${ARCHIVE}.names "${text}\n")
file(REMOVE ${ARCHIVE})
execute_process(COMMAND ${LINKER} -r -o ${joined} ${objects} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${OBJCOPY} --wildcard --keep-global-symbols=${ARCHIVE}.names ${joined} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${AR} rcs ${ARCHIVE} ${joined} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE ${joined} ${ARCHIVE}.names)
