#include "core/registry.h"

#include "base/fork.h"
#include "base/utf16.h"
#include "core/cause.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct package *packages[REGISTRY_MAX];
static atomic_bool hidden[REGISTRY_MAX];
static atomic_size_t n_packages; /* published after the entry */

FORK_GUARD(registry_lock, FORK_RANK_REGISTRY)

static bool package_unhide(const struct package *package, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (packages[i] == package) {
            atomic_store(&hidden[i], false);
            return true;
        }
    return false;
}

SECURITY_STATUS registry_add(const struct package *package)
{
    const struct package_info *info = &package->info;
    require(info->name != NULL && info->name[0] != '\0' && info->comment != NULL && info->max_token > 0 &&
                package->authority != NULL,
            cause_set(SEC_E_CANNOT_INSTALL, "a security package without name, comment, token size or functions"));
    pthread_mutex_lock(&registry_lock);
    SECURITY_STATUS status = SEC_E_OK;
    size_t count = atomic_load(&n_packages);
    if (registry_find(info->name) != NULL)
        status = cause_set(SEC_E_CANNOT_INSTALL, "there is a security package \"%s\" already", info->name);
    else if (package_unhide(package, count))
        status = SEC_E_OK;
    else if (count == REGISTRY_MAX)
        status = cause_set(SEC_E_CANNOT_INSTALL, "more than %d security packages", REGISTRY_MAX);
    else {
        packages[count] = package;
        atomic_store(&n_packages, count + 1);
    }
    pthread_mutex_unlock(&registry_lock);
    return status;
}

SECURITY_STATUS registry_hide(const struct package *package)
{
    size_t count = atomic_load(&n_packages);
    for (size_t i = 0; i < count; i++)
        if (packages[i] == package && !atomic_exchange(&hidden[i], true))
            return SEC_E_OK;
    return SEC_E_SECPKG_NOT_FOUND;
}

size_t registry_list(const struct package *list[REGISTRY_MAX])
{
    size_t count = atomic_load(&n_packages), n_listed = 0;
    for (size_t i = 0; i < count; i++)
        if (!atomic_load(&hidden[i]))
            list[n_listed++] = packages[i];
    return n_listed;
}

const struct package *registry_find_kept(const char *name)
{
    size_t count = atomic_load(&n_packages);
    const struct package *kept = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct package *package = packages[i];
        if (strcmp(package->info.name, name) != 0 && !text_equal_fold(package->info.name, name))
            continue;
        if (!atomic_load(&hidden[i]))
            return package;
        kept = package;
    }
    return kept;
}

const struct package *registry_find(const char *name)
{
    size_t count = atomic_load(&n_packages);
    for (size_t i = 0; i < count; i++)
        if (!atomic_load(&hidden[i]) && text_equal_fold(packages[i]->info.name, name))
            return packages[i];
    return NULL;
}

const struct package *registry_at(size_t index)
{
    const struct package *list[REGISTRY_MAX];
    return index < registry_list(list) ? list[index] : NULL;
}

bool package_is_negotiable(const struct package *package)
{
    return (package->info.capabilities & SECPKG_FLAG_NEGOTIABLE) != 0 && package->info.mech.oid[0].len > 0 &&
           package->session != NULL;
}
