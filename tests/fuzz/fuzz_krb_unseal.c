/*
 * Kerberos message tokens from a hostile peer, straight to the session: an honest token with changes, or anything at all, in every layout. Nothing
 * forged is taken, a refused message leaves the caller's bytes as they were, and the honest one still opens afterwards. Two copies in one call are
 * opened as one after the other.
 */
#include "fuzz/world.h"
#include "kerberos/session.h"

#include <string.h>

#define TEXT_MAX 512
#define TOKEN_ROOM 128
#define WIRE_MAX (TOKEN_ROOM + TEXT_MAX + 64)

static void *session_open_one(int32_t enctype, bool dce, bool initiator)
{
    struct kerberos_session_seed seed = {.enctype = enctype, .dce_style = dce, .acceptor_subkey = (enctype & 1) != 0};
    uint8_t own[128];
    void *state = NULL;
    struct writer writer = writer_fixed(own, sizeof own);
    seed.key_len = enctype == 18 || enctype == 20 ? 32 : 16;
    for (size_t i = 0; i < seed.key_len; i++)
        seed.key[i] = (uint8_t)(i + 1);
    kerberos_session_seed_write(&writer, &seed);
    /* With sequence detection: rc4-hmac hides the number of a message that is not encrypted, but nothing protects it (RFC 4757 7.2). */
    uint32_t flags = ISC_RET_CONFIDENTIALITY | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT;
    MUST(kerberos_session_table.open(writer_slice_of(&writer), flags, initiator, &state) == SEC_E_OK);
    return state;
}

/* What arrived: TOKEN, DATA and PADDING in one block of exactly its size. */
struct arrival {
    uint8_t *bytes;
    size_t len;
};

/* Buffers as the input says, or a STREAM; `split` is where TOKEN ends. */
static struct message message_of(const struct arrival *arrival, uint8_t shape, size_t split)
{
    struct message message;
    memset(&message, 0, sizeof message);
    if ((shape & 1) != 0) {
        message.stream = (struct slice_mut){arrival->bytes, arrival->len};
        message.n_data = (shape & 2) != 0;
        return message;
    }
    size_t token_len = split < arrival->len ? split : arrival->len, rest = arrival->len - token_len;
    size_t padding_len = (shape & 4) != 0 && rest > 0 ? 1 : 0;
    size_t parts = 1 + (shape >> 4 & 7);
    message.token = (struct slice_mut){arrival->bytes, token_len};
    rest -= padding_len;
    for (size_t i = 0; i < parts; i++) {
        size_t from = rest * i / parts, to = rest * (i + 1) / parts;
        bool read_only = (shape & 8) != 0 && i % 2 == 1;
        message.data[message.n_data++] = (struct segment){arrival->bytes + token_len + from, to - from, read_only};
    }
    message.padding = (struct slice_mut){arrival->bytes + token_len + rest, padding_len};
    return message;
}

static bool receive(void *session, const struct arrival *arrival, uint8_t shape, size_t split, bool mic)
{
    uint8_t before[WIRE_MAX];
    uint32_t qop = 0;
    struct message message = message_of(arrival, shape, split);
    memcpy(before, arrival->bytes, arrival->len);
    if (mic && message.stream.data != NULL)
        return false;
    SECURITY_STATUS status = mic ? kerberos_session_table.verify(session, &message, 0, &qop)
                                 : kerberos_session_table.unseal(session, &message, 0, &qop);
    MUST(status == SEC_E_OK || memcmp(before, arrival->bytes, arrival->len) == 0);
    if (status == SEC_E_OK && message.stream.data != NULL)
        MUST(message.stream_data.data >= arrival->bytes &&
             message.stream_data.data + message.stream_data.len <= arrival->bytes + arrival->len);
    return status == SEC_E_OK;
}

static struct arrival arrival_exact(const uint8_t *bytes, size_t len)
{
    struct arrival arrival = {malloc(len + 1), len}; /* one byte so that an empty one has an address */
    MUST(arrival.bytes != NULL);
    memcpy(arrival.bytes, bytes, len);
    return arrival;
}

static size_t offset_in(const struct arrival *arrival, const uint8_t *at)
{
    return at == NULL ? SIZE_MAX : (size_t)(at - arrival->bytes);
}

/* What the caller sees of an opened message. */
static void same_opened(const struct arrival *one, const struct message *a, const struct arrival *other,
                        const struct message *b)
{
    MUST(memcmp(one->bytes, other->bytes, one->len) == 0);
    MUST(offset_in(one, a->stream_data.data) == offset_in(other, b->stream_data.data));
    MUST(a->stream_data.len == b->stream_data.len && a->stream.len == b->stream.len);
    MUST(a->token.len == b->token.len && a->padding.len == b->padding.len && a->n_data == b->n_data);
    for (size_t i = 0; i < a->n_data; i++)
        MUST(a->data[i].len == b->data[i].len);
}

