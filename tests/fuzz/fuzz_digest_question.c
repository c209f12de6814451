/*
 * Questions about a WDigest context's key, from anywhere, over terms that are right or from anywhere too: an answer is a response or nothing, a
 * server's terms give no client's response, and the key is in none. The first byte: 1 a client's terms, 2 terms of the input (led by their length), 4
 * protection of bodies.
 */
#include "base/hex.h"
#include "digest/question.h"
#include "fuzz/world.h"

#include <string.h>

static void terms_make(struct digest_terms *terms, uint8_t kind)
{
    terms->http = true;
    terms->initiator = (kind & 1) != 0;
    terms->scheme = digest_scheme_find(slice_of_text("SHA-256"));
    terms->qop = (kind & 4) != 0 ? QOP_AUTH_INT : QOP_AUTH;
    memset(terms->key, 0xc3, sizeof terms->key);
    MUST(terms_set(terms, TERM_NONCE, slice_of_text("n")) && terms_set(terms, TERM_CNONCE, slice_of_text("c")) &&
         terms_set(terms, TERM_REALM, slice_of_text("r")) && terms_set(terms, TERM_USERNAME, slice_of_text("u")));
}

/* What the response would be, were it asked of a client. */
static bool is_clients(const struct digest_terms *terms, struct slice asked, struct slice answer)
{
    struct reader reader = reader_of(asked);
    uint32_t nc, len;
    uint8_t bits;
    struct slice method;
    return !terms->initiator && answer.len > 0 && reader_u8(&reader, &bits) == WIRE_OK &&
           reader_u32le(&reader, &nc) == WIRE_OK && reader_u32le(&reader, &len) == WIRE_OK &&
           reader_bytes(&reader, len, &method) == WIRE_OK && method.len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    struct digest_terms terms = {0};
    AUTO_WRITER struct writer kept = writer_growing(256), answer = writer_growing(64);
    world_reset();
    uint8_t kind = world_u8(&input);
    terms_make(&terms, kind);
    if ((kind & 2) != 0)
        writer_slice(&kept, world_bytes(&input, world_u16(&input)));
    else
        digest_kept_write(&kept, &terms);
    struct slice asked = reader_rest(&input);
    SECURITY_STATUS status = digest_answer(writer_slice_of(&kept), asked, &answer);
    MUST(writer_finish(&answer) == WIRE_OK && answer.len < DIGEST_HEX_MAX && (status == SEC_E_OK || answer.len == 0));
    uint8_t hash[DIGEST_LEN_MAX];
    MUST(answer.len % 2 == 0 && hex_read(writer_slice_of(&answer), hash, answer.len / 2) == WIRE_OK);
    MUST((kind & 2) != 0 || (!is_clients(&terms, asked, writer_slice_of(&answer)) &&
                             (answer.len == 0 || memcmp(hash, terms.key, sizeof terms.key) != 0)));
    terms_release(&terms);
    return 0;
}
