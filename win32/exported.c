/* Functions by name, in the shared libraries. */
#include "exported.h"

#include <dlfcn.h>
#include <sspi.h>
#include <stdint.h>
#include <stdio.h>

#define NAME_MAX_LEN 200 /* of a function; the longest has 51 characters */

/* What the library has that a function lies in, which is loaded, since it runs. */
static void *library_find(void *function, const char *symbol)
{
    Dl_info info;
    if (dladdr(function, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (library == NULL)
        return NULL;
    void *found = dlsym(library, symbol);
    /* Only what the library itself has, not what it is linked with. */
    Dl_info where;
    if (found != NULL && (dladdr(found, &where) == 0 || where.dli_fbase != info.dli_fbase))
        found = NULL;
    dlclose(library);
    return found;
}

void *exported_find(const char *name)
{
    char symbol[NAME_MAX_LEN];
    void *found = NULL;
    if (snprintf(symbol, sizeof symbol, "opensspi_%s", name) < (int)sizeof symbol)
        found = library_find((void *)(uintptr_t)exported_find, symbol);
    return found != NULL ? found : library_find((void *)(uintptr_t)EnumerateSecurityPackagesW, name);
}
