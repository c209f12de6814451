#include "digest/session.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include "digest/directives.h"
#include "digest/nonce.h"
#include "digest/package.h"
#include "digest/params.h"
#include "digest/question.h"
#include "digest/sasl_lane.h"
#include <pthread.h>
#include <string.h>
#include <wincrypt_types.h>

struct digest_session {
    struct digest_terms terms;
    struct secret sealed; /* where terms.asks: what the security authority answers by */
    bool in_order;        /* counts come one by one, as SEQUENCE_DETECT asks */
    pthread_mutex_t lock; /* HTTP: what follows, and of the terms the last request, of which both directions speak */
    struct count_window counts;     /* server: those that were used */
    struct sasl_lane send, receive; /* SASL */
};

static void terms_and_sealed_write(struct writer *own, const struct digest_terms *terms, struct slice sealed)
{
    terms_write(own, terms);
    if (!terms->asks)
        return;
    writer_u32le(own, (uint32_t)sealed.len);
    writer_slice(own, sealed);
}

void digest_session_seed_write(struct writer *own, const struct digest_terms *terms, struct slice sealed)
{
    terms_and_sealed_write(own, terms, sealed);
    writer_u8(own, 0);
}

static enum wire_result sealed_read(struct reader *own, struct digest_session *session)
{
    uint32_t len;
    struct slice sealed;
    if (!session->terms.asks)
        return WIRE_OK;
    try(reader_u32le(own, &len));
    require(len > 0, WIRE_BAD);
    try(reader_bytes(own, len, &sealed));
    return secret_set(&session->sealed, sealed.data, sealed.len) ? WIRE_OK : WIRE_BAD;
}

static bool has_lanes(const struct digest_session *session)
{
    return !session->terms.http && session->terms.qop >= QOP_AUTH_INT;
}

/* The terms, and behind them the state of a context that was used. */
static enum wire_result session_read(struct reader *own, struct digest_session *session, bool initiator)
{
    uint8_t used;
    session->terms.initiator = initiator;
    try(terms_read(own, &session->terms));
    try(sealed_read(own, session));
    session->counts = (struct count_window){session->terms.nc, 1};
    try(reader_u8(own, &used));
    require(used <= 1, WIRE_BAD);
    if (has_lanes(session) && (!sasl_lane_start(&session->send, &session->terms, initiator, true) ||
                               !sasl_lane_start(&session->receive, &session->terms, !initiator, false)))
        return WIRE_BAD;
    if (used == 0)
        return reader_end(own);
    try(reader_u32le(own, &session->counts.highest));
    try(reader_u64le(own, &session->counts.seen));
    if (has_lanes(session)) {
        try(sasl_lane_read(own, &session->send));
        try(sasl_lane_read(own, &session->receive));
    }
    return reader_end(own);
}

static void digest_session_close(void *state)
{
    struct digest_session *session = state;
    sasl_lane_end(&session->send);
    sasl_lane_end(&session->receive);
    terms_release(&session->terms);
    secret_release(&session->sealed);
    pthread_mutex_destroy(&session->lock);
    secret_block_free(session, sizeof *session);
}

static SECURITY_STATUS digest_session_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    struct reader reader = reader_of(own);
    require(own.len == 0 || own.data[0] == TERMS_VERSION,
            cause_set(SEC_E_INVALID_TOKEN,
                      "the Digest part of this session record has version %u, and this library takes version %u",
                      (unsigned)own.data[0], TERMS_VERSION));
    struct digest_session *session = secret_block_alloc(sizeof *session);
    require(session != NULL, SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_init(&session->lock, NULL);
    session->in_order = (flags & ISC_RET_SEQUENCE_DETECT) != 0;
    if (session_read(&reader, session, initiator) != WIRE_OK) {
        digest_session_close(session);
        return cause_set(SEC_E_INVALID_TOKEN, "the Digest part of a session record is damaged, or memory is short");
    }
    *state = session;
    return SEC_E_OK;
}

