#include "api/win32.h"

#include "api/luid.h"
#include "base/memory.h"
#include "core/cause.h"
#include <win32/securitybaseapi.h>
#include <sspi_ext.h>
#include <string.h>

/* GetTokenInformation. Each class is written twice by one function: first into no room, to be measured, then into the caller's. */

struct block {
    uint8_t *room; /* NULL: only measured */
    size_t len;
};

/* The next `len` bytes, aligned to 8; NULL while it is only measured. */
static void *block_take(struct block *block, size_t len)
{
    size_t begin = (block->len + 7) & ~(size_t)7;
    block->len = begin + len;
    return block->room != NULL ? block->room + begin : NULL;
}

static PSID put_sid(struct block *block, const struct sid *sid)
{
    void *room = block_take(block, win32_sid_len(sid));
    if (room != NULL)
        win32_sid_put(sid, room);
    return room;
}

static void put_user(struct block *block, const struct token *token)
{
    TOKEN_USER *out = block_take(block, sizeof *out);
    PSID sid = put_sid(block, &token->facts->user);
    if (out != NULL)
        *out = (TOKEN_USER){{sid, 0}};
}

static void put_groups_of(struct block *block, const struct token_group *groups, size_t n_groups)
{
    TOKEN_GROUPS *out = block_take(block, offsetof(TOKEN_GROUPS, Groups) + n_groups * sizeof(SID_AND_ATTRIBUTES));
    if (out != NULL)
        out->GroupCount = (DWORD)n_groups;
    for (size_t i = 0; i < n_groups; i++) {
        PSID sid = put_sid(block, &groups[i].sid);
        if (out != NULL)
            out->Groups[i] = (SID_AND_ATTRIBUTES){sid, groups[i].attributes};
    }
}

static void put_groups(struct block *block, const struct token *token)
{
    put_groups_of(block, token->facts->groups, token->facts->n_groups);
}

static void put_logon_sid(struct block *block, const struct token *token)
{
    const struct token_group group = {token->facts->logon_sid, GROUP_USUAL | GROUP_LOGON_ID};
    put_groups_of(block, &group, 1);
}

static void put_privileges(struct block *block, const struct token *token)
{
    (void)token;
    DWORD *count = block_take(block, offsetof(TOKEN_PRIVILEGES, Privileges));
    if (count != NULL)
        *count = 0;
}

static void put_owner(struct block *block, const struct token *token)
{
    TOKEN_OWNER *out = block_take(block, sizeof *out);
    PSID sid = put_sid(block, &token->facts->user);
    if (out != NULL)
        out->Owner = sid;
}

static void put_primary_group(struct block *block, const struct token *token)
{
    TOKEN_PRIMARY_GROUP *out = block_take(block, sizeof *out);
    PSID sid = put_sid(block, &token->facts->primary_group);
    if (out != NULL)
        out->PrimaryGroup = sid;
}

static void put_source(struct block *block, const struct token *token)
{
    TOKEN_SOURCE *out = block_take(block, sizeof *out);
    if (out == NULL)
        return;
    memcpy(out->SourceName, token->facts->source, sizeof out->SourceName);
    out->SourceIdentifier = luid_of(token->facts->source_id);
}

static void put_type(struct block *block, const struct token *token)
{
    TOKEN_TYPE *out = block_take(block, sizeof *out);
    if (out != NULL)
        *out = token->primary ? TokenPrimary : TokenImpersonation;
}

static void put_level(struct block *block, const struct token *token)
{
    SECURITY_IMPERSONATION_LEVEL *out = block_take(block, sizeof *out);
    if (out != NULL)
        *out = token->level;
}

static void put_statistics(struct block *block, const struct token *token)
{
    TOKEN_STATISTICS *out = block_take(block, sizeof *out);
    if (out == NULL)
        return;
    *out = (TOKEN_STATISTICS){
        .TokenId = luid_of(token->id),
        .AuthenticationId = luid_of(token->facts->logon_id),
        .TokenType = token->primary ? TokenPrimary : TokenImpersonation,
        .ImpersonationLevel = token->primary ? SecurityAnonymous : token->level,
        .GroupCount = (DWORD)token->facts->n_groups,
        .ModifiedId = luid_of(token->id), /* tokens never change */
    };
    out->ExpirationTime.QuadPart = token->facts->expiry;
}

static void put_origin(struct block *block, const struct token *token)
{
    TOKEN_ORIGIN *out = block_take(block, sizeof *out);
    if (out != NULL)
        out->OriginatingLogonSession = luid_of(token->facts->origin);
}

static void put_unix(struct block *block, const struct token *token)
{
    const struct unix_ids *ids = &token->facts->unix_ids;
    OPENSSPI_TOKEN_UNIX_IDS *out = block_take(block, sizeof *out);
    ULONG *groups = block_take(block, ids->n_groups * sizeof *groups);
    if (out == NULL)
        return;
    *out = (OPENSSPI_TOKEN_UNIX_IDS){ids->known ? TRUE : FALSE, ids->uid, ids->gid, (ULONG)ids->n_groups, groups};
    for (size_t i = 0; i < ids->n_groups; i++)
        groups[i] = ids->groups[i];
}

static const struct information {
    unsigned which; /* TOKEN_INFORMATION_CLASS and our own */
    DWORD right;
    void (*put)(struct block *block, const struct token *token);
} table[] = {
    {TokenUser, TOKEN_QUERY, put_user},
    {TokenGroups, TOKEN_QUERY, put_groups},
    {TokenPrivileges, TOKEN_QUERY, put_privileges},
    {TokenOwner, TOKEN_QUERY, put_owner},
    {TokenPrimaryGroup, TOKEN_QUERY, put_primary_group},
    {TokenSource, TOKEN_QUERY_SOURCE, put_source},
    {TokenType, TOKEN_QUERY, put_type},
    {TokenImpersonationLevel, TOKEN_QUERY, put_level},
    {TokenStatistics, TOKEN_QUERY, put_statistics},
    {TokenOrigin, TOKEN_QUERY, put_origin},
    {TokenLogonSid, TOKEN_QUERY, put_logon_sid},
    {(unsigned)OPENSSPI_TOKEN_UNIX, TOKEN_QUERY, put_unix},
};

static DWORD information(HANDLE handle, unsigned which, void *room, DWORD len, DWORD *needed)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    const struct information *entry = NULL;
    const struct token *token;
    struct block measure = {0};
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].which == which)
            entry = &table[i];
    DWORD error = win32_token_get(handle, entry != NULL ? entry->right : TOKEN_QUERY, &ref, &token);
    if (error != ERROR_SUCCESS)
        return error;
    if (entry == NULL || needed == NULL || (which == TokenImpersonationLevel && token->primary))
        return ERROR_INVALID_PARAMETER;
    entry->put(&measure, token);
    *needed = (DWORD)measure.len;
    if (room == NULL || len < measure.len)
        return ERROR_INSUFFICIENT_BUFFER;
    entry->put(&(struct block){.room = room}, token);
    return ERROR_SUCCESS;
}

BOOL WINAPI GetTokenInformation(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                LPVOID TokenInformation, DWORD TokenInformationLength, PDWORD ReturnLength)
{
    cause_clear();
    return win32_answer(information(TokenHandle, (unsigned)TokenInformationClass, TokenInformation,
                                    TokenInformationLength, ReturnLength));
}
