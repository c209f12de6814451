#include "access/access_check.h"

#include "access/well_known.h"

#define GENERIC_READ_BIT 0x80000000u
#define GENERIC_WRITE_BIT 0x40000000u
#define GENERIC_EXECUTE_BIT 0x20000000u
#define GENERIC_ALL_BIT 0x10000000u
#define GRANTABLE 0x001FFFFFu /* all specific and standard rights; no list gives ACCESS_SYSTEM_SECURITY */

uint32_t access_map_generic(uint32_t mask, const struct access_mapping *mapping)
{
    if ((mask & GENERIC_READ_BIT) != 0)
        mask |= mapping->read;
    if ((mask & GENERIC_WRITE_BIT) != 0)
        mask |= mapping->write;
    if ((mask & GENERIC_EXECUTE_BIT) != 0)
        mask |= mapping->execute;
    if ((mask & GENERIC_ALL_BIT) != 0)
        mask |= mapping->all;
    return mask & ~ACCESS_GENERIC;
}

struct check {
    const struct descriptor *descriptor;
    const struct token *token;
    const struct access_mapping *mapping;
    bool is_owner,
        owner_rights; /* OWNER RIGHTS stands in the list: the owner has what it says, and nothing by itself */
    uint32_t allowed, denied;
};

/* PRINCIPAL SELF, which stands for the object where the object is an account, is nobody here. */
static bool concerns(const struct check *check, const struct ace *ace, bool deny)
{
    if (check->is_owner && sid_equal(&ace->sid, &WELL_KNOWN_OWNER_RIGHTS))
        return true;
    return deny ? token_has_to_deny(check->token, &ace->sid) : token_has(check->token, &ace->sid);
}

/* Entries count in their order: what came first stands. */
static void ace_apply(struct check *check, const struct ace *ace)
{
    uint32_t mask = access_map_generic(ace->mask, check->mapping) & GRANTABLE;
    switch (ace->type) {
    case ACE_ALLOWED:
    case ACE_ALLOWED_OBJECT:
        if (!ace->has_object && concerns(check, ace, false))
            check->allowed |= mask & ~check->denied;
        return;
    case ACE_DENIED:
    case ACE_DENIED_OBJECT:
    case ACE_DENIED_CALLBACK:
    case ACE_DENIED_CALLBACK_OBJECT:
        if (concerns(check, ace, true))
            check->denied |= mask & ~check->allowed;
        return;
    default:
        if (!ace->understood && (ace->type < ACE_SYSTEM_FIRST || ace->type > ACE_SYSTEM_LAST))
            check->denied |= ~check->allowed;
        return; /* audits and labels belong to the other list */
    }
}

static bool owner_rights_stand(struct slice dacl)
{
    struct acl_walk walk;
    struct ace ace;
    if (dacl.data == NULL || acl_open(dacl, &walk) != WIRE_OK)
        return false;
    while (walk.left > 0 && acl_next(&walk, &ace) == WIRE_OK)
        if ((ace.flags & ACE_INHERIT_ONLY) == 0 && ace.understood && sid_equal(&ace.sid, &WELL_KNOWN_OWNER_RIGHTS))
            return true;
    return false;
}

static bool dacl_apply(struct check *check)
{
    struct acl_walk walk;
    struct ace ace;
    require(acl_open(check->descriptor->dacl, &walk) == WIRE_OK, false);
    while (walk.left > 0) {
        require(acl_next(&walk, &ace) == WIRE_OK, false);
        if ((ace.flags & ACE_INHERIT_ONLY) == 0)
            ace_apply(check, &ace);
    }
    return true;
}

enum access_verdict access_check(const struct descriptor *descriptor, const struct token *token, uint32_t desired,
                                 const struct access_mapping *mapping, uint32_t *granted)
{
    struct check check = {.descriptor = descriptor, .token = token, .mapping = mapping};
    *granted = 0;
    if ((desired & ACCESS_SACL) != 0) /* SeSecurityPrivilege, and tokens have no privileges here */
        return ACCESS_NEEDS_PRIVILEGE;
    check.is_owner = descriptor->has_owner && token_has(token, &descriptor->owner);
    check.owner_rights = check.is_owner && owner_rights_stand(descriptor->dacl);
    if (check.is_owner && !check.owner_rights)
        check.allowed = ACCESS_READ_CONTROL | ACCESS_WRITE_DAC;
    bool everybody = descriptor->dacl.data == NULL; /* no list, or a NULL one */
    if (everybody)
        check.allowed = GRANTABLE;
    else if (!dacl_apply(&check))
        return ACCESS_REFUSED;
    uint32_t wanted = desired & ~ACCESS_MAXIMUM;
    if ((wanted & ~check.allowed) != 0)
        return ACCESS_REFUSED;
    if ((desired & ACCESS_MAXIMUM) != 0) {
        wanted |= everybody ? mapping->all & GRANTABLE : check.allowed; /* not more than such an object has */
        if (wanted == 0)
            return ACCESS_REFUSED;
    }
    *granted = wanted;
    return ACCESS_GRANTED;
}