static SECURITY_STATUS digest_session_save(const void *state, struct writer *own)
{
    const struct digest_session *session = state;
    terms_and_sealed_write(own, &session->terms, secret_slice(&session->sealed));
    writer_u8(own, 1);
    writer_u32le(own, session->counts.highest);
    writer_u64le(own, session->counts.seen);
    if (has_lanes(session)) {
        sasl_lane_write(own, &session->send);
        sasl_lane_write(own, &session->receive);
    }
    return SEC_E_OK;
}

/* Whoever has the key answers; of the counts of its nonces a daemon alone knows, also where the session has the key. */
static SECURITY_STATUS key_ask(const struct digest_session *session, const struct digest_question *question,
                               char hex[DIGEST_HEX_MAX])
{
    bool elsewhere = session->terms.keyless || (session->terms.asks && question->check);
    return elsewhere ? digest_question_ask(secret_slice(&session->sealed), question, hex)
                     : digest_question_answer(&session->terms, question, hex);
}

/* A client signs its next request; a server, the answer to the last one. */
static SECURITY_STATUS http_sign_locked(struct digest_session *session, const struct digest_request *request,
                                        struct writer *token)
{
    struct digest_terms *terms = &session->terms;
    struct digest_question question = {.nc = terms->nc + 1, .request = *request};
    char hex[DIGEST_HEX_MAX];
    if (!terms->initiator) {
        question = (struct digest_question){.nc = terms->nc,
                                            .request = {.uri = terms_text(terms, TERM_URI), .entity = request->entity},
                                            .cnonce = terms_text(terms, TERM_CNONCE)};
        try(key_ask(session, &question, hex));
        return terms_proof_put(terms, question.nc, question.cnonce, hex, token) ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
    }
    require(request->method.len > 0 && request->uri.len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "the PKG_PARAMS buffers are the request's method and its URL"));
    require(terms->qop != QOP_NONE && terms->nc < UINT32_MAX,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's nonce serves no more requests: begin a new context"));
    try(key_ask(session, &question, hex));
    require(terms_answer_put(terms, request->uri, question.nc, hex, token), SEC_E_BUFFER_TOO_SMALL);
    require(terms_set(terms, TERM_URI, request->uri), SEC_E_INSUFFICIENT_MEMORY);
    terms->nc++;
    return SEC_E_OK;
}

static SECURITY_STATUS http_sign(struct digest_session *session, struct message *message)
{
    struct digest_request request = {0};
    /* Windows' caller gives a PADDING buffer for it, and an empty TOKEN. */
    struct slice_mut *to = message->padding.data != NULL ? &message->padding : &message->token;
    require(to->data != NULL && to->len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "a response needs a SECBUFFER_PADDING to be written into"));
    try(digest_request_read(&session->terms, message->params, message->n_params, &request));
    struct writer token = writer_fixed(to->data, to->len < DIGEST_TOKEN_MAX ? to->len : DIGEST_TOKEN_MAX);
    pthread_mutex_lock(&session->lock);
    SECURITY_STATUS status = http_sign_locked(session, &request, &token);
    pthread_mutex_unlock(&session->lock);
    if (status == SEC_E_BUFFER_TOO_SMALL)
        return to->len < DIGEST_TOKEN_MAX
                   ? cause_set(status, "the response does not fit into %zu bytes; cbMaxSignature is the most", to->len)
                   : cause_set(SEC_E_INVALID_TOKEN, "the URL is too long for a Digest response");
    try(status);
    to->len = token.len;
    return SEC_E_OK;
}

