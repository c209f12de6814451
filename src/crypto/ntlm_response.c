#include "crypto/ntlm_response.h"

#include "base/reader.h"
#include "base/secret.h"
#include "base/utf16.h"
#include "crypto/des.h"

#include <string.h>

#define LM_PASSWORD_MAX 14 /* MS-NLMP 3.3.1: LMOWFv1 knows no more */

/* MS-NLMP 3.3.1 NTOWFv1 */
void ntlm_nt_hash(struct slice password_utf16le, struct key16 *hash)
{
    md4_once(password_utf16le.data, password_utf16le.len, hash->bytes);
}

/* MS-NLMP 3.3.1 LMOWFv1: the upper-cased password is two DES keys, each of which encrypts a constant. Only ASCII: other
 * letters depend on the client's OEM code page, which the server cannot know. */
bool ntlm_lm_hash(struct slice password_utf16le, struct key16 *hash)
{
    static const uint8_t constant[8] = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
    uint8_t key[LM_PASSWORD_MAX] = {0};
    struct reader reader = reader_of(password_utf16le);
    bool good = password_utf16le.len % 2 == 0 && password_utf16le.len <= 2 * (size_t)LM_PASSWORD_MAX;
    for (size_t i = 0; good && reader_left(&reader) > 0; i++) {
        uint16_t unit;
        good = reader_u16le(&reader, &unit) == WIRE_OK && unit > 0 && unit < 0x80;
        if (good)
            key[i] = (uint8_t)(unit >= 'a' && unit <= 'z' ? unit - 'a' + 'A' : unit);
    }
    AUTO_KEY16 struct key16 out;
    good = good && des_encrypt7(key, constant, out.bytes) && des_encrypt7(key + 7, constant, out.bytes + 8);
    secret_wipe(key, sizeof(key));
    if (good)
        *hash = out;
    return good;
}

/* MS-NLMP 3.3.2 NTOWFv2: the user name is upper-cased, the domain is taken as it stands. */
enum wire_result ntlm_v2_key(const struct key16 *nt_hash, const char *user, const char *domain,
                             struct hmac_md5_key *key)
{
    AUTO_KEY16 struct key16 bare;
    AUTO_WRITER struct writer names = writer_growing(128);
    try(utf16le_write(&names, user));
    size_t user_len = names.len;
    try(utf16le_write(&names, domain));
    try(writer_finish(&names));
    if (user_len > 0)
        utf16le_upper(names.data, user_len);
    struct slice piece = writer_slice_of(&names);
    hmac_md5_once(nt_hash->bytes, sizeof(nt_hash->bytes), &piece, 1, bare.bytes);
    hmac_md5_key_init(key, bare.bytes, sizeof(bare.bytes));
    return WIRE_OK;
}

void ntlm_v2_proof(const struct hmac_md5_key *v2_key, const uint8_t challenge[8], struct slice blob, uint8_t proof[16])
{
    struct slice pieces[] = {slice_of(challenge, NTLM_CHALLENGE_LEN), blob};
    hmac_md5_pieces(v2_key, pieces, 2, proof);
}

void ntlm_v2_base_key(const struct hmac_md5_key *v2_key, const uint8_t proof[16], struct key16 *base_key)
{
    struct slice piece = slice_of(proof, NTLM_V2_PROOF_LEN);
    hmac_md5_pieces(v2_key, &piece, 1, base_key->bytes);
}

/* MS-NLMP 6 DESL: three keys out of 16 bytes and five zeros. */
bool ntlm_desl(const struct key16 *hash, const uint8_t challenge[8], uint8_t response[24])
{
    uint8_t keys[21] = {0};
    uint8_t out[NTLM_V1_RESPONSE_LEN];
    memcpy(keys, hash->bytes, sizeof(hash->bytes));
    bool good = des_encrypt7(keys, challenge, out) && des_encrypt7(keys + 7, challenge, out + 8) &&
                des_encrypt7(keys + 14, challenge, out + 16);
    secret_wipe(keys, sizeof(keys));
    if (good)
        memcpy(response, out, sizeof(out));
    secret_wipe(out, sizeof(out));
    return good;
}

/* MS-NLMP 3.3.1, with NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY */
void ntlm_v1_session_challenge(const uint8_t server[8], const uint8_t client[8], uint8_t challenge[8])
{
    uint8_t both[16], digest[MD5_LEN];
    memcpy(both, server, 8);
    memcpy(both + 8, client, 8);
    md5_once(both, sizeof(both), digest);
    memcpy(challenge, digest, 8);
}

/* Does the response begin with the proof over the server's challenge and what is the client's? Then gives the base key. */
static bool v2_proves(const struct ntlm_response_input *input, struct slice response, struct slice client,
                      struct key16 *base_key)
{
    AUTO_KEY16 struct key16 proof;
    ntlm_v2_proof(input->v2_key, input->challenge, client, proof.bytes);
    require(secret_equal(proof.bytes, response.data, NTLM_V2_PROOF_LEN), false);
    ntlm_v2_base_key(input->v2_key, proof.bytes, base_key);
    return true;
}

