/* HMAC-MD5, RFC 2104. */
#include "crypto/digest.h"
#include "base/secret.h"

#include <string.h>

#define BLOCK_LEN 64
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* RFC 2104, section 4: both key blocks are compressed once per key instead of once per message. */
void hmac_md5_key_init(struct hmac_md5_key *key, const void *secret, size_t len)
{
    uint8_t block[BLOCK_LEN] = {0}, outer[BLOCK_LEN];
    struct md5 md5;

    /* RFC 2104, section 2: longer keys are hashed first. */
    if (len > BLOCK_LEN)
        md5_once(secret, len, block);
    else if (len != 0)
        memcpy(block, secret, len);
    md5_init(&md5);
    memcpy(key->inner, md5.state, sizeof(key->inner));
    memcpy(key->outer, md5.state, sizeof(key->outer));
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        outer[i] = block[i] ^ OUTER_PAD;
        block[i] ^= INNER_PAD;
    }
    md5_blocks_both(key->inner, block, key->outer, outer, 1);
    secret_wipe(block, sizeof(block));
    secret_wipe(outer, sizeof(outer));
}

void hmac_md5_init(struct hmac_md5 *hmac, const struct hmac_md5_key *key)
{
    memcpy(hmac->md5.state, key->inner, sizeof(key->inner));
    hmac->md5.len = BLOCK_LEN;
    memcpy(hmac->outer, key->outer, sizeof(key->outer));
}

void hmac_md5_update(struct hmac_md5 *hmac, const void *data, size_t len)
{
    md5_update(&hmac->md5, data, len);
}

void hmac_md5_final(struct hmac_md5 *hmac, uint8_t mac[MD5_LEN])
{
    /* The outer hash always has these two blocks: the padded key and one inner digest. */
    struct md5 outer = {.len = BLOCK_LEN + MD5_LEN};

    memcpy(outer.state, hmac->outer, sizeof(outer.state));
    md5_final(&hmac->md5, outer.block);
    md5_final(&outer, mac);
    secret_wipe(hmac->outer, sizeof(hmac->outer));
}

void hmac_md5_once(const void *secret, size_t secret_len, const struct slice *pieces, size_t n_pieces,
                   uint8_t mac[MD5_LEN])
{
    struct hmac_md5_key key;
    struct hmac_md5 hmac;

    hmac_md5_key_init(&key, secret, secret_len);
    hmac_md5_init(&hmac, &key);
    for (size_t i = 0; i < n_pieces; i++)
        hmac_md5_update(&hmac, pieces[i].data, pieces[i].len);
    hmac_md5_final(&hmac, mac);
    secret_wipe(&key, sizeof(key));
}
