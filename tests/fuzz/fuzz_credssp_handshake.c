/*
 * CredSSP's client and server inside an honest TLS connection, and TSSSP's without one, against a peer that says what the input wants: TSRequests in
 * and out of order, with fields added, changed and cut, whole or in records of their own. Nobody gets to the end without the right proof of the key,
 * and no client hands anything over before it.
 */
#include "fuzz/world.h"
#include "support/credssp_duel.h"

#include <string.h>

struct run {
    struct credssp_duel *duel;
    struct reader input;
    bool bound;  /* the proof that the honest side must have was sent, as it has to be */
    bool handed; /* and, by a client, credentials behind it */
};

enum operation { RAW, NEGO, BINDING, CREDENTIALS, ERROR_CODE, REPLAY, OPERATIONS };

/* What may be wrong with a request besides what it carries, a bit each. */
enum twist {
    TWIST_VERSION = 0x01,
    TWIST_ERROR = 0x02,
    TWIST_NONCE = 0x04,
    TWIST_AUTH_INFO = 0x08,
    TWIST_PUB_KEY = 0x10,
    TWIST_TOKEN = 0x20,
    TWIST_SPLIT = 0x40,
    TWIST_BYTES = 0x80
};

/* A record that is whole never wants more bytes, and who failed stays failed. */
static SECURITY_STATUS judge(struct run *run, SECURITY_STATUS status)
{
    struct credssp_duel *duel = run->duel;
    MUST(status != SEC_E_INCOMPLETE_MESSAGE);
    if (!duel->played.client)
        MUST(duel->request.auth_info.data == NULL || run->bound);
    if (status == SEC_E_OK)
        MUST(run->bound && (run->handed || !duel->played.client));
    if (status < 0 && duel->honest.has_context) /* without TLS a server has none before its client's first word */
        MUST(credssp_duel_again(duel) == SEC_E_OUT_OF_SEQUENCE);
    return status;
}

static SECURITY_STATUS send_bytes(struct run *run, const void *data, size_t len, size_t first)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    if (first > 0 && first < len) {
        status = judge(run, credssp_duel_send_raw(run->duel, data, first));
        data = (const uint8_t *)data + first;
        len -= first;
    }
    return status == SEC_I_CONTINUE_NEEDED && len > 0 ? judge(run, credssp_duel_send_raw(run->duel, data, len))
                                                      : status;
}

/* Sends the request with its twists; whether it went as it was. */
static SECURITY_STATUS send(struct run *run, struct ts_request *request, bool *pure)
{
    static uint8_t bytes[16384];
    static const uint8_t other_nonce[TS_NONCE_LEN] = {1};
    uint8_t twists = world_u8(&run->input);
    struct slice few = world_bytes(&run->input, twists != 0 ? world_u8(&run->input) : 0);
    *pure = (twists & ~(unsigned)TWIST_SPLIT) == 0;
    if ((twists & TWIST_VERSION) != 0)
        request->version = world_u8(&run->input);
    if ((twists & TWIST_ERROR) != 0) {
        request->has_error = true;
        request->error = world_u16(&run->input) | (uint32_t)world_u16(&run->input) << 16;
    }
    if ((twists & TWIST_NONCE) != 0)
        request->nonce = (world_u8(&run->input) & 1) != 0 ? slice_of(other_nonce, TS_NONCE_LEN) : few;
    if ((twists & TWIST_AUTH_INFO) != 0)
        request->auth_info = few;
    if ((twists & TWIST_PUB_KEY) != 0)
        request->pub_key_auth = few;
    if ((twists & TWIST_TOKEN) != 0)
        request->nego_token = few;
    AUTO_WRITER struct writer writer = writer_fixed(bytes, sizeof bytes);
    ts_request_write(&writer, request);
    MUST(writer_finish(&writer) == WIRE_OK);
    size_t len = writer.len;
    if ((twists & TWIST_BYTES) != 0)
        len = world_mutate(&run->input, bytes, len, sizeof bytes);
    return send_bytes(run, bytes, len, (twists & TWIST_SPLIT) != 0 ? world_u16(&run->input) : 0);
}

static SECURITY_STATUS raw(struct run *run)
{
    struct slice bytes = world_bytes(&run->input, world_u16(&run->input));
    return bytes.len > 0 ? send_bytes(run, bytes.data, bytes.len, world_u8(&run->input)) : SEC_I_CONTINUE_NEEDED;
}

/* The next token of the played side's Negotiate, where it has one. */
static SECURITY_STATUS nego(struct run *run)
{
    struct credssp_duel *duel = run->duel;
    bool pure, first = duel->played.client && !duel->nego_begun;
    if (duel->nego_done || (!first && duel->request.nego_token.len == 0) || !credssp_duel_nego_try(duel))
        return SEC_I_CONTINUE_NEEDED;
    if (duel->nego_done && duel->token.len == 0)
        return SEC_I_CONTINUE_NEEDED;
    struct ts_request request = {.version = TS_VERSION_MAX, .nego_token = bytes_slice(&duel->token)};
    return send(run, &request, &pure);
}

