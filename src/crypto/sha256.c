#include "crypto/sha256.h"

#include "crypto/openssl.h"
#include <openssl/sha.h>

bool sha256_once(struct slice data, uint8_t digest[32])
{
    OPENSSL_QUIET;
    return openssl_alive() && SHA256(data.data, data.len, digest) != NULL;
}
