#include "base/hex.h"
#include "base/latin1.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/target.h"
#include "core/trace.h"
#include "digest/challenge.h"
#include <string.h>

/* The server's side. */

/* What a client says. Texts lie in `directives` or are ours. */
struct claim {
    struct directives directives;
    struct slice response, uri, cnonce;
    uint32_t nc;
    enum digest_form form;
    char *username, *domain; /* UTF-8: the whole name as the client wrote it, and what stands before its backslash */
    const char *user;        /* behind it, in `username` */
    uint8_t user_hash[DIGEST_LEN_MAX];
    struct digest_request request;
};

static void claim_release(struct claim *claim)
{
    directives_release(&claim->directives);
    mem_free(claim->username);
    mem_free(claim->domain);
}
#define AUTO_CLAIM __attribute__((cleanup(claim_release)))

/* The realm that this server speaks for: the caller's fifth buffer, or the configuration's first. */
static SECURITY_STATUS realm_set(struct digest_handshake *handshake, const struct step_in *in)
{
    const struct config *config = handshake->credential->config;
    const char *usual = config->digest_realms.n_items > 0 ? config->digest_realms.item[0]
                        : config->dns_domain != NULL      ? config->dns_domain
                                                          : config->domain;
    if (handshake->realm != NULL)
        return SEC_E_OK;
    struct slice given = in->n_params > 3 ? in->params[3] : slice_of(NULL, 0);
    while (given.len >= 2 && given.data[given.len - 1] == 0 && given.data[given.len - 2] == 0)
        given.len -= 2;
    if (given.len == 0) {
        handshake->realm = mem_strdup(usual);
        return handshake->realm != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    AUTO_FREE char *realm = NULL;
    require(utf16le_to_text(given, &realm) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the realm, the fourth PKG_PARAMS buffer, is UTF-16 text"));
    for (const char *at = realm; *at != '\0'; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f,
                cause_set(SEC_E_INVALID_TOKEN, "the realm holds a control character"));
    handshake->realm = STEAL(realm);
    return SEC_E_OK;
}

/* RFC 8187 3.2: "UTF-8''" and percent-encoded text. */
static enum wire_result extended_read(struct slice coded, struct writer *name)
{
    static const char prefix[] = "UTF-8''";
    size_t at = sizeof prefix - 1;
    require(coded.len > at && directive_word_is(slice_of(coded.data, at), prefix), WIRE_BAD);
    while (at < coded.len) {
        uint8_t byte = coded.data[at];
        if (byte == '%') {
            require(coded.len - at >= 3, WIRE_BAD);
            try(hex_read(slice_of(coded.data + at + 1, 2), &byte, 1));
            at += 2;
        }
        require(byte >= 0x20 && byte != 0x7f, WIRE_BAD);
        writer_u8(name, byte);
        at++;
    }
    return WIRE_OK;
}

static SECURITY_STATUS names_split(struct claim *claim, struct slice utf8)
{
    require(utf8_valid(utf8) && utf8.len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "the client's user name is no text, or empty"));
    claim->username = mem_dup(utf8.data, utf8.len);
    require(claim->username != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(strchr(claim->username, ':') == NULL, cause_set(SEC_E_INVALID_TOKEN, "a colon in the client's user name"));
    const char *backslash = strchr(claim->username, '\\');
    claim->user = backslash != NULL ? backslash + 1 : claim->username;
    claim->domain = mem_dup(claim->username, backslash != NULL ? (size_t)(backslash - claim->username) : 0);
    return claim->domain != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The name, in one of its three forms, and with it the letters that were hashed. */
static SECURITY_STATUS claim_name(struct digest_terms *terms, struct claim *claim)
{
    const struct directives *said = &claim->directives;
    struct slice plain = said->value[DIRECTIVE_USERNAME], extended = said->value[DIRECTIVE_USERNAME_EXT];
    AUTO_WRITER struct writer name = writer_growing(64);
    claim->form = terms->http ? digest_form_of(terms->scheme->algorithm) : DIGEST_FORM_MD5_LATIN1;
    require((plain.data != NULL) != (extended.data != NULL),
            cause_set(SEC_E_INVALID_TOKEN, "a response has one user name"));
    terms->userhash = terms->http && directive_is(said, DIRECTIVE_USERHASH, "true");
    if (terms->userhash) {
        size_t len = digest_len(terms->scheme->algorithm);
        require(plain.data != NULL && hex_read(plain, claim->user_hash, len) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the hash of a user name has %zu hexadecimal digits", 2 * len));
        return terms_set(terms, TERM_USERNAME, plain) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    if (extended.data != NULL) {
        require(terms->http && extended_read(extended, &name) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "username* is not what RFC 8187 writes"));
        terms->username_ext = true;
    } else if (utf8_valid(plain))
        writer_slice(&name, plain);
    else { /* an older client's: RFC 2617 knew no charset */
        latin1_read(&name, plain);
        if (claim->form == DIGEST_FORM_MD5)
            claim->form = DIGEST_FORM_MD5_LATIN1;
    }
    require(writer_finish(&name) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(terms_set(terms, TERM_USERNAME, extended.data != NULL ? writer_slice_of(&name) : plain),
            SEC_E_INSUFFICIENT_MEMORY);
    return names_split(claim, writer_slice_of(&name));
}

static SECURITY_STATUS claim_scheme(const struct digest_handshake *handshake, const struct claim *claim,
                                    struct digest_terms *terms)
{
    const struct directives *said = &claim->directives;
    const struct digest_credential *credential = handshake->credential;
    bool named = directive_there(said, DIRECTIVE_ALGORITHM);
    if (!terms->http) {
        require(!named || directive_is(said, DIRECTIVE_ALGORITHM, "md5-sess"),
                cause_set(SEC_E_INVALID_TOKEN, "SASL's algorithm is md5-sess"));
        terms->scheme = digest_scheme_find(slice_of_text("MD5-sess"));
        return SEC_E_OK;
    }
    terms->scheme = digest_scheme_find(named ? said->value[DIRECTIVE_ALGORITHM] : slice_of_text("MD5"));
    for (size_t i = 0; i < credential->n_offered; i++)
        if (terms->scheme != NULL && credential->offered[i] == terms->scheme)
            return SEC_E_OK;
    return cause_set(SEC_E_INVALID_TOKEN, "the client's algorithm was not offered (algorithms in [digest])");
}

static SECURITY_STATUS claim_qop(const struct digest_handshake *handshake, struct claim *claim,
                                 struct digest_terms *terms)
{
    const struct directives *said = &claim->directives;
    if (!directive_there(said, DIRECTIVE_QOP)) {
        if (terms->http) {
            require(handshake->credential->config->digest_no_qop && !terms->scheme->session &&
                        (challenge_qops(handshake) & 1U << QOP_AUTH) != 0,
                    cause_set(SEC_E_QOP_NOT_SUPPORTED, "the client's response has no qop: an older peer, or somebody "
                                                       "took it away; allow_no_qop in [digest] takes it"));
            claim->nc = 1; /* its nonce serves once */
            return SEC_E_OK;
        }
        terms->qop = QOP_AUTH; /* RFC 2831 2.1.2 */
    } else
        for (enum digest_qop qop = QOP_AUTH; qop < N_QOPS; qop++)
            if (directive_is(said, DIRECTIVE_QOP, digest_qop_name(qop)))
                terms->qop = qop;
    require((challenge_qops(handshake) & 1U << terms->qop) != 0,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the client's quality of protection was not offered"));
    claim->cnonce = said->value[DIRECTIVE_CNONCE];
    require(claim->cnonce.len > 0 && directive_count(said, &claim->nc) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a response with qop has cnonce and nc, the latter of 8 digits"));
    return SEC_E_OK;
}

static SECURITY_STATUS claim_cipher(const struct claim *claim, struct digest_terms *terms)
{
    const struct directives *said = &claim->directives;
    require(sasl_maxbuf_read(said, &terms->peer_max) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "maxbuf in the client's response is no size"));
    if (terms->qop != QOP_AUTH_CONF)
        return SEC_E_OK;
    for (enum digest_cipher cipher = CIPHER_RC4; cipher < N_CIPHERS; cipher++)
        if (directive_is(said, DIRECTIVE_CIPHER, digest_cipher_name(cipher)))
            terms->cipher = cipher;
    require(terms->cipher != CIPHER_NONE,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the client's cipher was not offered: rc4 and 3des were"));
    return SEC_E_OK;
}

/* Is the service that a client names this one? Without a list SASL's is on this computer; HTTP's web sites have names of their own, and TLS' bindings
 * say more. */
static SECURITY_STATUS target_check(const struct digest_handshake *handshake, const char *target)
{
    const struct config *config = handshake->credential->config;
    char host[TARGET_HOST_SIZE];
    target_host(target, host);
    bool listed = config->digest_targets.n_items > 0;
    bool meant = listed ? target_is_listed(&config->digest_targets, target, host) ||
                              target_is_listed(&config->digest_targets, "*", "*")
                        : handshake->http || target_host_is_loopback(host) || target_host_is_own(config, host);
    require(meant, cause_set(SEC_E_WRONG_PRINCIPAL,
                             "the client meant \"%.128s\", which is not this service (targets in [digest])", target));
    return SEC_E_OK;
}

/* SASL's "service/host" or "service/host/name" (RFC 2831 2.1.2), and one that is meant here. */
static SECURITY_STATUS claim_target(const struct digest_handshake *handshake, struct slice uri)
{
    require(utf8_valid(uri), cause_set(SEC_E_INVALID_TOKEN, "digest-uri is not valid UTF-8"));
    const uint8_t *slash = uri.len > 0 ? memchr(uri.data, '/', uri.len) : NULL;
    require(slash != NULL && slash != uri.data && slash + 1 < uri.data + uri.len,
            cause_set(SEC_E_INVALID_TOKEN, "digest-uri is \"service/host\""));
    return target_check(handshake, (const char *)uri.data);
}

/* The request that the response is over: the caller's, and where he says the URI, the same as the client's. */
static SECURITY_STATUS claim_request(const struct digest_handshake *handshake, const struct step_in *in,
                                     struct claim *claim)
{
    struct digest_request given;
    claim->request = (struct digest_request){.method = slice_of_text("AUTHENTICATE"), .uri = claim->uri};
    if (!handshake->http)
        return claim_target(handshake, claim->uri);
    try(digest_request_read(&handshake->terms, in->params, in->n_params, &given));
    try(digest_method_check(given.method));
    require(given.uri.len == 0 || slice_equal(given.uri, claim->uri),
            cause_set(SEC_E_INVALID_TOKEN, "the client signed \"%.128s\", and the request is for another URI",
                      (const char *)claim->uri.data));
    claim->request.method = given.method;
    claim->request.entity = given.entity;
    return SEC_E_OK;
}

static SECURITY_STATUS claim_read(struct digest_handshake *handshake, const struct step_in *in, struct claim *claim)
{
    struct digest_terms *terms = &handshake->terms;
    const struct directives *said = &claim->directives;
    struct slice rest = in->token;
    require(directives_parse(&rest, false, &claim->directives) == WIRE_OK && rest.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Digest response, or it is damaged"));
    terms_release(terms);
    terms->http = handshake->http;
    terms->own_max = handshake->own_max;
    claim->response = said->value[DIRECTIVE_RESPONSE];
    claim->uri = said->value[terms->http ? DIRECTIVE_URI : DIRECTIVE_DIGEST_URI];
    require(claim->response.len > 0 && claim->uri.len > 0 && directive_there(said, DIRECTIVE_NONCE),
            cause_set(SEC_E_INVALID_TOKEN, "a response has a nonce, a URI and a response"));
    try(claim_scheme(handshake, claim, terms));
    try(claim_qop(handshake, claim, terms));
    try(claim_cipher(claim, terms));
    try(claim_name(terms, claim));
    struct slice realm = directive_there(said, DIRECTIVE_REALM) ? said->value[DIRECTIVE_REALM] : slice_of("", 0);
    require(slice_equal(realm, slice_of_text(handshake->realm)),
            cause_set(SEC_E_INVALID_TOKEN, "the client speaks of realm \"%.64s\", this is \"%.64s\"",
                      (const char *)realm.data, handshake->realm));
    require(directive_is(said, DIRECTIVE_AUTHZID, "") || !directive_there(said, DIRECTIVE_AUTHZID) ||
                slice_equal(said->value[DIRECTIVE_AUTHZID], terms_text(terms, TERM_USERNAME)),
            cause_set(SEC_E_LOGON_DENIED, "the client asks to act for somebody else"));
    require(terms_set(terms, TERM_NONCE, said->value[DIRECTIVE_NONCE]) && terms_set(terms, TERM_REALM, realm) &&
                terms_set(terms, TERM_CNONCE, claim->cnonce) && terms_set(terms, TERM_URI, claim->uri),
            SEC_E_INSUFFICIENT_MEMORY);
    terms->nc = claim->nc;
    return claim_request(handshake, in, claim);
}

/* The nonce of a response, as it is judged: before the password whether it may serve at all, and with a right one whether it served before. */
struct freshness {
    struct nonce nonce;
    uint32_t nc;
    unsigned seconds;
    bool may_serve; /* ours, and young */
    enum nonce_use use;
};

static struct freshness nonce_judge(const struct digest_handshake *handshake, const struct claim *claim)
{
    const struct digest_terms *terms = &handshake->terms;
    struct freshness fresh = {.nc = claim->nc, .seconds = handshake->credential->config->digest_nonce_seconds};
    fresh.use = NONCE_FORGOTTEN;
    fresh.may_serve = nonce_is_ours(terms_text(terms, TERM_NONCE), handshake->realm, terms->http, &fresh.nonce) &&
                      !nonce_is_stale(&fresh.nonce, fresh.seconds);
    /* SASL's keys hang on the nonces alone: a count above 1 would be a second session under the keys of the first (RFC 2831 2.2). */
    if (!terms->http && claim->nc > 1 && terms->qop != QOP_AUTH)
        fresh.may_serve = false;
    return fresh;
}

/* RFC 7616 3.4: what the challenge said as `opaque` comes back, now and later. With nonces that are not ours any more nothing can be compared, and
 * nobody gets in. */
static SECURITY_STATUS opaque_check(struct digest_handshake *handshake, const struct claim *claim,
                                    const struct freshness *fresh)
{
    struct digest_terms *terms = &handshake->terms;
    struct slice sent = claim->directives.value[DIRECTIVE_OPAQUE];
    char opaque[OPAQUE_LEN + 1];
    if (!terms->http || !fresh->may_serve)
        return SEC_E_OK;
    require(nonce_opaque(terms_text(terms, TERM_NONCE), opaque), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    require(sent.len == OPAQUE_LEN && secret_equal(sent.data, opaque, OPAQUE_LEN),
            cause_set(SEC_E_INVALID_TOKEN, "the client's opaque is not what came with its nonce"));
    return terms_set(terms, TERM_OPAQUE, sent) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static bool nonce_take(void *context)
{
    struct freshness *fresh = context;
    if (fresh->may_serve)
        fresh->use = nonce_use(&fresh->nonce, fresh->nc, fresh->seconds);
    return fresh->use == NONCE_NEW;
}

static SECURITY_STATUS password_check(struct digest_handshake *handshake, const struct claim *claim,
                                      struct freshness *fresh, const struct account **account)
{
    struct digest_terms *terms = &handshake->terms;
    char room[DIGEST_HEX_MAX];
    struct digest_response_input input = {
        .algorithm = terms->scheme->algorithm,
        .nonce = terms_text(terms, TERM_NONCE),
        .nc = claim->directives.value[DIRECTIVE_NC],
        .cnonce = claim->cnonce,
        .qop = slice_of_text(digest_qop_name(terms->qop)),
        .method = claim->request.method,
        .uri = claim->uri,
    };
    require(terms_entity(terms, &claim->request, room, &input.entity), SEC_E_INSUFFICIENT_MEMORY);
    const struct digest_check check = {
        .user = claim->user,
        .domain = claim->domain,
        .username = claim->username,
        .user_hash = slice_of(claim->user_hash, terms->userhash ? digest_len(terms->scheme->algorithm) : 0),
        .realm = handshake->realm,
        .form = claim->form,
        .variant = terms_variant(terms),
        .first_nonce = input.nonce,
        .first_cnonce = claim->cnonce,
        .authzid = directive_there(&claim->directives, DIRECTIVE_AUTHZID) ? claim->directives.value[DIRECTIVE_AUTHZID]
                                                                          : slice_of(NULL, 0),
        .input = &input,
        .response = claim->response,
        .is_new = nonce_take,
        .context = fresh,
    };
    return account_verify_digest(handshake->credential->accounts, &check, account, terms->key);
}

/* Channel bindings (draft-santesson-digestbind-01): the client's nonce, which the response is over, begins with a hash of what it is bound to; zeros
 * say that it is bound to nothing. ASC_REQ_ALLOW_MISSING_BINDINGS has the value of the flag that makes this HTTP, so that it is always there;
 * ASC_REQ_PROXY_BINDINGS and the configuration ask for bindings. */
static SECURITY_STATUS bindings_check(struct digest_handshake *handshake, const struct claim *claim)
{
    const struct directives *said = &claim->directives;
    enum config_when when = handshake->credential->config->digest_channel_bindings;
    bool wanted = when == WHEN_ALWAYS || (when != WHEN_NEVER && (handshake->base.asked & ASC_REQ_PROXY_BINDINGS) != 0);
    char expected[33];
    AUTO_WRITER struct writer prefix = writer_growing(64);
    if (when == WHEN_NEVER || (!handshake->base.has_bindings && !wanted))
        return SEC_E_OK;
    require(handshake->base.has_bindings,
            cause_set(SEC_E_BAD_BINDINGS, "channel bindings are asked for, and the server was given none"));
    struct slice service = said->value[DIRECTIVE_SERVICE_NAME], sent = said->value[DIRECTIVE_CHANNEL_BINDING];
    if (sent.data == NULL && !wanted) {
        /* A client that says it knows bindings has some: somebody took them away. */
        return nonce_is_upgraded(claim->cnonce)
                   ? cause_set(SEC_E_BAD_BINDINGS, "the client's nonce is bound, and its bindings are not there")
                   : SEC_E_OK;
    }
    bool bound = sent.data != NULL && !directive_word_is(sent, "00000000000000000000000000000000");
    require(bound || !wanted, cause_set(SEC_E_BAD_BINDINGS, "the client sent no channel bindings"));
    require(digest_binding_prefix(service, sent, &prefix) && writer_finish(&prefix) == WIRE_OK,
            SEC_E_INSUFFICIENT_MEMORY);
    require(claim->cnonce.len > prefix.len && memcmp(claim->cnonce.data, prefix.data, prefix.len) == 0,
            cause_set(SEC_E_BAD_BINDINGS, "the client's nonce is not bound to what the client says"));
    hex_text(handshake->base.bindings, sizeof handshake->base.bindings, expected);
    require(!bound || directive_word_is(sent, expected),
            cause_set(SEC_E_BAD_BINDINGS, "the client is bound to another channel: a relay, or a TLS proxy between"));
    if (service.len == 0)
        return SEC_E_OK;
    require(utf8_valid(service), cause_set(SEC_E_INVALID_TOKEN, "service-name is not valid UTF-8"));
    try(target_check(handshake, (const char *)service.data));
    return terms_set(&handshake->terms, TERM_SERVICE, service) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS challenge_send(struct digest_handshake *handshake, bool stale, struct step_out *out)
{
    try(challenge_write(handshake, stale, &out->token));
    handshake->base.granted = 0;
    handshake->base.expiry = FILETIME_NEVER;
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS finish(struct digest_handshake *handshake, const struct claim *claim,
                              const struct account *account, struct step_out *out)
{
    struct digest_terms *terms = &handshake->terms;
    handshake->base.granted = digest_flags(handshake);
    handshake->base.expiry = FILETIME_NEVER;
    /* The proof over an answer's body is the caller's to ask for, once there is a body: MakeSignature. */
    if (!terms->http || terms->qop == QOP_AUTH)
        require(terms_proof_write(terms, &claim->request, claim->nc, claim->cnonce, &out->token),
                SEC_E_INSUFFICIENT_MEMORY);
    handshake->base.state = HANDSHAKE_DONE;
    return digest_record_write(handshake, account, out);
}

static SECURITY_STATUS response_take(struct digest_handshake *handshake, const struct step_in *in, struct claim *claim,
                                     const struct account **account, struct step_out *out)
{
    try(claim_read(handshake, in, claim));
    /* A SASL exchange that a challenge began is over that challenge. */
    require(handshake->http || handshake->nonce[0] == '\0' ||
                slice_equal(slice_of_text(handshake->nonce), terms_text(&handshake->terms, TERM_NONCE)),
            cause_set(SEC_E_INVALID_TOKEN, "the client answers another challenge than it was sent"));
    try(bindings_check(handshake, claim));
    struct freshness fresh = nonce_judge(handshake, claim);
    try(opaque_check(handshake, claim, &fresh));
    try(password_check(handshake, claim, &fresh, account));
    require(fresh.use != NONCE_REPLAYED,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "count %u of this nonce was used before: a replay", (unsigned)claim->nc));
    return fresh.use == NONCE_NEW ? finish(handshake, claim, *account, out) : challenge_send(handshake, true, out);
}

static SECURITY_STATUS respond(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct digest_handshake *handshake = opaque;
    AUTO_CLAIM struct claim claim = {0};
    const struct account *account = NULL;
    require(
        !handshake->http || (handshake->base.asked & ASC_REQ_CONFIDENTIALITY) == 0,
        cause_set(SEC_E_SECURITY_QOS_FAILED, "Digest over HTTP encrypts nothing: ASC_REQ_CONFIDENTIALITY is SASL's"));
    try(realm_set(handshake, in));
    if (in->token.len == 0) {
        require(handshake->nonce[0] == '\0',
                cause_set(SEC_E_INVALID_TOKEN, "the client's response is due, and no token was given"));
        return challenge_send(handshake, false, out);
    }
    SECURITY_STATUS status = response_take(handshake, in, &claim, &account, out);
    TRACE("digest", "response of %s in %s for %.128s, %s, qop %s, count %u: 0x%08x",
          claim.username != NULL ? claim.username : "(unknown)", handshake->realm,
          claim.uri.data != NULL ? (const char *)claim.uri.data : "",
          handshake->terms.scheme != NULL ? handshake->terms.scheme->name : "", digest_qop_name(handshake->terms.qop),
          (unsigned)claim.nc, (unsigned)status);
    account_release(account);
    return status;
}

SECURITY_STATUS digest_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [DIGEST_SERVER_RESPONSE] = respond,
    };
    static const struct handshake_role role = {&digest_handshake_kind, false, DIGEST_SERVER_RESPONSE, steps,
                                               COUNT_OF(steps),        NULL};
    return handshake_walk(&role, credential, handshake, in, out);
}

bool digest_accept_may_wait(void *credential, const void *handshake, const struct step_in *in)
{
    (void)handshake;
    (void)in;
    const struct digest_credential *own = credential;
    return own->accounts != NULL && accounts_may_wait(own->accounts);
}
