/*
 * A whole Negotiate handshake of a server against a hostile client. The first byte chooses: tokens out of the input alone, of somebody who knows no
 * password and must not get in; or our own client's tokens, each changed as the input says: whoever gets in by those has the key and the package that
 * the client has.
 */
#include "fuzz/negotiate_world.h"

#include <string.h>

static void raw(struct reader *input, uint8_t mode)
{
    uint8_t token[WORLD_TOKEN_MAX];
    CtxtHandle context = {0};
    ULONG flags = world_u16(input) | (ULONG)world_u16(input) << 16;
    bool with_fake = (mode & 2) != 0; /* which lets everybody in */
    flags &= ~(ULONG)ASC_REQ_ALLOCATE_MEMORY;
    for (int n_tokens = 0; n_tokens < 5 && reader_left(input) > 0; n_tokens++) {
        struct slice piece = world_bytes(input, world_u16(input));
        struct negotiate_world *world = negotiate_world();
        SECURITY_STATUS status =
            world_accept(with_fake ? &world->both_server : &world->server, &context, flags, piece, token, NULL);
        MUST(status != SEC_E_OK || with_fake);
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
    uint8_t there[WORLD_TOKEN_MAX], back[WORLD_TOKEN_MAX];
    ULONG len = 0, back_len = 0;
    CtxtHandle client = {0}, server = {0};
    struct negotiate_world *world = negotiate_world();
    CredHandle *ours = (mode & 2) != 0 ? &world->both_client : &world->client;
    CredHandle *theirs = (mode & 4) != 0 ? &world->both_server : &world->server;
    ULONG flags = world_u16(input);
    uint8_t which = world_u8(input); /* the client's tokens to change, a bit each */
    flags &= ~(ULONG)(ISC_REQ_PROMPT_FOR_CREDS | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_DATAGRAM | ISC_REQ_NULL_SESSION);
    SECURITY_STATUS client_status = SEC_I_CONTINUE_NEEDED, server_status = SEC_I_CONTINUE_NEEDED;
    for (int n_tokens = 0; n_tokens < 6 && client_status == SEC_I_CONTINUE_NEEDED; n_tokens++) {
        client_status = world_initiate(ours, &client, flags, slice_of(back, back_len), there, &len);
        if (client_status < 0 || len == 0 || server_status != SEC_I_CONTINUE_NEEDED)
            break;
        if ((which >> n_tokens & 1) != 0)
            len = (ULONG)world_mutate(input, there, len, sizeof there);
        server_status = world_accept(theirs, &server, 0, slice_of(there, len), back, &back_len);
        if (server_status < 0)
            break;
    }
    if (client_status == SEC_E_OK && server_status == SEC_E_OK)
        negotiate_world_compare(&client, &server);
    if (client.dwLower != 0)
        MUST(DeleteSecurityContext(&client) == SEC_E_OK);
    if (server.dwLower != 0) {
        world_query(&server);
        MUST(DeleteSecurityContext(&server) == SEC_E_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    (void)negotiate_world();
    world_reset();
    uint8_t mode = world_u8(&input);
    fake_reset();
    fake.legs = 1 + (mode >> 4) % 3;
    fake.wants_list_mic = (mode & 0x80) != 0;
    if ((mode & 1) != 0)
        changed(&input, mode);
    else
        raw(&input, mode);
    MUST(fake.n_handshakes == 0 && fake.n_sessions == 0);
    return 0;
}
