/* Kerberos' messages (RFC 4121, RFC 4757): every layout, length, rotation and order, what is damaged, and what a moved session keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "crypto/processor.h"
#include "kerberos/session.h"
#include "kerberos/session_state.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 6000
#define TOKEN_ROOM 128
#define DETECT (ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT)
#define NO_ENCRYPT SECQOP_WRAP_NO_ENCRYPT

static const struct package_session *const table = &kerberos_session_table;

static const struct kind {
    int32_t enctype;
    size_t key_len;
    uint32_t signature, trailer, dce_trailer;
} kinds[] = {
    {17, 16, 28, 60, 76}, {18, 32, 28, 60, 76}, {19, 16, 32, 64, 80}, {20, 32, 40, 72, 88}, {23, 16, 37, 49, 45},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])
#define FOR_ALL_KINDS(kind) for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++)

struct pair {
    void *client, *server;
    bool rc4, dce;
};

static struct kerberos_session_seed seed_of(const struct kind *kind)
{
    struct kerberos_session_seed seed = {
        .enctype = kind->enctype, .key_len = kind->key_len, .send_seq = 1000, .receive_seq = 5};
    for (size_t i = 0; i < seed.key_len; i++)
        seed.key[i] = (uint8_t)(i * 7 + 1);
    return seed;
}

static void *session_of(const struct kerberos_session_seed *seed, uint32_t flags, bool initiator)
{
    uint8_t own[256];
    void *state = NULL;
    struct writer writer = writer_fixed(own, sizeof own);
    kerberos_session_seed_write(&writer, seed);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    assert_int_equal(table->open(writer_slice_of(&writer), flags, initiator, &state), SEC_E_OK);
    return state;
}

static struct pair pair_of(const struct kind *kind, uint32_t flags, bool dce, bool subkey)
{
    struct kerberos_session_seed seed = seed_of(kind);
    struct pair pair = {.rc4 = kind->enctype == 23, .dce = dce};
    seed.acceptor_subkey = subkey;
    flags |= ISC_RET_MUTUAL_AUTH | (dce ? ISC_RET_USED_DCE_STYLE : 0);
    pair.client = session_of(&seed, flags | ISC_RET_CONFIDENTIALITY, true);
    seed.send_seq = 5;
    seed.receive_seq = 1000;
    pair.server = session_of(&seed, flags | ASC_RET_CONFIDENTIALITY, false);
    return pair;
}

static void pair_close(struct pair *pair)
{
    table->close(pair->client);
    table->close(pair->server);
}

static void text_fill(uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t)(i * 31 + i / 256 + 11);
}

/* A message whose buffers lie in a row: TOKEN, DATA (in `n_data` parts), PADDING. */
struct row {
    uint8_t bytes[TOKEN_ROOM + TEXT_MAX + 16];
    uint8_t *data;
    size_t len, token_len, padding_len;
};

static struct message row_message(struct row *row, size_t len, unsigned n_data, bool padding)
{
    struct message message = {.token = {row->data - row->token_len, row->token_len}};
    for (unsigned i = 0; i < n_data; i++) {
        size_t from = len * i / n_data, to = len * (i + 1) / n_data;
        message.data[message.n_data++] = (struct segment){.data = row->data + from, .len = to - from};
    }
    if (padding)
        message.padding = (struct slice_mut){row->data + len, row->padding_len};
    return message;
}

static void row_lay(struct row *row, size_t len)
{
    memset(row->bytes, 0xee, sizeof row->bytes);
    row->data = row->bytes + TOKEN_ROOM;
    row->len = len;
    text_fill(row->data, len);
}

/* Seals what lies there; afterwards token, text and padding are in a row, whatever the token's length. */
static SECURITY_STATUS row_try(struct row *row, void *from, uint32_t qop, unsigned n_data, bool padding)
{
    row->token_len = 100;
    row->padding_len = 8;
    struct message message = row_message(row, row->len, n_data, padding);
    SECURITY_STATUS status = table->seal(from, qop, &message, 77);
    if (status != SEC_E_OK)
        return status;
    assert_true(message.token.len <= 100);
    memmove(row->data - message.token.len, row->data - 100, message.token.len);
    row->token_len = message.token.len;
    row->padding_len = padding ? message.padding.len : 0;
    return SEC_E_OK;
}

static void row_seal(struct row *row, void *from, uint32_t qop, size_t len, unsigned n_data, bool padding)
{
    row_lay(row, len);
    assert_int_equal(row_try(row, from, qop, n_data, padding), SEC_E_OK);
}