/* Is it said by the client of this context, over its nonce? */
static SECURITY_STATUS said_check(const struct digest_terms *terms, const struct directives *said)
{
    bool ext = terms->username_ext; /* its encoding may differ; the response is over the realm's secret all the same */
    bool same = directive_there(said, DIRECTIVE_NONCE) && directive_there(said, DIRECTIVE_REALM) &&
                slice_equal(said->value[DIRECTIVE_NONCE], terms_text(terms, TERM_NONCE)) &&
                slice_equal(said->value[DIRECTIVE_REALM], terms_text(terms, TERM_REALM)) &&
                (ext ? directive_there(said, DIRECTIVE_USERNAME_EXT)
                     : directive_there(said, DIRECTIVE_USERNAME) &&
                           slice_equal(said->value[DIRECTIVE_USERNAME], terms_text(terms, TERM_USERNAME)));
    same = same && (terms->text[TERM_OPAQUE] == NULL ||
                    (directive_there(said, DIRECTIVE_OPAQUE) &&
                     slice_equal(said->value[DIRECTIVE_OPAQUE], terms_text(terms, TERM_OPAQUE))));
    require(same, cause_set(SEC_E_INVALID_TOKEN,
                            "a response for another context: its name, realm, nonce or opaque is another"));
    require(directive_is(said, DIRECTIVE_QOP, digest_qop_name(terms->qop)) &&
                (!directive_there(said, DIRECTIVE_ALGORITHM) ||
                 directive_is(said, DIRECTIVE_ALGORITHM, terms->scheme->name)),
            cause_set(SEC_E_MESSAGE_ALTERED, "another quality of protection or algorithm than was agreed on"));
    return SEC_E_OK;
}

/* First the response, then this context's counts, then those of the nonce, which other contexts may use too: whoever judges the first and the last is
 * told of the second. */
static SECURITY_STATUS count_verify(struct digest_session *session, struct digest_question *question)
{
    struct count_window counts = session->counts;
    char hex[DIGEST_HEX_MAX];
    bool due = !session->in_order || question->nc == counts.highest + 1;
    bool fresh = count_take(&counts, question->nc);
    question->counts = due && fresh;
    try(key_ask(session, question, hex));
    require(due, cause_set(SEC_E_OUT_OF_SEQUENCE, "count %u where %u was due", (unsigned)question->nc,
                           (unsigned)session->counts.highest + 1));
    require(fresh, cause_set(SEC_E_OUT_OF_SEQUENCE, "count %u was used before, or is too old: a replay",
                             (unsigned)question->nc));
    session->counts = counts;
    return SEC_E_OK;
}

static SECURITY_STATUS request_verify(struct digest_session *session, const struct digest_request *given,
                                      const struct directives *said)
{
    struct digest_terms *terms = &session->terms;
    struct digest_question question = {.check = true,
                                       .request = *given,
                                       .cnonce = said->value[DIRECTIVE_CNONCE],
                                       .response = said->value[DIRECTIVE_RESPONSE]};
    try(digest_method_check(given->method));
    require(terms->qop != QOP_NONE,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "a response without qop counts nothing: each request signs on anew"));
    require(question.response.len > 0 && question.cnonce.len > 0 && directive_there(said, DIRECTIVE_URI) &&
                directive_count(said, &question.nc) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a response has uri, nc, cnonce and response"));
    try(said_check(terms, said));
    require(given->uri.len == 0 || slice_equal(given->uri, said->value[DIRECTIVE_URI]),
            cause_set(SEC_E_MESSAGE_ALTERED, "the client signed another URI than the request's"));
    question.request.uri = said->value[DIRECTIVE_URI];
    char *uri = mem_dup(question.request.uri.data, question.request.uri.len),
         *client = mem_dup(question.cnonce.data, question.cnonce.len);
    SECURITY_STATUS status =
        uri != NULL && client != NULL ? count_verify(session, &question) : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) {
        mem_free(terms->text[TERM_URI]);
        mem_free(terms->text[TERM_CNONCE]);
        terms->text[TERM_URI] = STEAL(uri);
        terms->text[TERM_CNONCE] = STEAL(client);
        terms->nc = question.nc; /* not the highest: a server's proof is over the request that came last */
    }
    mem_free(uri);
    mem_free(client);
    return status;
}

