#include "access/winbind.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/types.h>

#define LIBRARY "libwbclient.so.0" /* the name that carries its interface's version */

/* libwbclient's interface, as far as it is used here (Samba, wbclient.h, interface 0). */
enum {
    WBC_SUCCESS = 0,
    WBC_NO_MEMORY = 3,
    WBC_DOMAIN_NOT_FOUND = 7,
    WBC_UNKNOWN_USER = 11,
    WBC_UNKNOWN_GROUP = 12,
    WBC_NOT_MAPPED = 14,
};
enum { WBC_ID_UNKNOWN, WBC_ID_UID, WBC_ID_GID, WBC_ID_BOTH };
struct wbc_sid {
    uint8_t revision, n_subauthorities, authority[6];
    uint32_t subauthority[15];
};
struct wbc_id {
    int type;
    uint32_t id;
};
_Static_assert(sizeof(struct wbc_sid) == sizeof(struct sid) && sizeof(struct wbc_sid) == 68, "one layout");

static struct {
    char *name; /* of the library that is loaded, or that cannot be */
    void *library;
    const char *missing; /* the function that it lacks */
    int (*sids_to_ids)(const struct wbc_sid *sids, uint32_t n_sids, struct wbc_id *ids);
    int (*uid_to_sid)(uid_t uid, struct wbc_sid *sid);
    int (*gid_to_sid)(gid_t gid, struct wbc_sid *sid);
    int (*lookup_sid)(const struct wbc_sid *sid, char **domain, char **name, int *type);
    int (*lookup_name)(const char *domain, const char *name, struct wbc_sid *sid, int *type);
    void (*free_memory)(void *block);
} wbc; /* guarded by wbc_lock */
static pthread_mutex_t wbc_lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void guard(void)
{
    fork_guard(&wbc_lock, FORK_RANK_WINBIND);
}

static void functions_find(void)
{
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"wbcSidsToUnixIds", &wbc.sids_to_ids}, {"wbcUidToSid", &wbc.uid_to_sid},
        {"wbcGidToSid", &wbc.gid_to_sid},       {"wbcLookupSid", &wbc.lookup_sid},
        {"wbcLookupName", &wbc.lookup_name},    {"wbcFreeMemory", &wbc.free_memory},
    };
    wbc.missing = NULL;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        void *function = dlsym(wbc.library, wanted[i].name);
        if (function == NULL)
            wbc.missing = wanted[i].name;
        memcpy(wanted[i].slot, &function, sizeof function); /* ISO C knows no cast from object to function */
    }
}

/* Under the lock. A library once loaded stays: unloading one that has threads' data crashes. */
static SECURITY_STATUS library_ready(const struct config *config)
{
    const char *name = config->access_winbind_library != NULL ? config->access_winbind_library : LIBRARY;
    if (wbc.name == NULL || strcmp(wbc.name, name) != 0 || wbc.library == NULL) {
        char *copy = mem_strdup(name);
        require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
        mem_free(wbc.name);
        wbc.name = copy;
        wbc.library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        if (wbc.library != NULL)
            functions_find();
    }
    if (wbc.library == NULL)
        return cause_set(SEC_E_INTERNAL_ERROR, "winbind in [access] needs %.128s, which cannot be loaded", name);
    if (wbc.missing != NULL)
        return cause_set(SEC_E_INTERNAL_ERROR, "%.128s has no function %s", name, wbc.missing);
    return SEC_E_OK;
}

/* SEC_E_OK for an answer, whether or not it says "known". */
static SECURITY_STATUS answer_of(int error, bool *known)
{
    *known = error == WBC_SUCCESS;
    switch (error) {
    case WBC_SUCCESS:
    case WBC_DOMAIN_NOT_FOUND:
    case WBC_UNKNOWN_USER:
    case WBC_UNKNOWN_GROUP:
    case WBC_NOT_MAPPED:
        return SEC_E_OK;
    case WBC_NO_MEMORY:
        return SEC_E_INSUFFICIENT_MEMORY;
    default:
        return cause_set(SEC_E_INTERNAL_ERROR, "winbind does not answer (error %d of libwbclient)", error);
    }
}

static struct wbc_sid wbc_of(const struct sid *sid)
{
    struct wbc_sid out;
    memcpy(&out, sid, sizeof out);
    return out;
}

