#include "api/lsa.h"

#include "api/luid.h"
#include "base/latin1.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "lsa/logons.h"
#include <string.h>

/* The messages about Kerberos' tickets. An answer is one block: structures first, their strings behind them. */

#define TICKETS_MAX 16384 /* in one answer; a cache with more is nobody's */

/* Kerberos says of tickets that are not there what it says to AcquireCredentialsHandle, as on Windows ("klist tgt" without one). */
static NTSTATUS tickets_status(SECURITY_STATUS status)
{
    return cause_answer(status) == SEC_E_NO_CREDENTIALS ? (NTSTATUS)SEC_E_NO_CREDENTIALS : lsa_status(status);
}

struct answer {
    uint16_t *at; /* where the next string goes */
    bool failed;
};

static size_t units_len(struct slice text)
{
    return 2 * (text.len + 1); /* UTF-8 never has more bytes as UTF-16 than twice */
}

static void string_put(struct answer *answer, UNICODE_STRING *string, struct slice text)
{
    AUTO_FREE char *utf8 = NULL;
    if (utf8_valid(text))
        utf8 = mem_dup(text.data, text.len);
    else { /* of a realm that is older than UTF-8 */
        AUTO_WRITER struct writer read = writer_growing(2 * text.len + 1);
        latin1_read(&read, text);
        writer_u8(&read, 0);
        utf8 = (char *)writer_steal(&read, NULL);
    }
    if (utf8 == NULL || !lsa_string_put(string, utf8, &answer->at))
        answer->failed = true;
}

static void ex3_put(struct answer *answer, const struct ticket *ticket, KERB_TICKET_CACHE_INFO_EX3 *info)
{
    memset(info, 0, sizeof *info);
    string_put(answer, &info->ClientName, ticket->client);
    string_put(answer, &info->ClientRealm, ticket->client_realm);
    string_put(answer, &info->ServerName, ticket->server);
    string_put(answer, &info->ServerRealm, ticket->server_realm);
    info->StartTime.QuadPart = ticket->start;
    info->EndTime.QuadPart = ticket->end;
    info->RenewTime.QuadPart = ticket->renew_until;
    info->EncryptionType = ticket->enctype;
    info->TicketFlags = ticket->flags;
    info->SessionKeyType = (ULONG)ticket->key_enctype;
}

/* The four forms of the list: each of the later ones begins with the one before it, but for the first. */
_Static_assert(offsetof(KERB_TICKET_CACHE_INFO_EX3, TicketFlags) == offsetof(KERB_TICKET_CACHE_INFO_EX, TicketFlags) &&
                   offsetof(KERB_TICKET_CACHE_INFO_EX3, SessionKeyType) ==
                       offsetof(KERB_TICKET_CACHE_INFO_EX2, SessionKeyType) &&
                   offsetof(KERB_QUERY_TKT_CACHE_RESPONSE, Tickets) ==
                       offsetof(KERB_QUERY_TKT_CACHE_EX3_RESPONSE, Tickets),
               "one writer for all");

static void info_put(struct answer *answer, const struct ticket *ticket, size_t size, void *where)
{
    KERB_TICKET_CACHE_INFO_EX3 whole;
    ex3_put(answer, ticket, &whole);
    if (size != sizeof(KERB_TICKET_CACHE_INFO)) {
        memcpy(where, &whole, size);
        return;
    }
    const KERB_TICKET_CACHE_INFO first = {.ServerName = whole.ServerName,
                                          .RealmName = whole.ServerRealm,
                                          .StartTime = whole.StartTime,
                                          .EndTime = whole.EndTime,
                                          .RenewTime = whole.RenewTime,
                                          .EncryptionType = whole.EncryptionType,
                                          .TicketFlags = whole.TicketFlags};
    memcpy(where, &first, sizeof first);
}

static size_t info_size(ULONG type)
{
    switch (type) {
    case KerbQueryTicketCacheMessage:
        return sizeof(KERB_TICKET_CACHE_INFO);
    case KerbQueryTicketCacheExMessage:
        return sizeof(KERB_TICKET_CACHE_INFO_EX);
    case KerbQueryTicketCacheEx2Message:
        return sizeof(KERB_TICKET_CACHE_INFO_EX2);
    default:
        return sizeof(KERB_TICKET_CACHE_INFO_EX3);
    }
}

