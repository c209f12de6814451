#include "digest/terms.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/secret.h"
#include "digest/directives.h"
#include <stdio.h>
#include <string.h>

static const struct digest_scheme schemes[DIGEST_SCHEMES] = {
    {"MD5", DIGEST_MD5, false, 0},
    {"MD5-sess", DIGEST_MD5, true, 1},
    {"SHA-256", DIGEST_SHA256, false, 2},
    {"SHA-256-sess", DIGEST_SHA256, true, 3},
    {"SHA-512-256", DIGEST_SHA512_256, false, 4},
    {"SHA-512-256-sess", DIGEST_SHA512_256, true, 5},
};

const struct digest_scheme *digest_scheme_find(struct slice name)
{
    for (size_t i = 0; i < DIGEST_SCHEMES; i++)
        if (directive_word_is(name, schemes[i].name))
            return &schemes[i];
    return NULL;
}

const struct digest_scheme *digest_scheme_at(size_t index)
{
    return index < DIGEST_SCHEMES ? &schemes[index] : NULL;
}

const char *digest_qop_name(enum digest_qop qop)
{
    static const char *const names[N_QOPS] = {
        [QOP_NONE] = "", [QOP_AUTH] = "auth", [QOP_AUTH_INT] = "auth-int", [QOP_AUTH_CONF] = "auth-conf"};
    return names[qop];
}

const char *digest_cipher_name(enum digest_cipher cipher)
{
    static const char *const names[N_CIPHERS] = {[CIPHER_NONE] = "", [CIPHER_RC4] = "rc4", [CIPHER_3DES] = "3des"};
    return names[cipher];
}

enum wire_result sasl_maxbuf_read(const struct directives *directives, uint32_t *size)
{
    *size = SASL_MAXBUF_USUAL;
    if (!directive_there(directives, DIRECTIVE_MAXBUF))
        return WIRE_OK;
    try(directive_number(directives->value[DIRECTIVE_MAXBUF], SASL_MAXBUF_MAX, size));
    return *size >= SASL_MAXBUF_MIN ? WIRE_OK : WIRE_BAD;
}

enum digest_variant terms_variant(const struct digest_terms *terms)
{
    if (!terms->http)
        return DIGEST_SASL;
    return terms->scheme->session ? DIGEST_SESSION : DIGEST_PLAIN;
}

void terms_release(struct digest_terms *terms)
{
    for (size_t i = 0; i < N_TERM_TEXTS; i++)
        mem_free(terms->text[i]);
    secret_wipe(terms, sizeof *terms);
}

bool terms_set(struct digest_terms *terms, enum term_text which, struct slice value)
{
    char *copy = mem_dup(value.data, value.len);
    require(copy != NULL, false);
    mem_free(terms->text[which]);
    terms->text[which] = copy;
    return true;
}

#define TEXT_NONE 0xffffu

void terms_write(struct writer *writer, const struct digest_terms *terms)
{
    writer_u8(writer, TERMS_VERSION);
    static const uint8_t no_key[DIGEST_LEN_MAX];
    writer_u8(writer, (uint8_t)((terms->http ? 1 : 0) | (terms->username_ext ? 2 : 0) | (terms->userhash ? 4 : 0) |
                                (terms->keyless ? 8 : 0) | (terms->asks ? 16 : 0)));
    writer_u8(writer, (uint8_t)(terms->scheme - schemes));
    writer_u8(writer, (uint8_t)terms->qop);
    writer_u8(writer, (uint8_t)terms->cipher);
    writer_bytes(writer, terms->keyless ? no_key : terms->key, sizeof terms->key);
    writer_u32le(writer, terms->nc);
    writer_u32le(writer, terms->own_max);
    writer_u32le(writer, terms->peer_max);
    for (size_t i = 0; i < N_TERM_TEXTS; i++) {
        struct slice text = terms_text(terms, (enum term_text)i);
        writer_u16le(writer, terms->text[i] != NULL ? (uint16_t)text.len : TEXT_NONE);
        writer_slice(writer, text);
    }
}

static enum wire_result texts_read(struct reader *reader, struct digest_terms *terms)
{
    for (size_t i = 0; i < N_TERM_TEXTS; i++) {
        uint16_t len;
        struct slice text;
        try(reader_u16le(reader, &len));
        if (len == TEXT_NONE)
            continue;
        try(reader_bytes(reader, len, &text));
        require(text.len == 0 || memchr(text.data, 0, text.len) == NULL, WIRE_BAD);
        require(terms_set(terms, (enum term_text)i, text), WIRE_BAD);
    }
    return WIRE_OK;
}

