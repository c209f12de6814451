/*
 * Whole handshakes of WDigest, over HTTP and as SASL, with tokens that the input changes on their way, or that are all the input's. Nobody gets in by
 * a changed response, and no SASL client ends well by a changed proof; whatever happens, the context can be asked and freed. The first byte says
 * which: 1 SASL, 2 integrity, 4 confidentiality, 8 mutual, 16 the input itself is the challenge, 32 the response.
 */
#include "base/memory.h"
#include "digest/directives.h"
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

struct token {
    uint8_t bytes[WORLD_TOKEN_MAX];
    size_t len;
};

static struct token token_copy(const uint8_t *bytes, size_t len)
{
    struct token token = {.len = len};
    if (len > 0)
        memcpy(token.bytes, bytes, len);
    return token;
}

static bool parsed(const struct token *token, struct directives *said)
{
    struct slice text = slice_of(token->bytes, token->len);
    return token->len > 0 && directives_parse(&text, true, said) == WIRE_OK;
}

static bool same(const struct directives *a, const struct directives *b, const enum directive *list, size_t n)
{
    bool same = true;
    for (size_t i = 0; i < n; i++)
        same = same && directive_there(a, list[i]) == directive_there(b, list[i]) &&
               slice_equal(a->value[list[i]], b->value[list[i]]);
    return same;
}

/* Who got in did it by the client's response, with all that it was made of; or with other words and a response to them: libFuzzer sees what is
 * compared, and can learn one. */
static void check_response(const struct token *made, const struct token *given)
{
    static const enum directive hashed[] = {DIRECTIVE_NONCE, DIRECTIVE_CNONCE, DIRECTIVE_NC, DIRECTIVE_URI,
                                            DIRECTIVE_DIGEST_URI},
                                others[] = {DIRECTIVE_QOP,      DIRECTIVE_REALM,    DIRECTIVE_ALGORITHM,
                                            DIRECTIVE_USERHASH, DIRECTIVE_USERNAME, DIRECTIVE_USERNAME_EXT,
                                            DIRECTIVE_AUTHZID,  DIRECTIVE_CHARSET},
                                response[] = {DIRECTIVE_RESPONSE};
    AUTO_DIRECTIVES struct directives a = {0};
    AUTO_DIRECTIVES struct directives b = {0};
    MUST(parsed(given, &b));
    if (!parsed(made, &a))
        return;
    bool alike = same(&a, &b, hashed, COUNT_OF(hashed));
    if (same(&a, &b, response, 1))
        MUST(alike);
    else
        MUST(!alike || !same(&a, &b, others, COUNT_OF(others)));
}

static void check_proof(const struct token *made, const struct token *given)
{
    static const enum directive proof[] = {DIRECTIVE_RSPAUTH};
    AUTO_DIRECTIVES struct directives a = {0};
    AUTO_DIRECTIVES struct directives b = {0};
    MUST(parsed(made, &a) && parsed(given, &b) && directive_there(&a, DIRECTIVE_RSPAUTH) && same(&a, &b, proof, 1));
}

/* What is delivered: the token with the input's changes, or the input. */
static ULONG changed(struct reader *input, bool replaced, uint8_t token[WORLD_TOKEN_MAX], ULONG len)
{
    if (!replaced)
        return (ULONG)world_mutate(input, token, len, WORLD_TOKEN_MAX);
    struct slice given = reader_rest(input);
    len = (ULONG)(given.len < WORLD_TOKEN_MAX ? given.len : WORLD_TOKEN_MAX);
    if (len > 0)
        memcpy(token, given.data, len);
    return len;
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
        struct token made = token_copy(to_client, client_len);
        client_len = changed(&input, (kind & 16) != 0, to_client, client_len);
        struct token given = token_copy(to_client, client_len);
        mine = digest_world_initiate(&client_credential, &client, flags, slice_of(to_client, client_len), to_server,
                                     &server_len);
        if (mine == SEC_E_OK && (kind & 49) == 1) /* SASL, and nothing but changes on the way */
            check_proof(&made, &given);
        if (theirs != SEC_I_CONTINUE_NEEDED)
            continue;
        made = token_copy(to_server, server_len);
        server_len = changed(&input, (kind & 32) != 0, to_server, server_len);
        given = token_copy(to_server, server_len);
        theirs = digest_world_accept(&server_credential, &server, server_flags, slice_of(to_server, server_len),
                                     to_client, &client_len);
        if (theirs == SEC_E_OK)
            check_response(&made, &given);
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
