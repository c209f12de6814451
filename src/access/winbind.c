#include "access/winbind.h"

#include "access/winbind_domains.h"
#include "base/memory.h"
#include "base/utf16.h"
#include <string.h>

/* What [access] says of libwbclient; borrowed from the configuration. */
static struct winbind_settings winbind_settings_of(const struct config *config)
{
    return (struct winbind_settings){config->access_winbind_library, config->access_winbind_seconds};
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
    default:
        return wbclient_failed(error);
    }
}

/* A question and what came of it, in one block that whoever is last frees. */
struct asked {
    bool known;
    uint32_t id;
    struct wbc_sid sid;
    char *domain, *name;
    int type;
    size_t n_sids;
    struct wbc_sid *sids;
    struct wbc_id *ids;
};

static void asked_free(void *data)
{
    struct asked *asked = data;
    if (asked == NULL)
        return;
    mem_free(asked->domain);
    mem_free(asked->name);
    mem_free(asked->sids);
    mem_free(asked->ids);
    mem_free(asked);
}

static void asked_cleanup(struct asked **asked)
{
    asked_free(*asked);
}
#define AUTO_ASKED __attribute__((cleanup(asked_cleanup)))

/* Asks; `*asked` is NULL afterwards when there was no answer in time. */
static SECURITY_STATUS ask(const struct config *config, const struct wbclient_work *work, struct asked **asked)
{
    const struct winbind_settings settings = winbind_settings_of(config);
    void *data = *asked;
    SECURITY_STATUS status = wbclient_ask(&settings, work, &data);
    *asked = data;
    return status;
}

static SECURITY_STATUS run_sids_to_ids(const struct wbclient *wbc, void *context, void *data)
{
    struct asked *asked = data;
    return answer_of(wbc->sids_to_ids(context, asked->sids, (uint32_t)asked->n_sids, asked->ids), &asked->known);
}

/* Accounts and groups of domains have ids of winbind's: what a domain says of "Unix User", BUILTIN or this computer's own accounts makes nobody a
 * user here. */
static void local_sids_forget(const struct winbind_domains *domains, const struct sid *sids, size_t n_sids,
                              struct wbc_id *ids)
{
    for (size_t i = 0; i < n_sids; i++) {
        struct sid domain;
        if (sid_domain(&sids[i], &domain) != WIRE_OK || winbind_sid_is_local(domains, &sids[i]))
            ids[i].type = WBC_ID_UNKNOWN;
    }
}

