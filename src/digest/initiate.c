#include "base/hex.h"
#include "base/latin1.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/login.h"
#include "core/trace.h"
#include "crypto/random.h"
#include "digest/challenge.h"
#include "digest/package.h"
#include <string.h>

/* The client's side. */

static const struct digest_login *login_of(const struct digest_handshake *handshake)
{
    return handshake->has_prompted ? &handshake->prompted : &handshake->credential->login;
}

static SECURITY_STATUS login_ready(struct digest_handshake *handshake)
{
    const struct digest_credential *credential = handshake->credential;
    bool may_ask = (handshake->base.asked & ISC_REQ_PROMPT_FOR_CREDS) != 0 && !handshake->has_prompted;
    if (may_ask && (!credential->has_login || credential->needs_password)) {
        try(digest_login_prompt(credential, handshake->base.target, &handshake->prompted));
        handshake->has_prompted = true;
    }
    require(credential->has_login || handshake->has_prompted,
            cause_set(SEC_E_NO_CREDENTIALS, "there is no user name and password: none were given, and user_file in "
                                            "[credentials] has none"));
    return SEC_E_OK;
}

/* SASL servers may have several realms: the one that is the user's domain, or the first. */
static struct slice realm_choose(const struct digest_handshake *handshake, const struct challenge *challenge)
{
    const struct directives *given = &challenge->directives;
    const char *domain = login_of(handshake)->domain;
    for (unsigned i = 0; i < given->n_realms; i++)
        if (directive_word_is(given->realm[i], domain))
            return given->realm[i];
    return given->n_realms > 0 ? given->realm[0] : slice_of("", 0);
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return false;
    return true;
}

struct naming {
    struct slice name; /* UTF-8 */
    enum digest_form form;
    bool latin1; /* over the wire in ISO 8859-1 */
};

