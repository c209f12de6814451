/*
 * Whole handshakes of WDigest, over HTTP and as SASL, with tokens that the input changes on their way, or that are all the input's. Nobody gets in by a changed response; whatever happens, the
 * context can be asked and freed. The first byte says which: 1 SASL, 2 integrity, 4 confidentiality, 8 mutual, 16 the input itself is the challenge, 32 the response.
 */
#include "fuzz/digest_world.h"

#include <string.h>

static CredHandle client_credential, server_credential;

static void setup(void)
{
    static bool done;
    if (done)
        return;
    digest_world_configure();
    world_reset();
    client_credential = digest_world_credential(SECPKG_CRED_OUTBOUND);
    server_credential = digest_world_credential(SECPKG_CRED_INBOUND);
    done = true;
}

static void messages(struct reader *input, CtxtHandle *context)
{
    uint8_t data[512], token[WORLD_TOKEN_MAX];
    struct slice given = world_bytes(input, sizeof data);
    memset(data, 0, sizeof data);
    if (given.len > 0)
        memcpy(data, given.data, given.len);
    SecBuffer stream[2] = {{(ULONG)given.len, SECBUFFER_STREAM, data}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, stream};
    (void)DecryptMessage(context, &list, 0, NULL);
    SecBuffer signature[3] = {{(ULONG)given.len, SECBUFFER_TOKEN, data},
                              {3, SECBUFFER_PKG_PARAMS, (void *)(uintptr_t) "GET"},
                              {sizeof token, SECBUFFER_PADDING, token}};
    SecBufferDesc request = {SECBUFFER_VERSION, 3, signature};
    (void)VerifySignature(context, &request, 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t to_client[WORLD_TOKEN_MAX], to_server[WORLD_TOKEN_MAX];
    ULONG client_len = 0, server_len = 0;
    CtxtHandle client = {0}, server = {0};
    struct reader input = reader_of(slice_of(data, size));
    setup();
    world_reset();
    uint8_t kind = world_u8(&input);
    ULONG flags = ((kind & 1) != 0 ? 0 : DIGEST_WORLD_HTTP) | ((kind & 2) != 0 ? ISC_REQ_INTEGRITY : 0) |
                  ((kind & 4) != 0 ? ISC_REQ_CONFIDENTIALITY : 0) | ((kind & 8) != 0 ? ISC_REQ_MUTUAL_AUTH : 0);
    ULONG server_flags = ((kind & 1) != 0 ? 0 : DIGEST_WORLD_HTTP) | ((kind & 2) != 0 ? ASC_REQ_INTEGRITY : 0);
    SECURITY_STATUS mine = SEC_I_CONTINUE_NEEDED, theirs = SEC_I_CONTINUE_NEEDED;
    theirs = digest_world_accept(&server_credential, &server, server_flags, slice_of(NULL, 0), to_client, &client_len);
    for (int legs = 0; legs < 4 && mine == SEC_I_CONTINUE_NEEDED && theirs >= 0; legs++) {
        if ((kind & 16) != 0) {
            struct slice given = reader_rest(&input);
            client_len = (ULONG)(given.len < sizeof to_client ? given.len : sizeof to_client);
            memcpy(to_client, given.data, client_len);
        } else if ((kind & 32) == 0)
            client_len = (ULONG)world_mutate(&input, to_client, client_len, sizeof to_client);
        mine = digest_world_initiate(&client_credential, &client, flags, slice_of(to_client, client_len), to_server,
                                     &server_len);
        if ((kind & 32) != 0) {
            struct slice given = reader_rest(&input);
            server_len = (ULONG)(given.len < sizeof to_server ? given.len : sizeof to_server);
            memcpy(to_server, given.data, server_len);
        } else
            server_len = (ULONG)world_mutate(&input, to_server, server_len, sizeof to_server);
        if (theirs == SEC_I_CONTINUE_NEEDED)
            theirs = digest_world_accept(&server_credential, &server, server_flags, slice_of(to_server, server_len),
                                         to_client, &client_len);
    }
    if (client.dwLower != 0 || client.dwUpper != 0) {
        messages(&input, &client);
        world_query(&client);
        DeleteSecurityContext(&client);
    }
    if (server.dwLower != 0 || server.dwUpper != 0) {
        messages(&input, &server);
        world_query(&server);
        DeleteSecurityContext(&server);
    }
    return 0;
}
