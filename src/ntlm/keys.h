/*
 * Session security keys (MS-NLMP 3.4.5) and the session's part of the record.
 */
#ifndef OPENSSPI_NTLM_KEYS_H
#define OPENSSPI_NTLM_KEYS_H

#include "base/secret.h"
#include "base/writer.h"
#include "base/reader.h"

/* KXKEY (3.4.5.1), without the keys that hang on the LM hash: neither side here agrees to LM_KEY or REQUEST_NON_NT_SESSION_KEY. False when the LM
 * response is too short. */
struct ntlm_kxkey_input {
    uint32_t flags;
    const struct key16 *base_key;
    struct slice lm_response;
    const uint8_t *challenge;
    bool v2;
};
MUST_USE bool ntlm_kxkey(const struct ntlm_kxkey_input *input, struct key16 *key);

/* SIGNKEY (3.4.5.2) and SEALKEY (3.4.5.3) of one direction. Without extended session security there is no key to sign with, and `seal_len` is 16, or
 * 8 for shortened keys. */
void ntlm_message_keys(uint32_t flags, const struct key16 *session_key, bool from_client, struct key16 *sign,
                       struct key16 *seal, size_t *seal_len);

/* How many bits of the session key messages are encrypted with: those of NTLM_128 and NTLM_56 only where these shorten it. */
unsigned ntlm_key_bits(uint32_t flags);

/* With extended session security those of both directions, the client's first, each of 16 bytes. */
void ntlm_message_keys_both(uint32_t flags, const struct key16 *session_key, struct key16 sign[2],
                            struct key16 seal[2]);

/* The MIC (3.1.5.1.2): HMAC-MD5 under the exported session key over the three messages, the last with a zeroed MIC field. */
void ntlm_mic(const struct key16 *session_key, struct slice negotiate, struct slice challenge,
              struct slice authenticate, uint8_t mic[16]);

/* What a session needs, as the record carries it. */
struct ntlm_session_seed {
    uint32_t flags;
    struct key16 key;
    int64_t password_expiry;  /* FILETIME; FILETIME_NEVER when unknown */
    struct slice target_info; /* the server's pairs, for SECPKG_ATTR_TARGET_INFORMATION; borrowed */
};
void ntlm_session_seed_write(struct writer *own, const struct ntlm_session_seed *seed);
MUST_USE enum wire_result ntlm_session_seed_read(struct reader *own, struct ntlm_session_seed *seed);

#endif