static void assert_text(const uint8_t *data, size_t len)
{
    uint8_t text[TEXT_MAX];
    text_fill(text, len);
    if (len > 0)
        assert_memory_equal(data, text, len);
}

static void row_unseal(struct row *row, void *to, unsigned n_data, uint32_t expected_qop)
{
    uint32_t qop = 7;
    struct message message = row_message(row, row->len, n_data, true);
    assert_int_equal(table->unseal(to, &message, 99, &qop), SEC_E_OK);
    assert_int_equal(qop, expected_qop);
    assert_int_equal(message.padding.len, 0);
    assert_text(row->data, row->len);
}

static struct message stream_message(uint8_t *data, size_t len)
{
    return (struct message){.stream = {data, len}, .n_data = 1};
}

static void row_unseal_stream(struct row *row, void *to)
{
    uint32_t qop = 7;
    struct message message = stream_message(row->data - row->token_len, row->token_len + row->len + row->padding_len);
    assert_int_equal(table->unseal(to, &message, 0, &qop), SEC_E_OK);
    assert_int_equal(message.stream_data.len, row->len);
    assert_text(message.stream_data.data, row->len);
}

static const size_t lengths[] = {0,  1,  2,   15,  16,  17,  31,   32,   33,   47,   48,  63,
                                 64, 65, 127, 128, 129, 255, 1000, 4095, 4096, 4097, 5000};
#define FOR_ALL_LENGTHS(len) \
    for (size_t len_i = 0, len; len_i < sizeof lengths / sizeof lengths[0] && (len = lengths[len_i], true); len_i++)

static void all_layouts(void **state)
{
    struct row row;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned style = 0; style < 4; style++) {
        struct pair pair = pair_of(kind, DETECT, (style & 1) != 0, (style & 2) != 0);
        FOR_ALL_LENGTHS(len)
        for (unsigned n_data = 1; n_data <= 3; n_data++)
            for (unsigned i = 0; i < 2; i++) {
                void *from = i == 0 ? pair.client : pair.server, *to = i == 0 ? pair.server : pair.client;
                row_seal(&row, from, 0, len, n_data, true);
                if (!pair.rc4 || pair.dce)
                    assert_int_equal(row.token_len, pair.dce ? kind->dce_trailer : kind->trailer);
                assert_int_equal(row.padding_len, pair.rc4 && !pair.dce ? 1 : 0);
                row_unseal(&row, to, n_data, 0);
                row_seal(&row, from, 0, len, n_data, true);
                row_unseal_stream(&row, to);
                row_seal(&row, from, 0, len, n_data, false); /* {DATA, TOKEN}: no buffer for padding */
                row_unseal(&row, to, 1, 0);
                row_seal(&row, from, NO_ENCRYPT, len, n_data, true);
                assert_text(row.data, len);
                row_unseal(&row, to, n_data, NO_ENCRYPT);
                row_seal(&row, from, NO_ENCRYPT, len, 1, true);
                row_unseal_stream(&row, to);
            }
        pair_close(&pair);
    }
}

/* DER has one form of a length: that of rc4-hmac's framing is refused with a byte more, also where the length is the number of its own first byte. */
static void framing_has_one_form(void **state)
{
    static const struct {
        size_t text_len; /* of a token whose frame then counts `framed` bytes */
        uint8_t framed;
    } cases[] = {{85, 0x81}, {86, 0x82}, {87, 0x83}, {88, 0x84}, {90, 0x86}};
    const struct kind *rc4 = &kinds[N_KINDS - 1];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned n_zeros = 1; n_zeros <= 3; n_zeros++) {
            struct row row;
            uint32_t qop = 7;
            struct pair pair = pair_of(rc4, DETECT, false, false);
            row_seal(&row, pair.client, 0, cases[i].text_len, 1, true);
            uint8_t *token = row.data - row.token_len, *longer = token - n_zeros;
            assert_int_equal(token[1], 0x81);
            assert_int_equal(token[2], cases[i].framed);
            longer[0] = token[0];
            longer[1] = (uint8_t)(0x81 + n_zeros);
            memset(longer + 2, 0, n_zeros);
            struct message message = stream_message(longer, n_zeros + row.token_len + row.len + row.padding_len);
            assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_INVALID_TOKEN);
            pair_close(&pair);
        }
}

