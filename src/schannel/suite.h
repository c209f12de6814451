/*
 * A cipher suite in Windows' words.
 */
#ifndef OPENSSPI_SCHANNEL_SUITE_H
#define OPENSSPI_SCHANNEL_SUITE_H

#include <openssl/ssl.h>
#include <schannel.h>
#include <stdbool.h>
#include <stddef.h>

/* Names are CNG's. An algorithm that has no ALG_ID has 0. */
struct suite {
    const char *cipher_name, *mode, *hash_name, *exchange_name, *certificate_name;
    ALG_ID cipher, hash, exchange, signature;
    unsigned bits, hash_bits;
    size_t block_len;                /* as STREAM_SIZES tells it */
    size_t header_more, trailer_len; /* bytes of a record between its header and the text, and at most behind it */
    size_t body_min;                 /* of a record that is protected, without its header */
};

#define SUITE_BODY_MIN_MAX ((size_t)64) /* the most that body_min is: CBC's IV, and a MAC of 48 bytes */

/* Describes `cipher` as it is used in protocol `version` (SSL_version). False for a suite that is not known here, which no policy lets in. */
bool suite_describe(const SSL_CIPHER *cipher, int version, struct suite *suite);

#endif
