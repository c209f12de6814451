/*
 * A whole Negotiate handshake of a client against a hostile server: the input chooses the flags and is the server's tokens, alone or as changes of
 * those of our own server, which came to the same key and the same package wherever both succeed.
 */
#include "fuzz/negotiate_world.h"

#include <string.h>

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

static void raw(struct reader *input, CredHandle *credential, ULONG flags)
{
    uint8_t token[WORLD_TOKEN_MAX];
    CtxtHandle client = {0};
    ULONG len = 0;
    SECURITY_STATUS status = world_initiate(credential, &client, flags, slice_of(NULL, 0), token, &len);
    MUST(status == SEC_I_CONTINUE_NEEDED || (status == SEC_E_OK && (flags & ISC_REQ_DATAGRAM) != 0 && fake.legs == 1));
    for (int n_tokens = 0; n_tokens < 5 && reader_left(input) > 0; n_tokens++) {
        struct slice piece = world_bytes(input, world_u16(input));
        status = world_initiate(NULL, &client, flags, piece, token, &len);
        if (status < 0)
            MUST(world_initiate(NULL, &client, flags, piece, token, &len) < 0);
    }
    use(&client);
    MUST(DeleteSecurityContext(&client) == SEC_E_OK);
}

static void changed(struct reader *input, CredHandle *ours, CredHandle *theirs, ULONG flags)
{
    uint8_t there[WORLD_TOKEN_MAX], back[WORLD_TOKEN_MAX];
    ULONG len = 0, back_len = 0;
    CtxtHandle client = {0}, server = {0};
    uint8_t which = world_u8(input); /* the server's tokens to change, a bit each */
    SECURITY_STATUS client_status = SEC_I_CONTINUE_NEEDED, server_status = SEC_I_CONTINUE_NEEDED;
    for (int n_tokens = 0; n_tokens < 6 && client_status == SEC_I_CONTINUE_NEEDED; n_tokens++) {
        client_status = world_initiate(ours, &client, flags, slice_of(back, back_len), there, &len);
        if (client_status < 0 || len == 0 || server_status != SEC_I_CONTINUE_NEEDED)
            break;
        server_status = world_accept(theirs, &server, 0, slice_of(there, len), back, &back_len);
        if (server_status < 0)
            break;
        if ((which >> n_tokens & 1) != 0)
            back_len = (ULONG)world_mutate(input, back, back_len, sizeof back);
    }
    if (client_status == SEC_E_OK && server_status == SEC_E_OK)
        negotiate_world_compare(&client, &server);
    use(&client);
    MUST(DeleteSecurityContext(&client) == SEC_E_OK);
    if (server.dwLower != 0)
        MUST(DeleteSecurityContext(&server) == SEC_E_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    struct negotiate_world *world = negotiate_world();
    world_reset();
    uint8_t mode = world_u8(&input);
    ULONG flags = world_u16(&input) | (ULONG)world_u16(&input) << 16;
    flags &= ~(ULONG)(ISC_REQ_PROMPT_FOR_CREDS | ISC_REQ_ALLOCATE_MEMORY);
    fake_reset();
    fake.legs = 1 + (mode >> 4) % 3;
    fake.wants_list_mic = (mode & 0x80) != 0;
    CredHandle *ours = (mode & 2) != 0 ? &world->both_client : &world->client;
    if ((mode & 1) != 0)
        changed(&input, ours, (mode & 4) != 0 ? &world->both_server : &world->server,
                flags & ~(ULONG)(ISC_REQ_DATAGRAM | ISC_REQ_NULL_SESSION));
    else
        raw(&input, ours, flags);
    MUST(fake.n_handshakes == 0 && fake.n_sessions == 0);
    return 0;
}