/* The widest list that core/message.h allows, so that each block spans many buffers. */
static void many_small_buffers(void **state)
{
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        struct pair pair = pair_of(kind, DETECT, false, false);
        for (unsigned each = 0; each < 4; each++) {
            uint8_t token[100], text[4 * MESSAGE_SEGMENTS_MAX], before[sizeof text], padding[1];
            struct message message = {
                .token = {token, sizeof token}, .padding = {padding, 1}, .n_data = MESSAGE_SEGMENTS_MAX};
            uint32_t qop;
            text_fill(text, sizeof text);
            memcpy(before, text, sizeof text);
            for (unsigned i = 0; i < MESSAGE_SEGMENTS_MAX; i++)
                message.data[i] = (struct segment){text + 4 * i, each, i % 3 == 2};
            assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_OK);
            for (unsigned i = 2; i < MESSAGE_SEGMENTS_MAX; i += 3)
                assert_memory_equal(text + 4 * i, before + 4 * i, 4);
            for (unsigned i = 2; each > 0 && i < MESSAGE_SEGMENTS_MAX; i += 30) { /* what is only signed counts too */
                uint8_t sealed[sizeof text];
                text[4 * i] ^= 0x20;
                memcpy(sealed, text, sizeof text);
                assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
                assert_memory_equal(text, sealed, sizeof text);
                text[4 * i] ^= 0x20;
            }
            assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
            assert_memory_equal(text, before, sizeof text);
        }
        pair_close(&pair);
    }
}

static struct message mic_message(uint8_t *token, size_t token_len, uint8_t *text, size_t len)
{
    return (struct message){.token = {token, token_len}, .data = {{text, len, false}}, .n_data = 1};
}

static void signatures(void **state)
{
    uint8_t text[TEXT_MAX], token[64];
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned style = 0; style < 4; style++) {
        struct pair pair = pair_of(kind, DETECT, (style & 1) != 0, (style & 2) != 0);
        FOR_ALL_LENGTHS(len)
        {
            uint32_t qop = 7;
            struct message message = mic_message(token, sizeof token, text, len);
            text_fill(text, len);
            assert_int_equal(table->sign(pair.server, 0, &message, 0), SEC_E_OK);
            assert_int_equal(message.token.len, kind->signature);
            for (size_t i = 0; i < kind->signature; i++) {
                token[i] ^= 0x04;
                assert_int_not_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_OK);
                token[i] ^= 0x04;
                message.token.len = i;
                assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_INVALID_TOKEN);
                message.token.len = kind->signature;
            }
            if (len > 0) {
                text[len / 2] ^= 1;
                assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
                text[len / 2] ^= 1;
            }
            assert_int_not_equal(table->verify(pair.server, &message, 0, &qop), SEC_E_OK); /* reflected */
            assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_OK);
            assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_OUT_OF_SEQUENCE);
            assert_int_equal(qop, 7);
        }
        pair_close(&pair);
    }
}

static void mic_and_back(void *from, void *to)
{
    uint8_t text[40], token[64];
    uint32_t qop;
    struct message message = mic_message(token, sizeof token, text, sizeof text);
    text_fill(text, sizeof text);
    assert_int_equal(table->sign(from, 0, &message, 0), SEC_E_OK);
    assert_int_equal(table->verify(to, &message, 0, &qop), SEC_E_OK);
}

/* OpenSSL's allocations, which base/memory.h does not see. */
static unsigned long n_openssl;

static void *counted_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    n_openssl++;
    return malloc(len);
}

static void *counted_realloc(void *block, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    n_openssl++;
    return realloc(block, len);
}

static void counted_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* Keys are made by the first message of a kind, whichever it is, and never of memory, ours or OpenSSL's: without instructions for AES they are made
 * before. Only a processor that loses them afterwards (the last pair) has OpenSSL make keys with the message. */
