#include "digest/challenge.h"

#include "base/memory.h"
#include "core/cause.h"
#include <stdio.h>
#include <string.h>

void challenge_release(struct challenge *challenge)
{
    directives_release(&challenge->directives);
}

/* Bit n: enum digest_qop n is in the list. */
static unsigned qops_of(struct slice list)
{
    unsigned qops = 0;
    struct slice word;
    while (directive_word_next(&list, &word))
        for (enum digest_qop qop = QOP_AUTH; qop < N_QOPS; qop++)
            if (directive_word_is(word, digest_qop_name(qop)))
                qops |= 1U << qop;
    return qops;
}

/* The protection that is asked for, or more than was asked for where the server has nothing less; never less. */
static SECURITY_STATUS qop_choose(const struct digest_handshake *handshake, struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    const struct config *config = handshake->credential->config;
    bool conf = (handshake->base.asked & ISC_REQ_CONFIDENTIALITY) != 0;
    bool integrity = (handshake->base.asked & ISC_REQ_INTEGRITY) != 0;
    bool rather = (handshake->base.asked & (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)) != 0;
    require(!conf || !handshake->http,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "Digest over HTTP encrypts nothing: ISC_REQ_CONFIDENTIALITY is SASL's"));
    if (!directive_there(given, DIRECTIVE_QOP)) {
        if (!handshake->http) { /* RFC 2831 2.1.1: as if it were "auth" */
            require(!conf && !integrity,
                    cause_set(SEC_E_QOP_NOT_SUPPORTED, "the server offers no protection of messages"));
            challenge->qop = QOP_AUTH;
            return SEC_E_OK;
        }
        require(config->digest_no_qop && !integrity,
                cause_set(SEC_E_QOP_NOT_SUPPORTED, "the server's challenge has no qop: an older peer, or somebody took "
                                                   "it away; allow_no_qop in [digest] answers it"));
        require(!challenge->scheme->session,
                cause_set(SEC_E_INVALID_TOKEN,
                          "the server's challenge has no qop, and the key of %s needs a client's "
                          "nonce, which goes with one",
                          challenge->scheme->name));
        challenge->qop = QOP_NONE;
        return SEC_E_OK;
    }
    unsigned qops = qops_of(given->value[DIRECTIVE_QOP]);
    if (handshake->http)
        qops &= 1U << QOP_AUTH | 1U << QOP_AUTH_INT;
    static const enum digest_qop orders[][3] = {{QOP_AUTH, QOP_AUTH_INT, QOP_AUTH_CONF},
                                                {QOP_AUTH_INT, QOP_AUTH_CONF, QOP_AUTH}};
    for (size_t i = 0; i < 3; i++) {
        enum digest_qop qop = conf ? QOP_AUTH_CONF : orders[integrity || rather ? 1 : 0][i];
        if ((qops & 1U << qop) == 0 || (integrity && qop == QOP_AUTH))
            continue;
        challenge->qop = qop;
        return SEC_E_OK;
    }
    return cause_set(SEC_E_QOP_NOT_SUPPORTED, "the server offers qop \"%.64s\", which is not the protection asked for",
                     (const char *)given->value[DIRECTIVE_QOP].data);
}

static SECURITY_STATUS cipher_choose(struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    if (challenge->qop != QOP_AUTH_CONF)
        return SEC_E_OK;
    for (enum digest_cipher cipher = CIPHER_RC4; cipher < N_CIPHERS; cipher++) {
        struct slice list =
                         directive_there(given, DIRECTIVE_CIPHER) ? given->value[DIRECTIVE_CIPHER] : slice_of_text(""),
                     word;
        while (directive_word_next(&list, &word))
            if (directive_word_is(word, digest_cipher_name(cipher))) {
                challenge->cipher = cipher;
                return SEC_E_OK;
            }
    }
    return cause_set(SEC_E_QOP_NOT_SUPPORTED,
                     "the server has neither rc4 nor 3des; des, rc4-56 and rc4-40 are too weak");
}

static SECURITY_STATUS sasl_read(struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    require(directive_is(given, DIRECTIVE_ALGORITHM, "md5-sess"),
            cause_set(SEC_E_INVALID_TOKEN, "a SASL challenge has algorithm=md5-sess"));
    challenge->scheme = digest_scheme_find(slice_of_text("MD5-sess"));
    require(sasl_maxbuf_read(given, &challenge->peer_max) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "maxbuf in the server's challenge is no size"));
    return SEC_E_OK;
}

static SECURITY_STATUS http_read(const struct digest_handshake *handshake, struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    struct slice name = directive_there(given, DIRECTIVE_ALGORITHM) ? given->value[DIRECTIVE_ALGORITHM]
                                                                    : slice_of_text("MD5"); /* RFC 7616 3.3 */
    challenge->scheme = digest_scheme_find(name);
    require(challenge->scheme != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the server's algorithm is none of RFC 7616"));
    require(challenge->scheme->algorithm != DIGEST_MD5 || handshake->credential->config->digest_md5,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the server has nothing better than MD5, and allow_md5 in [digest] is "
                      "off"));
    challenge->userhash = directive_is(given, DIRECTIVE_USERHASH, "true");
    return SEC_E_OK;
}

