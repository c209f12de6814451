/*
 * Protected messages from a hostile peer: buffer lists of any shape with any content, and messages of an honest peer with changes. Nothing forged
 * is taken, and after it the honest peer's message still opens.
 */
#include "core/session.h"
#include "fuzz/world.h"
#include "ntlm/keys.h"
#include "ntlm/messages.h"

#include <string.h>

#ifdef OPENSSPI_WITH_NTLM

#define BUFFERS 8
#define BUFFER_MAX 512

/* Sessions of every combination that changes how messages are protected (MS-NLMP 2.2.2.5). */
static const uint32_t flag_sets[] = {
    0xe2888235, /* SEAL, SIGN, extended, key exchange, 128 */
    0xa2888235, /* no key exchange */
    0x82888235, /* 56 bits */
    0x02888215, /* SIGN, 40 bits */
    0xe2808235, /* not extended */
    0x02808235, /* not extended, 40 bits */
    0xe2888275, /* datagram */
    0xa2888275, /* datagram, no key exchange */
    0x02888205, /* ALWAYS_SIGN alone */
};

static CtxtHandle session_open_both(uint32_t flags, bool initiator)
{
    static const struct package package = {.info = {.name = "NTLM"}};
    static const uint8_t key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    CtxtHandle context = {0};
    AUTO_WRITER struct writer own = writer_growing(64), record = writer_growing(512);
    struct ntlm_session_seed seed = {.flags = flags, .password_expiry = INT64_MAX};
    memcpy(seed.key.bytes, key, sizeof key);
    ntlm_session_seed_write(&own, &seed);
    const struct session_facts facts = {.initiator = initiator, .session_key = slice_of(key, sizeof key)};
    MUST(session_record_write(&record, &package, &facts, writer_slice_of(&own)) == SEC_E_OK);
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, record.data};
    SECURITY_STATUS status = ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &context);
    MUST(status == SEC_E_OK);
    return context;
}

static bool receive(CtxtHandle *context, SecBufferDesc *list, bool unseal)
{
    ULONG qop = 0;
    return (unseal ? DecryptMessage(context, list, 0, &qop) : VerifySignature(context, list, 0, &qop)) == SEC_E_OK;
}

/* libFuzzer sees what is compared and so can learn a right signature: what was taken must be what the peer itself makes of the text. */
static void check_genuine(CtxtHandle *client, const SecBufferDesc *taken, bool unseal, bool extended)
{
    uint8_t made[16];
    const uint8_t *token = NULL;
    SecBuffer buffers[1 + BUFFERS] = {{sizeof made, SECBUFFER_TOKEN, made}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, buffers};
    for (ULONG i = 0; i < taken->cBuffers; i++) {
        const SecBuffer *buffer = &taken->pBuffers[i];
        ULONG type = buffer->BufferType & ~(ULONG)SECBUFFER_ATTRMASK;
        if (type == SECBUFFER_TOKEN && token == NULL)
            token = buffer->pvBuffer;
        else if (type == SECBUFFER_DATA)
            buffers[list.cBuffers++] = *buffer;
    }
    for (ULONG i = 0; unseal && i < taken->cBuffers; i++) { /* a stream is the whole message */
        uint8_t *stream = taken->pBuffers[i].pvBuffer;
        if ((taken->pBuffers[i].BufferType & ~(ULONG)SECBUFFER_ATTRMASK) != SECBUFFER_STREAM)
            continue;
        token = stream;
        buffers[1] = (SecBuffer){taken->pBuffers[i].cbBuffer - 16, SECBUFFER_DATA, stream + 16};
        list.cBuffers = 2;
    }
    SECURITY_STATUS status = unseal ? EncryptMessage(client, 0, &list, 0) : MakeSignature(client, 0, &list, 0);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) /* opened as it was signed: no confidentiality was agreed */
        status = EncryptMessage(client, SECQOP_WRAP_NO_ENCRYPT, &list, 0);
    MUST(status == SEC_E_OK && token != NULL);
    size_t from = extended ? 4 : 8;
    MUST(memcmp(token, made, 4) == 0 && memcmp(token + from, made + from, 16 - from) == 0);
}