static SECURITY_STATUS proof_verify(struct digest_session *session, const struct digest_request *given,
                                    const struct directives *said)
{
    const struct digest_question question = {
        .check = true,
        .nc = session->terms.nc,
        .request = {.uri = terms_text(&session->terms, TERM_URI), .entity = given->entity},
        .response = said->value[DIRECTIVE_RSPAUTH]};
    char hex[DIGEST_HEX_MAX];
    require(terms_proof_fits(&session->terms, question.nc, said),
            cause_set(SEC_E_MESSAGE_ALTERED, "the server's proof is wrong"));
    return key_ask(session, &question, hex);
}

static SECURITY_STATUS http_verify(struct digest_session *session, const struct message *message)
{
    AUTO_DIRECTIVES struct directives said = {0};
    struct digest_request request = {0};
    struct slice rest = slice_of(message->token.data, message->token.len);
    require(rest.len > 0 && rest.len <= DIGEST_TOKEN_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "the SECBUFFER_TOKEN is what the peer sent, at most %d bytes",
                      DIGEST_TOKEN_MAX));
    require(directives_parse(&rest, false, &said) == WIRE_OK && rest.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "what the peer sent is not a list of directives"));
    try(digest_request_read(&session->terms, message->params, message->n_params, &request));
    pthread_mutex_lock(&session->lock);
    SECURITY_STATUS status =
        session->terms.initiator ? proof_verify(session, &request, &said) : request_verify(session, &request, &said);
    pthread_mutex_unlock(&session->lock);
    return status;
}

/* SASL. */

static size_t data_len(const struct message *message)
{
    size_t len = 0;
    for (unsigned i = 0; i < message->n_data; i++)
        len += message->data[i].len;
    return len;
}

static SECURITY_STATUS sasl_protect(struct digest_session *session, struct message *message)
{
    struct sasl_lane *lane = &session->send;
    size_t len = data_len(message), padding = sasl_lane_padding(lane, len);
    require(message->token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a message to protect needs a SECBUFFER_TOKEN for the signature"));
    require(message->token.len >= SASL_SIGNATURE_LEN,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "a signature has 16 bytes, the buffer %zu", message->token.len));
    require(message->padding.len >= padding,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "3des needs a SECBUFFER_PADDING of %d bytes", DES_BLOCK_LEN));
    require(len <= session->terms.peer_max && padding + SASL_SIGNATURE_LEN <= session->terms.peer_max - len,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes, %zu under its protection; the peer takes %u", len,
                      len + padding + SASL_SIGNATURE_LEN, (unsigned)session->terms.peer_max));
    for (unsigned i = 0; i < message->n_data && lane->cipher != CIPHER_NONE; i++)
        require(!message->data[i].read_only,
                cause_set(SEC_E_INVALID_TOKEN, "SASL encrypts the whole message, and a buffer is read-only"));
    message->padding.len = padding;
    message->token.len = SASL_SIGNATURE_LEN;
    return sasl_lane_send(lane, message);
}

/* {STREAM, DATA}, or {DATA} alone: the whole protected message is text, padding, signature. */
static SECURITY_STATUS whole_split(struct message *message, struct segment whole)
{
    require(whole.len >= SASL_SIGNATURE_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "a protected message of %zu bytes", whole.len));
    size_t len = whole.len - SASL_SIGNATURE_LEN;
    message->data[0] = (struct segment){.data = whole.data, .len = len, .read_only = whole.read_only};
    message->n_data = 1;
    message->padding = (struct slice_mut){0};
    message->token = (struct slice_mut){whole.data + len, SASL_SIGNATURE_LEN};
    return SEC_E_OK;
}

