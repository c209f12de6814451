#include "digest/sasl_lane.h"

#include "base/memory.h"
#include "base/secret.h"
#include "core/cause.h"
#include <string.h>

/* What no message has: 2^32 - 1 messages are not numbered anew, for their codes would be those of the first. */
#define SASL_LANE_ENDED UINT32_MAX

bool sasl_lane_start(struct sasl_lane *lane, const struct digest_terms *terms, bool from_client, bool sending)
{
    static const char *const sign[2] = {"Digest session key to server-to-client signing key magic constant",
                                        "Digest session key to client-to-server signing key magic constant"};
    static const char *const seal[2] = {"Digest H(A1) to server-to-client sealing key magic constant",
                                        "Digest H(A1) to client-to-server sealing key magic constant"};
    uint8_t key[DIGEST_LEN_MAX];
    struct slice a1 = slice_of(terms->key, MD5_LEN);
    const struct slice sign_pieces[] = {a1, slice_of_text(sign[from_client])};
    const struct slice seal_pieces[] = {a1, slice_of_text(seal[from_client])};
    bool done = digest_hash(DIGEST_MD5, sign_pieces, COUNT_OF(sign_pieces), key);
    hmac_md5_key_init(&lane->sign, key, MD5_LEN);
    done = done && digest_hash(DIGEST_MD5, seal_pieces, COUNT_OF(seal_pieces), key);
    lane->cipher = terms->cipher;
    if (lane->cipher == CIPHER_RC4)
        rc4_init(&lane->rc4, key, MD5_LEN);
    if (lane->cipher == CIPHER_3DES)
        lane->des3 = des3_cbc_new(key, sending);
    secret_wipe(key, sizeof key);
    return done && (lane->cipher != CIPHER_3DES || lane->des3 != NULL);
}

void sasl_lane_end(struct sasl_lane *lane)
{
    des3_cbc_free(lane->des3);
    lane->des3 = NULL;
}

void sasl_lane_write(struct writer *own, const struct sasl_lane *lane)
{
    uint8_t vector[DES_BLOCK_LEN];
    writer_u32le(own, lane->seq);
    if (lane->cipher == CIPHER_RC4) {
        writer_bytes(own, lane->rc4.s, sizeof lane->rc4.s);
        writer_u8(own, lane->rc4.i);
        writer_u8(own, lane->rc4.j);
    }
    if (lane->cipher == CIPHER_3DES) {
        des3_cbc_vector(lane->des3, vector);
        writer_bytes(own, vector, sizeof vector);
    }
}

enum wire_result sasl_lane_read(struct reader *own, struct sasl_lane *lane)
{
    uint8_t vector[DES_BLOCK_LEN];
    try(reader_u32le(own, &lane->seq));
    if (lane->cipher == CIPHER_RC4) {
        try(reader_copy(own, lane->rc4.s, sizeof lane->rc4.s));
        try(reader_u8(own, &lane->rc4.i));
        try(reader_u8(own, &lane->rc4.j));
    }
    if (lane->cipher == CIPHER_3DES) {
        try(reader_copy(own, vector, sizeof vector));
        require(des3_cbc_vector_set(lane->des3, vector), WIRE_BAD);
    }
    return WIRE_OK;
}