/* MS-NLMP 3.3.2: proof and client blob */
static enum ntlm_response_kind response_verify_v2(const struct ntlm_response_input *input, struct key16 *base_key)
{
    struct slice response = input->nt_response, blob;
    require(response.len >= NTLM_V2_RESPONSE_MIN, NTLM_RESPONSE_WRONG);
    require(slice_at(response, NTLM_V2_PROOF_LEN, response.len - NTLM_V2_PROOF_LEN, &blob) == WIRE_OK,
            NTLM_RESPONSE_WRONG);
    return v2_proves(input, response, blob, base_key) ? NTLM_RESPONSE_V2 : NTLM_RESPONSE_WRONG;
}

/* MS-NLMP 3.3.2, LMv2 (2.2.2.4): a proof over the server's and the client's challenge, the latter behind it. As strong as v2, so
 * it needs no permission of its own. */
static enum ntlm_response_kind response_verify_v2_lm(const struct ntlm_response_input *input, struct key16 *base_key)
{
    struct slice client;
    require(slice_at(input->lm_response, NTLM_V2_PROOF_LEN, NTLM_CHALLENGE_LEN, &client) == WIRE_OK,
            NTLM_RESPONSE_WRONG);
    return v2_proves(input, input->lm_response, client, base_key) ? NTLM_RESPONSE_V2_LM : NTLM_RESPONSE_WRONG;
}

/* MS-NLMP 3.3.1: DESL of the NT hash, over the server's challenge or the one that both made. */
static enum ntlm_response_kind response_verify_v1(const struct ntlm_response_input *input, struct key16 *base_key)
{
    static const uint8_t zeros[16];
    uint8_t challenge[NTLM_CHALLENGE_LEN], expected[NTLM_V1_RESPONSE_LEN];
    memcpy(challenge, input->challenge, sizeof(challenge));
    if (input->extended_session_security) {
        struct reader lm = reader_of(input->lm_response);
        uint8_t client[NTLM_CHALLENGE_LEN];
        require(reader_copy(&lm, client, sizeof(client)) == WIRE_OK &&
                    reader_expect(&lm, zeros, sizeof(zeros)) == WIRE_OK && reader_end(&lm) == WIRE_OK,
                NTLM_RESPONSE_WRONG);
        ntlm_v1_session_challenge(input->challenge, client, challenge);
    }
    require(ntlm_desl(input->nt_hash, challenge, expected), NTLM_RESPONSE_FAILED);
    bool right = secret_equal(expected, input->nt_response.data, sizeof(expected));
    secret_wipe(expected, sizeof(expected));
    require(right, NTLM_RESPONSE_WRONG);
    md4_once(input->nt_hash->bytes, sizeof(input->nt_hash->bytes), base_key->bytes);
    return NTLM_RESPONSE_V1;
}

/* MS-NLMP 3.3.1: DESL of the LM hash; the key has only the hash's first half (3.4.5.1, as NTLMSSP_NEGOTIATE_LM_KEY expects it). */
static enum ntlm_response_kind response_verify_lm(const struct ntlm_response_input *input, struct key16 *base_key)
{
    uint8_t expected[NTLM_V1_RESPONSE_LEN];
    require(ntlm_desl(input->lm_hash, input->challenge, expected), NTLM_RESPONSE_FAILED);
    bool right = secret_equal(expected, input->lm_response.data, sizeof(expected));
    secret_wipe(expected, sizeof(expected));
    require(right, NTLM_RESPONSE_WRONG);
    memcpy(base_key->bytes, input->lm_hash->bytes, 8);
    memset(base_key->bytes + 8, 0, 8);
    return NTLM_RESPONSE_LM;
}

enum ntlm_response_kind ntlm_response_verify(const struct ntlm_response_input *input, struct key16 *base_key)
{
    AUTO_KEY16 struct key16 key = {0};
    enum ntlm_response_kind kind = NTLM_RESPONSE_WRONG;
    if (input->nt_response.len > NTLM_V1_RESPONSE_LEN) {
        kind = response_verify_v2(input, &key);
    } else if (input->nt_response.len == NTLM_V1_RESPONSE_LEN) {
        if (input->allow_v1)
            kind = response_verify_v1(input, &key);
    } else if (input->nt_response.len == 0 && input->lm_response.len == NTLM_V1_RESPONSE_LEN) {
        kind = response_verify_v2_lm(input, &key);
        if (kind == NTLM_RESPONSE_WRONG && input->allow_lm && input->lm_hash != NULL)
            kind = response_verify_lm(input, &key);
    }
    if (kind != NTLM_RESPONSE_WRONG && kind != NTLM_RESPONSE_FAILED)
        *base_key = key;
    return kind;
}

bool ntlm_response_verify_bare(const struct ntlm_response_input *input, const char *user, bool *right,
                               struct key16 *base_key)
{
    struct hmac_md5_key key = {0};
    struct ntlm_response_input bare = *input;
    bool made = ntlm_v2_key(input->nt_hash, user, "", &key) == WIRE_OK;
    bare.v2_key = &key;
    bare.allow_v1 = bare.allow_lm = false;                                         /* those know no domain */
    *right = made && ntlm_response_verify(&bare, base_key) != NTLM_RESPONSE_WRONG; /* without DES it does not fail */
    secret_wipe(&key, sizeof(key));
    return made;
}
