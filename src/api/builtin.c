#include "api/api.h"

#include "core/cause.h"
#include "core/registry.h"
#include <pthread.h>

#ifdef OPENSSPI_WITH_NEGOTIATE
extern const struct package negotiate_package;
#endif
#ifdef OPENSSPI_WITH_KERBEROS
extern const struct package kerberos_package;
#endif
#ifdef OPENSSPI_WITH_NTLM
extern const struct package ntlm_package;
#endif

/* In the order in which Windows lists them. */
static const struct package *const builtin[] = {
#ifdef OPENSSPI_WITH_NEGOTIATE
    &negotiate_package,
#endif
#ifdef OPENSSPI_WITH_KERBEROS
    &kerberos_package,
#endif
#ifdef OPENSSPI_WITH_NTLM
    &ntlm_package,
#endif
    NULL,
};

static void register_all(void)
{
    for (size_t i = 0; builtin[i] != NULL; i++)
        (void)registry_add(
            builtin[i]); /* refused only for a wrong description, which the tests of the list would show */
}

void api_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_all);
}

SECURITY_STATUS api_package_find(const char *name, const struct package **package)
{
    api_start();
    require(name != NULL, cause_set(SEC_E_SECPKG_NOT_FOUND, "no package name was given"));
    const struct package *found = registry_find(name);
    require(found != NULL, cause_set(SEC_E_SECPKG_NOT_FOUND, "there is no security package \"%.64s\"", name));
    *package = found;
    return SEC_E_OK;
}