static void u32be_put(uint8_t *to, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

size_t sasl_lane_padding(const struct sasl_lane *lane, size_t len)
{
    if (lane->cipher != CIPHER_3DES)
        return 0;
    return DES_BLOCK_LEN - (len + SASL_MAC_LEN) % DES_BLOCK_LEN; /* at least one */
}

/* RC4 takes the pieces as they lie. */
static void rc4_pieces(struct rc4 *rc4, struct message *message)
{
    for (unsigned i = 0; i < message->n_data; i++)
        rc4_crypt(rc4, message->data[i].data, message->data[i].data, message->data[i].len);
    rc4_crypt(rc4, message->padding.data, message->padding.data, message->padding.len);
    rc4_crypt(rc4, message->token.data, message->token.data, SASL_MAC_LEN);
}

/* A cipher of blocks over pieces: the bytes that complete a block go through a block of ours, and come back where they were. */
struct block_walk {
    struct des3_cbc *cipher;
    uint8_t block[DES_BLOCK_LEN];
    uint8_t *from[DES_BLOCK_LEN]; /* where each byte of the block belongs */
    size_t len;
};

static bool block_walk_add(struct block_walk *walk, uint8_t *data, size_t len)
{
    while (len > 0) {
        if (walk->len == 0 && len >= DES_BLOCK_LEN) {
            size_t whole = len - len % DES_BLOCK_LEN;
            require(des3_cbc_crypt(walk->cipher, data, whole), false);
            data += whole;
            len -= whole;
            continue;
        }
        walk->from[walk->len] = data;
        walk->block[walk->len++] = *data++;
        len--;
        if (walk->len < DES_BLOCK_LEN)
            continue;
        require(des3_cbc_crypt(walk->cipher, walk->block, DES_BLOCK_LEN), false);
        for (size_t i = 0; i < DES_BLOCK_LEN; i++)
            *walk->from[i] = walk->block[i];
        walk->len = 0;
    }
    return true;
}

static bool des3_pieces(struct des3_cbc *cipher, struct message *message)
{
    struct block_walk walk = {.cipher = cipher};
    for (unsigned i = 0; i < message->n_data; i++)
        require(block_walk_add(&walk, message->data[i].data, message->data[i].len), false);
    return block_walk_add(&walk, message->padding.data, message->padding.len) &&
           block_walk_add(&walk, message->token.data, SASL_MAC_LEN);
}

static bool pieces_crypt(struct sasl_lane *lane, struct message *message)
{
    if (lane->cipher == CIPHER_RC4)
        rc4_pieces(&lane->rc4, message);
    return lane->cipher != CIPHER_3DES || (lane->des3 != NULL && des3_pieces(lane->des3, message));
}

static SECURITY_STATUS lane_goes_on(const struct sasl_lane *lane)
{
    require(lane->seq != SASL_LANE_ENDED,
            cause_set(SEC_E_CONTEXT_EXPIRED,
                      "this direction has ended: a message of triple DES was refused, or numbers "
                      "are used up; begin a new context"));
    return SEC_E_OK;
}

static void code_begin(const struct sasl_lane *lane, struct hmac_md5 *hmac)
{
    uint8_t number[4];
    u32be_put(number, lane->seq);
    hmac_md5_init(hmac, &lane->sign);
    hmac_md5_update(hmac, number, sizeof number);
}

/* The code over all data. */
static void code_make(const struct sasl_lane *lane, const struct message *message, uint8_t mac[MD5_LEN])
{
    struct hmac_md5 hmac;
    code_begin(lane, &hmac);
    for (unsigned i = 0; i < message->n_data; i++)
        hmac_md5_update(&hmac, message->data[i].data, message->data[i].len);
    hmac_md5_final(&hmac, mac);
}

SECURITY_STATUS sasl_lane_send(struct sasl_lane *lane, struct message *message)
{
    uint8_t mac[MD5_LEN];
    try(lane_goes_on(lane));
    code_make(lane, message, mac);
    memcpy(message->token.data, mac, SASL_MAC_LEN);
    message->token.data[SASL_MAC_LEN] = 0;
    message->token.data[SASL_MAC_LEN + 1] = 1;
    u32be_put(message->token.data + SASL_MAC_LEN + 2, lane->seq);
    if (message->padding.len > 0)
        memset(message->padding.data, (int)message->padding.len, message->padding.len);
    require(pieces_crypt(lane, message), cause_set(SEC_E_ENCRYPT_FAILURE, "OpenSSL refuses triple DES"));
    lane->seq++;
    return SEC_E_OK;
}

/* The code of a message without padding, or with its padding in a buffer of its own. */
static bool code_right(const struct sasl_lane *lane, const struct message *message)
{
    uint8_t mac[MD5_LEN];
    code_make(lane, message, mac);
    return secret_equal(mac, message->token.data, SASL_MAC_LEN);
}

/* All ones where the numbers, below 2^31, are the same, else nothing. */
static uint32_t same_mask(uint32_t a, uint32_t b)
{
    return ((a ^ b) - 1) >> 31 ? UINT32_MAX : 0;
}

/* All ones where a is below b, both below 2^31. */
static uint32_t below_mask(uint32_t a, uint32_t b)
{
    return (a - b) >> 31 ? UINT32_MAX : 0;
}

/* Are the last bytes a padding of as many bytes as each of them says, from 1 to a block? All ones for yes. What the bytes are decides nothing on the
 * way. */
static uint32_t padding_mask(struct slice_mut end, uint32_t padding)
{
    uint32_t wrong = ~(below_mask(0, padding) & below_mask(padding, DES_BLOCK_LEN + 1));
    for (uint32_t i = 0; i < DES_BLOCK_LEN; i++) {
        uint32_t belongs = below_mask(i, padding);
        if (i < end.len)
            wrong |= belongs & ~same_mask(end.data[end.len - 1 - i], padding);
        else
            wrong |= belongs; /* more than there is */
    }
    return ~wrong;
}

/* A message with its padding at the end of its data. Were a wrong padding refused sooner than a wrong code, or the code computed over as much as the
 * padding leaves, the time would tell who sends altered messages what is in them; so all codes that there may be are computed, and the one that
 * counts is chosen without a branch. */
static bool padded_right(const struct sasl_lane *lane, const struct message *message, size_t *padding)
{
    const struct segment *last = &message->data[message->n_data - 1];
    size_t most = last->len < DES_BLOCK_LEN ? last->len : DES_BLOCK_LEN;
    uint8_t mac[MD5_LEN], chosen[SASL_MAC_LEN] = {0};
    struct hmac_md5 hmac, one;
    if (most == 0)
        return false;
    uint32_t said = last->data[last->len - 1];
    code_begin(lane, &hmac);
    for (unsigned i = 0; i + 1 < message->n_data; i++)
        hmac_md5_update(&hmac, message->data[i].data, message->data[i].len);
    hmac_md5_update(&hmac, last->data, last->len - most);
    for (size_t n = most; n > 0; n--) {
        one = hmac;
        hmac_md5_final(&one, mac);
        for (size_t i = 0; i < SASL_MAC_LEN; i++)
            chosen[i] |= (uint8_t)(mac[i] & same_mask((uint32_t)n, said));
        hmac_md5_update(&hmac, last->data + last->len - n, 1);
    }
    secret_wipe(&hmac, sizeof hmac);
    *padding = said;
    unsigned padded = padding_mask((struct slice_mut){last->data, last->len}, said) & 1U;
    unsigned right = secret_equal(chosen, message->token.data, SASL_MAC_LEN) ? 1 : 0;
    return (padded & right) != 0;
}

/* Is a decrypted message right? `padding` bytes at the end of its data are none of it. */
static bool message_right(const struct sasl_lane *lane, const struct message *message, size_t *padding)
{
    *padding = 0;
    if (lane->cipher != CIPHER_3DES)
        return message->padding.len == 0 && code_right(lane, message);
    if (message->padding.len == 0)
        return message->n_data > 0 && padded_right(lane, message, padding);
    unsigned padded = padding_mask(message->padding, (uint32_t)message->padding.len) & 1U;
    unsigned right = code_right(lane, message) ? 1 : 0;
    return (padded & right) != 0;
}

static SECURITY_STATUS tail_check(const struct sasl_lane *lane, const struct message *message)
{
    static const uint8_t version[2] = {0, 1};
    const uint8_t *tail = message->token.data + SASL_MAC_LEN;
    uint8_t number[4];
    size_t len = message->padding.len + SASL_MAC_LEN;
    u32be_put(number, lane->seq);
    for (unsigned i = 0; i < message->n_data; i++)
        len += message->data[i].len;
    require(memcmp(tail, version, sizeof version) == 0,
            cause_set(SEC_E_MESSAGE_ALTERED, "a signature of another version than 1"));
    require(memcmp(tail + 2, number, sizeof number) == 0,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "a message that was replayed, lost or reordered"));
    require(lane->cipher != CIPHER_3DES || len % DES_BLOCK_LEN == 0,
            cause_set(SEC_E_MESSAGE_ALTERED, "an encrypted message of %zu bytes is not of whole blocks", len));
    return SEC_E_OK;
}

