#include "digest/question.h"

#include "base/hex.h"
#include "access/impersonation.h"
#include "base/secret.h"
#include "core/cause.h"
#include "core/config.h"
#include "core/session.h"
#include "digest/nonce.h"
#include "digest/package.h"
#include <string.h>

static SECURITY_STATUS process_config(const struct config **config)
{
    AS_PROCESS_SCOPE; /* messages are verified on threads that impersonate, too */
    return config_get(config);
}

/* The nonce's counts, which other contexts may use too. */
static SECURITY_STATUS count_use(const struct digest_terms *terms, uint32_t nc)
{
    struct nonce nonce;
    const struct config *config;
    try(process_config(&config));
    unsigned seconds = config->digest_nonce_seconds;
    config_release(config);
    /* Only the process that made a nonce knows which of its counts were used, by whichever context, and how old it is. */
    require(nonce_is_ours(terms_text(terms, TERM_NONCE), terms->text[TERM_REALM], true, &nonce),
            cause_set(SEC_E_CONTEXT_EXPIRED, "this context's nonce is another process's: send a challenge"));
    require(!nonce_is_stale(&nonce, seconds),
            cause_set(SEC_E_CONTEXT_EXPIRED, "this context's nonce is stale: send a challenge"));
    enum nonce_use use = nonce_use(&nonce, nc, seconds);
    require(use != NONCE_FORGOTTEN,
            cause_set(SEC_E_CONTEXT_EXPIRED, "this context's nonce is not known any more: send a challenge"));
    require(use == NONCE_NEW, cause_set(SEC_E_OUT_OF_SEQUENCE, "count %u was used before: a replay", (unsigned)nc));
    return SEC_E_OK;
}

/* A question of a session of ours always is one; the daemon's callers may say what they like. */
static bool is_sound(const struct digest_terms *terms, const struct digest_question *question)
{
    const struct digest_request *request = &question->request;
    uint8_t hash[DIGEST_LEN_MAX];
    bool of_request = terms->initiator != question->check; /* a client's own one, or the one that a server heard */
    require(terms->http, false);
    require(!question->counts || (question->check && !terms->initiator), false); /* a server counts what it judges */
    require(request->entity.len == 0 ||
                hex_read(request->entity, hash, digest_len(terms->scheme->algorithm)) == WIRE_OK,
            false);
    if (!of_request)
        return request->method.len == 0;
    /* A method with a colon in it would make one response one over two requests. */
    return terms->qop != QOP_NONE && request->uri.len > 0 && request->method.len > 0 &&
           memchr(request->method.data, ':', request->method.len) == NULL;
}

SECURITY_STATUS digest_question_answer(const struct digest_terms *terms, const struct digest_question *question,
                                       char hex[DIGEST_HEX_MAX])
{
    struct slice cnonce = terms->initiator ? terms_text(terms, TERM_CNONCE) : question->cnonce;
    require(is_sound(terms, question),
            cause_set(SEC_E_INVALID_TOKEN, "this is no question that a context of this kind asks about its key"));
    require(terms_response(terms, &question->request, question->nc, cnonce, hex), SEC_E_INSUFFICIENT_MEMORY);
    if (!question->check)
        return SEC_E_OK;
    bool right =
        question->response.len == strlen(hex) && secret_equal(hex, question->response.data, question->response.len);
    secret_wipe(hex, DIGEST_HEX_MAX);
    require(right, cause_set(SEC_E_MESSAGE_ALTERED, terms->initiator ? "the server's proof is wrong"
                                                                     : "the response does not fit the request"));
    return question->counts ? count_use(terms, question->nc) : SEC_E_OK;
}

void digest_kept_write(struct writer *kept, const struct digest_terms *terms)
{
    writer_u8(kept, terms->initiator ? 1 : 0);
    terms_write(kept, terms);
}

#define ASKS_CHECK 1u
#define ASKS_COUNT 2u

static void text_write(struct writer *asked, struct slice text)
{
    writer_u32le(asked, (uint32_t)text.len);
    writer_slice(asked, text);
}

static void question_write(struct writer *asked, const struct digest_question *question)
{
    writer_u8(asked, (uint8_t)((question->check ? ASKS_CHECK : 0) | (question->counts ? ASKS_COUNT : 0)));
    writer_u32le(asked, question->nc);
    text_write(asked, question->request.method);
    text_write(asked, question->request.uri);
    text_write(asked, question->request.entity);
    text_write(asked, question->cnonce);
    text_write(asked, question->response);
}

static enum wire_result text_read(struct reader *reader, struct slice *text)
{
    uint32_t len;
    try(reader_u32le(reader, &len));
    return reader_bytes(reader, len, text);
}

static enum wire_result question_read(struct slice asked, struct digest_question *question)
{
    struct reader reader = reader_of(asked);
    uint8_t bits;
    try(reader_u8(&reader, &bits));
    require((bits & ~(ASKS_CHECK | ASKS_COUNT)) == 0, WIRE_BAD);
    question->check = (bits & ASKS_CHECK) != 0;
    question->counts = (bits & ASKS_COUNT) != 0;
    try(reader_u32le(&reader, &question->nc));
    try(text_read(&reader, &question->request.method));
    try(text_read(&reader, &question->request.uri));
    try(text_read(&reader, &question->request.entity));
    try(text_read(&reader, &question->cnonce));
    try(text_read(&reader, &question->response));
    return reader_end(&reader);
}

SECURITY_STATUS digest_question_ask(struct slice sealed, const struct digest_question *question,
                                    char hex[DIGEST_HEX_MAX])
{
    AUTO_WRITER struct writer asked = writer_growing(512), answer = writer_growing(DIGEST_HEX_MAX);
    question_write(&asked, question);
    require(writer_finish(&asked) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(session_ask(&digest_package, sealed, writer_slice_of(&asked), &answer));
    require(writer_finish(&answer) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (question->check)
        return SEC_E_OK;
    uint8_t hash[DIGEST_LEN_MAX];
    require(answer.len % 2 == 0 && answer.len < DIGEST_HEX_MAX &&
                hex_read(writer_slice_of(&answer), hash, answer.len / 2) == WIRE_OK,
            cause_set(SEC_E_INTERNAL_ERROR, "the security authority's answer is no response"));
    memcpy(hex, answer.data, answer.len);
    hex[answer.len] = '\0';
    return SEC_E_OK;
}

static enum wire_result kept_read(struct slice kept, struct digest_terms *terms)
{
    struct reader reader = reader_of(kept);
    uint8_t initiator;
    try(reader_u8(&reader, &initiator));
    terms->initiator = initiator == 1;
    try(terms_read(&reader, terms));
    require(!terms->keyless && !terms->asks, WIRE_BAD);
    return reader_end(&reader);
}

SECURITY_STATUS digest_answer(struct slice kept, struct slice asked, struct writer *answer)
{
    struct digest_terms terms = {0};
    struct digest_question question = {0};
    char hex[DIGEST_HEX_MAX];
    SECURITY_STATUS status = SEC_E_INVALID_TOKEN;
    if (question_read(asked, &question) != WIRE_OK || kept_read(kept, &terms) != WIRE_OK)
        (void)cause_set(status, "this is no question about a WDigest context's key, or memory is short");
    else
        status = digest_question_answer(&terms, &question, hex);
    terms_release(&terms);
    if (status == SEC_E_OK && !question.check)
        writer_slice(answer, slice_of_text(hex));
    return status;
}
