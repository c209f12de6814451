#include "api/api.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/trace.h"
#include "foreign/foreign.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#ifdef OPENSSPI_WITH_NEGOTIATE
extern const struct package negotiate_package;
#endif
#ifdef OPENSSPI_WITH_KERBEROS
extern const struct package kerberos_package;
#endif
#ifdef OPENSSPI_WITH_NTLM
extern const struct package ntlm_package;
#endif

#ifdef OPENSSPI_WITH_DIGEST
extern const struct package digest_package;
#endif

#ifdef OPENSSPI_WITH_SCHANNEL
extern const struct package schannel_package, schannel_unified_package, schannel_default_package;
#endif

#ifdef OPENSSPI_WITH_CREDSSP
extern const struct package credssp_package, tsssp_package;
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
#ifdef OPENSSPI_WITH_CREDSSP
    &tsssp_package,
#endif
#ifdef OPENSSPI_WITH_DIGEST
    &digest_package,
#endif
#ifdef OPENSSPI_WITH_SCHANNEL
    &schannel_package,
    &schannel_unified_package,
    &schannel_default_package,
#endif
#ifdef OPENSSPI_WITH_CREDSSP
    &credssp_package,
#endif
    NULL,
};

static void register_all(void)
{
    for (size_t i = 0; builtin[i] != NULL; i++)
        (void)registry_add(
            builtin[i]); /* refused only for a wrong description, which the tests of the list would show */
}

/* The configuration's modules. One that cannot be loaded leaves the others as they are: its cause is told when its package is not found. */
static pthread_mutex_t configured_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool configured;                  /* set once all were tried */
static char configured_problem[CAUSE_TEXT_MAX]; /* guarded by configured_lock */
static bool configured_without_memory;          /* as well: not all were tried as they should */

/* Modules start under it, and may fork. */
static void child_free(void)
{
    pthread_mutex_init(&configured_lock, NULL);
}

__attribute__((constructor)) static void guard(void)
{
    (void)pthread_atfork(NULL, NULL, child_free);
}

static void configured_load(void)
{
    const struct config *config;
    configured_problem[0] = '\0';
    configured_without_memory = false;
    if (config_get(&config) != SEC_E_OK) { /* to be read again at the next call: it may be mended */
        snprintf(configured_problem, sizeof configured_problem, "%s", cause_text());
        configured_without_memory = mem_refused();
        cause_clear();
        return;
    }
    for (unsigned i = 0; i < config->packages.n_items; i++)
        if (foreign_load(config->packages.item[i]) != SEC_E_OK) {
            TRACE("module", "%s", cause_text());
            if (configured_problem[0] == '\0')
                snprintf(configured_problem, sizeof configured_problem, "%s", cause_text());
            configured_without_memory = configured_without_memory || mem_refused();
            cause_clear();
        }
    config_release(config);
    atomic_store(&configured, !configured_without_memory); /* else once more, with those that are loaded passed over */
}

void api_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static _Thread_local bool starting; /* a module's start may call us */
    pthread_once(&once, register_all);
    if (atomic_load(&configured) || starting)
        return;
    AS_PROCESS_SCOPE; /* what modules do when they start is the process's doing */
    starting = true;
    pthread_mutex_lock(&configured_lock);
    if (!atomic_load(&configured))
        configured_load();
    pthread_mutex_unlock(&configured_lock);
    starting = false;
}

static SECURITY_STATUS not_found(const char *name)
{
    char problem[CAUSE_TEXT_MAX] = "";
    bool without_memory = false;
    if (pthread_mutex_trylock(&configured_lock) == 0) { /* held only by a module that is being started */
        snprintf(problem, sizeof problem, "%.300s", configured_problem);
        without_memory = configured_without_memory;
        pthread_mutex_unlock(&configured_lock);
    }
    require(!without_memory, SEC_E_INSUFFICIENT_MEMORY);
    return cause_set(SEC_E_SECPKG_NOT_FOUND, "there is no security package \"%.64s\"%s%s%s", name,
                     problem[0] != '\0' ? " (" : "", problem, problem[0] != '\0' ? ")" : "");
}

SECURITY_STATUS api_package_find(const char *name, const struct package **package)
{
    api_start();
    require(name != NULL, cause_set(SEC_E_SECPKG_NOT_FOUND, "no package name was given"));
    const struct package *found = registry_find(name);
    require(found != NULL, not_found(name));
    *package = found;
    return SEC_E_OK;
}