SECURITY_STATUS winbind_ids_of_sids(const struct config *config, const struct sid *sids, size_t n_sids, int64_t *uids,
                                    int64_t *gids)
{
    static const struct wbclient_work work = {run_sids_to_ids, asked_free};
    AUTO_ASKED struct asked *asked = mem_zalloc(sizeof *asked);
    require(asked != NULL, SEC_E_INSUFFICIENT_MEMORY);
    asked->n_sids = n_sids;
    asked->sids = mem_zalloc_array(n_sids, sizeof asked->sids[0]);
    asked->ids = mem_zalloc_array(n_sids, sizeof asked->ids[0]);
    require(asked->sids != NULL && asked->ids != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < n_sids; i++)
        asked->sids[i] = wbclient_sid_of(&sids[i]);
    try(ask(config, &work, &asked));
    const struct winbind_settings settings = winbind_settings_of(config);
    const struct winbind_domains *domains = NULL;
    if (asked->known) {
        try(winbind_domains_get(&settings, true, &domains));
        local_sids_forget(domains, sids, n_sids, asked->ids);
        winbind_domains_release(domains);
    }
    for (size_t i = 0; asked->known && i < n_sids; i++) {
        const struct wbc_id *id = &asked->ids[i];
        if (id->type == WBC_ID_UID || id->type == WBC_ID_BOTH)
            uids[i] = id->id;
        if (id->type == WBC_ID_GID || id->type == WBC_ID_BOTH)
            gids[i] = id->id;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS run_uid_to_sid(const struct wbclient *wbc, void *context, void *data)
{
    struct asked *asked = data;
    return answer_of(wbc->uid_to_sid(context, asked->id, &asked->sid), &asked->known);
}

static SECURITY_STATUS run_gid_to_sid(const struct wbclient *wbc, void *context, void *data)
{
    struct asked *asked = data;
    return answer_of(wbc->gid_to_sid(context, asked->id, &asked->sid), &asked->known);
}

static SECURITY_STATUS sid_of_id(const struct config *config, const struct wbclient_work *work, uint32_t id,
                                 struct sid *sid)
{
    AUTO_ASKED struct asked *asked = mem_zalloc(sizeof *asked);
    require(asked != NULL, SEC_E_INSUFFICIENT_MEMORY);
    asked->id = id;
    try(ask(config, work, &asked));
    return asked->known ? wbclient_sid_take(&asked->sid, sid) : SEC_E_OK;
}

SECURITY_STATUS winbind_sid_of_uid(const struct config *config, uint32_t uid, struct sid *sid)
{
    static const struct wbclient_work work = {run_uid_to_sid, asked_free};
    return sid_of_id(config, &work, uid, sid);
}

SECURITY_STATUS winbind_sid_of_gid(const struct config *config, uint32_t gid, struct sid *sid)
{
    static const struct wbclient_work work = {run_gid_to_sid, asked_free};
    return sid_of_id(config, &work, gid, sid);
}

static SECURITY_STATUS run_lookup_sid(const struct wbclient *wbc, void *context, void *data)
{
    struct asked *asked = data;
    char *domain = NULL, *name = NULL;
    SECURITY_STATUS status =
        answer_of(wbc->lookup_sid(context, &asked->sid, &domain, &name, &asked->type), &asked->known);
    if (status == SEC_E_OK && asked->known) {
        status = wbclient_text_take(domain, &asked->domain);
        if (status == SEC_E_OK)
            status = wbclient_text_take(name, &asked->name);
        wbc->free_memory(domain);
        wbc->free_memory(name);
    }
    return status;
}

SECURITY_STATUS winbind_name_of_sid(const struct config *config, const struct sid *sid, char **domain, char **name,
                                    enum sid_use *use)
{
    static const struct wbclient_work work = {run_lookup_sid, asked_free};
    AUTO_ASKED struct asked *asked = mem_zalloc(sizeof *asked);
    require(asked != NULL, SEC_E_INSUFFICIENT_MEMORY);
    asked->sid = wbclient_sid_of(sid);
    try(ask(config, &work, &asked));
    require(asked->known, SEC_E_OK);
    *domain = STEAL(asked->domain);
    *name = STEAL(asked->name);
    *use = (enum sid_use)asked->type; /* wbcSidType numbers them as SID_NAME_USE does */
    return SEC_E_OK;
}

static SECURITY_STATUS run_lookup_name(const struct wbclient *wbc, void *context, void *data)
{
    struct asked *asked = data;
    return answer_of(wbc->lookup_name(context, asked->domain, asked->name, &asked->sid, &asked->type), &asked->known);
}

SECURITY_STATUS winbind_sid_of_name(const struct config *config, const char *domain, const char *name, struct sid *sid,
                                    enum sid_use *use)
{
    static const struct wbclient_work work = {run_lookup_name, asked_free};
    AUTO_ASKED struct asked *asked = mem_zalloc(sizeof *asked);
    require(asked != NULL, SEC_E_INSUFFICIENT_MEMORY);
    asked->domain = mem_strdup(domain);
    asked->name = mem_strdup(name);
    require(asked->domain != NULL && asked->name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(ask(config, &work, &asked));
    require(asked->known, SEC_E_OK);
    try(wbclient_sid_take(&asked->sid, sid));
    *use = (enum sid_use)asked->type;
    return SEC_E_OK;
}

/* A SID and a name, neither of a domain that winbind lists, go together where both are this computer's, or neither is anything of its own. */
static bool unlisted_belongs(const struct winbind_domains *domains, bool local, const char *domain)
{
    static const char *const own[] = {"Unix User", "Unix Group", "BUILTIN", "NT AUTHORITY"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (text_equal_fold(domain, own[i]))
            return false;
    return text_equal_fold(domain, domains->computer) == local;
}

SECURITY_STATUS winbind_sid_belongs(const struct config *config, const struct sid *sid, const char *domain,
                                    const char *name, bool *belongs)
{
    const struct winbind_settings settings = winbind_settings_of(config);
    const struct winbind_domains *domains = NULL;
    struct sid own;
    AUTO_FREE char *key = text_upper(domain);
    *belongs = false;
    require(key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (sid_domain(sid, &own) != WIRE_OK || well_known_of_name(domain, name) != NULL)
        return SEC_E_OK;
    try(winbind_domains_get(&settings, true, &domains));
    const struct winbind_domain *owner = winbind_domain_of_sid(domains, sid),
                                *named = winbind_domain_find(domains, key);
    bool local = winbind_sid_is_local(domains, sid);
    if (owner != NULL)
        *belongs = owner == named;
    else if (named != NULL)
        *belongs = named->sid.revision == 0 && !local; /* whose SID winbind does not say */
    else
        *belongs = unlisted_belongs(domains, local, domain);
    winbind_domains_release(domains);
    return SEC_E_OK;
}
