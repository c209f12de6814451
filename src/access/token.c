#include "access/token.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "crypto/random.h"
#include <string.h>

static bool luid_new(uint64_t *luid)
{
    uint64_t value = 0;
    require(random_bytes(&value, sizeof value), false);
    *luid = (value & (UINT64_MAX >> 1)) | UINT64_C(1) << 32; /* HighPart is signed, and never 0 */
    return true;
}

static void logon_set(struct token_facts *facts, uint64_t id, int64_t time)
{
    facts->logon_id = id;
    facts->logon_time = time;
    facts->logon_sid = SID_LITERAL(5, 5, (uint32_t)(id >> 32), (uint32_t)id);
}

SECURITY_STATUS token_facts_new(size_t n_groups, struct token_facts **facts)
{
    struct token_facts *made = mem_zalloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    atomic_init(&made->n_references, 1);
    made->expiry = FILETIME_NEVER;
    made->groups = mem_zalloc_array(n_groups, sizeof made->groups[0]);
    if (made->groups == NULL) {
        token_facts_release(made);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    if (!luid_new(&made->logon_id)) {
        token_facts_release(made);
        return cause_set(SEC_E_INTERNAL_ERROR, "no randomness");
    }
    made->source_id = made->logon_id;
    logon_set(made, made->logon_id, filetime_now());
    *facts = made;
    return SEC_E_OK;
}

SECURITY_STATUS token_facts_of_process(struct token_facts *facts)
{
    static atomic_uint_least64_t logon_id;
    static atomic_int_least64_t logon_time;
    uint64_t id = atomic_load(&logon_id), fresh;
    int64_t time = 0;
    if (id == 0) {
        require(luid_new(&fresh), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
        if (atomic_compare_exchange_strong(&logon_id, &id, fresh))
            id = fresh;
    }
    if (atomic_compare_exchange_strong(&logon_time, &time, facts->logon_time))
        time = facts->logon_time;
    logon_set(facts, id, time);
    return SEC_E_OK;
}

void token_facts_release(struct token_facts *facts)
{
    if (facts == NULL || atomic_fetch_sub_explicit(&facts->n_references, 1, memory_order_acq_rel) != 1)
        return;
    mem_free(facts->groups);
    mem_free(facts->account);
    mem_free(facts->domain);
    mem_free(facts->principal);
    unix_ids_release(&facts->unix_ids);
    mem_free(facts);
}

void token_facts_add(struct token_facts *facts, const struct sid *sid, uint32_t attributes)
{
    for (size_t i = 0; i < facts->n_groups; i++)
        if (sid_equal(&facts->groups[i].sid, sid))
            return;
    facts->groups[facts->n_groups++] = (struct token_group){*sid, attributes};
}

void token_facts_put(struct token_facts *facts, const struct sid *sid, uint32_t attributes)
{
    token_facts_add(facts, sid, attributes);
    for (size_t i = 0; i < facts->n_groups; i++)
        if (sid_equal(&facts->groups[i].sid, sid))
            facts->groups[i].attributes = attributes;
}

const struct token *token_new(struct token_facts *facts, bool primary, SECURITY_IMPERSONATION_LEVEL level,
                              const struct behalf *behalf)
{
    struct token *token = mem_zalloc(sizeof *token);
    if (token == NULL || !luid_new(&token->id)) {
        token_facts_release(facts);
        mem_free(token);
        return NULL;
    }
    atomic_init(&token->n_references, 1);
    token->facts = facts;
    token->primary = primary;
    token->level = level;
    if (behalf != NULL && (primary || level >= behalf->level))
        token->behalf = behalf_retain(behalf);
    return token;
}

void token_attribute(const struct token *fresh, uint64_t logon_id, const char *source, size_t source_len)
{
    struct token_facts *facts = fresh->facts;
    facts->logon_id = logon_id;
    if (source == NULL)
        return;
    memset(facts->source, 0, sizeof facts->source);
    memcpy(facts->source, source, source_len < sizeof facts->source ? source_len : sizeof facts->source);
}

const struct token *token_duplicate(const struct token *token, bool primary, SECURITY_IMPERSONATION_LEVEL level)
{
    atomic_fetch_add_explicit(&token->facts->n_references, 1, memory_order_relaxed);
    return token_new(token->facts, primary, level, token->behalf);
}

const struct token *token_retain(const struct token *token)
{
    struct token *counted = (struct token *)(uintptr_t)token;
    if (counted != NULL)
        atomic_fetch_add_explicit(&counted->n_references, 1, memory_order_relaxed);
    return token;
}

void token_release(const struct token *token)
{
    struct token *counted = (struct token *)(uintptr_t)token;
    if (counted == NULL || atomic_fetch_sub_explicit(&counted->n_references, 1, memory_order_acq_rel) != 1)
        return;
    token_facts_release(counted->facts);
    behalf_release(counted->behalf);
    mem_free(counted);
}

static bool facts_have(const struct token_facts *facts, const struct sid *sid, bool deny)
{
    if (sid_equal(&facts->user, sid))
        return true;
    for (size_t i = 0; i < facts->n_groups; i++) {
        const struct token_group *group = &facts->groups[i];
        if (sid_equal(&group->sid, sid) &&
            (group_opens(group->attributes) || (deny && (group->attributes & GROUP_DENY_ONLY) != 0)))
            return true;
    }
    return false;
}

bool token_may_act(const struct token *token)
{
    return token->primary || token->level >= SecurityImpersonation || token->facts->anonymous;
}

bool token_has(const struct token *token, const struct sid *sid)
{
    return facts_have(token->facts, sid, false);
}

bool token_has_to_deny(const struct token *token, const struct sid *sid)
{
    return facts_have(token->facts, sid, true);
}