/* The token twice, in copies: fresh sessions open them one after the other and in one call, alike. */
static void several_alike(int32_t enctype, bool dce, const struct arrival *token, uint8_t shape, size_t split)
{
    void *alone = session_open_one(enctype, dce, false), *together = session_open_one(enctype, dce, false);
    struct arrival one[2], other[2];
    struct message messages[2], others[2];
    struct session_message list[2];
    for (unsigned i = 0; i < 2; i++) {
        one[i] = arrival_exact(token->bytes, token->len);
        other[i] = arrival_exact(token->bytes, token->len);
        messages[i] = message_of(&one[i], shape, split);
        others[i] = message_of(&other[i], shape, split);
        list[i] = (struct session_message){.state = together, .message = &others[i]};
    }
    kerberos_session_table.unseal_several(list, 2);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t qop = 0;
        SECURITY_STATUS status = kerberos_session_table.unseal(alone, &messages[i], 0, &qop);
        MUST(list[i].status == status && list[i].qop == qop);
        same_opened(&one[i], &messages[i], &other[i], &others[i]);
        free(one[i].bytes);
        free(other[i].bytes);
    }
    kerberos_session_table.close(alone);
    kerberos_session_table.close(together);
}

/* An honest message, TOKEN, DATA and PADDING in a row; gives back where DATA begins. */
static size_t honest(void *session, bool mic, uint32_t qop, struct slice text, bool padded, struct arrival *arrival)
{
    uint8_t token[TOKEN_ROOM], padding[1], body[TEXT_MAX];
    struct message message;
    memset(&message, 0, sizeof message);
    if (text.len > 0)
        memcpy(body, text.data, text.len);
    message.token = (struct slice_mut){token, sizeof token};
    message.data[0] = (struct segment){.data = body, .len = text.len};
    message.n_data = 1;
    if (padded)
        message.padding = (struct slice_mut){padding, 1};
    MUST((mic ? kerberos_session_table.sign(session, 0, &message, 0)
              : kerberos_session_table.seal(session, qop, &message, 0)) == SEC_E_OK);
    memcpy(arrival->bytes, token, message.token.len);
    memcpy(arrival->bytes + message.token.len, body, text.len);
    memcpy(arrival->bytes + message.token.len + text.len, padding, message.padding.len);
    arrival->len = message.token.len + text.len + message.padding.len;
    return message.token.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t enctypes[] = {17, 18, 19, 20, 23};
    struct reader input = reader_of(slice_of(data, size));
    uint8_t mode = world_u8(&input), shape = world_u8(&input), wire[WIRE_MAX];
    int32_t enctype = enctypes[mode % 5];
    bool dce = (mode / 5 & 1) != 0, mic = (mode / 5 & 2) != 0, changed = (mode / 5 & 4) != 0;
    uint32_t qop = (mode / 5 & 8) != 0 ? SECQOP_WRAP_NO_ENCRYPT : 0;
    void *client = session_open_one(enctype, dce, true), *server = session_open_one(enctype, dce, false);
    if (changed) {
        struct arrival row = {wire, 0};
        bool padded =
            (shape & 4) != 0 && !mic && !dce && enctype == 23; /* elsewhere a PADDING buffer is never looked at */
        shape = padded ? shape : shape & (uint8_t)~4u;
        if (!mic) /* who says that a sealed byte came in the clear, and puts its plain text there, gets it accepted: it is what was sent */
            shape &= (uint8_t)~8u;
        struct slice text = world_bytes(&input, world_u8(&input));
        size_t split = honest(client, mic, qop, text, padded, &row);
        uint8_t sent[WIRE_MAX];
        size_t sent_len = row.len;
        memcpy(sent, wire, row.len);
        row.len = world_mutate(&input, wire, row.len, sizeof wire);
        struct arrival arrival = arrival_exact(wire, row.len);
        if (!mic)
            several_alike(enctype, dce, &arrival, shape, split);
        bool taken = receive(server, &arrival, shape, split, mic);
        free(arrival.bytes);
        /* nothing but RRC may differ: counts that turn the body alike are alike (RFC 4121 4.2.5); a PADDING buffer may be one too many */
        if (taken) {
            MUST(sent_len >= 8 && (row.len == sent_len || (padded && row.len == sent_len + 1)));
            memcpy(wire + 6, sent + 6, 2);
            if (padded) /* peers differ in whether the framing counts the padding; nothing protects it */
                wire[1] = sent[1];
            MUST(memcmp(wire, sent, sent_len) == 0);
        } else {
            arrival = arrival_exact(sent, sent_len);
            if (!mic)
                several_alike(enctype, dce, &arrival, padded ? 4 : 0, split);
            MUST(receive(server, &arrival, padded ? 4 : 0, split, mic));
            free(arrival.bytes);
        }
    } else {
        uint16_t split = world_u16(&input);
        struct slice rest = world_bytes(&input, reader_left(&input) < WIRE_MAX ? reader_left(&input) : WIRE_MAX);
        struct arrival arrival = arrival_exact(rest.data != NULL ? rest.data : wire, rest.len);
        several_alike(enctype, dce, &arrival, shape, split);
        (void)receive(server, &arrival, shape, split, mic); /* the key is known here: an input may be a genuine token */
        free(arrival.bytes);
    }
    kerberos_session_table.close(client);
    kerberos_session_table.close(server);
    return 0;
}