static void any_list(struct reader *input, CtxtHandle *client, CtxtHandle *server, bool unseal, uint32_t flags)
{
    bool dummy = (flags & (NTLM_SIGN | NTLM_SEAL)) == 0, extended = (flags & NTLM_EXTENDED_SESSION_SECURITY) != 0;
    SecBuffer buffers[BUFFERS];
    void *blocks[BUFFERS] = {NULL};
    unsigned n_buffers = world_u8(input) % (BUFFERS + 1);
    for (unsigned i = 0; i < n_buffers; i++) {
        uint16_t word = world_u16(input);
        struct slice bytes = world_bytes(input, word % BUFFER_MAX);
        ULONG type = world_u8(input) % 18;
        blocks[i] = bytes.len > 0 ? malloc(bytes.len) : NULL;
        if (bytes.len > 0)
            memcpy(blocks[i], bytes.data, bytes.len);
        if ((word & 0x8000) != 0)
            type |= SECBUFFER_READONLY;
        if ((word & 0x4000) != 0)
            type |= SECBUFFER_READONLY_WITH_CHECKSUM;
        buffers[i] = (SecBuffer){(ULONG)bytes.len, type, blocks[i]};
    }
    SecBufferDesc list = {SECBUFFER_VERSION, n_buffers, buffers};
    if (receive(server, &list, unseal) && !dummy)
        check_genuine(client, &list, unseal, extended);
    for (unsigned i = 0; i < n_buffers; i++)
        free(blocks[i]);
}

static void send_and_receive(CtxtHandle *from, CtxtHandle *to, bool seal, struct slice text, struct reader *changes)
{
    uint8_t wire[16 + BUFFER_MAX], before[16 + BUFFER_MAX];
    size_t len = text.len < BUFFER_MAX ? text.len : BUFFER_MAX;
    if (len > 0)
        memcpy(wire + 16, text.data, len);
    SecBuffer buffers[2] = {{16, SECBUFFER_TOKEN, wire}, {(ULONG)len, SECBUFFER_DATA, wire + 16}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = seal ? EncryptMessage(from, 0, &list, 0) : MakeSignature(from, 0, &list, 0);
    if (status != SEC_E_OK)
        return;
    memcpy(before, wire, 16 + len);
    if (changes != NULL) {
        (void)world_mutate(changes, wire, 16 + len, 16 + len);
        /* Bytes 4 to 7 of an unextended signature are a pad that nobody reads; of all others each counts. */
        bool alike = memcmp(before, wire, 16 + len) == 0;
        if (!alike && receive(to, &list, seal)) {
            memcpy(wire + 4, before + 4, 4);
            MUST(memcmp(before, wire, 16) == 0);
            return;
        }
        memcpy(wire, before, 16 + len);
    }
    MUST(receive(to, &list, seal));
    MUST(len == 0 || memcmp(wire + 16, text.data, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    uint8_t flags = world_u8(&input), mode = world_u8(&input);
    uint32_t set = flag_sets[flags % (sizeof flag_sets / sizeof flag_sets[0])];
    bool dummy = (set & 0x30) == 0, unseal = (mode & 1) != 0;
    world_reset();
    CtxtHandle client = session_open_both(set, true), server = session_open_both(set, false);
    if ((mode & 2) != 0) {
        struct slice text = world_bytes(&input, world_u8(&input));
        if (!dummy)
            send_and_receive(&client, &server, unseal, text, &input);
    } else
        any_list(&input, &client, &server, unseal, set);
    if ((set & 0x30) != 0)
        send_and_receive(&client, &server, (set & 0x20) != 0, slice_of("the next honest one", 19), NULL);
    send_and_receive(&server, &client, false, slice_of("and back", 8), NULL);
    MUST(DeleteSecurityContext(&client) == SEC_E_OK && DeleteSecurityContext(&server) == SEC_E_OK);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

#endif