static void first_messages(void **state)
{
    static const unsigned lacking[][2] = {{0, 0}, {PROCESSOR_AES, PROCESSOR_AES}, {0, PROCESSOR_AES}};
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned first = 0; first < 3; first++)
        for (unsigned i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
            struct row row;
            processor_lacks(lacking[i][0]);
            struct pair pair = pair_of(kind, DETECT, false, true);
            processor_lacks(lacking[i][1]);
            mem_fault_set(1, true);
            n_openssl = 0;
            for (unsigned what = first; what < first + 4; what++) {
                if (what % 3 == 2)
                    mic_and_back(pair.client, pair.server);
                else {
                    uint32_t qop = what % 3 == 0 ? 0 : NO_ENCRYPT;
                    row_seal(&row, pair.client, qop, 300, 1, true);
                    row_unseal(&row, pair.server, 1, qop);
                }
            }
            assert_int_equal(mem_fault_count(), 0);
            mem_fault_set(0, false);
            if (lacking[i][0] == lacking[i][1])
                assert_int_equal(n_openssl, 0);
            processor_lacks(0);
            pair_close(&pair);
        }
}

/* Right rotation of what follows the header, and its count in the header (RFC 4121, section 4.2.5). `rotated` is the rotation that is there. */
static void row_rotate(struct row *row, size_t rotated, size_t rotation, size_t rrc)
{
    uint8_t *token = row->data - row->token_len, body[TOKEN_ROOM + TEXT_MAX];
    size_t len = row->token_len + row->len - 16;
    memcpy(body, token + 16, len);
    for (size_t i = 0; i < len; i++)
        token[16 + (i + rotation) % len] = body[(i + rotated) % len];
    token[6] = (uint8_t)(rrc >> 8);
    token[7] = (uint8_t)rrc;
}

static void any_rotation_opens(void **state)
{
    static const size_t texts[] = {0, 1, 16, 21, 100};
    struct row row, copy;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned style = 0; style < 4 && kind->enctype != 23; style++)
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            for (size_t rrc = 0; rrc <= 300; rrc += rrc < 70 ? 1 : 23) {
                bool dce = (style & 1) != 0, clear = (style & 2) != 0;
                struct pair pair = pair_of(kind, 0, dce, false);
                size_t more = dce && !clear ? 16 : 0, mac = kind->signature - 16;
                row_seal(&row, pair.client, clear ? NO_ENCRYPT : 0, texts[t], 1, true);
                row_rotate(&row, (clear ? mac : 16 + mac) + more, rrc + more, rrc);
                memcpy(&copy, &row, sizeof row);
                copy.data = copy.bytes + TOKEN_ROOM;
                row_unseal_stream(&copy, pair.server);
                memcpy(copy.bytes, row.bytes, sizeof row.bytes);
                row_unseal(&copy, pair.server, 1, clear ? NO_ENCRYPT : 0);
                memcpy(copy.bytes, row.bytes, sizeof row.bytes);
                row_unseal(&copy, pair.server, 3, clear ? NO_ENCRYPT : 0);

                /* A forged one leaves every byte where it was. */
                memcpy(copy.bytes, row.bytes, sizeof row.bytes);
                copy.data[-1] ^= 1;
                memcpy(row.bytes, copy.bytes, sizeof row.bytes);
                uint32_t qop;
                struct message message = row_message(&copy, copy.len, 2, true);
                assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
                assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
                message = stream_message(copy.data - copy.token_len, copy.token_len + copy.len);
                assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
                assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
                pair_close(&pair);
            }
}

/* 21 bytes of text: no single flip of RRC is then a multiple of the body's length. */
static void every_byte_counts(void **state)
{
    struct row row, copy;
    uint32_t qop = 7;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned style = 0; style < 8; style++) {
        struct pair pair = pair_of(kind, DETECT, (style & 1) != 0, (style & 2) != 0);
        row_seal(&row, pair.client, (style & 4) != 0 ? NO_ENCRYPT : 0, 21, 1, true);
        uint8_t *token = row.data - row.token_len;
        size_t len = row.token_len + row.len + row.padding_len;
        for (size_t i = 0; i < len; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                token[i] ^= (uint8_t)(1u << bit);
                memcpy(&copy, &row, sizeof row);
                copy.data = copy.bytes + TOKEN_ROOM;
                struct message message = row_message(&copy, copy.len, 2, true);
                assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
                assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
                message = stream_message(copy.data - copy.token_len, len);
                assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
                assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
                assert_null(message.stream_data.data);
                token[i] ^= (uint8_t)(1u << bit);
            }
        for (size_t cut = 0; cut < len; cut++) {
            memcpy(&copy, &row, sizeof row);
            copy.data = copy.bytes + TOKEN_ROOM;
            struct message message = stream_message(copy.data - copy.token_len, cut);
            assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
            assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
            if (cut >= row.token_len)
                continue;
            message = row_message(&copy, copy.len, 1, true);
            message.token.len = cut;
            assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
            assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
        }
        assert_int_equal(qop, 7);
        row_unseal(&row, pair.server, 1, (style & 4) != 0 ? NO_ENCRYPT : 0); /* nothing had changed */
        pair_close(&pair);
    }
}

