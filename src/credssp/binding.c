#include "credssp/binding.h"

#include "core/cause.h"
#include "crypto/sha256.h"

/* Both with their NUL. */
static const char to_server[] = "CredSSP Client-To-Server Binding Hash";
static const char to_client[] = "CredSSP Server-To-Client Binding Hash";

static SECURITY_STATUS text_hashed(enum binding_side side, const uint8_t nonce[TS_NONCE_LEN], struct slice public_key,
                                   struct secret *text)
{
    uint8_t digest[32];
    AUTO_WRITER struct writer whole = writer_growing(sizeof to_server + TS_NONCE_LEN + public_key.len);
    writer_bytes(&whole, side == BINDING_CLIENT ? to_server : to_client, sizeof to_server);
    writer_bytes(&whole, nonce, TS_NONCE_LEN);
    writer_slice(&whole, public_key);
    require(writer_finish(&whole) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(sha256_once(writer_slice_of(&whole), digest),
            cause_set(SEC_E_INTERNAL_ERROR, "the server's key cannot be hashed"));
    return secret_set(text, digest, sizeof digest) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS binding_text(enum binding_side side, uint32_t version, const uint8_t nonce[TS_NONCE_LEN],
                             struct slice public_key, struct secret *text)
{
    _Static_assert(sizeof to_server == sizeof to_client, "one length for both");
    if (version >= TS_VERSION_NONCE)
        return text_hashed(side, nonce, public_key, text);
    require(public_key.len > 0, cause_set(SEC_E_INTERNAL_ERROR, "the server's certificate has no key"));
    require(secret_set(text, public_key.data, public_key.len), SEC_E_INSUFFICIENT_MEMORY);
    if (side == BINDING_SERVER)
        text->data[0]++;
    return SEC_E_OK;
}