static SECURITY_STATUS sasl_unprotect(struct digest_session *session, struct message *message)
{
    bool stream = message->stream.data != NULL;
    if (stream)
        try(whole_split(message, (struct segment){.data = message->stream.data, .len = message->stream.len}));
    else if (session->terms.cipher != CIPHER_3DES)
        message->padding.len = 0; /* what a caller has ready for other packages */
    require(message->token.data != NULL && message->token.len == SASL_SIGNATURE_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "a protected message needs a SECBUFFER_TOKEN with its 16-byte signature"));
    size_t len = data_len(message);
    require(len <= session->terms.own_max && message->padding.len + SASL_SIGNATURE_LEN <= session->terms.own_max - len,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes; this side takes %u", len,
                      (unsigned)session->terms.own_max));
    for (unsigned i = 0; i < message->n_data && session->terms.cipher != CIPHER_NONE; i++)
        require(!message->data[i].read_only,
                cause_set(SEC_E_INVALID_TOKEN, "SASL encrypts the whole message, and a buffer is read-only"));
    try(sasl_lane_receive(&session->receive, message));
    message->padding.len = 0;
    if (stream)
        message->stream_data = (struct slice_mut){message->data[0].data, message->data[0].len};
    return SEC_E_OK;
}

static SECURITY_STATUS digest_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct digest_session *session = state;
    (void)seq; /* Digest counts by itself */
    require(qop == 0, cause_set(SEC_E_QOP_NOT_SUPPORTED, "quality of protection 0x%x", (unsigned)qop));
    if (session->terms.http)
        return http_sign(session, message);
    require(session->terms.qop == QOP_AUTH_INT || session->terms.qop == QOP_AUTH_CONF,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "integrity was not negotiated"));
    require(session->terms.qop == QOP_AUTH_INT,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "under auth-conf every message is encrypted (RFC 2831 2.4)"));
    return sasl_protect(session, message);
}

static SECURITY_STATUS digest_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct digest_session *session = state;
    (void)seq, (void)qop;
    if (session->terms.http)
        return http_verify(session, message);
    require(session->terms.qop == QOP_AUTH_INT,
            cause_set(SEC_E_QOP_NOT_SUPPORTED, "the messages of this context are %s",
                      session->terms.qop == QOP_AUTH_CONF ? "encrypted" : "not protected"));
    return sasl_unprotect(session, message);
}

static SECURITY_STATUS digest_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct digest_session *session = state;
    (void)seq;
    bool sign_only = !session->terms.http && session->terms.qop == QOP_AUTH_INT && qop == SECQOP_WRAP_NO_ENCRYPT;
    require(qop == 0 || sign_only, cause_set(SEC_E_QOP_NOT_SUPPORTED, "quality of protection 0x%x", (unsigned)qop));
    require(sign_only || (!session->terms.http && session->terms.qop == QOP_AUTH_CONF),
            cause_set(SEC_E_QOP_NOT_SUPPORTED, session->terms.http ? "Digest over HTTP encrypts nothing"
                                                                   : "confidentiality was not negotiated"));
    if (message->token.data != NULL || message->padding.data == NULL)
        return sasl_protect(session, message);
    /* EncryptMessage (Digest): a PADDING of cbMaxSignature + cbBlockSize bytes takes padding and signature. */
    size_t padding = sasl_lane_padding(&session->send, data_len(message));
    require(message->padding.len >= padding + SASL_SIGNATURE_LEN,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "a SECBUFFER_PADDING of %zu bytes for padding and signature",
                      message->padding.len));
    message->token = (struct slice_mut){message->padding.data + padding, SASL_SIGNATURE_LEN};
    try(sasl_protect(session, message));
    message->padding.len += SASL_SIGNATURE_LEN;
    message->token = (struct slice_mut){0}; /* a caller's empty TOKEN stays empty */
    return SEC_E_OK;
}