static SECURITY_STATUS sid_of(const struct wbc_sid *found, struct sid *sid)
{
    require(found->revision == 1 && found->n_subauthorities <= SID_SUBAUTHORITIES_MAX,
            cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is no SID"));
    memcpy(sid, found, sizeof *sid);
    for (size_t i = sid->n_subauthorities; i < SID_SUBAUTHORITIES_MAX; i++)
        sid->subauthority[i] = 0;
    return SEC_E_OK;
}

SECURITY_STATUS winbind_ids_of_sids(const struct config *config, const struct sid *sids, size_t n_sids, int64_t *uids,
                                    int64_t *gids)
{
    bool known = false;
    AUTO_FREE struct wbc_sid *asked = mem_zalloc_array(n_sids, sizeof asked[0]);
    AUTO_FREE struct wbc_id *ids = mem_zalloc_array(n_sids, sizeof ids[0]);
    require(asked != NULL && ids != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < n_sids; i++)
        asked[i] = wbc_of(&sids[i]);
    pthread_mutex_lock(&wbc_lock);
    SECURITY_STATUS status = library_ready(config);
    if (status == SEC_E_OK)
        status = answer_of(wbc.sids_to_ids(asked, (uint32_t)n_sids, ids), &known);
    pthread_mutex_unlock(&wbc_lock);
    require(status == SEC_E_OK, status);
    for (size_t i = 0; known && i < n_sids; i++) {
        if (ids[i].type == WBC_ID_UID || ids[i].type == WBC_ID_BOTH)
            uids[i] = ids[i].id;
        if (ids[i].type == WBC_ID_GID || ids[i].type == WBC_ID_BOTH)
            gids[i] = ids[i].id;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS sid_of_id(const struct config *config, bool user, uint32_t id, struct sid *sid)
{
    struct wbc_sid found = {0};
    bool known = false;
    pthread_mutex_lock(&wbc_lock);
    SECURITY_STATUS status = library_ready(config);
    if (status == SEC_E_OK)
        status = answer_of(user ? wbc.uid_to_sid(id, &found) : wbc.gid_to_sid(id, &found), &known);
    pthread_mutex_unlock(&wbc_lock);
    return status == SEC_E_OK && known ? sid_of(&found, sid) : status;
}

SECURITY_STATUS winbind_sid_of_uid(const struct config *config, uint32_t uid, struct sid *sid)
{
    return sid_of_id(config, true, uid, sid);
}

SECURITY_STATUS winbind_sid_of_gid(const struct config *config, uint32_t gid, struct sid *sid)
{
    return sid_of_id(config, false, gid, sid);
}

static SECURITY_STATUS text_take(const char *text, char **copy)
{
    require(text != NULL && utf8_valid(slice_of_text(text)),
            cause_set(SEC_E_INTERNAL_ERROR, "winbind's answer is no text"));
    *copy = mem_strdup(text);
    return *copy != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS winbind_name_of_sid(const struct config *config, const struct sid *sid, char **domain, char **name,
                                    enum sid_use *use)
{
    struct wbc_sid asked = wbc_of(sid);
    char *found_domain = NULL, *found_name = NULL;
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *second = NULL;
    int type = 0;
    bool known = false;
    pthread_mutex_lock(&wbc_lock);
    SECURITY_STATUS status = library_ready(config);
    if (status == SEC_E_OK)
        status = answer_of(wbc.lookup_sid(&asked, &found_domain, &found_name, &type), &known);
    if (status == SEC_E_OK && known) {
        status = text_take(found_domain, &first);
        if (status == SEC_E_OK)
            status = text_take(found_name, &second);
        wbc.free_memory(found_domain);
        wbc.free_memory(found_name);
    }
    pthread_mutex_unlock(&wbc_lock);
    require(status == SEC_E_OK && known, status);
    *domain = STEAL(first);
    *name = STEAL(second);
    *use = (enum sid_use)type; /* wbcSidType numbers them as SID_NAME_USE does */
    return SEC_E_OK;
}

SECURITY_STATUS winbind_sid_of_name(const struct config *config, const char *domain, const char *name, struct sid *sid,
                                    enum sid_use *use)
{
    struct wbc_sid found = {0};
    int type = 0;
    bool known = false;
    pthread_mutex_lock(&wbc_lock);
    SECURITY_STATUS status = library_ready(config);
    if (status == SEC_E_OK)
        status = answer_of(wbc.lookup_name(domain, name, &found, &type), &known);
    pthread_mutex_unlock(&wbc_lock);
    require(status == SEC_E_OK && known, status);
    try(sid_of(&found, sid));
    *use = (enum sid_use)type;
    return SEC_E_OK;
}