/* A refused message under RC4 is given back as it came. Triple DES cannot be undone in place, and leaves zeros; and as its padding must not be asked
 * about twice, no message is received after it. */
static void receive_undo(struct sasl_lane *lane, const struct rc4 *before, struct message *message)
{
    if (lane->cipher == CIPHER_RC4) {
        lane->rc4 = *before;
        rc4_pieces(&lane->rc4, message);
        lane->rc4 = *before;
    }
    if (lane->cipher == CIPHER_3DES) {
        for (unsigned i = 0; i < message->n_data; i++)
            secret_wipe(message->data[i].data, message->data[i].len);
        secret_wipe(message->padding.data, message->padding.len);
        secret_wipe(message->token.data, SASL_MAC_LEN);
        lane->seq = SASL_LANE_ENDED;
    }
}

SECURITY_STATUS sasl_lane_receive(struct sasl_lane *lane, struct message *message)
{
    struct rc4 before = lane->rc4;
    size_t padding = 0;
    try(lane_goes_on(lane));
    try(tail_check(lane, message));
    bool right = pieces_crypt(lane, message) && message_right(lane, message, &padding);
    if (right) {
        lane->seq++;
        if (padding > 0)
            message->data[message->n_data - 1].len -= padding;
    } else
        receive_undo(lane, &before, message);
    secret_wipe(&before, sizeof before);
    return right ? SEC_E_OK : cause_set(SEC_E_MESSAGE_ALTERED, "the signature does not fit the message");
}
