/*
 * A whole server handshake against a hostile client. The first byte chooses: tokens out of the input alone, in any number; or our own client's
 * NEGOTIATE or AUTHENTICATE, changed as the input says. Nobody who does not know the password gets in, and nobody with an altered message.
 */
#include "fuzz/world.h"

#include <string.h>

static CredHandle client, strict, lax;

static void start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    world_configure("");
    client = world_credential(SECPKG_CRED_OUTBOUND);
    strict = world_credential(SECPKG_CRED_INBOUND);
    world_configure("allow_v1 = yes\nallow_lm = yes\nallow_anonymous = yes\nrequire_128 = no\nrefuse_reflection = no");
    lax = world_credential(SECPKG_CRED_INBOUND);
}

static void raw(struct reader *input, uint8_t mode)
{
    uint8_t token[WORLD_TOKEN_MAX];
    CtxtHandle context = {0};
    ULONG flags = world_u16(input) | (ULONG)world_u16(input) << 16;
    bool may_be_anonymous = (mode & 2) != 0 && (flags & ASC_REQ_ALLOW_NULL_SESSION) != 0;
    flags &= ~(ULONG)ASC_REQ_ALLOCATE_MEMORY;
    for (int n_tokens = 0; n_tokens < 4 && reader_left(input) > 0; n_tokens++) {
        struct slice piece = world_bytes(input, world_u16(input));
        SECURITY_STATUS status = world_accept((mode & 2) != 0 ? &lax : &strict, &context, flags, piece, token, NULL);
        MUST(status != SEC_E_OK || may_be_anonymous);
        if (status < 0 && context.dwLower != 0)
            MUST(world_accept(NULL, &context, flags, piece, token, NULL) < 0);
    }
    if (context.dwLower != 0) {
        world_query(&context);
        MUST(DeleteSecurityContext(&context) == SEC_E_OK);
    }
}

static void changed(struct reader *input, uint8_t mode)
{
    uint8_t one[WORLD_TOKEN_MAX], two[WORLD_TOKEN_MAX], sent[WORLD_TOKEN_MAX];
    ULONG one_len, two_len;
    CtxtHandle here = {0}, there = {0};
    bool alike = true;
    ULONG flags = world_u16(input);
    flags &= ~(ULONG)(ISC_REQ_PROMPT_FOR_CREDS | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_DATAGRAM | ISC_REQ_NULL_SESSION);
    MUST(world_initiate(&client, &here, flags, slice_of(NULL, 0), one, &one_len) == SEC_I_CONTINUE_NEEDED);
    if ((mode & 4) != 0) { /* the NEGOTIATE */
        memcpy(sent, one, one_len);
        size_t len = world_mutate(input, sent, one_len, sizeof sent);
        alike = len == one_len && memcmp(sent, one, len) == 0;
        memcpy(one, sent, len);
        one_len = (ULONG)len;
    }
    SECURITY_STATUS status =
        world_accept((mode & 2) != 0 ? &lax : &strict, &there, 0, slice_of(one, one_len), two, &two_len);
    if (status >= 0)
        status = world_initiate(NULL, &here, flags, slice_of(two, two_len), one, &one_len);
    if (status >= 0) {
        memcpy(sent, one, one_len);
        size_t len = world_mutate(input, sent, one_len, sizeof sent);
        alike = alike && len == one_len && memcmp(sent, one, len) == 0;
        status = world_accept(NULL, &there, 0, slice_of(sent, len), two, &two_len);
    }
    MUST((status == SEC_E_OK) == alike);
    if (there.dwLower != 0) {
        world_query(&there);
        MUST(DeleteSecurityContext(&there) == SEC_E_OK);
    }
    MUST(DeleteSecurityContext(&here) == SEC_E_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    start();
    world_reset();
    uint8_t mode = world_u8(&input);
    if ((mode & 1) != 0)
        changed(&input, mode);
    else
        raw(&input, mode);
    return 0;
}