/* The proof of the key: right, or wrong in one of the ways there are. */
static SECURITY_STATUS binding(struct run *run)
{
    static struct bytes sealed;
    struct credssp_duel *duel = run->duel;
    uint8_t wrong = world_u8(&run->input);
    bool server = !duel->played.client, pure;
    struct bytes nonce = duel->nonce, key = duel->key;
    if (!duel->nego_done)
        return SEC_I_CONTINUE_NEEDED;
    if (!server) {
        duel->nonce.len = TS_NONCE_LEN;
        memset(duel->nonce.data, 0x5a, TS_NONCE_LEN);
        nonce = duel->nonce;
    }
    if ((wrong & 1) != 0)
        duel->nonce.data[wrong >> 3] ^= 1;
    if ((wrong & 2) != 0)
        duel->key.data[wrong >> 3] ^= 1;
    credssp_duel_binding(duel, (wrong & 4) != 0 ? !server : server, (wrong & 0x20) != 0 ? 4 : TS_VERSION_MAX, &sealed);
    duel->nonce = nonce;
    duel->key = key;
    if ((wrong & 0x40) != 0)
        sealed.data[world_u8(&run->input) % sealed.len] ^= 1;
    struct ts_request request = {.version = TS_VERSION_MAX, .pub_key_auth = bytes_slice(&sealed)};
    if (!server)
        request.nonce = bytes_slice(&duel->nonce);
    /* Which twists leave it right is not counted: it counts as sent, where the proof itself is right. */
    run->bound = run->bound || (wrong & 0x67) == 0;
    return send(run, &request, &pure);
}

static SECURITY_STATUS credentials(struct run *run)
{
    static struct bytes sealed;
    struct credssp_duel *duel = run->duel;
    uint8_t kind = world_u8(&run->input);
    bool pure;
    struct slice text[3];
    AUTO_WRITER struct writer plain = writer_growing(1024);
    if (!duel->nego_done)
        return SEC_I_CONTINUE_NEEDED;
    for (size_t i = 0; i < 3; i++)
        text[i] = world_bytes(&run->input, world_u8(&run->input));
    struct ts_credentials handed = {.type = TS_PASSWORD, .domain = text[0], .user = text[1], .password = text[2]};
    if (kind % 4 == 1)
        handed = (struct ts_credentials){
            .type = TS_SMART_CARD, .pin = text[0], .key_spec = kind, .card = text[1], .user_hint = text[2]};
    if (kind % 4 == 2)
        handed = (struct ts_credentials){.type = TS_REMOTE_GUARD, .logon = {text[0], text[1]}};
    if (kind % 4 == 3)
        writer_slice(&plain, text[0]);
    else
        ts_credentials_write(&plain, &handed);
    credssp_duel_seal(duel, plain.data, plain.len, &sealed);
    struct ts_request request = {.version = TS_VERSION_MAX, .auth_info = bytes_slice(&sealed)};
    run->handed = true;
    return send(run, &request, &pure);
}

static SECURITY_STATUS error_code(struct run *run)
{
    bool pure;
    struct ts_request request = {
        .version = TS_VERSION_MAX,
        .has_error = true,
        .error = world_u16(&run->input) | (uint32_t)world_u16(&run->input) << 16,
    };
    return send(run, &request, &pure);
}

/* The honest side's own words. */
static SECURITY_STATUS replay(struct run *run)
{
    static uint8_t copy[8192];
    size_t len = run->duel->text.len;
    if (len == 0 || len > sizeof copy)
        return SEC_I_CONTINUE_NEEDED;
    memcpy(copy, run->duel->text.data, len);
    return send_bytes(run, copy, len, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SECURITY_STATUS (*const operations[OPERATIONS])(struct run *) = {
        [RAW] = raw,       [NEGO] = nego, [BINDING] = binding, [CREDENTIALS] = credentials, [ERROR_CODE] = error_code,
        [REPLAY] = replay,
    };
    static bool configured;
    if (!configured) {
        loop_configure("lockout_threshold = 0\n[ntlm]\ntargets = server.test\n[negotiate]\npackages = NTLM\n");
        MUST(atexit(loop_cleanup) == 0);
        configured = true;
    }
    struct run run = {.input = reader_of(slice_of(data, size))};
    uint8_t mode = world_u8(&run.input);
    /* Most without TLS, which is a hundred times as slow, and has a target of its own. */
    run.duel = credssp_duel_open(((mode & 1) != 0 ? DUEL_PLAY_CLIENT : 0) | (mode >= 4 ? DUEL_BARE : 0) | DUEL_KEEP);
    run.duel->honest.flags |= (mode & 2) != 0 ? ASC_REQ_EXTENDED_ERROR : 0;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (int n = 0; n < 16 && status == SEC_I_CONTINUE_NEEDED && reader_left(&run.input) > 0; n++)
        status = operations[world_u8(&run.input) % OPERATIONS](&run);
    if (run.duel->honest.has_context)
        world_query(&run.duel->honest.context);
    credssp_duel_end(run.duel);
    return 0;
}
