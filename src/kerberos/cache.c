#include "kerberos/cache.h"

#include "base/latin1.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "kerberos/ap.h"
#include "kerberos/credential.h"
#include <string.h>
#include <strings.h>

/* One principal in two texts: the name without its realm, and the realm. */
struct name_text {
    char *name;
    struct slice realm;
};

static krb5_error_code name_of(krb5_context krb, krb5_const_principal principal, struct name_text *text)
{
    *text = (struct name_text){.realm = krb_slice(&principal->realm)};
    return krb5_unparse_name_flags(krb, principal, KRB5_PRINCIPAL_UNPARSE_NO_REALM | KRB5_PRINCIPAL_UNPARSE_DISPLAY,
                                   &text->name);
}

static int32_t enctype_of(const krb5_creds *creds)
{
    struct krb_ticket ticket;
    return krb_ticket_parse(krb_slice(&creds->ticket), &ticket) == WIRE_OK ? ticket.part.enctype : 0;
}

static int64_t time_of(krb5_timestamp time)
{
    return time != 0 ? krb_filetime(time) : 0;
}

/* Is it a ticket to get others with, of whatever realm? A KDC may know it by other letters, or by the first part of the name alone. */
static bool gets_others(const krb5_creds *creds)
{
    const krb5_data *first = creds->server->length > 0 ? &creds->server->data[0] : NULL;
    return first != NULL && first->length == strlen(KRB5_TGS_NAME) &&
           strncasecmp(first->data, KRB5_TGS_NAME, first->length) == 0;
}

/* `whole`: with the ticket, and with its key, unless whoever has that can get others. */
static krb5_error_code creds_write(krb5_context krb, const krb5_creds *creds, bool whole, struct writer *answer)
{
    bool with_key = whole && !gets_others(creds);
    struct name_text client = {0}, server = {0};
    krb5_error_code code = name_of(krb, creds->client, &client);
    if (code == 0)
        code = name_of(krb, creds->server, &server);
    if (code == 0)
        ticket_write(answer,
                     &(struct ticket){
                         .client = slice_of_text(client.name),
                         .client_realm = client.realm,
                         .server = slice_of_text(server.name),
                         .server_realm = server.realm,
                         .start = time_of(creds->times.starttime != 0 ? creds->times.starttime : creds->times.authtime),
                         .end = time_of(creds->times.endtime),
                         .renew_until = time_of(creds->times.renew_till),
                         .enctype = enctype_of(creds),
                         .key_enctype = creds->keyblock.enctype,
                         .flags = (uint32_t)creds->ticket_flags,
                         .key = with_key ? slice_of(creds->keyblock.contents, creds->keyblock.length) : slice_of("", 0),
                         .encoded = whole ? krb_slice(&creds->ticket) : slice_of("", 0),
                     });
    krb5_free_unparsed_name(krb, client.name);
    krb5_free_unparsed_name(krb, server.name);
    return code;
}

/* What is no UTF-8 is ISO 8859-1, as a list tells it. */
static bool text_is(const char *wanted, struct slice text)
{
    if (wanted == NULL || *wanted == '\0')
        return true;
    AUTO_WRITER struct writer read = writer_growing(2 * text.len + 1);
    if (!utf8_valid(text)) {
        latin1_read(&read, text);
        text = writer_slice_of(&read);
    }
    return writer_finish(&read) == WIRE_OK && slice_equal(slice_of_text(wanted), text);
}

static bool principal_match(krb5_context krb, krb5_const_principal principal, const char *name, const char *realm)
{
    struct name_text text = {0};
    bool match =
        name_of(krb, principal, &text) == 0 && text_is(name, slice_of_text(text.name)) && text_is(realm, text.realm);
    krb5_free_unparsed_name(krb, text.name);
    return match;
}

static bool creds_match(krb5_context krb, const krb5_creds *creds, const struct tickets_request *request)
{
    return principal_match(krb, creds->server, request->server, request->realm) &&
           principal_match(krb, creds->client, request->client, request->client_realm);
}

#define PURGE_ROUNDS_MAX \
    4096 /* tickets in one cache: a cache that gives a removed one again must not hold us for ever */

/* Removes the first that matches; a cache that is being walked is not changed. */
static krb5_error_code purge_one(krb5_context krb, krb5_ccache cache, const struct tickets_request *request,
                                 bool *found)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_error_code code = krb5_cc_start_seq_get(krb, cache, &cursor);
    *found = false;
    if (code != 0)
        return code;
    while (!*found && (code = krb5_cc_next_cred(krb, cache, &cursor, &creds)) == 0) {
        *found = !krb5_is_config_principal(krb, creds.server) && creds_match(krb, &creds, request);
        if (!*found)
            krb5_free_cred_contents(krb, &creds);
    }
    (void)krb5_cc_end_seq_get(krb, cache, &cursor);
    if (!*found)
        return code == KRB5_CC_END ? 0 : code;
    code = krb5_cc_remove_cred(krb, cache, 0, &creds);
    krb5_free_cred_contents(krb, &creds);
    return code;
}

