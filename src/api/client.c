#include "api/api.h"

#include "access/client_identity.h"
#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/objects.h"
#include <sspi_ext.h>
#include <string.h>

/* The client's identity for programs that have no access tokens to ask. */

static const char *text_put(char **at, const struct sid *sid)
{
    char *start = *at;
    sid_to_text(sid, start);
    *at += strlen(start) + 1;
    return start;
}

/* One block: the structure, the groups, the texts. */
static SECURITY_STATUS identity_put(const struct client_identity *from, OPENSSPI_CLIENT_IDENTITY **identity)
{
    size_t size = sizeof **identity + from->n_groups * sizeof(OPENSSPI_CLIENT_GROUP) +
                  (from->n_groups + 1) * SID_TEXT_MAX; /* at most CLIENT_GROUPS_MAX groups */
    OPENSSPI_CLIENT_IDENTITY *block = block_alloc(size);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    OPENSSPI_CLIENT_GROUP *groups = (OPENSSPI_CLIENT_GROUP *)(block + 1);
    char *text = (char *)(groups + from->n_groups);
    *block = (OPENSSPI_CLIENT_IDENTITY){.UserSid = text_put(&text, &from->user),
                                        .Anonymous = from->anonymous,
                                        .Uid = from->uid,
                                        .Gid = from->gid,
                                        .GroupCount = (ULONG)from->n_groups,
                                        .Groups = groups};
    for (size_t i = 0; i < from->n_groups; i++)
        groups[i] = (OPENSSPI_CLIENT_GROUP){text_put(&text, &from->groups[i].sid), from->groups[i].attributes,
                                            from->groups[i].gid};
    *identity = block;
    return SEC_E_OK;
}

/* Under the handshake lock, which keeps the session where it is. */
static SECURITY_STATUS identity_query(const struct context *context, OPENSSPI_CLIENT_IDENTITY **identity)
{
    struct client_identity read = {0};
    require(context->session != NULL && context->state == CONTEXT_ESTABLISHED,
            cause_set(SEC_E_INVALID_HANDLE, "this %s context is not established", context->package->info.name));
    require(!context->initiator,
            cause_set(SEC_E_NO_IMPERSONATION, "the client's identity is asked of the server's side"));
    struct slice bytes = context->session->facts.identity;
    require(bytes.len > 0, cause_set(SEC_E_NO_IMPERSONATION, "the client is known by its name alone"));
    require(client_identity_read(bytes, &read) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY); /* written by this library */
    SECURITY_STATUS status = identity_put(&read, identity);
    client_identity_release(&read);
    return status;
}

SECURITY_STATUS OpenSspiQueryClientIdentity(PCtxtHandle Context, OPENSSPI_CLIENT_IDENTITY **Identity)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    require(Identity != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no place for the identity was given"));
    try(api_context_get(Context, &ref));
    struct context *context = ref.object;
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = identity_query(context, Identity);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}
