/*
 * The authenticator's checksum 0x8003 and the framing of context tokens. What is read can be written and read again.
 */
#include "fuzz/world.h"
#include "kerberos/checksum.h"

#include <string.h>

static void checksum_run(struct slice in)
{
    struct gss_checksum first, second;
    AUTO_WRITER struct writer writer = writer_growing(64);
    if (gss_checksum_parse(in, &first) != WIRE_OK)
        return;
    MUST(in.len >= 24 && ((first.flags & GSS_DELEG) != 0 || first.credential.data == NULL));
    gss_checksum_write(&writer, &first);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(gss_checksum_parse(writer_slice_of(&writer), &second) == WIRE_OK);
    MUST(memcmp(first.bindings, second.bindings, sizeof first.bindings) == 0 && first.flags == second.flags);
    MUST(slice_equal(first.credential, second.credential));
}

static void token_run(struct slice in)
{
    enum krb_token id, again;
    struct slice message, second;
    enum krb_framing framing, second_framing;
    AUTO_WRITER struct writer writer = writer_growing(64);
    if (krb_token_parse(in, &id, &message, &framing) != WIRE_OK)
        return;
    krb_token_write(&writer, framing, id, message);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(krb_token_parse(writer_slice_of(&writer), &again, &second, &second_framing) == WIRE_OK);
    MUST(framing == second_framing && again == id && slice_equal(message, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & 1) != 0)
        token_run(slice_of(data + 1, size - 1));
    else
        checksum_run(slice_of(data + 1, size - 1));
    return 0;
}
