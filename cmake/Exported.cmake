# cmake -DARCHIVE= -DNM= -DOUTPUT= -P Exported.cmake -- objects...
# Writes a C file with exported_find (win32/exported.h) as a table: what begins with opensspi_ in the objects, and what the archive of libopensspi exports.
include(${CMAKE_CURRENT_LIST_DIR}/Objects.cmake)

execute_process(COMMAND ${NM} --extern-only --defined-only ${objects} OUTPUT_VARIABLE defined COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${NM} --extern-only --defined-only ${ARCHIVE} OUTPUT_VARIABLE archived COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL " T opensspi_[A-Za-z0-9_]*" symbols "${defined}")
string(REGEX MATCHALL " T [A-Za-z0-9_]*" more "${archived}")
if(NOT symbols OR NOT more)
    message(FATAL_ERROR "nothing is exported")
endif()
list(APPEND symbols ${more})

set(declarations "")
set(entries "")
foreach(symbol IN LISTS symbols)
    string(REPLACE " T " "" symbol "${symbol}")
    string(REGEX REPLACE "^opensspi_" "" name "${symbol}")
    string(APPEND declarations "void ${symbol}(void);\n")
    string(APPEND entries "    {\"${name}\", ${symbol}},\n")
endforeach()
file(WRITE ${OUTPUT} "/* Made by cmake/Exported.cmake. */
#include \"exported.h\"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

${declarations}
static const struct {
    const char *name;
    void (*function)(void);
} table[] = {
${entries}};

void *exported_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return (void *)(uintptr_t)table[i].function;
    return NULL;
}
")