/* Also where nobody looks at them: a message's number is under its code. */
static void every_byte_of_the_number_counts(void **state)
{
    struct row row;
    uint32_t qop = 7;
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        struct pair pair = pair_of(kind, 0, false, false);
        row_seal(&row, pair.client, 0, 21, 1, true);
        uint8_t *token = row.data - row.token_len;
        size_t len = row.token_len + row.len + row.padding_len;
        for (size_t i = 8; i < 16; i++) {
            token[i] ^= 1;
            struct message message = stream_message(token, len);
            assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
            token[i] ^= 1;
        }
        row_unseal(&row, pair.server, 1, 0);
        pair_close(&pair);
    }
}

/* Nothing protects the length in rc4-hmac's framing, which tells whether there is padding: no bit of it makes a text longer or shorter, also where
 * the text ends as padding does. */
static void no_bit_changes_the_length(void **state)
{
    struct row row, copy;
    uint32_t qop = 7;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned style = 0; style < 8; style++)
        for (size_t len = 1; len < 131; len++) {
            struct pair pair = pair_of(kind, DETECT, (style & 1) != 0, false);
            uint32_t asked = (style & 4) != 0 ? NO_ENCRYPT : 0;
            bool padded = (style & 2) != 0;
            row_lay(&row, len);
            row.data[len - 1] = 1;
            if (pair.rc4 && !pair.dce && !padded) { /* it cannot be told from padding */
                assert_int_equal(row_try(&row, pair.client, asked, 1, padded), SEC_E_BUFFER_TOO_SMALL);
                row.data[len - 1] = 2;
            }
            assert_int_equal(row_try(&row, pair.client, asked, 1, padded), SEC_E_OK);
            uint8_t *token = row.data - row.token_len;
            size_t whole = row.token_len + row.len + row.padding_len;
            for (size_t i = 0; i < 5; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                    token[i] ^= (uint8_t)(1u << bit);
                    memcpy(&copy, &row, sizeof row);
                    copy.data = copy.bytes + TOKEN_ROOM;
                    struct message message = stream_message(copy.data - copy.token_len, whole);
                    assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
                    copy.padding_len = row.padding_len > 0 ? row.padding_len : 1;
                    message = row_message(&copy, copy.len, 1, true);
                    assert_int_not_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
                    assert_memory_equal(copy.bytes, row.bytes, sizeof row.bytes);
                    token[i] ^= (uint8_t)(1u << bit);
                }
            struct message message = stream_message(token, whole);
            assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
            assert_int_equal(message.stream_data.len, len);
            pair_close(&pair);
        }
}

/* RC4's key streams are made of numbers alone: an acceptor whose numbers are the initiator's, too, encrypts nothing. */
static void no_stream_is_used_by_both(void **state)
{
    static const struct {
        uint32_t flags;
        bool dce, own;
    } cases[] = {
        {0, false, false},
        {ISC_RET_MUTUAL_AUTH, false, true},
        {0, true, true}, /* it has a reply in any case */
        {ISC_RET_DATAGRAM, false, false},
        {ISC_RET_DATAGRAM | ISC_RET_MUTUAL_AUTH, false, false},
    };
    (void)state;
    FOR_ALL_KINDS(kind)
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int initiator = 0; initiator < 2; initiator++) {
            struct kerberos_session_seed seed = seed_of(kind);
            struct row row;
            uint32_t flags = cases[i].flags | ISC_RET_CONFIDENTIALITY | (cases[i].dce ? ISC_RET_USED_DCE_STYLE : 0);
            void *session = session_of(&seed, flags, initiator != 0);
            bool refused = kind->enctype == 23 && initiator == 0 && !cases[i].own;
            row_lay(&row, 20);
            assert_int_equal(row_try(&row, session, 0, 1, true), refused ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
            row_seal(&row, session, NO_ENCRYPT, 20, 1, true);
            table->close(session);
        }
}