static krb5_error_code purge(krb5_context krb, krb5_ccache cache, const struct tickets_request *request,
                             struct writer *answer)
{
    bool found = true;
    uint32_t n_removed = 0;
    krb5_error_code code = 0;
    for (int round = 0; code == 0 && found && round < PURGE_ROUNDS_MAX; round++) {
        code = purge_one(krb, cache, request, &found);
        n_removed += code == 0 && found ? 1 : 0;
    }
    if (code == 0)
        writer_u32le(answer, n_removed);
    return code;
}

static krb5_error_code list(krb5_context krb, krb5_ccache cache, struct writer *answer)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_error_code code = krb5_cc_start_seq_get(krb, cache, &cursor);
    if (code != 0)
        return code;
    while ((code = krb5_cc_next_cred(krb, cache, &cursor, &creds)) == 0) {
        if (!krb5_is_config_principal(krb, creds.server))
            code = creds_write(krb, &creds, false, answer);
        krb5_free_cred_contents(krb, &creds);
        if (code != 0)
            break;
    }
    (void)krb5_cc_end_seq_get(krb, cache, &cursor);
    return code == KRB5_CC_END ? 0 : code;
}

/* The ticket for a service that is in the cache already, as krb5_get_credentials would find it. */
static SECURITY_STATUS cached(krb5_context krb, krb5_ccache cache, const char *target, struct writer *answer)
{
    krb5_creds wanted = {0}, *creds = NULL;
    try(krb_target_parse(krb, target, KRB_TARGET_SERVICE, &wanted.server));
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.client);
    if (code == 0)
        code = krb5_get_credentials(krb, KRB5_GC_CACHED, cache, &wanted, &creds);
    krb5_free_cred_contents(krb, &wanted);
    if (code == 0)
        code = creds_write(krb, creds, true, answer);
    krb5_free_creds(krb, creds);
    require(code != KRB5_CC_NOTFOUND && code != KRB5_CC_NOT_KTYPE && code != KRB5_FCC_NOFILE,
            cause_set(SEC_E_NO_CREDENTIALS, "there is no ticket for %s in the cache", target));
    return krb_status(krb, code, KRB_STAGE_TICKET, "reading the ticket cache");
}

static SECURITY_STATUS in_cache(const struct tickets_request *request, struct writer *answer)
{
    krb5_context krb = NULL;
    krb5_ccache cache = NULL;
    try(krb_context_new(&krb));
    krb5_error_code code =
        request->cache != NULL ? krb5_cc_resolve(krb, request->cache, &cache) : krb5_cc_default(krb, &cache);
    SECURITY_STATUS status = SEC_E_OK;
    if (code == 0 && request->ask == TICKETS_SERVICE)
        status = cached(krb, cache, request->server, answer);
    else if (code == 0)
        code = request->ask == TICKETS_LIST ? list(krb, cache, answer) : purge(krb, cache, request, answer);
    if (code != 0 && code != KRB5_FCC_NOFILE && code != KRB5_CC_NOTFOUND) /* without a cache there are no tickets */
        status = krb_status(krb, code, KRB_STAGE_TICKET, "reading the ticket cache");
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    krb5_free_context(krb);
    return status;
}

/* By a credential like any client's, which knows deadlines and where KDCs are. */
static SECURITY_STATUS fetched(const struct tickets_request *request, struct writer *answer)
{
    const struct acquire_request acquire = {
        .config = request->config, .use = SECPKG_CRED_OUTBOUND, .session_cache = request->cache};
    bool granting = request->ask == TICKETS_GRANTING;
    void *opaque = NULL;
    krb5_context krb = NULL;
    krb5_creds *tgt = NULL;
    struct kerberos_ticket *ticket = NULL;
    const struct kerberos_ticket_request asked = {.target = request->server};
    int64_t expiry;
    try(kerberos_acquire(&acquire, &opaque, &expiry));
    struct kerberos_credential *credential = opaque;
    SECURITY_STATUS status = krb_pool_take(&credential->pool, &krb);
    if (status == SEC_E_OK)
        status =
            granting ? kerberos_tgt_get(credential, krb, &tgt) : kerberos_ticket_ask(credential, krb, &asked, &ticket);
    if (status == SEC_E_OK)
        status = krb_status(krb, creds_write(krb, granting ? tgt : ticket->creds, true, answer), KRB_STAGE_TICKET,
                            "naming a ticket");
    krb5_free_creds(krb, tgt);
    kerberos_ticket_put(krb, ticket);
    if (krb != NULL)
        krb_pool_give(&credential->pool, krb);
    kerberos_release(credential);
    return status;
}

SECURITY_STATUS kerberos_tickets(const struct tickets_request *request, struct writer *answer)
{
    bool asks = request->ask == TICKETS_GRANTING || (request->ask == TICKETS_SERVICE && !request->cached_only);
    require(request->ask != TICKETS_SERVICE || (request->server != NULL && *request->server != '\0'),
            cause_set(SEC_E_TARGET_UNKNOWN, "no service was named"));
    try(asks ? fetched(request, answer) : in_cache(request, answer));
    return writer_finish(answer) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