/* May this client answer it, and how? */
static SECURITY_STATUS challenge_judge(const struct digest_handshake *handshake, struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    require(directive_there(given, DIRECTIVE_NONCE) && given->value[DIRECTIVE_NONCE].len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "a challenge without a nonce"));
    require(directive_there(given, DIRECTIVE_REALM) || !handshake->http,
            cause_set(SEC_E_INVALID_TOKEN, "a challenge without a realm"));
    challenge->utf8 = directive_is(given, DIRECTIVE_CHARSET, "utf-8");
    challenge->stale = directive_is(given, DIRECTIVE_STALE, "true");
    try(handshake->http ? http_read(handshake, challenge) : sasl_read(challenge));
    try(qop_choose(handshake, challenge));
    return cipher_choose(challenge);
}

SECURITY_STATUS challenge_choose(const struct digest_handshake *handshake, struct slice token,
                                 struct challenge *challenge)
{
    AUTO_CHALLENGE struct challenge best = {0};
    SECURITY_STATUS refused = SEC_E_OK; /* the first of those that were */
    struct slice rest = token;
    do {
        AUTO_CHALLENGE struct challenge next = {0};
        require(directives_parse(&rest, !handshake->http, &next.directives) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "this is not a Digest challenge, or it is damaged"));
        SECURITY_STATUS judged = challenge_judge(handshake, &next);
        if (judged != SEC_E_OK)
            refused = refused != SEC_E_OK ? refused : judged;
        else if (best.scheme == NULL || next.scheme->strength > best.scheme->strength) {
            struct challenge former = best;
            best = next;
            next = former; /* to be released */
        }
        require(handshake->http || rest.len == 0, cause_set(SEC_E_INVALID_TOKEN, "two challenges at once"));
    } while (rest.len > 0);
    require(best.scheme != NULL, refused);
    cause_drop(); /* of the others */
    *challenge = best;
    best = (struct challenge){0};
    return SEC_E_OK;
}

unsigned challenge_qops(const struct digest_handshake *handshake)
{
    bool integrity =
        (handshake->base.asked & (ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)) != 0;
    /* "Generating the Digest Challenge". HTTP has the one or the other: a server that does not hash bodies could not check them. */
    if (handshake->http)
        return integrity ? 1U << QOP_AUTH_INT : 1U << QOP_AUTH;
    if ((handshake->base.asked & ASC_REQ_CONFIDENTIALITY) != 0)
        return 1U << QOP_AUTH_CONF;
    unsigned protecting = 1U << QOP_AUTH_INT | 1U << QOP_AUTH_CONF;
    return integrity ? protecting : protecting | 1U << QOP_AUTH;
}

static void qops_write(unsigned qops, struct writer *token)
{
    char list[32] = "";
    for (enum digest_qop qop = QOP_AUTH; qop < N_QOPS; qop++)
        if ((qops & 1U << qop) != 0) {
            size_t len = strlen(list);
            snprintf(list + len, sizeof list - len, "%s%s", len > 0 ? "," : "", digest_qop_name(qop));
        }
    directive_write_quoted(token, "qop", slice_of_text(list));
}

static void sasl_write(const struct digest_handshake *handshake, unsigned qops, struct writer *token)
{
    char number[12];
    if ((qops & 1U << QOP_AUTH_CONF) != 0)
        directive_write_quoted(token, "cipher", slice_of_text("rc4,3des"));
    if (qops != 1U << QOP_AUTH) {
        snprintf(number, sizeof number, "%u", (unsigned)handshake->own_max);
        directive_write_plain(token, "maxbuf", slice_of_text(number));
    }
    directive_write_plain(token, "algorithm", slice_of_text("md5-sess"));
    directive_write_plain(token, "charset", slice_of_text("utf-8"));
}

static void http_write(const struct digest_handshake *handshake, const struct digest_scheme *scheme, const char *opaque,
                       struct writer *token)
{
    directive_write_quoted(token, "opaque", slice_of_text(opaque));
    directive_write_plain(token, "algorithm", slice_of_text(scheme->name));
    directive_write_plain(token, "charset", slice_of_text("UTF-8"));
    if (handshake->credential->config->digest_userhash)
        directive_write_plain(token, "userhash", slice_of_text("true"));
}

SECURITY_STATUS challenge_write(struct digest_handshake *handshake, bool stale, struct writer *token)
{
    const struct digest_credential *credential = handshake->credential;
    unsigned qops = challenge_qops(handshake);
    char opaque[OPAQUE_LEN + 1];
    require(nonce_make(handshake->realm, handshake->http, handshake->nonce) &&
                nonce_opaque(slice_of_text(handshake->nonce), opaque),
            cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    size_t n = handshake->http ? credential->n_offered : 1;
    for (size_t i = 0; i < n; i++) {
        AUTO_WRITER struct writer one = writer_growing(512);
        qops_write(qops, &one);
        directive_write_quoted(&one, "nonce", slice_of_text(handshake->nonce));
        directive_write_quoted(&one, "realm", slice_of_text(handshake->realm));
        if (stale)
            directive_write_plain(&one, "stale", slice_of_text("true"));
        if (handshake->http)
            http_write(handshake, credential->offered[i], opaque, &one);
        else
            sasl_write(handshake, qops, &one);
        require(writer_finish(&one) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        if (i > 0)
            writer_bytes(token, ", Digest ", 9); /* as in one header field (RFC 9110 11.6.1) */
        writer_slice(token, writer_slice_of(&one));
    }
    return writer_finish(token) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