static NTSTATUS list_measure(struct slice list, size_t *n_tickets, size_t *text)
{
    struct reader reader = reader_of(list);
    struct ticket ticket;
    for (*n_tickets = 0, *text = 0; reader_left(&reader) > 0; ++*n_tickets) {
        require(*n_tickets < TICKETS_MAX && ticket_read(&reader, &ticket) == WIRE_OK, STATUS_INTERNAL_ERROR);
        *text += units_len(ticket.client) + units_len(ticket.client_realm) + units_len(ticket.server) +
                 units_len(ticket.server_realm);
    }
    return STATUS_SUCCESS;
}

NTSTATUS lsa_tickets_query(const struct lsa_call *call)
{
    KERB_QUERY_TKT_CACHE_REQUEST asked;
    AUTO_WRITER struct writer list = writer_growing(1024);
    const struct tickets_request request = {.config = call->config, .ask = TICKETS_LIST};
    size_t n_tickets, text;
    require(call->len >= sizeof asked, STATUS_INVALID_PARAMETER);
    memcpy(&asked, call->message, sizeof asked);
    SECURITY_STATUS told = logons_tickets(call->package, luid_number(&asked.LogonId), &request, &list);
    require(told == SEC_E_OK, tickets_status(told));
    try(list_measure(writer_slice_of(&list), &n_tickets, &text));
    size_t size = info_size(asked.MessageType), head = offsetof(KERB_QUERY_TKT_CACHE_RESPONSE, Tickets);
    size_t least = sizeof(KERB_QUERY_TKT_CACHE_EX3_RESPONSE); /* a response has room for one */
    size_t structures = head + n_tickets * size > least ? head + n_tickets * size : least;
    try(lsa_answer_make(call, structures + text));
    uint8_t *block = *call->answer;
    struct answer answer = {.at = (uint16_t *)(void *)(block + structures)};
    KERB_QUERY_TKT_CACHE_RESPONSE response = {.MessageType = asked.MessageType, .CountOfTickets = (ULONG)n_tickets};
    memcpy(block, &response, head);
    struct reader reader = reader_of(writer_slice_of(&list));
    for (size_t i = 0; i < n_tickets; i++) {
        struct ticket ticket;
        require(ticket_read(&reader, &ticket) == WIRE_OK, STATUS_INTERNAL_ERROR);
        info_put(&answer, &ticket, size, block + head + i * size);
    }
    return answer.failed ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

/* What a template does not name is any; one that names nothing is all. */
static NTSTATUS purge(const struct lsa_call *call, const LUID *luid, const KERB_TICKET_CACHE_INFO_EX *template)
{
    AUTO_FREE char *client = NULL, *client_realm = NULL, *server = NULL, *realm = NULL;
    AUTO_WRITER struct writer told = writer_growing(16);
    uint32_t n_removed;
    try(lsa_text_read(&template->ClientName, call->message, call->len, &client));
    try(lsa_text_read(&template->ClientRealm, call->message, call->len, &client_realm));
    try(lsa_text_read(&template->ServerName, call->message, call->len, &server));
    try(lsa_text_read(&template->ServerRealm, call->message, call->len, &realm));
    const struct tickets_request request = {.config = call->config,
                                            .ask = TICKETS_PURGE,
                                            .server = server,
                                            .realm = realm,
                                            .client = client,
                                            .client_realm = client_realm};
    SECURITY_STATUS status = logons_tickets(call->package, luid_number(luid), &request, &told);
    require(status == SEC_E_OK, tickets_status(status));
    struct reader reader = reader_of(writer_slice_of(&told));
    bool removed = reader_u32le(&reader, &n_removed) == WIRE_OK && n_removed > 0;
    bool all = *client == '\0' && *client_realm == '\0' && *server == '\0' && *realm == '\0';
    require(removed || all /* then an empty cache is what was wanted */,
            (NTSTATUS)cause_set(SEC_E_NO_CREDENTIALS, "there is no such ticket to remove"));
    return STATUS_SUCCESS;
}

NTSTATUS lsa_tickets_purge(const struct lsa_call *call)
{
    KERB_PURGE_TKT_CACHE_REQUEST asked;
    require(call->len >= sizeof asked, STATUS_INVALID_PARAMETER);
    memcpy(&asked, call->message, sizeof asked);
    const KERB_TICKET_CACHE_INFO_EX template = {.ServerName = asked.ServerName, .ServerRealm = asked.RealmName};
    return purge(call, &asked.LogonId, &template);
}

NTSTATUS lsa_tickets_purge_ex(const struct lsa_call *call)
{
    static const KERB_TICKET_CACHE_INFO_EX all = {0};
    KERB_PURGE_TKT_CACHE_EX_REQUEST asked;
    require(call->len >= sizeof asked, STATUS_INVALID_PARAMETER);
    memcpy(&asked, call->message, sizeof asked);
    bool is_all = (asked.Flags & KERB_PURGE_ALL_TICKETS) != 0;
    return purge(call, &asked.LogonId, is_all ? &all : &asked.TicketTemplate);
}

#define NAME_PARTS_MAX 16

static size_t name_parts(struct slice name)
{
    size_t n_parts = 1;
    for (size_t i = 0; i < name.len; i++)
        n_parts += name.data[i] == '/' ? 1 : 0;
    return n_parts;
}

static size_t name_size(struct slice name)
{
    return offsetof(KERB_EXTERNAL_NAME, Names) + name_parts(name) * sizeof(UNICODE_STRING);
}

/* A principal's name, part by part; `where` has name_size. */
static void name_put(struct answer *answer, struct slice name, KERB_EXTERNAL_NAME *where)
{
    size_t n_parts = name_parts(name), start = 0;
    where->NameType = n_parts > 1 ? KRB_NT_SRV_INST : KRB_NT_PRINCIPAL;
    where->NameCount = (USHORT)n_parts;
    for (size_t part = 0; part < n_parts; part++) {
        size_t end = start;
        while (end < name.len && name.data[end] != '/')
            end++;
        string_put(answer, &where->Names[part], slice_of(name.data + start, end - start));
        start = end + 1;
    }
}

/* Where a ticket is valid: with another realm's KDC where it is one between two, else where it was issued. */
static struct slice destination(const struct ticket *ticket)
{
    static const char granting[] = "krbtgt/";
    size_t len = sizeof granting - 1;
    bool is_granting = ticket->server.len > len && memcmp(ticket->server.data, granting, len) == 0;
    return is_granting ? slice_of(ticket->server.data + len, ticket->server.len - len) : ticket->server_realm;
}

static NTSTATUS ticket_give(const struct lsa_call *call, const struct ticket *ticket)
{
    require(name_parts(ticket->client) <= NAME_PARTS_MAX && name_parts(ticket->server) <= NAME_PARTS_MAX,
            STATUS_INTERNAL_ERROR);
    size_t client = name_size(ticket->client), server = name_size(ticket->server);
    size_t text = units_len(ticket->server_realm) + 2 * units_len(destination(ticket)) + units_len(ticket->client) +
                  2 * units_len(ticket->server); /* a name's parts have a NUL each where it has its slashes */
    size_t structures = sizeof(KERB_RETRIEVE_TKT_RESPONSE) + client + 2 * server;
    try(lsa_answer_make(call, structures + text + ticket->key.len + ticket->encoded.len));
    uint8_t *block = *call->answer;
    struct answer answer = {.at = (uint16_t *)(void *)(block + structures)};
    KERB_EXTERNAL_TICKET *out = &((KERB_RETRIEVE_TKT_RESPONSE *)(void *)block)->Ticket;
    uint8_t *names = block + sizeof(KERB_RETRIEVE_TKT_RESPONSE);
    out->ServiceName = (KERB_EXTERNAL_NAME *)(void *)names;
    out->TargetName = (KERB_EXTERNAL_NAME *)(void *)(names + server);
    out->ClientName = (KERB_EXTERNAL_NAME *)(void *)(names + 2 * server);
    name_put(&answer, ticket->server, out->ServiceName);
    name_put(&answer, ticket->server, out->TargetName);
    name_put(&answer, ticket->client, out->ClientName);
    string_put(&answer, &out->DomainName, ticket->server_realm);
    string_put(&answer, &out->TargetDomainName, destination(ticket));
    string_put(&answer, &out->AltTargetDomainName, destination(ticket));
    out->SessionKey = (KERB_CRYPTO_KEY){.KeyType = ticket->key_enctype, .Length = (ULONG)ticket->key.len};
    out->TicketFlags = ticket->flags;
    out->StartTime.QuadPart = ticket->start;
    out->EndTime.QuadPart = out->KeyExpirationTime.QuadPart = ticket->end;
    out->RenewUntil.QuadPart = ticket->renew_until;
    out->SessionKey.Value = block + structures + text;
    memcpy(out->SessionKey.Value, ticket->key.data, ticket->key.len);
    out->EncodedTicket = out->SessionKey.Value + ticket->key.len;
    out->EncodedTicketSize = (ULONG)ticket->encoded.len;
    memcpy(out->EncodedTicket, ticket->encoded.data, ticket->encoded.len);
    return answer.failed ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

static NTSTATUS retrieve(const struct lsa_call *call, const LUID *luid, const struct tickets_request *request,
                         int32_t enctype)
{
    AUTO_WRITER struct writer told = writer_growing(2048);
    struct ticket ticket;
    SECURITY_STATUS status = logons_tickets(call->package, luid_number(luid), request, &told);
    struct reader reader = reader_of(writer_slice_of(&told));
    NTSTATUS answered = status != SEC_E_OK                                               ? tickets_status(status)
                        : told.len == 0 || ticket_read(&reader, &ticket) != WIRE_OK      ? STATUS_NO_SUCH_LOGON_SESSION
                        : enctype != KERB_ETYPE_DEFAULT && ticket.key_enctype != enctype ? STATUS_NOT_SUPPORTED
                                                                                         : ticket_give(call, &ticket);
    return answered;
}

NTSTATUS lsa_tickets_retrieve_granting(const struct lsa_call *call)
{
    KERB_QUERY_TKT_CACHE_REQUEST asked;
    const struct tickets_request request = {.config = call->config, .ask = TICKETS_GRANTING};
    require(call->len >= sizeof asked, STATUS_INVALID_PARAMETER);
    memcpy(&asked, call->message, sizeof asked);
    return retrieve(call, &asked.LogonId, &request, KERB_ETYPE_DEFAULT);
}

/* What docs/lsa.md says is not there: a ticket past the cache, of a credential, as a KRB-CRED, or with other flags than the usual. */
#define OPTIONS_KNOWN (KERB_RETRIEVE_TICKET_USE_CACHE_ONLY | KERB_RETRIEVE_TICKET_CACHE_TICKET)

NTSTATUS lsa_tickets_retrieve(const struct lsa_call *call)
{
    KERB_RETRIEVE_TKT_REQUEST asked;
    AUTO_FREE char *target = NULL;
    require(call->len >= sizeof asked, STATUS_INVALID_PARAMETER);
    memcpy(&asked, call->message, sizeof asked);
    require((asked.CacheOptions & ~(ULONG)OPTIONS_KNOWN) == 0 && asked.TicketFlags == KERB_USE_DEFAULT_TICKET_FLAGS,
            STATUS_NOT_SUPPORTED);
    try(lsa_text_read(&asked.TargetName, call->message, call->len, &target));
    require(*target != '\0', STATUS_INVALID_PARAMETER);
    const struct tickets_request request = {.config = call->config,
                                            .ask = TICKETS_SERVICE,
                                            .server = target,
                                            .cached_only =
                                                (asked.CacheOptions & KERB_RETRIEVE_TICKET_USE_CACHE_ONLY) != 0};
    return retrieve(call, &asked.LogonId, &request, asked.EncryptionType);
}
