#include "digest/handshake.h"

#include "base/hex.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/login.h"
#include "digest/package.h"
#include "digest/question.h"
#include "digest/session.h"

static SECURITY_STATUS begun(void *opaque, void *credential)
{
    struct digest_handshake *handshake = opaque;
    uint32_t http_flag = handshake->base.initiator ? DIGEST_CLIENT_HTTP : DIGEST_SERVER_HTTP;
    handshake->credential = credential;
    handshake->http = (handshake->base.asked & http_flag) != 0;
    handshake->own_max = SASL_MAXBUF_USUAL;
    return SEC_E_OK;
}

void digest_abandon(void *handshake)
{
    struct digest_handshake *freed = handshake;
    terms_release(&freed->terms);
    digest_login_release(&freed->prompted); /* also what there is of one that was refused */
    mem_free(freed->realm);
    handshake_free(&digest_handshake_kind, freed);
}

const struct handshake_kind digest_handshake_kind = {"Digest", sizeof(struct digest_handshake), begun, digest_abandon,
                                                     NULL};

SECURITY_STATUS digest_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct digest_handshake *asked = handshake;
    return digest_attribute(asked->http, QOP_NONE, CIPHER_NONE, NULL, attribute, value);
}

bool digest_binding_prefix(struct slice service, struct slice binding, struct writer *cnonce)
{
    uint8_t hash[DIGEST_LEN_MAX];
    char hex[DIGEST_HEX_MAX];
    const struct slice pieces[] = {service, slice_of_text(":"), binding};
    require(digest_hash(DIGEST_MD5, pieces, COUNT_OF(pieces), hash), false);
    hex_text(hash, digest_len(DIGEST_MD5), hex);
    writer_bytes(cnonce, NONCE_UPGRADED, sizeof NONCE_UPGRADED - 1);
    writer_slice(cnonce, slice_of_text(hex));
    return true;
}

/* ISC_RET_* and ASC_RET_* share the values of these, except INTEGRITY. HTTP is told by the one flag that both sides have, with whichever it was asked
 * for. Replays and order are promised where something is counted: requests of HTTP, but for those of RFC 2069, and SASL's protected messages. What a
 * server offers can be altered on its way, so that what was asked for says nothing. */
uint32_t digest_flags(const struct digest_handshake *handshake)
{
    const struct digest_terms *terms = &handshake->terms;
    bool initiator = terms->initiator;
    uint32_t flags = 0;
    if (terms->http ? terms->qop != QOP_NONE : terms->qop >= QOP_AUTH_INT)
        flags |= ISC_RET_REPLAY_DETECT | (handshake->base.asked & ISC_RET_SEQUENCE_DETECT);
    if (terms->http)
        flags |= DIGEST_SERVER_HTTP;
    else
        flags |= ISC_RET_MUTUAL_AUTH;
    if (terms->qop == QOP_AUTH_INT || terms->qop == QOP_AUTH_CONF)
        flags |= initiator ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY;
    if (!terms->http && terms->qop != QOP_AUTH) /* SASL's messages are numbered */
        flags |= ISC_RET_SEQUENCE_DETECT;
    if (terms->qop == QOP_AUTH_CONF)
        flags |= ISC_RET_CONFIDENTIALITY;
    return flags;
}

/* Without "-sess" H(A1) stands for the password in the whole realm, and a process whose passwords a daemon keeps does not get it. Its session asks
 * the daemon, which sealed what it answers by; so does a server's that has a key, whose nonces are the daemon's. */
static SECURITY_STATUS kept_seal(struct digest_terms *terms, bool has_key, bool server, struct writer *sealed)
{
    AUTO_WRITER struct writer kept = writer_growing(512);
    if (!session_records_leave() || (has_key && !(terms->http && server)))
        return SEC_E_OK;
    digest_kept_write(&kept, terms);
    require(writer_finish(&kept) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(session_seal(&digest_package, writer_slice_of(&kept), sealed));
    terms->asks = true;
    terms->keyless = !has_key;
    return writer_finish(sealed) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS digest_record_write(struct digest_handshake *handshake, const struct account *account,
                                    struct step_out *out)
{
    struct digest_terms *terms = &handshake->terms;
    AUTO_WRITER struct writer own = writer_growing(512), identity = writer_growing(256), sealed = writer_growing(512);
    const struct digest_login *login = handshake->has_prompted ? &handshake->prompted : &handshake->credential->login;
    AUTO_FREE char *client =
        account != NULL ? login_full_name(account->domain, account->name) : login_full_name(login->domain, login->user);
    require(client != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (account != NULL)
        try(account_identity_write(account, &identity));
    bool has_key = !terms->http || terms->scheme->session; /* of the session's own */
    try(kept_seal(terms, has_key, account != NULL, &sealed));
    digest_session_seed_write(&own, terms, writer_slice_of(&sealed));
    require(writer_finish(&own) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    const struct session_facts facts = {
        .initiator = account == NULL,
        .flags = handshake->base.granted,
        .start = filetime_now(),
        .expiry = FILETIME_NEVER,
        .client = client,
        .server = account != NULL ? handshake->credential->config->computer : NULL,
        .target = account == NULL ? handshake->base.target : terms->text[terms->http ? TERM_SERVICE : TERM_URI],
        .authority = account != NULL ? account->domain : terms->text[TERM_REALM],
        .session_key = slice_of(terms->key, has_key ? digest_len(terms->scheme->algorithm) : 0),
        .identity = writer_slice_of(&identity),
        .has_logon = account != NULL,
        .logoff = account != NULL ? account->expires : FILETIME_NEVER,
    };
    return session_record_write(&out->record, &digest_package, &facts, writer_slice_of(&own));
}
