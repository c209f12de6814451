/*
 * AES-CBC by the processor's own instructions: for the short runs of blocks that messages and tickets are made of, a call of OpenSSL's takes longer
 * than the cipher. Nothing here can fail, and nothing depends on what is in keys and data but the result.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_AES_H
#define OPENSSPI_CRYPTO_KRB5_AES_H

#include "base/slice.h"

#define AES_BLOCK_LEN 16

/* A key in one direction. */
struct krb_aes {
    unsigned rounds; /* 0: this processor cannot, and what follows is not for it */
    uint8_t keys[15][AES_BLOCK_LEN];
};

/* 16 or 32 bytes of key. */
void krb_aes_init(struct krb_aes *aes, const uint8_t *key, size_t key_len, bool encrypting);
/* Whole blocks in place; `chain` goes on from where it is. The key must be one of that direction. */
void krb_aes_cbc_encrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len);
void krb_aes_cbc_decrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len);

#endif
