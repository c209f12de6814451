#include "ntlm/record.h"

#include "access/client_identity.h"
#include "access/well_known.h"
#include "base/memory.h"
#include "core/login.h"
#include "core/session.h"
#include "ntlm/keys.h"
#include "ntlm/package.h"
#include <ntsecapi.h>

/* An anonymous client has no account. */
static SECURITY_STATUS identity_write(const struct account *account, struct writer *identity)
{
    const struct client_identity nobody = {.user = WELL_KNOWN_ANONYMOUS, .uid = -1, .gid = -1, .anonymous = true};
    if (account != NULL)
        return account_identity_write(account, identity);
    client_identity_write(identity, &nobody);
    return writer_finish(identity) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A domain says how its client was logged on (MS-PAC 2.5, UserFlags); of accounts in stores of our own it is said here: we know NTLMv2, and whether
 * it proved the client and made the keys. */
static uint32_t user_flags(const struct ntlm_admitted *admitted)
{
    const struct account *account = admitted->account;
    if (account == NULL)
        return 0; /* an anonymous client */
    return account->has_user_flags ? account->user_flags : LOGON_NTLMV2_ENABLED | (admitted->v2 ? LOGON_NT_V2 : 0);
}

int64_t ntlm_logon_ends(const struct account *account)
{
    return account != NULL ? account->logon_ends : FILETIME_NEVER;
}

/* No account outlives its expiry, no logon what a domain says of it. */
static int64_t logoff_time(const struct account *account)
{
    int64_t ends = ntlm_logon_ends(account);
    return account != NULL && account->expires < ends ? account->expires : ends;
}

SECURITY_STATUS ntlm_admitted_write(const struct config *config, const struct ntlm_admitted *admitted,
                                    struct writer *record)
{
    const struct account *account = admitted->account;
    struct ntlm_session_seed seed = {
        .flags = admitted->flags,
        .key = *admitted->key,
        .password_expiry = account != NULL ? account->password_expires : FILETIME_NEVER,
        .target_info = admitted->target_info,
    };
    uint8_t own_room[512], identity_room[512];
    AUTO_WRITER struct writer own = writer_lent(own_room, sizeof own_room),
                              identity = writer_lent(identity_room, sizeof identity_room);
    ntlm_session_seed_write(&own, &seed);
    key16_wipe(&seed.key);
    AUTO_FREE char *name =
        account != NULL ? login_full_name(account->domain, account->name) : mem_strdup("NT AUTHORITY\\ANONYMOUS LOGON");
    require(name != NULL && writer_finish(&own) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(identity_write(account, &identity));
    const struct session_facts facts = {
        .flags = admitted->granted,
        .start = filetime_now(),
        .expiry = ntlm_logon_ends(account),
        .client = name,
        .server = config->computer,
        .target = admitted->target,
        .authority = account != NULL ? account->domain : NULL,
        .session_key = slice_of(admitted->key->bytes, sizeof admitted->key->bytes),
        .identity = writer_slice_of(&identity),
        .has_logon = true,
        .user_flags = user_flags(admitted),
        .logoff = logoff_time(account),
    };
    return session_record_write(record, &ntlm_package, &facts, writer_slice_of(&own));
}
