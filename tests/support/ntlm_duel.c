#include "support/ntlm_duel.h"

#include "base/time.h"
#include "crypto/ntlm_response.h"
#include "crypto/random.h"
#include "crypto/rc4.h"
#include "ntlm/keys.h"
#include "support/ntlm_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* "Password1!" */
static const struct key16 alice_hash = {
    {0x7f, 0xac, 0xdc, 0x49, 0x8e, 0xd1, 0x68, 0x0c, 0x4f, 0xd1, 0x44, 0x83, 0x19, 0xa8, 0xc0, 0x4f}};

void duel_begin(struct duel *duel)
{
    struct loop loop = {0};
    loop_acquire(&loop);
    assert(loop.client_status == SEC_E_OK && loop.server_status == SEC_E_OK);
    duel->client_credential = loop.client_credential;
    duel->server_credential = loop.server_credential;
}

struct ends {
    struct slice in;
    const char *bindings;
    SecBuffer in_buffers[2], out_buffer;
    SecBufferDesc in_list, out_list;
    uint8_t *token;
    SEC_CHANNEL_BINDINGS *block;
};

/* The token in a block of exactly its size, so that a sanitizer sees the first byte read too far. */
static void ends_prepare(struct ends *ends, struct duel *duel)
{
    ends->token = malloc(ends->in.len > 0 ? ends->in.len : 1);
    assert(ends->token != NULL);
    if (ends->in.len > 0)
        memcpy(ends->token, ends->in.data, ends->in.len);
    ends->in_buffers[0] = (SecBuffer){(ULONG)ends->in.len, SECBUFFER_TOKEN, ends->token};
    ends->in_list = (SecBufferDesc){SECBUFFER_VERSION, 1, ends->in_buffers};
    if (ends->bindings != NULL) {
        size_t len = strlen(ends->bindings);
        ends->block = calloc(1, sizeof *ends->block + len);
        assert(ends->block != NULL);
        ends->block->cbApplicationDataLength = (ULONG)len;
        ends->block->dwApplicationDataOffset = sizeof *ends->block;
        memcpy(ends->block + 1, ends->bindings, len);
        ends->in_buffers[1] = (SecBuffer){(ULONG)(sizeof *ends->block + len), SECBUFFER_CHANNEL_BINDINGS, ends->block};
        ends->in_list.cBuffers = 2;
    }
    ends->out_buffer = (SecBuffer){sizeof duel->out.data, SECBUFFER_TOKEN, duel->out.data};
    ends->out_list = (SecBufferDesc){SECBUFFER_VERSION, 1, &ends->out_buffer};
}

static SECURITY_STATUS ends_finish(struct ends *ends, struct duel *duel, SECURITY_STATUS status)
{
    duel->out.len = status >= 0 ? ends->out_buffer.cbBuffer : 0;
    free(ends->token);
    free(ends->block);
    return status;
}

static bool is_first(const CtxtHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

SECURITY_STATUS duel_client(struct duel *duel, struct slice in)
{
    struct ends ends = {.in = in, .bindings = duel->client_bindings};
    bool first = is_first(&duel->client);
    ends_prepare(&ends, duel);
    return ends_finish(&ends, duel,
                       InitializeSecurityContextA(&duel->client_credential, first ? NULL : &duel->client,
                                                  (char *)(uintptr_t)duel->target, duel->client_flags, 0,
                                                  SECURITY_NATIVE_DREP, &ends.in_list, 0, &duel->client, &ends.out_list,
                                                  &duel->client_attributes, NULL));
}

SECURITY_STATUS duel_server(struct duel *duel, struct slice in)
{
    struct ends ends = {.in = in, .bindings = duel->server_bindings};
    bool first = is_first(&duel->server);
    ends_prepare(&ends, duel);
    return ends_finish(&ends, duel,
                       AcceptSecurityContext(&duel->server_credential, first ? NULL : &duel->server, &ends.in_list,
                                             duel->server_flags, SECURITY_NATIVE_DREP, &duel->server, &ends.out_list,
                                             &duel->server_attributes, NULL));
}

void duel_restart(struct duel *duel)
{
    if (!is_first(&duel->client))
        DeleteSecurityContext(&duel->client);
    if (!is_first(&duel->server))
        DeleteSecurityContext(&duel->server);
    duel->client = duel->server = (CtxtHandle){0};
}

void duel_end(struct duel *duel)
{
    duel_restart(duel);
    FreeCredentialsHandle(&duel->client_credential);
    FreeCredentialsHandle(&duel->server_credential);
}

void duel_honest(struct duel *duel, struct token *negotiate, struct token *challenge, struct token *authenticate)
{
    SECURITY_STATUS status = duel_client(duel, slice_of(NULL, 0));
    assert(status == SEC_I_CONTINUE_NEEDED);
    *negotiate = duel->out;
    status = duel_server(duel, token_slice(negotiate));
    assert(status == SEC_I_CONTINUE_NEEDED);
    *challenge = duel->out;
    status = duel_client(duel, token_slice(challenge));
    assert(status == SEC_E_OK);
    *authenticate = duel->out;
}

static _Thread_local uint64_t seed;

/* SplitMix64 (Steele, Lea, Flood 2014). */
static bool fill(void *data, size_t len)
{
    uint8_t *to = data;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        to[i] = (uint8_t)((z ^ z >> 27) * UINT64_C(0x94d049bb133111eb) >> 56);
    }
    return true;
}