static void refusals(void **state)
{
    uint8_t token[128], text[64], padding[1];
    uint32_t qop;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned dce = 0; dce < 2; dce++) {
        struct pair pair = pair_of(kind, DETECT, dce != 0, false), other = pair_of(kind, DETECT, dce != 0, true);
        struct message message = mic_message(token, kind->signature - 1, text, sizeof text);
        text_fill(text, sizeof text);
        assert_int_equal(table->sign(pair.client, 0, &message, 0), SEC_E_BUFFER_TOO_SMALL);
        message = mic_message(NULL, 0, text, sizeof text);
        assert_int_equal(table->sign(pair.client, 0, &message, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_INVALID_TOKEN);
        assert_int_equal(table->unseal(pair.client, &message, 0, &qop), SEC_E_INVALID_TOKEN);
        for (size_t room = 0; room < (dce ? kind->dce_trailer : pair.rc4 ? 45 : kind->trailer); room++) {
            message = mic_message(token, room, text, sizeof text);
            message.padding = (struct slice_mut){padding, 1};
            memset(token, 0x55, sizeof token);
            assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_BUFFER_TOO_SMALL);
            for (size_t i = 0; i < sizeof token; i++)
                assert_int_equal(token[i], 0x55);
            assert_text(text, sizeof text);
        }
        message = mic_message(token, sizeof token, text, sizeof text);
        message.padding = (struct slice_mut){padding, 0};
        if (pair.rc4 && dce == 0)
            assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_BUFFER_TOO_SMALL);
        message.padding = (struct slice_mut){0};
        assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_OK);
        assert_int_not_equal(table->unseal(pair.client, &message, 0, &qop), SEC_E_OK); /* reflected */
        if (!pair.rc4)
            assert_int_equal(table->unseal(other.server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OK);
        assert_text(text, sizeof text);
        pair_close(&pair);
        pair_close(&other);
    }
}

static void messages_beyond_the_limit(void **state)
{
    uint8_t token[128], byte = 0;
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        struct pair pair = pair_of(kind, DETECT, false, false);
        struct message message = mic_message(token, sizeof token, &byte, UINT32_MAX);
        uint32_t qop;
        assert_int_equal(table->seal(pair.client, 0, &message, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(table->sign(pair.client, 0, &message, 0), SEC_E_INVALID_TOKEN);
        message = mic_message(token, kind->signature, &byte, UINT32_MAX / 2);
        message.data[1] = message.data[2] = message.data[0];
        message.n_data = 3;
        assert_int_equal(table->verify(pair.client, &message, 0, &qop), SEC_E_INVALID_TOKEN);
        assert_int_equal(table->unseal(pair.client, &message, 0, &qop), SEC_E_INVALID_TOKEN);
        pair_close(&pair);
    }
}

static void without_confidentiality(void **state)
{
    uint8_t token[128], text[20], padding[1];
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        struct kerberos_session_seed seed = seed_of(kind);
        void *session = session_of(&seed, ISC_RET_INTEGRITY, true);
        struct message message = mic_message(token, sizeof token, text, sizeof text);
        message.padding = (struct slice_mut){padding, 1};
        text_fill(text, sizeof text);
        assert_int_equal(table->seal(session, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(message.token.len, sizeof token);
        assert_int_equal(table->seal(session, NO_ENCRYPT, &message, 0), SEC_E_OK);
        assert_text(text, sizeof text);
        table->close(session);
    }
}

/* Message numbers that the client sent, delivered in the order of `order`; what the server answers. */
static void delivered(const struct kind *kind, uint32_t flags, const unsigned *order, const SECURITY_STATUS *answers,
                      unsigned n)
{
    static struct row rows[200];
    struct pair pair = pair_of(kind, flags, false, false);
    for (unsigned i = 0; i < 200; i++)
        row_seal(&rows[i], pair.client, 0, 10, 1, true);
    for (unsigned i = 0; i < n; i++) {
        struct row copy = rows[order[i]];
        uint32_t qop;
        copy.data = copy.bytes + TOKEN_ROOM;
        struct message message = row_message(&copy, copy.len, 1, true);
        assert_int_equal(table->unseal(pair.server, &message, 0, &qop), answers[i]);
    }
    pair_close(&pair);
}

static void sequences(void **state)
{
    static const unsigned order[] = {0, 2, 1, 1, 3, 2, 100, 37, 36, 37, 101, 199, 100, 136, 135};
    const SECURITY_STATUS ok = SEC_E_OK, no = SEC_E_OUT_OF_SEQUENCE;
    const SECURITY_STATUS all[] = {ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok};
    const SECURITY_STATUS replay[] = {ok, ok, ok, no, ok, no, ok, ok, no, no, ok, ok, no, ok, no};
    const SECURITY_STATUS strict[] = {ok, no, ok, no, no, ok, no, no, no, no, no, no, no, no, no};
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        delivered(kind, 0, order, all, 15);
        delivered(kind, ISC_RET_REPLAY_DETECT, order, replay, 15);
        delivered(kind, ISC_RET_SEQUENCE_DETECT, order, strict, 15);
        delivered(kind, DETECT, order, strict, 15);
    }
}

static void datagrams(void **state)
{
    uint8_t token[128], text[30];
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        struct pair pair = pair_of(kind, DETECT | ISC_RET_DATAGRAM, false, false);
        for (uint32_t seq = 10; seq-- > 7;) {
            struct message message = mic_message(token, sizeof token, text, sizeof text);
            uint32_t qop;
            text_fill(text, sizeof text);
            assert_int_equal(table->seal(pair.client, 0, &message, seq), SEC_E_OK);
            assert_int_equal(table->unseal(pair.server, &message, seq + 1, &qop), SEC_E_OUT_OF_SEQUENCE);
            assert_int_equal(table->unseal(pair.server, &message, seq, &qop), SEC_E_OK);
            assert_text(text, sizeof text);
        }
        pair_close(&pair);
    }
}

