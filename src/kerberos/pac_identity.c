/* From what a PAC says to what an access token is built from. */
#include "kerberos/pac.h"

#include "base/memory.h"

/* MS-PAC 2.2.1: mandatory, enabled by default, enabled, owner, resource; other bits are to be ignored. Use-for-deny-only (0x10)
 * is kept all the same: dropping it would turn a group that only denies into one that grants. */
#define ATTRIBUTES_KEPT 0x2000001fu
#define ATTRIBUTES_PRIMARY 0x7u /* mandatory, enabled by default, enabled */

#define SLOTS 4096 /* a power of two, four times what fits in, so that searches stay short */
_Static_assert(SLOTS >= 2 * CLIENT_GROUPS_MAX && CLIENT_GROUPS_MAX <= UINT16_MAX, "a free slot ends every search");

/* The groups so far, found by their SID. */
struct group_set {
    struct client_identity *identity;
    size_t max;            /* room in identity->groups, at most CLIENT_GROUPS_MAX */
    uint16_t slots[SLOTS]; /* 1 + index into groups; 0 is free */
};

/* FNV-1a over what differs. Who could choose SIDs that collide has a domain's key, and gains a slow logon. */
static uint32_t sid_hash(const struct sid *sid)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof(sid->authority); i++)
        hash = (hash ^ sid->authority[i]) * 16777619u;
    for (size_t i = 0; i < sid->n_subauthorities; i++) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (sid->subauthority[i] >> shift & 0xff)) * 16777619u;
    }
    return hash ^ hash >> 16;
}

/* A SID met again only adds to the attributes it has. */
static enum wire_result group_add(struct group_set *set, const struct sid *sid, uint32_t attributes)
{
    struct client_identity *identity = set->identity;
    size_t slot = sid_hash(sid) % SLOTS;
    struct client_group *group;

    attributes &= ATTRIBUTES_KEPT;
    if (sid_equal(sid, &identity->user))
        return WIRE_OK;
    for (; set->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        group = &identity->groups[set->slots[slot] - 1];
        if (sid_equal(sid, &group->sid)) {
            group->attributes |= attributes;
            return WIRE_OK;
        }
    }
    require(identity->n_groups < set->max, WIRE_BAD);
    identity->groups[identity->n_groups] = (struct client_group){.sid = *sid, .attributes = attributes, .gid = -1};
    set->slots[slot] = (uint16_t)++identity->n_groups;
    return WIRE_OK;
}

static enum wire_result relative_add(struct group_set *set, const struct sid *domain, uint32_t rid, uint32_t attributes)
{
    struct sid sid = *domain;

    try(sid_append(&sid, rid));
    return group_add(set, &sid, attributes);
}

/* MS-PAC 2.5: UserId is relative to LogonDomainId; when it is 0, the first extra SID is the account's. */
static enum wire_result user_sid(const struct pac_logon_info *info, size_t n_extra_sids, struct sid *user)
{
    struct sid sid;

    if (info->user_id == 0) {
        require(n_extra_sids != 0, WIRE_BAD);
        *user = info->extra_sids[0].sid;
        return WIRE_OK;
    }
    require(info->has_domain_sid, WIRE_BAD);
    sid = info->domain_sid;
    try(sid_append(&sid, info->user_id));
    *user = sid;
    return WIRE_OK;
}

/* Parts that name the client by SID must all mean the same one. */
static bool sids_agree(const struct pac *pac, const struct sid *user)
{
    if (pac->has_requestor && !sid_equal(&pac->requestor, user))
        return false;
    return !pac->has_upn_info || !pac->upn_info.extended || sid_equal(&pac->upn_info.sid, user);
}

/* The primary group is among the groups as a rule, with attributes of its own. */
static bool primary_is_missing(const struct pac_logon_info *info)
{
    if (!info->has_domain_sid || info->primary_group_id == 0)
        return false;
    for (size_t i = 0; i < info->n_groups; i++) {
        if (info->groups[i].rid == info->primary_group_id)
            return false;
    }
    return true;
}

static enum wire_result groups_collect(const struct pac_logon_info *info, size_t n_extra_sids, size_t n_resource_groups,
                                       struct group_set *set)
{
    require(info->has_domain_sid || info->n_groups == 0, WIRE_BAD);
    require(info->has_resource_domain_sid || n_resource_groups == 0, WIRE_BAD);
    for (size_t i = 0; i < info->n_groups; i++)
        try(relative_add(set, &info->domain_sid, info->groups[i].rid, info->groups[i].attributes));
    if (primary_is_missing(info))
        try(relative_add(set, &info->domain_sid, info->primary_group_id, ATTRIBUTES_PRIMARY));
    for (size_t i = 0; i < n_extra_sids; i++)
        try(group_add(set, &info->extra_sids[i].sid, info->extra_sids[i].attributes));
    for (size_t i = 0; i < n_resource_groups; i++) {
        const struct pac_group *group = &info->resource_groups[i];

        try(relative_add(set, &info->resource_domain_sid, group->rid, group->attributes));
    }
    return WIRE_OK;
}

/* client_identity.h: whoever reads the groups takes the first of the domain for the primary one. */
static void primary_to_front(const struct pac_logon_info *info, struct client_identity *identity)
{
    struct sid primary = info->domain_sid;

    if (!info->has_domain_sid || info->primary_group_id == 0 || sid_append(&primary, info->primary_group_id) != WIRE_OK)
        return;
    for (size_t i = 1; i < identity->n_groups; i++) {
        if (sid_equal(&identity->groups[i].sid, &primary)) {
            struct client_group group = identity->groups[i];

            identity->groups[i] = identity->groups[0];
            identity->groups[0] = group;
            return;
        }
    }
}

enum wire_result pac_to_identity(const struct pac *pac, struct client_identity *identity)
{
    const struct pac_logon_info *info = &pac->logon_info;
    size_t n_extra_sids = (info->user_flags & PAC_USER_EXTRA_SIDS) != 0 ? info->n_extra_sids : 0;
    size_t n_resource_groups = (info->user_flags & PAC_USER_RESOURCE_GROUPS) != 0 ? info->n_resource_groups : 0;
    struct client_identity made = {.uid = -1, .gid = -1};
    AUTO_FREE struct group_set *set = NULL;

    require(pac->has_logon_info, WIRE_BAD);
    try(user_sid(info, n_extra_sids, &made.user));
    require(sids_agree(pac, &made.user), WIRE_BAD);
    set = mem_zalloc(sizeof(*set));
    require(set != NULL, WIRE_BAD);
    set->identity = &made;
    set->max = info->n_groups + 1 + n_extra_sids + n_resource_groups;
    if (set->max > CLIENT_GROUPS_MAX)
        set->max = CLIENT_GROUPS_MAX;
    made.groups = mem_zalloc_array(set->max, sizeof(made.groups[0]));
    require(made.groups != NULL, WIRE_BAD);
    if (groups_collect(info, n_extra_sids, n_resource_groups, set) != WIRE_OK) {
        client_identity_release(&made);
        return WIRE_BAD;
    }
    primary_to_front(info, &made);
    *identity = made;
    return WIRE_OK;
}