void duel_freeze(void)
{
    seed = 1;
    random_hook(fill);
    filetime_fix(DUEL_TIME);
}

void duel_thaw(void)
{
    random_hook(NULL);
    filetime_fix(0);
}

static const uint8_t client_challenge[8] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};

struct responses {
    struct writer lm, nt;
    struct key16 base_key;
};

static void respond_v2(const struct craft *craft, const struct ntlm_challenge *server, struct responses *to)
{
    struct hmac_md5_key key;
    uint8_t proof[16];
    enum wire_result result = ntlm_v2_key(&alice_hash, craft->user != NULL ? craft->user : "alice",
                                          craft->hashed != NULL ? craft->hashed : "EXAMPLE", &key);
    assert(result == WIRE_OK);
    struct ntlm_client_challenge client = {.timestamp = craft->timestamp != 0 ? craft->timestamp : DUEL_TIME,
                                           .pairs = craft->pairs.data != NULL ? craft->pairs : server->target_info};
    memcpy(client.challenge, client_challenge, 8);
    if (craft->kind == CRAFT_LMV2) {
        ntlm_v2_proof(&key, server->challenge, slice_of(client_challenge, 8), proof);
        writer_bytes(&to->lm, proof, 16);
        writer_bytes(&to->lm, client_challenge, 8);
    } else {
        writer_zeros(&to->lm, 24);
        writer_zeros(&to->nt, 16);
        ntlm_client_challenge_write(&to->nt, &client);
        ntlm_v2_proof(&key, server->challenge, slice_of(to->nt.data + 16, to->nt.len - 16), proof);
        writer_patch_bytes(&to->nt, 0, proof, 16);
    }
    ntlm_v2_base_key(&key, proof, &to->base_key);
}

static void respond_v1(const struct craft *craft, const struct ntlm_challenge *server, struct responses *to)
{
    uint8_t answered[8], response[24];
    memcpy(answered, server->challenge, 8);
    if (craft->kind == CRAFT_V1_EXTENDED)
        ntlm_v1_session_challenge(server->challenge, client_challenge, answered);
    bool done = ntlm_desl(&alice_hash, answered, response);
    assert(done);
    writer_bytes(&to->nt, response, 24);
    if (craft->kind == CRAFT_V1_EXTENDED) {
        writer_bytes(&to->lm, client_challenge, 8);
        writer_zeros(&to->lm, 16);
    } else
        writer_bytes(&to->lm, response, 24);
    ntlm_nt_hash(slice_of(alice_hash.bytes, 16), &to->base_key);
}