static SECURITY_STATUS digest_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct digest_session *session = state;
    (void)seq;
    require(has_lanes(session), cause_set(SEC_E_QOP_NOT_SUPPORTED, "the messages of this context are not protected"));
    bool whole = message->stream.data != NULL || message->token.data == NULL;
    if (message->stream.data == NULL && message->token.data == NULL && message->n_data == 1) {
        /* What DATA and PADDING hold after EncryptMessage would be read as a signature in the wrong place, and the peer blamed. */
        require(message->padding.len == 0,
                cause_set(SEC_E_INVALID_TOKEN,
                          "a message without a SECBUFFER_TOKEN is one DATA: text, padding and "
                          "signature joined; here a SECBUFFER_PADDING has %zu bytes of its own",
                          message->padding.len));
        try(whole_split(message, message->data[0]));
    }
    try(sasl_unprotect(session, message));
    if (whole)
        message->token = (struct slice_mut){0}; /* it was inside; a caller's TOKEN has none */
    *qop = session->terms.qop == QOP_AUTH_CONF ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    return SEC_E_OK;
}

static SECURITY_STATUS key_info(bool http, enum digest_cipher cipher, const struct digest_scheme *scheme,
                                struct attribute *value)
{
    static const struct {
        const char *name;
        uint32_t number, bits;
    } ciphers[N_CIPHERS] = {
        [CIPHER_NONE] = {"", 0, 128},
        [CIPHER_RC4] = {"RSADSI RC4", CALG_RC4, 128},
        [CIPHER_3DES] = {"3DES TWO KEY", CALG_3DES_112, 112},
    };
    require(scheme != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "there is no key yet"));
    bool md5 = scheme->algorithm == DIGEST_MD5;
    value->key_info.signature_name = http ? scheme->name : "HMAC-MD5";
    value->key_info.signature_algorithm = !http ? KEY_INFO_HMAC_MD5
                                          : md5 ? CALG_MD5
                                                : CALG_SHA_256; /* SHA-512-256 has no number of its own */
    value->key_info.encrypt_name = ciphers[cipher].name;
    value->key_info.encrypt_algorithm = ciphers[cipher].number;
    value->key_info.key_bits = md5 ? ciphers[cipher].bits : 256;
    return SEC_E_OK;
}

SECURITY_STATUS digest_attribute(bool http, enum digest_qop qop, enum digest_cipher cipher,
                                 const struct digest_scheme *scheme, uint32_t attribute, struct attribute *value)
{
    if (attribute == SECPKG_ATTR_KEY_INFO)
        return key_info(http, cipher, scheme, value);
    require(attribute == SECPKG_ATTR_SIZES, SEC_E_UNSUPPORTED_FUNCTION);
    bool protects = !http && qop >= QOP_AUTH_INT;
    value->sizes.max_token = DIGEST_TOKEN_MAX;
    value->sizes.max_signature = http ? DIGEST_TOKEN_MAX : protects ? SASL_SIGNATURE_LEN : 0;
    value->sizes.block = cipher == CIPHER_3DES ? DES_BLOCK_LEN : 0;
    value->sizes.trailer = protects ? SASL_SIGNATURE_LEN : 0;
    return SEC_E_OK;
}

static SECURITY_STATUS digest_session_query(const void *state, uint32_t attribute, struct attribute *value)
{
    const struct digest_terms *terms = &((const struct digest_session *)state)->terms;
    try(digest_attribute(terms->http, terms->qop, terms->cipher, terms->scheme, attribute, value));
    if (attribute == SECPKG_ATTR_SIZES && !terms->http && terms->qop >= QOP_AUTH_INT)
        value->sizes.peer_max = terms->peer_max;
    return SEC_E_OK;
}

const struct package_session digest_session_table = {
    .open = digest_session_open,
    .close = digest_session_close,
    .save = digest_session_save,
    .sign = digest_sign,
    .seal = digest_seal,
    .verify = digest_verify,
    .unseal = digest_unseal,
    .query = digest_session_query,
};