enum wire_result terms_read(struct reader *reader, struct digest_terms *terms)
{
    uint8_t version, bits, scheme, qop, cipher;
    try(reader_u8(reader, &version));
    try(reader_u8(reader, &bits));
    try(reader_u8(reader, &scheme));
    try(reader_u8(reader, &qop));
    try(reader_u8(reader, &cipher));
    require(version == TERMS_VERSION && bits < 32 && scheme < DIGEST_SCHEMES && qop < N_QOPS && cipher < N_CIPHERS,
            WIRE_BAD);
    terms->http = (bits & 1) != 0;
    terms->username_ext = (bits & 2) != 0;
    terms->userhash = (bits & 4) != 0;
    terms->keyless = (bits & 8) != 0;
    terms->scheme = &schemes[scheme];
    terms->asks = (bits & 16) != 0;
    require(!terms->keyless || (terms->asks && !terms->scheme->session), WIRE_BAD);
    require(!terms->asks || terms->http, WIRE_BAD);
    terms->qop = (enum digest_qop)qop;
    terms->cipher = (enum digest_cipher)cipher;
    /* RC4 and triple DES belong to SASL's auth-conf, and to nothing else */
    require((terms->qop == QOP_AUTH_CONF) == (terms->cipher != CIPHER_NONE), WIRE_BAD);
    require(!terms->http || terms->qop != QOP_AUTH_CONF, WIRE_BAD);
    require(terms->http || terms->scheme->algorithm == DIGEST_MD5, WIRE_BAD);
    try(reader_copy(reader, terms->key, sizeof terms->key));
    try(reader_u32le(reader, &terms->nc));
    try(reader_u32le(reader, &terms->own_max));
    try(reader_u32le(reader, &terms->peer_max));
    try(texts_read(reader, terms));
    return terms->text[TERM_NONCE] != NULL && terms->text[TERM_REALM] != NULL && terms->text[TERM_USERNAME] != NULL
               ? WIRE_OK
               : WIRE_BAD;
}

static void count_text(uint32_t nc, char text[9])
{
    snprintf(text, 9, "%08x", (unsigned)nc);
}

/* RFC 2831 2.1.2.1: under protection, SASL hashes this for a body. */
static const char zero_entity[] = "00000000000000000000000000000000";

bool terms_entity(const struct digest_terms *terms, const struct digest_request *request, char room[DIGEST_HEX_MAX],
                  struct slice *entity)
{
    uint8_t hash[DIGEST_LEN_MAX];
    *entity = slice_of("", 0);
    if (terms->qop != QOP_AUTH_INT && terms->qop != QOP_AUTH_CONF)
        return true;
    if (!terms->http)
        *entity = slice_of(zero_entity, sizeof zero_entity - 1);
    else if (request->entity.len > 0)
        *entity = request->entity;
    else { /* the hash of an empty body */
        require(digest_hash(terms->scheme->algorithm, NULL, 0, hash), false);
        hex_text(hash, digest_len(terms->scheme->algorithm), room);
        *entity = slice_of_text(room);
    }
    return true;
}

bool terms_response(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                    struct slice cnonce, char hex[DIGEST_HEX_MAX])
{
    char count[9], room[DIGEST_HEX_MAX];
    count_text(nc, count);
    struct digest_response_input input = {
        .algorithm = terms->scheme->algorithm,
        .nonce = terms_text(terms, TERM_NONCE),
        .nc = slice_of(count, 8),
        .cnonce = cnonce,
        .qop = slice_of_text(digest_qop_name(terms->qop)),
        .method = request->method,
        .uri = request->uri,
    };
    return terms_entity(terms, request, room, &input.entity) && digest_response(&input, terms->key, hex);
}

/* RFC 8187 3.2.1: what may stand as it is. */
static bool is_attribute_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != 0 && strchr("!#$&+-.^_`|~", c) != NULL);
}

static void username_write(const struct digest_terms *terms, struct writer *token)
{
    struct slice name = terms_text(terms, TERM_USERNAME);
    AUTO_WRITER struct writer coded = writer_growing(64);
    if (!terms->username_ext) {
        directive_write_quoted(token, "username", name);
        return;
    }
    writer_bytes(&coded, "UTF-8''", 7);
    for (size_t i = 0; i < name.len; i++) {
        if (is_attribute_char(name.data[i]))
            writer_u8(&coded, name.data[i]);
        else {
            writer_u8(&coded, '%');
            hex_write(&coded, slice_of(&name.data[i], 1), true);
        }
    }
    token->failed = token->failed || coded.failed;
    directive_write_plain(token, "username*", writer_slice_of(&coded));
}

/* draft-santesson-digestbind-01, which MS-DPSP 2.1 takes over. */
static void binding_write(const struct digest_terms *terms, struct writer *token)
{
    if (terms->text[TERM_BINDING] == NULL)
        return;
    directive_write_quoted(token, "hashed-dirs", slice_of_text("service-name,channel-binding"));
    directive_write_quoted(token, "service-name", terms_text(terms, TERM_SERVICE));
    directive_write_quoted(token, "channel-binding", terms_text(terms, TERM_BINDING));
}

