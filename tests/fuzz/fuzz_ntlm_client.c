/*
 * A whole client handshake against a hostile server: the input chooses the flags and is the server's tokens, alone or as changes of a challenge of
 * our own server.
 */
#include "fuzz/world.h"

#include <string.h>

static CredHandle strict, lax, server;

static void start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    world_configure("");
    strict = world_credential(SECPKG_CRED_OUTBOUND);
    server = world_credential(SECPKG_CRED_INBOUND);
    world_configure("allow_v1 = yes\nallow_lm = yes\nrequire_128 = no");
    lax = world_credential(SECPKG_CRED_OUTBOUND);
}

static void use(CtxtHandle *context)
{
    uint8_t data[40] = "a message to protect", token[16];
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    world_query(context);
    (void)MakeSignature(context, 0, &list, 0);
    (void)EncryptMessage(context, 0, &list, 0);
    MUST(DecryptMessage(context, &list, 0, NULL) != SEC_E_OK); /* it came from this side */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    uint8_t token[WORLD_TOKEN_MAX], challenge[WORLD_TOKEN_MAX];
    ULONG len = 0;
    CtxtHandle client = {0}, peer = {0};
    start();
    world_reset();
    uint8_t mode = world_u8(&input);
    ULONG flags = world_u16(&input) | (ULONG)world_u16(&input) << 16;
    flags &= ~(ULONG)(ISC_REQ_PROMPT_FOR_CREDS | ISC_REQ_ALLOCATE_MEMORY);
    SECURITY_STATUS status =
        world_initiate((mode & 1) != 0 ? &lax : &strict, &client, flags, slice_of(NULL, 0), token, &len);
    MUST(status == SEC_I_CONTINUE_NEEDED);
    if ((mode & 2) != 0) { /* a challenge of our server, changed */
        status =
            world_accept(&server, &peer, (mode & 4) != 0 ? ASC_REQ_DATAGRAM : 0, slice_of(token, len), challenge, &len);
        if (status == SEC_I_CONTINUE_NEEDED) {
            len = (ULONG)world_mutate(&input, challenge, len, sizeof challenge);
            status = world_initiate(NULL, &client, flags, slice_of(challenge, len), token, &len);
        }
    } else
        for (int n_tokens = 0; n_tokens < 3 && reader_left(&input) > 0; n_tokens++) {
            struct slice piece = world_bytes(&input, n_tokens == 0 && (mode & 8) != 0 ? SIZE_MAX : world_u16(&input));
            status = world_initiate(NULL, &client, flags, piece, token, &len);
            if (status < 0)
                MUST(world_initiate(NULL, &client, flags, piece, token, &len) < 0);
        }
    use(&client);
    MUST(DeleteSecurityContext(&client) == SEC_E_OK);
    if (peer.dwLower != 0)
        MUST(DeleteSecurityContext(&peer) == SEC_E_OK);
    return 0;
}
