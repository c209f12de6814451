/*
 * RFC 8009, appendix A: sample encryptions and checksums of usage 2, for what seals pieces and for what encrypts a text.
 */
#ifndef OPENSSPI_TESTS_CRYPTO_RFC8009_H
#define OPENSSPI_TESTS_CRYPTO_RFC8009_H

#include "crypto/krb5_crypto.h"

#define RFC8009_USAGE 2
#define RFC8009_KEY_SHA256 "3705d96080c17728a0e800eab6e0d23c"
#define RFC8009_KEY_SHA384 "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52"

/* The plain texts are 00 01 02 ...; the last column is AES output and HMAC output. */
static const struct {
    int32_t enctype;
    const char *key;
    size_t plain_len;
    const char *confounder, *cipher;
} rfc8009_encryptions[] = {
    {KRB_AES128_SHA256, RFC8009_KEY_SHA256, 0, "7e5895eaf2672435bad817f545a37148",
     "ef85fb890bb8472f4dab20394dca781dad877eda39d50c870c0d5a0a8e48c718"},
    {KRB_AES128_SHA256, RFC8009_KEY_SHA256, 6, "7bca285e2fd4130fb55b1a5c83bc5b24",
     "84d7f30754ed987bab0bf3506beb09cfb55402cef7e6877ce99e247e52d16ed4421dfdf8976c"},
    {KRB_AES128_SHA256, RFC8009_KEY_SHA256, 16, "56ab21713ff62c0a1457200f6fa9948f",
     "3517d640f50ddc8ad3628722b3569d2ae07493fa8263254080ea65c1008e8fc295fb4852e7d83e1e7c48c37eebe6b0d3"},
    {KRB_AES128_SHA256, RFC8009_KEY_SHA256, 21, "a7a4e29a4728ce10664fb64e49ad3fac",
     "720f73b18d9859cd6ccb4346115cd336c70f58edc0c4437c5573544c31c813bce1e6d072c186b39a413c2f92ca9b8334a287ffcbfc"},
    {KRB_AES256_SHA384, RFC8009_KEY_SHA384, 0, "f764e9fa15c276478b2c7d0c4e5f58e4",
     "41f53fa5bfe7026d91faf9be959195a058707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c"},
    {KRB_AES256_SHA384, RFC8009_KEY_SHA384, 6, "b80d3251c1f6471494256ffe712d0b9a",
     "4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2"},
    {KRB_AES256_SHA384, RFC8009_KEY_SHA384, 16, "53bf8a0d105265d4e276428624ce5e63",
     "bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1f932e40c4ff255b36a26"
     "6"},
    {KRB_AES256_SHA384, RFC8009_KEY_SHA384, 21, "763e65367e864f02f55153c7e3b58af1",
     "40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86fef6ecb647d6295fae077a1feb517508d2c16b"
     "4192e01f62"},
};

/* Of the 21 bytes 00 to 14. */
static const struct {
    int32_t enctype;
    const char *key, *mac;
} rfc8009_checksums[] = {
    {KRB_AES128_SHA256, RFC8009_KEY_SHA256, "d78367186643d67b411cba9139fc1dee"},
    {KRB_AES256_SHA384, RFC8009_KEY_SHA384, "45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a"},
};

#endif
