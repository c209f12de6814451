/*
 * What a client and a server of Digest agreed on: enough to make and check every later response or message.
 */
#ifndef OPENSSPI_DIGEST_TERMS_H
#define OPENSSPI_DIGEST_TERMS_H

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/http_digest.h"

/* The documented flags that make WDigest speak HTTP; without one it is SASL's DIGEST-MD5. ISC_REQ_USE_HTTP_STYLE is what curl asks with. */
#define DIGEST_CLIENT_HTTP 0x11000000u
#define DIGEST_SERVER_HTTP 0x10000000u

enum digest_qop { QOP_NONE, QOP_AUTH, QOP_AUTH_INT, QOP_AUTH_CONF, N_QOPS };
enum digest_cipher { CIPHER_NONE, CIPHER_RC4, CIPHER_3DES, N_CIPHERS };

/* A name of the "algorithm" directive. */
struct digest_scheme {
    const char *name;
    enum digest_algorithm algorithm;
    bool session; /* "-sess" */
    int strength; /* the more the better */
};
#define DIGEST_SCHEMES 6
/* NULL: none of this name. */
const struct digest_scheme *digest_scheme_find(struct slice name);
const struct digest_scheme *digest_scheme_at(size_t index);

const char *digest_qop_name(enum digest_qop qop); /* "" for NONE */
const char *digest_cipher_name(enum digest_cipher cipher);

#define SASL_MAXBUF_USUAL 65536u /* RFC 2831 2.1.1 */
#define SASL_MAXBUF_MIN 17u      /* a signature takes 16 */
#define SASL_MAXBUF_MAX 0xffffffu
struct directives;
/* What the peer says it takes, or the usual size. WIRE_BAD where that is none. */
MUST_USE enum wire_result sasl_maxbuf_read(const struct directives *directives, uint32_t *size);

enum term_text {
    TERM_NONCE,
    TERM_CNONCE, /* the client's own; in a server's session that of the last request */
    TERM_REALM,
    TERM_USERNAME, /* as it goes over the wire, or the digits of its hash */
    TERM_OPAQUE,
    TERM_URI,     /* of the last request: a server's proof is over it */
    TERM_SERVICE, /* with TERM_BINDING: what the client's nonce is made of (channel bindings) */
    TERM_BINDING,
    N_TERM_TEXTS,
};

struct digest_terms {
    bool http, initiator;
    bool username_ext; /* the name goes as username* */
    bool userhash;
    /* SASL: the server offered UTF-8, and the client says that it writes in it; no matter of sessions. */
    bool says_utf8;
    const struct digest_scheme *scheme;
    enum digest_qop qop;
    enum digest_cipher cipher;
    uint8_t key[DIGEST_LEN_MAX]; /* H(A1) */
    bool
        keyless; /* in a session: the key, which stands for the password, stayed with the security authority, and `key` is nothing */
    bool
        asks; /* in a session: the security authority answers what is asked of the key or of the nonce (digest/question.h) */
    uint32_t nc;                /* of the last response sent, or seen */
    uint32_t own_max, peer_max; /* SASL: the longest protected messages that each side takes */
    char *text[N_TERM_TEXTS];   /* NULL: none */
};

void terms_release(struct digest_terms *terms); /* wipes */
/* Sets one text; a former one goes. False: no memory. */
MUST_USE bool terms_set(struct digest_terms *terms, enum term_text which, struct slice value);
static inline struct slice terms_text(const struct digest_terms *terms, enum term_text which)
{
    return slice_of_text(terms->text[which]);
}
/* How the key is made of the secret. */
enum digest_variant terms_variant(const struct digest_terms *terms);
/* For session records: what terms_write begins with, and the only one that terms_read takes. */
#define TERMS_VERSION 2
void terms_write(struct writer *writer, const struct digest_terms *terms);
MUST_USE enum wire_result terms_read(struct reader *reader, struct digest_terms *terms);

/* One request that is signed, or answered. */
struct digest_request {
    struct slice method, uri;
    struct slice entity; /* hexadecimal hash of the body; empty: there is no body */
};

/* The hash of the body that goes into the response: none, the caller's, an empty body's (in `room`), or SASL's zeros. False: no memory. */
MUST_USE bool terms_entity(const struct digest_terms *terms, const struct digest_request *request,
                           char room[DIGEST_HEX_MAX], struct slice *entity);

/* The response over a request, made with count `nc` and the client's nonce; `method` empty gives the server's. False: no memory. */
MUST_USE bool terms_response(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                             struct slice cnonce, char hex[DIGEST_HEX_MAX]);
/* Writes a client's whole answer: what follows "Digest " in an Authorization header, or SASL's digest-response. */
MUST_USE bool terms_answer_write(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                                 struct writer *token);
/* What the server proves itself with: Authentication-Info, or SASL's rspauth. */
MUST_USE bool terms_proof_write(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                                struct slice cnonce, struct writer *token);
/* The same two with a response that somebody else made. */
MUST_USE bool terms_answer_put(const struct digest_terms *terms, struct slice uri, uint32_t nc, const char *hex,
                               struct writer *token);
MUST_USE bool terms_proof_put(const struct digest_terms *terms, uint32_t nc, struct slice cnonce, const char *hex,
                              struct writer *token);
/* Does a proof speak of what was sent, with that count? Its response is another question. */
bool terms_proof_fits(const struct digest_terms *terms, uint32_t nc, const struct directives *proof);
/* Is this the proof for the request? No memory is "no". */
bool terms_proof_right(const struct digest_terms *terms, const struct digest_request *request, uint32_t nc,
                       const struct directives *proof);

#endif