static void *session_moved(void *session, uint32_t flags, bool initiator)
{
    uint8_t own[256];
    struct writer writer = writer_fixed(own, sizeof own);
    void *moved = NULL;
    assert_int_equal(table->save(session, &writer), SEC_E_OK);
    assert_int_equal(writer_finish(&writer), WIRE_OK);
    for (size_t cut = 0; cut < writer.len; cut++)
        if (table->open(slice_of(own, cut), flags, initiator, &moved) == SEC_E_OK) {
            assert_int_equal(cut, writer.len - 24); /* the seed alone */
            table->close(moved);
        }
    assert_int_equal(table->open(writer_slice_of(&writer), flags, initiator, &moved), SEC_E_OK);
    table->close(session);
    return moved;
}

static void moves_and_resets(void **state)
{
    struct row first, row;
    uint32_t qop;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned dce = 0; dce < 2; dce++) {
        struct pair pair = pair_of(kind, DETECT, dce != 0, true);
        row_seal(&first, pair.client, 0, 40, 1, true);
        struct row copy = first;
        copy.data = copy.bytes + TOKEN_ROOM;
        row_unseal(&copy, pair.server, 1, 0);
        pair.client = session_moved(pair.client, DETECT | ISC_RET_CONFIDENTIALITY, true);
        pair.server = session_moved(pair.server, DETECT | ISC_RET_CONFIDENTIALITY, false);
        copy = first;
        copy.data = copy.bytes + TOKEN_ROOM;
        struct message message = row_message(&copy, copy.len, 1, true);
        assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OUT_OF_SEQUENCE);
        row_seal(&row, pair.client, 0, 40, 1, true);
        row_unseal(&row, pair.server, 1, 0);
        bool streams = kind == &kinds[N_KINDS - 1]; /* RC4's would come again */
        assert_int_equal(table->reset(pair.client), streams ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK);
        if (streams) {
            row_seal(&row, pair.client, 0, 40, 1, true);
            row_unseal(&row, pair.server, 1, 0);
            pair_close(&pair);
            continue;
        }
        assert_int_equal(table->reset(pair.server), SEC_E_OK);
        row_seal(&row, pair.client, 0, 40, 1, true);
        row_unseal(&row, pair.server, 1, 0);
        copy = first;
        copy.data = copy.bytes + TOKEN_ROOM;
        message = row_message(&copy, copy.len, 1, true);
        assert_int_equal(table->unseal(pair.server, &message, 0, &qop), SEC_E_OUT_OF_SEQUENCE);
        pair_close(&pair);
    }
}

