/*
 * The challenge responses of MS-NLMP 3.3: computed by clients, recomputed by stores that know the hash.
 */
#ifndef OPENSSPI_CRYPTO_NTLM_RESPONSE_H
#define OPENSSPI_CRYPTO_NTLM_RESPONSE_H

#include "base/secret.h"
#include "base/result.h"
#include "crypto/digest.h"

#define NTLM_CHALLENGE_LEN 8
#define NTLM_V1_RESPONSE_LEN 24
#define NTLM_V2_PROOF_LEN 16
/* The smallest NTLMv2 response: proof, NTLMv2_CLIENT_CHALLENGE without pairs (MS-NLMP 2.2.2.7), end pair. */
#define NTLM_V2_RESPONSE_MIN (NTLM_V2_PROOF_LEN + 28)

/* NTOWFv1 (3.3.1): MD4 of the password's UTF-16LE bytes. */
void ntlm_nt_hash(struct slice password_utf16le, struct key16 *hash);
/* LMOWFv1 (3.3.1): from the password as ASCII text, upper-cased, at most 14 bytes; false when it has other letters or is longer, or DES is refused.
 * */
MUST_USE bool ntlm_lm_hash(struct slice password_utf16le, struct key16 *hash);
/* NTOWFv2 (3.3.2): HMAC-MD5 of the NT hash over UTF-16LE(Upper(user) + domain), prepared to be a key of HMAC-MD5, which is all that is done with it;
 * as secret as a hash of the password. WIRE_BAD for invalid UTF-8 or no memory. */
MUST_USE enum wire_result ntlm_v2_key(const struct key16 *nt_hash, const char *user, const char *domain,
                                      struct hmac_md5_key *key);

/* NTProofStr over challenge and client blob ("temp"), and the session base key from it (3.3.2). */
void ntlm_v2_proof(const struct hmac_md5_key *v2_key, const uint8_t challenge[8], struct slice blob, uint8_t proof[16]);
void ntlm_v2_base_key(const struct hmac_md5_key *v2_key, const uint8_t proof[16], struct key16 *base_key);
/* DESL (6): 24 bytes from a 16-byte hash and 8 bytes. */
MUST_USE bool ntlm_desl(const struct key16 *hash, const uint8_t challenge[8], uint8_t response[24]);
/* The 8 bytes that an NTLMv1 response with extended session security answers: MD5(server, client)[0..7] (3.3.1). */
void ntlm_v1_session_challenge(const uint8_t server[8], const uint8_t client[8], uint8_t challenge[8]);

enum ntlm_response_kind {
    NTLM_RESPONSE_WRONG,
    NTLM_RESPONSE_V2,
    NTLM_RESPONSE_V2_LM,
    NTLM_RESPONSE_V1,
    NTLM_RESPONSE_LM,
    NTLM_RESPONSE_FAILED /* DES is refused, or there is no memory: it may be right */
};

struct ntlm_response_input {
    const struct key16 *nt_hash;
    const struct key16 *lm_hash;       /* NULL: LM alone is not accepted */
    const struct hmac_md5_key *v2_key; /* of nt_hash and the names that the client sent */
    const uint8_t *challenge;
    struct slice lm_response, nt_response;
    bool extended_session_security, allow_v1, allow_lm;
};

/* Recomputes and compares in constant time; anything that is not exactly right is WRONG. Where it is right `base_key` is the session base key. */
enum ntlm_response_kind ntlm_response_verify(const struct ntlm_response_input *input, struct key16 *base_key);

/* The same of clients that name a domain and compute without one (MS-NLMP 3.2.5.1.2); *right tells. False: no memory, or the name is no text. */
bool ntlm_response_verify_bare(const struct ntlm_response_input *input, const char *user, bool *right,
                               struct key16 *base_key);

#endif
