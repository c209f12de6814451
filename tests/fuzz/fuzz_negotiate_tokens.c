/*
 * SPNEGO's two kinds of token: whatever is accepted lies within the input, and what is written anew from it reads the same.
 */
#include "fuzz/world.h"
#include "negotiate/spnego.h"

static void check_init(struct slice input)
{
    struct spnego_init init, again;
    if (spnego_init_parse(input, &init) != WIRE_OK)
        return;
    MUST(spnego_is_framed(input));
    MUST(init.n_mechs >= 1 && init.n_mechs <= SPNEGO_MECHS_MAX);
    for (unsigned i = 0; i < init.n_mechs; i++) {
        MUST(init.mech[i].len > 0);
        world_inside(init.mech_list, init.mech[i]);
    }
    world_inside(input, init.mech_list);
    world_inside(input, init.token);
    world_inside(input, init.mic);
    MUST((init.token.data == NULL) == (init.token.len == 0) && (init.mic.data == NULL) == (init.mic.len == 0));
    AUTO_WRITER struct writer list = writer_growing(64), token = writer_growing(256);
    spnego_mech_list_write(&list, init.mech, init.n_mechs);
    MUST(writer_finish(&list) == WIRE_OK && slice_equal(writer_slice_of(&list), init.mech_list));
    spnego_init_write(&token, init.mech_list, init.token);
    MUST(writer_finish(&token) == WIRE_OK && spnego_init_parse(writer_slice_of(&token), &again) == WIRE_OK);
    MUST(again.n_mechs == init.n_mechs && slice_equal(again.token, init.token));
    MUST(slice_equal(again.mech_list, init.mech_list));
}

static void check_resp(struct slice input)
{
    struct spnego_resp resp, again;
    if (spnego_resp_parse(input, &resp) != WIRE_OK)
        return;
    world_inside(input, resp.mech);
    world_inside(input, resp.token);
    world_inside(input, resp.mic);
    MUST((resp.token.data == NULL) == (resp.token.len == 0) && (resp.mic.data == NULL) == (resp.mic.len == 0));
    AUTO_WRITER struct writer token = writer_growing(256);
    spnego_resp_write(&token, &resp);
    MUST(writer_finish(&token) == WIRE_OK && token.len <= input.len);
    MUST(spnego_resp_parse(writer_slice_of(&token), &again) == WIRE_OK && again.state == resp.state);
    MUST(slice_equal(again.mech, resp.mech) && slice_equal(again.token, resp.token) &&
         slice_equal(again.mic, resp.mic));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_init(slice_of(data, size));
    check_resp(slice_of(data, size));
    return 0;
}
