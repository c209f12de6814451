#include "ntlm/keys.h"

#include "crypto/digest.h"
#include "ntlm/messages.h"

/* MS-NLMP 3.4.5.1 */
bool ntlm_kxkey(const struct ntlm_kxkey_input *input, struct key16 *key)
{
    if (input->v2 || (input->flags & NTLM_EXTENDED_SESSION_SECURITY) == 0) {
        *key = *input->base_key;
        return true;
    }
    require(input->lm_response.len >= 8, false);
    const struct slice pieces[] = {slice_of(input->challenge, 8), slice_of(input->lm_response.data, 8)};
    hmac_md5_once(input->base_key->bytes, 16, pieces, 2, key->bytes);
    return true;
}

/* The constants are hashed with their NUL. */
#define CONSTANT(direction, kind)                                        \
    slice_of("session key to " direction " " kind " key magic constant", \
             sizeof "session key to " direction " " kind " key magic constant")

#define CONSTANT_LEN sizeof "session key to client-to-server signing key magic constant" /* of all four */
_Static_assert((5 + CONSTANT_LEN + 8) / 64 == 1 && (16 + CONSTANT_LEN + 8) / 64 == 1,
               "md5_four takes messages of the same number of blocks, whatever the key is cut to");

/* 3.4.5.3: with extended session security the key is cut where less than 128 bits were agreed on; without, LM_KEY and DATAGRAM cut it, whatever was
 * agreed on. */
unsigned ntlm_key_bits(uint32_t flags)
{
    bool extended = (flags & NTLM_EXTENDED_SESSION_SECURITY) != 0;
    if (extended ? (flags & NTLM_128) != 0 : (flags & (NTLM_LM_KEY | NTLM_DATAGRAM)) == 0)
        return 128;
    return (flags & NTLM_56) != 0 ? 56 : 40;
}

static struct slice sealing_base(uint32_t flags, const struct key16 *session_key)
{
    return slice_of(session_key->bytes, ntlm_key_bits(flags) / 8);
}

void ntlm_message_keys_both(uint32_t flags, const struct key16 *session_key, struct key16 sign[2], struct key16 seal[2])
{
    const struct slice signing = slice_of(session_key->bytes, 16), sealing = sealing_base(flags, session_key);
    const struct slice messages[4][2] = {{signing, CONSTANT("client-to-server", "signing")},
                                         {signing, CONSTANT("server-to-client", "signing")},
                                         {sealing, CONSTANT("client-to-server", "sealing")},
                                         {sealing, CONSTANT("server-to-client", "sealing")}}; /* of two blocks each */
    uint8_t digests[4][MD5_LEN];
    md5_four(messages, digests);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(sign[i].bytes, digests[i], MD5_LEN);
        memcpy(seal[i].bytes, digests[2 + i], MD5_LEN);
    }
    secret_wipe(digests, sizeof digests);
}

void ntlm_message_keys(uint32_t flags, const struct key16 *session_key, bool from_client, struct key16 *sign,
                       struct key16 *seal, size_t *seal_len)
{
    *seal_len = 16;
    if ((flags & NTLM_EXTENDED_SESSION_SECURITY) != 0) {
        const struct slice signing[] = {slice_of(session_key->bytes, 16),
                                        from_client ? CONSTANT("client-to-server", "signing")
                                                    : CONSTANT("server-to-client", "signing")};
        const struct slice sealing[] = {sealing_base(flags, session_key),
                                        from_client ? CONSTANT("client-to-server", "sealing")
                                                    : CONSTANT("server-to-client", "sealing")};
        md5_both(signing, sign->bytes, sealing, seal->bytes);
        return;
    }
    *seal = *session_key;
    unsigned bits = ntlm_key_bits(flags);
    if (bits == 128)
        return;
    *seal_len = 8;
    if (bits == 56)
        seal->bytes[7] = 0xa0;
    else {
        seal->bytes[5] = 0xe5;
        seal->bytes[6] = 0x38;
        seal->bytes[7] = 0xb0;
    }
}

void ntlm_mic(const struct key16 *session_key, struct slice negotiate, struct slice challenge,
              struct slice authenticate, uint8_t mic[16])
{
    static const uint8_t zeros[NTLM_MIC_LEN];
    const struct slice pieces[] = {
        negotiate,
        challenge,
        slice_of(authenticate.data, NTLM_MIC_OFFSET),
        slice_of(zeros, sizeof zeros),
        slice_of(authenticate.data + NTLM_MIC_OFFSET + NTLM_MIC_LEN, authenticate.len - NTLM_MIC_OFFSET - NTLM_MIC_LEN),
    };
    hmac_md5_once(session_key->bytes, 16, pieces, sizeof pieces / sizeof pieces[0], mic);
}

#define SEED_VERSION 1

void ntlm_session_seed_write(struct writer *own, const struct ntlm_session_seed *seed)
{
    writer_u8(own, SEED_VERSION);
    writer_u32le(own, seed->flags);
    writer_bytes(own, seed->key.bytes, sizeof seed->key.bytes);
    writer_u64le(own, (uint64_t)seed->password_expiry);
    writer_u16le(own, (uint16_t)seed->target_info.len); /* a CHALLENGE of at most 2,888 bytes held it */
    writer_slice(own, seed->target_info);
}

enum wire_result ntlm_session_seed_read(struct reader *own, struct ntlm_session_seed *seed)
{
    uint8_t number;
    uint64_t expiry;
    uint16_t info_len;
    try(reader_u8(own, &number));
    require(number == SEED_VERSION, WIRE_BAD);
    try(reader_u32le(own, &seed->flags));
    try(reader_copy(own, seed->key.bytes, sizeof seed->key.bytes));
    try(reader_u64le(own, &expiry));
    seed->password_expiry = (int64_t)expiry;
    try(reader_u16le(own, &info_len));
    return reader_bytes(own, info_len, &seed->target_info);
}
