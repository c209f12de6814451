#include "base/memory.h"
#include "certificates/kept_key.h"
#include "core/as_process.h"
#include "core/cause.h"
#include "lsa/remote.h"
#include <wincrypt.h>

/* Private keys that a daemon keeps. */

static SECURITY_STATUS keys_find(const char *name, struct writer *spki)
{
    AUTO_WRITER struct writer request = lsa_request(LSA_KEY);
    lsa_text_write(&request, LSA_KEY_NAME, name);
    return remote_ask(&request, LSA_KEY, LSA_VALUE, spki);
}

/* A refusal in the middle of a handshake is one of credentials; that nobody answers, or that a configuration cannot be read, stays what it is. */
static SECURITY_STATUS sign_status(SECURITY_STATUS status)
{
    switch (status) {
    case SEC_E_OK:
    case SEC_E_NO_AUTHENTICATING_AUTHORITY:
    case SEC_E_INSUFFICIENT_MEMORY:
    case SEC_E_INTERNAL_ERROR:
        return status;
    default:
        return SEC_E_NO_CREDENTIALS;
    }
}

static SECURITY_STATUS keys_sign(const char *name, const uint8_t *hash, uint16_t scheme, struct slice data,
                                 struct writer *signature)
{
    AS_PROCESS_SCOPE; /* a message may have TLS answer a request for a certificate, on a thread that impersonates */
    AUTO_WRITER struct writer request = lsa_request(LSA_SIGN);
    lsa_text_write(&request, LSA_KEY_NAME, name);
    lsa_bytes_write(&request, LSA_KEY_HASH, slice_of(hash, KEPT_KEY_HASH_LEN));
    lsa_number_write(&request, LSA_SCHEME, scheme);
    lsa_bytes_write(&request, LSA_TOKEN, data.data != NULL ? data : slice_of("", 0));
    return sign_status(remote_ask(&request, LSA_SIGN, LSA_VALUE, signature));
}

__attribute__((constructor)) static void offer(void)
{
    static const struct key_keeper keeper = {.find = keys_find, .sign = keys_sign};
    key_keeper_set(&keeper);
}

void remote_keys_withdraw(void)
{
    key_keeper_set(NULL);
}
