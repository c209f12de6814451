#include "access/unix_ids.h"

#include "access/name_service.h"
#include "access/winbind.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/trace.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID_MAX             \
    ((int64_t)UINT32_MAX - \
     2) /* (uid_t)-1 means "unchanged" to the kernel; the one below it is a usual "nobody" of 32 bits */

void unix_ids_release(struct unix_ids *ids)
{
    mem_free(ids->groups);
    *ids = (struct unix_ids){0};
}

static int gid_compare(const void *a, const void *b)
{
    gid_t first = *(const gid_t *)a, second = *(const gid_t *)b;
    return first < second ? -1 : first > second;
}

void unix_groups_sort(gid_t *groups, size_t *n_groups)
{
    size_t kept = 0;
    if (*n_groups == 0)
        return;
    qsort(groups, *n_groups, sizeof groups[0], gid_compare);
    for (size_t i = 0; i < *n_groups; i++)
        if (kept == 0 || groups[kept - 1] != groups[i])
            groups[kept++] = groups[i];
    *n_groups = kept;
}

struct sid client_primary_group(const struct client_identity *identity)
{
    struct sid domain;
    bool in_domain = sid_domain(&identity->user, &domain) == WIRE_OK;
    for (size_t i = 0; in_domain && i < identity->n_groups; i++)
        if (sid_equal_prefix(&identity->groups[i].sid, &identity->user))
            return identity->groups[i].sid;
    return identity->user;
}

static bool id_is_good(int64_t id)
{
    return id >= 0 && id <= ID_MAX;
}

