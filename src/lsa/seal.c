#include "lsa/seal.h"

#include "core/cause.h"
#include "core/session.h"
#include "crypto/krb5_encrypt.h"
#include <string.h>

static const uint8_t magic[4] = {'O', 'S', 'S', 'E'};
static struct krb_key key; /* written once, by seal_start */

bool seal_is(struct slice delegated)
{
    return delegated.len >= sizeof magic && memcmp(delegated.data, magic, sizeof magic) == 0;
}

SECURITY_STATUS seal_write(struct slice plain, struct writer *sealed)
{
    if (seal_is(plain)) { /* a package that chooses writes another one's record anew */
        writer_slice(sealed, plain);
        return SEC_E_OK;
    }
    writer_bytes(sealed, magic, sizeof magic);
    return krb_encrypt(&key, KRB_USAGE_SEAL, plain, sealed) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

bool seal_start(void)
{
    require(krb_key_generate(&key, KRB_AES256_SHA384), false);
    session_delegated_hook(seal_write);
    return true;
}

SECURITY_STATUS seal_open(struct slice sealed, struct secret *plain)
{
    AUTO_SECRET struct secret buffer = {0};
    struct slice text;
    require(
        seal_is(sealed) && key.enctype != 0 &&
            krb_decrypt(&key, KRB_USAGE_SEAL, slice_of(sealed.data + sizeof magic, sealed.len - sizeof magic), &buffer,
                        &text),
        cause_set(
            SEC_E_NO_CREDENTIALS,
            "what the client handed over was sealed by another security authority, or before this one was started"));
    return secret_set(plain, text.data, text.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