static void damaged_records(void **state)
{
    struct kerberos_session_seed seed = seed_of(&kinds[1]), back = {0};
    uint8_t own[128];
    struct writer writer = writer_fixed(own, sizeof own);
    void *session = NULL;
    (void)state;
    seed.acceptor_subkey = seed.dce_style = true;
    kerberos_session_seed_write(&writer, &seed);
    struct reader reader = reader_of(writer_slice_of(&writer));
    assert_int_equal(kerberos_session_seed_read(&reader, &back), WIRE_OK);
    assert_int_equal(reader_end(&reader), WIRE_OK);
    assert_true(back.acceptor_subkey && back.dce_style && back.enctype == 18 && back.key_len == 32);
    assert_true(back.send_seq == 1000 && back.receive_seq == 5 && memcmp(back.key, seed.key, 32) == 0);
    assert_int_equal(table->open(slice_of(own, writer.len + 1), 0, true, &session), SEC_E_INVALID_TOKEN);
    static const size_t exact[] = {0, 1, 2, 22}; /* version, flags, type, key length */
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        own[exact[i]] ^= 0x40;
        assert_int_equal(table->open(writer_slice_of(&writer), 0, true, &session), SEC_E_INVALID_TOKEN);
        own[exact[i]] ^= 0x40;
    }
    assert_null(session);
}

static void attributes(void **state)
{
    static const char *const names[N_KINDS] = {"Kerberos AES128-CTS-HMAC-SHA1-96", "Kerberos AES256-CTS-HMAC-SHA1-96",
                                               "Kerberos AES128-CTS-HMAC-SHA256-128",
                                               "Kerberos AES256-CTS-HMAC-SHA384-192", "RSADSI RC4-HMAC"};
    struct attribute value;
    (void)state;
    FOR_ALL_KINDS(kind)
    for (unsigned dce = 0; dce < 2; dce++) {
        struct pair pair = pair_of(kind, 0, dce != 0, false);
        assert_int_equal(table->query(pair.client, SECPKG_ATTR_SIZES, &value), SEC_E_OK);
        assert_int_equal(value.sizes.max_token, 48000);
        assert_int_equal(value.sizes.max_signature, kind->signature);
        assert_int_equal(value.sizes.block, 1);
        assert_int_equal(value.sizes.trailer, dce != 0 ? kind->dce_trailer : kind->trailer);
        assert_int_equal(table->query(pair.server, SECPKG_ATTR_KEY_INFO, &value), SEC_E_OK);
        assert_int_equal(value.key_info.key_bits, 8 * kind->key_len);
        assert_int_equal(value.key_info.encrypt_algorithm, kind->enctype);
        assert_string_equal(value.key_info.encrypt_name, names[kind - kinds]);
        assert_int_equal(table->query(pair.server, SECPKG_ATTR_NAMES, &value), SEC_E_UNSUPPORTED_FUNCTION);
        pair_close(&pair);
    }
    assert_int_equal(kerberos_attribute(3, false, SECPKG_ATTR_SIZES, &value), SEC_E_UNSUPPORTED_FUNCTION);
}

/* RFC 4121 4.2.2: a header that names the wrong side is refused, be the checksum over it as good as the keys make it. */
static void headers_of_the_wrong_side(void **state)
{
    (void)state;
    FOR_ALL_KINDS(kind)
    {
        uint8_t text[16] = "text", token[TOKEN_ROOM];
        uint32_t qop;
        if (kind->enctype == 23) /* RFC 4757 has another frame */
            continue;
        struct pair pair = pair_of(kind, DETECT, false, true);
        for (int lies = 0; lies < 2; lies++) {
            struct message message = {.token = {token, kind->signature}};
            message.data[message.n_data++] = (struct segment){.data = text, .len = sizeof text};
            ((struct kerberos_session *)pair.client)->initiator = lies == 0; /* its keys are made already */
            assert_int_equal(table->sign(pair.client, 0, &message, 0), SEC_E_OK);
            assert_int_equal(table->verify(pair.server, &message, 0, &qop),
                             lies != 0 ? SEC_E_MESSAGE_ALTERED : SEC_E_OK);
        }
        pair_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_layouts),
        cmocka_unit_test(framing_has_one_form),
        cmocka_unit_test(many_small_buffers),
        cmocka_unit_test(signatures),
        cmocka_unit_test(first_messages),
        cmocka_unit_test(any_rotation_opens),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(headers_of_the_wrong_side),
        cmocka_unit_test(every_byte_of_the_number_counts),
        cmocka_unit_test(no_bit_changes_the_length),
        cmocka_unit_test(no_stream_is_used_by_both),
        cmocka_unit_test(refusals),
        cmocka_unit_test(messages_beyond_the_limit),
        cmocka_unit_test(without_confidentiality),
        cmocka_unit_test(sequences),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(moves_and_resets),
        cmocka_unit_test(damaged_records),
        cmocka_unit_test(attributes),
    };
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1) /* before OpenSSL allocates */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