static SECURITY_STATUS username_set(struct digest_handshake *handshake, const struct naming *naming, bool utf8)
{
    struct digest_terms *terms = &handshake->terms;
    uint8_t hash[DIGEST_LEN_MAX];
    char hex[DIGEST_HEX_MAX];
    AUTO_WRITER struct writer coded = writer_growing(64);
    struct slice sent = naming->name;
    if (terms->userhash) {
        const struct slice pieces[] = {naming->name, slice_of_text(":"), terms_text(terms, TERM_REALM)};
        require(digest_hash(terms->scheme->algorithm, pieces, COUNT_OF(pieces), hash), SEC_E_INSUFFICIENT_MEMORY);
        hex_text(hash, digest_len(terms->scheme->algorithm), hex);
        sent = slice_of_text(hex);
    } else if (naming->latin1) {
        require(latin1_write(&coded, naming->name) == WIRE_OK,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS,
                          "the server takes no UTF-8, and ISO 8859-1 cannot write the user's "
                          "name"));
        require(writer_finish(&coded) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        sent = writer_slice_of(&coded);
    } else
        terms->username_ext = terms->http && utf8 && !is_ascii(naming->name);
    return terms_set(terms, TERM_USERNAME, sent) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A random client nonce; where server and caller speak of a channel, bound to it (draft-santesson-digestbind-01). */
static SECURITY_STATUS cnonce_set(struct digest_handshake *handshake, const struct step_in *in)
{
    struct digest_terms *terms = &handshake->terms;
    uint8_t random[16];
    char hex[33];
    AUTO_WRITER struct writer cnonce = writer_growing(128);
    struct slice service;
    if (terms->http && handshake->base.has_bindings && nonce_is_upgraded(terms_text(terms, TERM_NONCE))) {
        try(digest_text(in->target_host, "TARGET_HOST", &service));
        hex_text(handshake->base.bindings, sizeof handshake->base.bindings, hex);
        require(terms_set(terms, TERM_SERVICE, service) && terms_set(terms, TERM_BINDING, slice_of_text(hex)) &&
                    digest_binding_prefix(service, slice_of_text(hex), &cnonce),
                SEC_E_INSUFFICIENT_MEMORY);
    }
    require(random_bytes(random, sizeof random), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    hex_text(random, sizeof random, hex);
    writer_slice(&cnonce, slice_of_text(hex));
    return writer_finish(&cnonce) == WIRE_OK && terms_set(terms, TERM_CNONCE, writer_slice_of(&cnonce))
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS key_make(struct digest_handshake *handshake, const struct naming *naming)
{
    struct digest_terms *terms = &handshake->terms;
    uint8_t secret[DIGEST_LEN_MAX];
    const struct digest_key_input input = {
        .algorithm = terms->scheme->algorithm,
        .variant = terms_variant(terms),
        .nonce = terms_text(terms, TERM_NONCE),
        .cnonce = terms_text(terms, TERM_CNONCE),
    };
    bool done = digest_form_secret(naming->form, naming->name, terms_text(terms, TERM_REALM),
                                   secret_slice(&login_of(handshake)->password), secret) &&
                digest_key(&input, secret, terms->key);
    secret_wipe(secret, sizeof secret);
    return done ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS terms_fill(struct digest_handshake *handshake, const struct challenge *challenge,
                                  const struct step_in *in)
{
    const struct directives *given = &challenge->directives;
    const struct digest_login *login = login_of(handshake);
    struct digest_terms *terms = &handshake->terms;
    terms_release(terms);
    terms->initiator = true;
    terms->http = handshake->http;
    terms->scheme = challenge->scheme;
    terms->qop = challenge->qop;
    terms->cipher = challenge->cipher;
    terms->userhash = challenge->userhash;
    terms->says_utf8 = challenge->utf8;
    terms->own_max = handshake->own_max;
    terms->peer_max = challenge->peer_max;
    require(terms_set(terms, TERM_NONCE, given->value[DIRECTIVE_NONCE]) &&
                terms_set(terms, TERM_REALM, realm_choose(handshake, challenge)) &&
                (!directive_there(given, DIRECTIVE_OPAQUE) ||
                 terms_set(terms, TERM_OPAQUE, given->value[DIRECTIVE_OPAQUE])),
            SEC_E_INSUFFICIENT_MEMORY);
    bool own_realm = directive_word_is(terms_text(terms, TERM_REALM), login->domain);
    AUTO_FREE char *name = login_full_name(own_realm ? "" : login->domain, login->user);
    require(name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    bool old_text = terms->http && !challenge->utf8 && terms->scheme->algorithm == DIGEST_MD5;
    struct naming naming = {
        .name = slice_of_text(name),
        .form = !terms->http || old_text ? DIGEST_FORM_MD5_LATIN1 : digest_form_of(terms->scheme->algorithm),
        .latin1 = !challenge->utf8 && (!terms->http || old_text) && !is_ascii(slice_of_text(name)),
    };
    try(username_set(handshake, &naming, challenge->utf8));
    try(cnonce_set(handshake, in));
    return key_make(handshake, &naming);
}

/* The caller's method, URI and hash of the body; SASL has its own. */
static SECURITY_STATUS request_fill(struct digest_handshake *handshake, const struct step_in *in,
                                    struct digest_request *request)
{
    const struct digest_terms *terms = &handshake->terms;
    require(handshake->base.target != NULL && handshake->base.target[0] != '\0',
            cause_set(SEC_E_INVALID_TOKEN, handshake->http
                                               ? "the target name is the URI of the request, and none was given"
                                               : "the target name is \"service/host\", and none was given"));
    for (const char *at = handshake->base.target; *at != '\0'; at++)
        require(*at > 0x20 && *at < 0x7f,
                cause_set(SEC_E_INVALID_TOKEN, "a URI is visible ASCII, other letters percent-encoded"));
    request->uri = slice_of_text(handshake->base.target);
    request->method = slice_of_text("AUTHENTICATE");
    if (!handshake->http)
        return SEC_E_OK;
    try(digest_param(in->params, in->n_params, 0, &request->method));
    try(digest_method_check(request->method));
    try(digest_param(in->params, in->n_params, 1, &request->entity));
    return digest_entity_check(terms, request->entity);
}

/* The answer is out: over HTTP that is all, unless the server is to prove itself. */
static SECURITY_STATUS answered(struct digest_handshake *handshake, struct step_out *out)
{
    const struct digest_terms *terms = &handshake->terms;
    bool proof_due = !terms->http || (handshake->base.asked & ISC_REQ_MUTUAL_AUTH) != 0;
    handshake->base.expiry = FILETIME_NEVER;
    handshake->base.granted = digest_flags(handshake);
    require(out->token.len <= DIGEST_TOKEN_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "names and nonces are too long for a Digest response"));
    TRACE("digest", "answer as %s in %s for %s, %s, qop %s, bindings %s", terms->text[TERM_USERNAME],
          terms->text[TERM_REALM], handshake->base.target, terms->scheme->name, digest_qop_name(terms->qop),
          terms->text[TERM_BINDING] != NULL ? "yes" : "no");
    if (proof_due) {
        handshake->base.state = DIGEST_CLIENT_PROOF;
        return SEC_I_CONTINUE_NEEDED;
    }
    handshake->base.state = HANDSHAKE_DONE;
    return digest_record_write(handshake, NULL, out);
}

static SECURITY_STATUS answer(struct digest_handshake *handshake, const struct challenge *challenge,
                              const struct step_in *in, struct step_out *out)
{
    struct digest_request request = {0};
    struct digest_terms *terms = &handshake->terms;
    require(handshake->n_challenges++ < STALE_MAX,
            cause_set(SEC_E_LOGON_DENIED, "the server finds every nonce of its own stale"));
    try(terms_fill(handshake, challenge, in));
    try(request_fill(handshake, in, &request));
    require(terms_set(terms, TERM_URI, request.uri), SEC_E_INSUFFICIENT_MEMORY);
    terms->nc = 1;
    require(terms_answer_write(terms, &request, terms->nc, &out->token), SEC_E_INSUFFICIENT_MEMORY);
    return answered(handshake, out);
}

static SECURITY_STATUS begin_or_answer(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct digest_handshake *handshake = opaque;
    AUTO_CHALLENGE struct challenge challenge = {0};
    if (in->receive_size != 0)
        handshake->own_max = in->receive_size;
    try(login_ready(handshake));
    if (in->token.len > 0) {
        try(challenge_choose(handshake, in->token, &challenge));
        return answer(handshake, &challenge, in, out);
    }
    require(!handshake->begun,
            cause_set(SEC_E_INVALID_TOKEN, "the server's Digest challenge is due, and no token was given"));
    handshake->begun = true;
    handshake->base.expiry = FILETIME_NEVER;
    /* With an empty token: the server speaks first, also to whom it knows (MS-DPSP 3.1.5.3). A response ahead of its challenge (RFC 2831 2.2) would
     * be right only where the protocol lets a SASL client begin, which is the program's to know. */
    return SEC_I_CONTINUE_NEEDED;
}

/* The server's proof, or its refusal: another challenge. */
static SECURITY_STATUS check_proof(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct digest_handshake *handshake = opaque;
    struct digest_terms *terms = &handshake->terms;
    struct digest_request request = {.uri = terms_text(terms, TERM_URI)};
    AUTO_DIRECTIVES struct directives proof = {0};
    struct slice rest = in->token;
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the server's proof is due, and no token was given"));
    require(directives_parse(&rest, true, &proof) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the server's answer is not a list of directives"));
    if (!directive_there(&proof, DIRECTIVE_RSPAUTH) && directive_there(&proof, DIRECTIVE_NONCE)) {
        AUTO_CHALLENGE struct challenge challenge = {0};
        try(challenge_choose(handshake, in->token, &challenge));
        require(challenge.stale,
                cause_set(SEC_E_LOGON_DENIED, "the server refuses this name and password: it asks again"));
        return answer(handshake, &challenge, in, out);
    }
    if (terms->http) {
        try(digest_param(in->params, in->n_params, 1, &request.entity));
        try(digest_entity_check(terms, request.entity));
    }
    require(directive_there(&proof, DIRECTIVE_RSPAUTH) && rest.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "the server does not prove that it knows the password: no rspauth"));
    require(terms_proof_right(terms, &request, terms->nc, &proof),
            cause_set(SEC_E_MUTUAL_AUTH_FAILED,
                      "the server's proof is wrong: it does not know the password, or something "
                      "was altered on its way"));
    handshake->base.granted = digest_flags(handshake) | ISC_RET_MUTUAL_AUTH;
    handshake->base.state = HANDSHAKE_DONE;
    return digest_record_write(handshake, NULL, out);
}

SECURITY_STATUS digest_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [DIGEST_CLIENT_CHALLENGE] = begin_or_answer,
        [DIGEST_CLIENT_PROOF] = check_proof,
    };
    static const struct handshake_role role = {&digest_handshake_kind, true, DIGEST_CLIENT_CHALLENGE, steps,
                                               COUNT_OF(steps),        NULL};
    return handshake_walk(&role, credential, handshake, in, out);
}