void craft_authenticate(const struct craft *craft, const struct token *negotiate, const struct token *challenge,
                        struct token *authenticate)
{
    struct ntlm_challenge server;
    struct responses to = {.lm = writer_growing(24), .nt = writer_growing(512)};
    struct writer names = writer_growing(128), out = writer_fixed(authenticate->data, sizeof authenticate->data);
    struct key16 exchange, session = {{0x55, 0x55, 0x55}};
    uint8_t encrypted[16], mic[16];
    struct rc4 rc4;
    enum wire_result result = ntlm_challenge_parse(token_slice(challenge), &server);
    assert(result == WIRE_OK);
    if (craft->kind == CRAFT_V2 || craft->kind == CRAFT_LMV2)
        respond_v2(craft, &server, &to);
    else
        respond_v1(craft, &server, &to);
    uint32_t flags = craft->flags != 0 ? craft->flags : server.flags;
    const struct ntlm_kxkey_input input = {.flags = flags,
                                           .base_key = &to.base_key,
                                           .lm_response = writer_slice_of(&to.lm),
                                           .challenge = server.challenge,
                                           .v2 = craft->kind == CRAFT_V2 || craft->kind == CRAFT_LMV2};
    bool done = ntlm_kxkey(&input, &exchange);
    assert(done);
    if ((flags & NTLM_KEY_EXCH) != 0) {
        rc4_init(&rc4, exchange.bytes, 16);
        rc4_crypt(&rc4, session.bytes, encrypted, 16);
    } else
        session = exchange;
    result = ntlm_text_write(flags, &names, "EXAMPLE");
    size_t domain_len = names.len;
    result = result == WIRE_OK ? ntlm_text_write(flags, &names, craft->user != NULL ? craft->user : "alice") : result;
    assert(result == WIRE_OK);
    bool has_key = (flags & NTLM_KEY_EXCH) != 0 && !craft->no_session_key;
    const struct ntlm_authenticate message = {.flags = flags,
                                              .lm_response = writer_slice_of(&to.lm),
                                              .nt_response = writer_slice_of(&to.nt),
                                              .domain = slice_of(names.data, domain_len),
                                              .user = slice_of(names.data + domain_len, names.len - domain_len),
                                              .session_key = slice_of(encrypted, has_key ? 16 : 0),
                                              .has_mic_field = craft->mic};
    ntlm_authenticate_write(&out, &message);
    assert(writer_finish(&out) == WIRE_OK);
    authenticate->len = out.len;
    if (craft->session_key != NULL)
        memcpy(craft->session_key, session.bytes, sizeof session.bytes);
    if (craft->mic) {
        ntlm_mic(&session, token_slice(negotiate), token_slice(challenge), token_slice(authenticate), mic);
        memcpy(authenticate->data + NTLM_MIC_OFFSET, mic, sizeof mic);
    }
    writer_release(&to.lm);
    writer_release(&to.nt);
    writer_release(&names);
}

void craft_append_pair(struct token *pairs, unsigned id, const void *value, size_t len)
{
    uint8_t *to = pairs->data + pairs->len;
    assert(pairs->len + 4 + len <= sizeof pairs->data && id < 256 && len < 65536);
    to[0] = (uint8_t)id;
    to[1] = 0;
    to[2] = (uint8_t)len;
    to[3] = (uint8_t)(len >> 8);
    if (len > 0)
        memcpy(to + 4, value, len);
    pairs->len += 4 + len;
}

void craft_pairs(const struct token *challenge, int left_out, struct slice more, struct token *pairs)
{
    struct ntlm_challenge server;
    enum wire_result result = ntlm_challenge_parse(token_slice(challenge), &server);
    assert(result == WIRE_OK);
    struct reader reader = reader_of(server.target_info);
    pairs->len = 0;
    for (;;) {
        uint16_t id, len;
        struct slice value;
        result = reader_u16le(&reader, &id);
        result = result == WIRE_OK ? reader_u16le(&reader, &len) : result;
        result = result == WIRE_OK ? reader_bytes(&reader, len, &value) : result;
        assert(result == WIRE_OK);
        if (id == NTLM_AV_EOL)
            break;
        if (id != left_out)
            craft_append_pair(pairs, id, value.data, value.len);
    }
    if (more.len > 0)
        memcpy(pairs->data + pairs->len, more.data, more.len);
    pairs->len += more.len;
    craft_append_pair(pairs, NTLM_AV_EOL, NULL, 0);
}

void craft_challenge(const struct token *challenge, uint32_t flags, struct slice pairs, struct token *out)
{
    struct ntlm_challenge server;
    struct writer writer = writer_fixed(out->data, sizeof out->data);
    enum wire_result result = ntlm_challenge_parse(token_slice(challenge), &server);
    assert(result == WIRE_OK);
    server.flags = flags;
    server.target_info = pairs;
    ntlm_challenge_write(&writer, &server);
    assert(writer_finish(&writer) == WIRE_OK);
    out->len = writer.len;
}
