#include "support/spnego_alter.h"

#include <assert.h>
#include <string.h>

static void resp_alter(const struct alteration *alteration, struct slice token, struct writer *out)
{
    struct spnego_resp resp;
    enum wire_result result = spnego_resp_parse(token, &resp);
    assert(result == WIRE_OK);
    (void)result;
    alteration->resp(&resp);
    spnego_resp_write(out, &resp);
}

static void init_alter(const struct alteration *alteration, struct slice token, struct writer *out)
{
    struct spnego_init init;
    struct writer list = writer_growing(64);
    enum wire_result result = spnego_init_parse(token, &init);
    assert(result == WIRE_OK);
    (void)result;
    alteration->init(&init, &list);
    spnego_init_write(out, list.len > 0 ? writer_slice_of(&list) : init.mech_list, init.token);
    writer_release(&list);
}

void spnego_alter(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    struct alteration *alteration = loop->alter_data;
    if (leg != alteration->leg)
        return;
    alteration->n_done++;
    struct writer out = writer_growing(512);
    struct slice whole = slice_of(token, *len);
    if (alteration->bytes != NULL)
        alteration->bytes(token, len);
    else if (alteration->resp != NULL)
        resp_alter(alteration, whole, &out);
    else
        init_alter(alteration, whole, &out);
    if (alteration->bytes == NULL) {
        assert(writer_finish(&out) == WIRE_OK && out.len <= LOOP_TOKEN_MAX);
        memcpy(token, out.data, out.len);
        *len = (ULONG)out.len;
    }
    writer_release(&out);
}
