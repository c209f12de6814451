#include "support/fake_package.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/session.h"

#include <assert.h>
#include <string.h>

struct fake fake;

/* Below 1.3.6.1.4.1.32473, the arc for examples (RFC 5612). */
static const uint8_t oid_one[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59, 0x01};
static const uint8_t oid_two[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59, 0x02};
static const uint8_t token_start[] = {'F', 'A', 'K', 'E'};

struct handshake {
    unsigned leg; /* tokens made or taken so far */
    bool initiator;
};

void fake_reset(void)
{
    long credentials = fake.n_credentials, handshakes = fake.n_handshakes, sessions = fake.n_sessions;
    fake = (struct fake){.legs = 2, .n_credentials = credentials, .n_handshakes = handshakes, .n_sessions = sessions};
}

struct slice fake_oid(unsigned number)
{
    return fake_package.info.mech.oid[number];
}

void fake_register(void)
{
    SECURITY_STATUS status = registry_add(&fake_package);
    assert(status == SEC_E_OK);
    (void)status;
    fake_reset();
}

static SECURITY_STATUS acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    (void)request;
    require(fake.acquire == SEC_E_OK, cause_set(fake.acquire, "the test wants no credential"));
    *credential = mem_zalloc(1);
    require(*credential != NULL, SEC_E_INSUFFICIENT_MEMORY);
    __atomic_add_fetch(&fake.n_credentials, 1, __ATOMIC_RELAXED);
    *expiry = FILETIME_NEVER;
    return SEC_E_OK;
}

static void release(void *credential)
{
    __atomic_sub_fetch(&fake.n_credentials, 1, __ATOMIC_RELAXED);
    mem_free(credential);
}

static void abandon(void *handshake)
{
    __atomic_sub_fetch(&fake.n_handshakes, 1, __ATOMIC_RELAXED);
    mem_free(handshake);
}

static SECURITY_STATUS record_write(const struct handshake *now, struct step_out *out)
{
    static const uint8_t key[16] = {1, 2, 3};
    static const uint8_t own[8];
    const struct session_facts facts = {
        .initiator = now->initiator,
        .flags = out->granted,
        .expiry = FILETIME_NEVER,
        .client = "client@fake",
        .server = "server@fake",
        .session_key = slice_of(key, sizeof key),
    };
    return session_record_write(&out->record, &fake_package, &facts, slice_of(own, sizeof own));
}

static SECURITY_STATUS token_take(struct handshake *now, struct slice token)
{
    require(token.len == 5 && memcmp(token.data, token_start, 4) == 0,
            cause_set(SEC_E_INVALID_TOKEN, "this is no token of the fake package"));
    require(token.data[4] != 'E', cause_set(SEC_E_DELEGATION_POLICY, "the fake server says why"));
    require(token.data[4] == '1' + now->leg, cause_set(SEC_E_OUT_OF_SEQUENCE, "another leg of the fake package"));
    now->leg++;
    return SEC_E_OK;
}

static void token_make(struct handshake *now, struct step_out *out)
{
    writer_bytes(&out->token, token_start, sizeof token_start);
    writer_u8(&out->token, (uint8_t)('1' + now->leg));
    now->leg++;
}

static SECURITY_STATUS walk(struct handshake *now, const struct step_in *in, struct step_out *out)
{
    bool begins = now->initiator && now->leg == 0;
    if (!now->initiator && fake.accept != SEC_E_OK) {
        writer_bytes(&out->token, "FAKEE", 5);
        writer_zeros(&out->token, fake.error_len > 5 ? fake.error_len - 5 : 0);
        out->alert = !fake.no_alert;
        return cause_set(fake.accept, "the test accepts nobody");
    }
    if (!begins)
        try(token_take(now, in->token));
    require(!now->initiator || begins || fake.reply == SEC_E_OK, cause_set(fake.reply, "the test wants no reply"));
    if (now->leg < fake.legs)
        token_make(now, out);
    out->granted = in->flags & (ISC_RET_CONFIDENTIALITY | ISC_RET_MUTUAL_AUTH);
    if (!fake.no_integrity)
        out->granted |= now->initiator ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY;
    out->expiry = FILETIME_NEVER;
    if (now->leg < fake.legs)
        return SEC_I_CONTINUE_NEEDED;
    out->wants_list_mic = fake.wants_list_mic;
    out->record.failed = fake.loses_record;
    return fake.loses_record ? SEC_E_OK : record_write(now, out);
}