static SECURITY_STATUS ids_begin(struct unix_ids *ids, int64_t uid, int64_t gid, size_t max_groups)
{
    unix_ids_release(ids);
    ids->groups = mem_zalloc_array(max_groups, sizeof ids->groups[0]);
    require(ids->groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
    ids->uid = (uid_t)uid;
    ids->gid = (gid_t)gid;
    ids->known = true;
    return SEC_E_OK;
}

/* Is that the gid of a group that opens nothing, and of none that does? Then it is nobody's primary one. `gids`: the groups'. */
static bool gid_is_denied(const struct client_identity *identity, const int64_t *gids, int64_t gid)
{
    bool denied = false;
    for (size_t i = 0; i < identity->n_groups; i++) {
        if (gids[i] == gid && group_opens(identity->groups[i].attributes))
            return false;
        denied = denied || gids[i] == gid;
    }
    return denied;
}

/* The user, the primary group and the others: -1 where there is none. What the primary group is where `gid` does not serve, the name service says. */
static SECURITY_STATUS ids_fill(const struct client_identity *identity, int64_t uid, int64_t gid, const int64_t *gids,
                                struct unix_ids *ids)
{
    if (!id_is_good(uid))
        return SEC_E_OK;
    if (!id_is_good(gid) || gid_is_denied(identity, gids, gid))
        try(name_service_gid_of((uid_t)uid, &gid));
    if (!id_is_good(gid) || gid_is_denied(identity, gids, gid))
        return SEC_E_OK;
    try(ids_begin(ids, uid, gid, identity->n_groups));
    for (size_t i = 0; i < identity->n_groups; i++)
        if (group_opens(identity->groups[i].attributes) && id_is_good(gids[i]))
            ids->groups[ids->n_groups++] = (gid_t)gids[i];
    return SEC_E_OK;
}

static SECURITY_STATUS from_store(const struct client_identity *identity, struct unix_ids *ids)
{
    if (identity->gid >= 0 && !id_is_good(identity->gid))
        return SEC_E_OK;
    AUTO_FREE int64_t *gids = mem_zalloc_array(identity->n_groups + 1, sizeof gids[0]);
    require(gids != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < identity->n_groups; i++)
        gids[i] = identity->groups[i].gid;
    return ids_fill(identity, identity->uid, identity->gid, gids, ids);
}

/* The user, the primary group, and all other groups, as one question to `ask`: which ids have these SIDs? -1 where none. */
typedef SECURITY_STATUS sid_mapper(const struct config *config, const struct sid *sids, size_t n_sids, int64_t *uids,
                                   int64_t *gids);

static SECURITY_STATUS from_mapper(const struct config *config, const struct client_identity *identity,
                                   sid_mapper *mapper, struct unix_ids *ids)
{
    size_t n = identity->n_groups + 2;
    AUTO_FREE struct sid *sids = mem_zalloc_array(n, sizeof sids[0]);
    AUTO_FREE int64_t *found = mem_zalloc_array(2 * n, sizeof found[0]);
    require(sids != NULL && found != NULL, SEC_E_INSUFFICIENT_MEMORY);
    int64_t *uids = found, *gids = found + n;
    sids[0] = identity->user;
    sids[1] = client_primary_group(identity);
    for (size_t i = 0; i < identity->n_groups; i++)
        sids[i + 2] = identity->groups[i].sid;
    for (size_t i = 0; i < 2 * n; i++)
        found[i] = -1;
    try(mapper(config, sids, n, uids, gids));
    return ids_fill(identity, uids[0], gids[1], gids + 2, ids);
}

static SECURITY_STATUS from_names(const struct config *config, const char *account, const char *domain,
                                  struct unix_ids *ids)
{
    if (account == NULL || domain == NULL)
        return SEC_E_OK;
    for (unsigned i = 0; i < config->access_name_domains.n_items; i++)
        if (text_equal_fold(config->access_name_domains.item[i], domain))
            return name_service_user(account, ids);
    return SEC_E_OK;
}

/* "DOMAIN-SID:FIRST:SIZE" */
static bool range_parse(const char *text, struct sid *domain, uint64_t *first, uint64_t *size)
{
    char sid[SID_TEXT_MAX];
    char *end;
    size_t len = strcspn(text, ":");
    require(len < sizeof sid && text[len] == ':', false);
    memcpy(sid, text, len);
    sid[len] = '\0';
    require(sid_from_text(sid, domain) == WIRE_OK && text[len + 1] >= '1' && text[len + 1] <= '9', false);
    errno = 0;
    *first = strtoull(text + len + 1, &end, 10);
    require(errno == 0 && end[0] == ':' && end[1] >= '1' && end[1] <= '9', false);
    *size = strtoull(end + 1, &end, 10);
    return errno == 0 && *end == '\0' && *first <= (uint64_t)ID_MAX && *size <= (uint64_t)ID_MAX - *first;
}

static SECURITY_STATUS range_map(const struct config *config, const struct sid *sids, size_t n_sids, int64_t *uids,
                                 int64_t *gids)
{
    for (unsigned at = 0; at < config->access_ranges.n_items; at++) {
        struct sid domain;
        uint64_t first, size;
        require(range_parse(config->access_ranges.item[at], &domain, &first, &size),
                cause_set(SEC_E_INTERNAL_ERROR, "\"%.200s\" in ranges of [access] is not DOMAIN-SID:FIRST:SIZE",
                          config->access_ranges.item[at]));
        for (size_t i = 0; i < n_sids; i++) {
            struct sid parent = sids[i];
            if (parent.n_subauthorities < 2 || uids[i] >= 0)
                continue;
            uint32_t rid = parent.subauthority[--parent.n_subauthorities];
            if (sid_equal(&parent, &domain) && rid < size)
                uids[i] = gids[i] = (int64_t)(first + rid);
        }
    }
    return SEC_E_OK;
}

SECURITY_STATUS unix_ids_check_ranges(const struct config *config)
{
    return range_map(config, NULL, 0, NULL, NULL);
}

/* Root is nobody's guest: who maps a client to uid 0 by mistake gives the machine away. */
void unix_ids_root_refuse(const struct config *config, struct unix_ids *ids)
{
    size_t kept = 0;
    if (!ids->known || config->access_allow_root)
        return;
    if (ids->uid == 0 || ids->gid == 0) {
        TRACE("access", "a client would be uid %lu, gid %lu; allow_root in [access] lets it", (unsigned long)ids->uid,
              (unsigned long)ids->gid);
        unix_ids_release(ids);
        return;
    }
    for (size_t i = 0; i < ids->n_groups; i++)
        if (ids->groups[i] != 0)
            ids->groups[kept++] = ids->groups[i];
    ids->n_groups = kept;
}

static SECURITY_STATUS find(const struct config *config, const struct client_identity *identity, const char *account,
                            const char *domain, struct unix_ids *ids)
{
    bool has_sid = identity->user.revision != 0;
    if (has_sid)
        try(from_store(identity, ids));
    if (!ids->known && has_sid && config->access_winbind)
        try(from_mapper(config, identity, winbind_ids_of_sids, ids));
    if (!ids->known)
        try(from_names(config, account, domain, ids));
    if (!ids->known && has_sid && config->access_ranges.n_items > 0)
        try(from_mapper(config, identity, range_map, ids));
    unix_groups_sort(ids->groups, &ids->n_groups);
    unix_ids_root_refuse(config, ids);
    return SEC_E_OK;
}

SECURITY_STATUS unix_ids_find(const struct config *config, const struct client_identity *identity, const char *account,
                              const char *domain, struct unix_ids *ids)
{
    struct unix_ids found = {0};
    SECURITY_STATUS status = find(config, identity, account, domain, &found);
    if (status != SEC_E_OK) {
        unix_ids_release(&found);
        return status;
    }
    *ids = found;
    return SEC_E_OK;
}

SECURITY_STATUS unix_ids_of_thread(struct unix_ids *ids)
{
    struct unix_ids found = {.known = true, .uid = geteuid(), .gid = getegid()};
    int n = getgroups(0, NULL);
    require(n >= 0 && n <= UNIX_GROUPS_MAX, cause_set(SEC_E_INTERNAL_ERROR, "getgroups: %d groups", n));
    found.groups = mem_zalloc_array((size_t)n, sizeof found.groups[0]);
    require(found.groups != NULL, SEC_E_INSUFFICIENT_MEMORY);
    n = n > 0 ? getgroups(n, found.groups) : 0;
    found.n_groups = n > 0 ? (size_t)n : 0;
    if (n < 0) {
        unix_ids_release(&found);
        return cause_set(SEC_E_INTERNAL_ERROR, "getgroups: %s", strerror(errno));
    }
    unix_groups_sort(found.groups, &found.n_groups);
    *ids = found;
    return SEC_E_OK;
}