static void sasl_extras_write(const struct digest_terms *terms, struct writer *token)
{
    char number[12];
    if (terms->cipher != CIPHER_NONE)
        directive_write_quoted(token, "cipher", slice_of_text(digest_cipher_name(terms->cipher)));
    if (terms->qop != QOP_AUTH) {
        snprintf(number, sizeof number, "%u", (unsigned)terms->own_max);
        directive_write_plain(token, "maxbuf", slice_of_text(number));
    }
    if (terms->says_utf8)
        directive_write_plain(token, "charset", slice_of_text("utf-8"));
}

bool terms_answer_put(const struct digest_terms *terms, struct slice uri, uint32_t nc, const char *hex,
                      struct writer *token)
{
    char count[9];
    count_text(nc, count);
    username_write(terms, token);
    directive_write_quoted(token, "realm", terms_text(terms, TERM_REALM));
    directive_write_quoted(token, "nonce", terms_text(terms, TERM_NONCE));
    directive_write_quoted(token, terms->http ? "uri" : "digest-uri", uri);
    if (terms->qop != QOP_NONE) {
        directive_write_quoted(token, "cnonce", terms_text(terms, TERM_CNONCE));
        directive_write_plain(token, "nc", slice_of_text(count));
        directive_write_plain(token, "qop", slice_of_text(digest_qop_name(terms->qop)));
    }
    if (terms->http) {
        directive_write_quoted(token, "response", slice_of_text(hex));
        directive_write_plain(token, "algorithm", slice_of_text(terms->scheme->name));
        if (terms->userhash)
            directive_write_plain(token, "userhash", slice_of_text("true"));
        if (terms->text[TERM_OPAQUE] != NULL)
            directive_write_quoted(token, "opaque", terms_text(terms, TERM_OPAQUE));
    } else {
        directive_write_plain(token, "response", slice_of_text(hex));
        sasl_extras_write(terms, token);
    }
    binding_write(terms, token);
    return writer_finish(token) == WIRE_OK;
}

bool terms_answer_write(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                        struct writer *token)
{
    char hex[DIGEST_HEX_MAX];
    return terms_response(terms, request, nc, terms_text(terms, TERM_CNONCE), hex) &&
           terms_answer_put(terms, request->uri, nc, hex, token);
}

bool terms_proof_put(const struct digest_terms *terms, uint32_t nc, struct slice cnonce, const char *hex,
                     struct writer *token)
{
    char count[9];
    if (!terms->http) {
        directive_write_plain(token, "rspauth", slice_of_text(hex));
        return writer_finish(token) == WIRE_OK;
    }
    count_text(nc, count);
    directive_write_quoted(token, "rspauth", slice_of_text(hex));
    if (terms->qop != QOP_NONE) {
        directive_write_plain(token, "qop", slice_of_text(digest_qop_name(terms->qop)));
        directive_write_quoted(token, "cnonce", cnonce);
        directive_write_plain(token, "nc", slice_of_text(count));
    }
    return writer_finish(token) == WIRE_OK;
}

bool terms_proof_write(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                       struct slice cnonce, struct writer *token)
{
    char hex[DIGEST_HEX_MAX];
    const struct digest_request proof = {.method = slice_of("", 0), .uri = request->uri, .entity = request->entity};
    return terms_response(terms, &proof, nc, cnonce, hex) && terms_proof_put(terms, nc, cnonce, hex, token);
}

/* What the server repeats has to be what was sent (RFC 7616 3.5). */
bool terms_proof_fits(const struct digest_terms *terms, uint32_t nc, const struct directives *proof)
{
    char count[9];
    count_text(nc, count);
    return (!directive_there(proof, DIRECTIVE_CNONCE) ||
            slice_equal(proof->value[DIRECTIVE_CNONCE], terms_text(terms, TERM_CNONCE))) &&
           (!directive_there(proof, DIRECTIVE_NC) || directive_is(proof, DIRECTIVE_NC, count)) &&
           (!directive_there(proof, DIRECTIVE_QOP) || directive_is(proof, DIRECTIVE_QOP, digest_qop_name(terms->qop)));
}

bool terms_proof_right(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                       const struct directives *proof)
{
    char hex[DIGEST_HEX_MAX];
    const struct digest_request expected = {.method = slice_of("", 0), .uri = request->uri, .entity = request->entity};
    struct slice sent = proof->value[DIRECTIVE_RSPAUTH];
    require(terms_proof_fits(terms, nc, proof) &&
                terms_response(terms, &expected, nc, terms_text(terms, TERM_CNONCE), hex),
            false);
    return sent.len == strlen(hex) && secret_equal(sent.data, hex, sent.len);
}
