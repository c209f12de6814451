/*
 * WDigest's part of a session record from anywhere: what is taken in is saved to the same bytes, and its messages, right or wrong, stay within their
 * buffers. The first byte is 1 for the client's side. Where the key stayed elsewhere, that gives an answer, nonsense or a refusal.
 */
#include "core/session.h"
#include "digest/session.h"
#include "fuzz/world.h"

#include <string.h>

static SECURITY_STATUS elsewhere(const struct package *package, struct slice sealed, struct slice asked,
                                 struct writer *answer)
{
    (void)package, (void)asked;
    MUST(sealed.len > 0);
    writer_slice(answer, sealed);
    return sealed.len % 3 == 0 ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
}

static void messages(void *state)
{
    uint8_t data[40] = "realm=\"r\",nonce=\"n\",response=\"0\"", token[2048] = {0}, padding[16];
    struct message message = {.token = {token, 16}, .padding = {padding, sizeof padding}, .n_data = 1};
    struct attribute value = {0};
    uint32_t qop = 0;
    message.data[0] = (struct segment){.data = data, .len = sizeof data};
    (void)digest_session_table.seal(state, 0, &message, 0);
    message.padding.len = sizeof padding;
    (void)digest_session_table.unseal(state, &message, 0, &qop);
    struct message stream = {.stream = {data, sizeof data}};
    (void)digest_session_table.unseal(state, &stream, 0, &qop);
    struct message request = {
        .params = {slice_of("GET", 3), slice_of("/", 1)}, .n_params = 2, .padding = {token, sizeof token}};
    (void)digest_session_table.sign(state, 0, &request, 0);
    struct message response = {.params = {slice_of("GET", 3)}, .n_params = 1, .token = {data, 32}};
    (void)digest_session_table.verify(state, &response, 0, &qop);
    (void)digest_session_table.query(state, SECPKG_ATTR_SIZES, &value);
    (void)digest_session_table.query(state, SECPKG_ATTR_KEY_INFO, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *state = NULL, *again = NULL;
    AUTO_WRITER struct writer once = writer_growing(256), twice = writer_growing(256);
    world_reset();
    session_ask_hook(elsewhere);
    if (size == 0 || digest_session_table.open(slice_of(data + 1, size - 1), 0, (data[0] & 1) != 0, &state) != SEC_E_OK)
        return 0;
    MUST(digest_session_table.save(state, &once) == SEC_E_OK && writer_finish(&once) == WIRE_OK);
    MUST(digest_session_table.open(writer_slice_of(&once), 0, (data[0] & 1) != 0, &again) == SEC_E_OK);
    MUST(digest_session_table.save(again, &twice) == SEC_E_OK);
    MUST(slice_equal(writer_slice_of(&once), writer_slice_of(&twice)));
    digest_session_table.close(again);
    messages(state);
    digest_session_table.close(state);
    return 0;
}