static SECURITY_STATUS step(bool initiator, void **handshake, const struct step_in *in, struct step_out *out)
{
    struct handshake *now = *handshake;
    bool first = now == NULL;
    if (first) {
        now = mem_zalloc(sizeof *now);
        require(now != NULL, SEC_E_INSUFFICIENT_MEMORY);
        __atomic_add_fetch(&fake.n_handshakes, 1, __ATOMIC_RELAXED);
        now->initiator = initiator;
    }
    SECURITY_STATUS status = walk(now, in, out);
    if (status == SEC_E_OK || (first && status < 0)) {
        abandon(now);
        now = NULL;
    }
    *handshake = now;
    return status;
}

static SECURITY_STATUS initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    (void)credential;
    require(fake.initiate == SEC_E_OK, cause_set(fake.initiate, "the test wants no beginning"));
    return step(true, handshake, in, out);
}

static SECURITY_STATUS accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    (void)credential;
    return step(false, handshake, in, out);
}

static SECURITY_STATUS query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    (void)credential;
    require(attribute == SECPKG_CRED_ATTR_NAMES, SEC_E_UNSUPPORTED_FUNCTION);
    value->names.text = "";
    return SEC_E_OK;
}

static const struct package_authority authority_table = {
    .acquire = acquire,
    .release = release,
    .initiate = initiate,
    .accept = accept,
    .abandon = abandon,
    .query_credential = query_credential,
};

struct session_state {
    bool initiator;
    uint32_t sent, received;
};

static SECURITY_STATUS session_state_open(struct slice own, uint32_t flags, bool initiator, void **state)
{
    struct reader reader = reader_of(own);
    uint32_t sent, received;
    (void)flags;
    require(reader_u32le(&reader, &sent) == WIRE_OK && reader_u32le(&reader, &received) == WIRE_OK &&
                reader_end(&reader) == WIRE_OK,
            SEC_E_INVALID_TOKEN);
    struct session_state *opened = mem_zalloc(sizeof *opened);
    require(opened != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *opened = (struct session_state){initiator, sent, received};
    __atomic_add_fetch(&fake.n_sessions, 1, __ATOMIC_RELAXED);
    *state = opened;
    return SEC_E_OK;
}

static void session_state_close(void *state)
{
    __atomic_sub_fetch(&fake.n_sessions, 1, __ATOMIC_RELAXED);
    mem_free(state);
}

static SECURITY_STATUS session_state_save(const void *state, struct writer *own)
{
    const struct session_state *saved = state;
    writer_u32le(own, saved->sent);
    writer_u32le(own, saved->received);
    return SEC_E_OK;
}

/* FNV-1a over direction, number and text: enough to tell changes in a test. */
static void code(bool from_initiator, uint32_t seq, const struct message *message, uint8_t mac[8])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (from_initiator ? 1 : 2) ^ (uint64_t)seq << 8;
    for (unsigned i = 0; i < message->n_data; i++)
        for (size_t at = 0; at < message->data[i].len; at++)
            hash = (hash ^ message->data[i].data[at]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < 8; i++)
        mac[i] = (uint8_t)(hash >> (8 * i));
}

static SECURITY_STATUS session_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct session_state *session = state;
    (void)qop, (void)seq;
    require(message->token.len >= 8, SEC_E_BUFFER_TOO_SMALL);
    code(session->initiator, session->sent++, message, message->token.data);
    message->token.len = 8;
    return SEC_E_OK;
}

static SECURITY_STATUS session_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct session_state *session = state;
    uint8_t mac[8];
    (void)qop, (void)seq;
    code(!session->initiator, session->received, message, mac);
    require(message->token.len == 8 && secret_equal(mac, message->token.data, 8),
            cause_set(SEC_E_MESSAGE_ALTERED, "the fake code is wrong"));
    session->received++;
    return SEC_E_OK;
}

static SECURITY_STATUS session_state_query(const void *state, uint32_t attribute, struct attribute *value)
{
    (void)state;
    require(attribute == SECPKG_ATTR_SIZES, SEC_E_UNSUPPORTED_FUNCTION);
    value->sizes.max_token = 5;
    value->sizes.max_signature = 8;
    return SEC_E_OK;
}

static const struct package_session session_table = {
    .open = session_state_open,
    .close = session_state_close,
    .save = session_state_save,
    .sign = session_sign,
    .verify = session_verify,
    .query = session_state_query,
};

const struct package fake_package = {
    .info =
        {
            .name = "Fake",
            .comment = "A package of the tests",
            .capabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_NEGOTIABLE,
            .rpc_id = SECPKG_ID_NONE,
            .max_token = 64,
            .takes_identity = true,
            .mech = {.oid = {{oid_one, sizeof oid_one}, {oid_two, sizeof oid_two}},
                     .raw_start = {token_start, sizeof token_start}},
        },
    .authority = &authority_table,
    .session = &session_table,
};
