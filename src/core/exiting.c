#include "core/exiting.h"

#include "core/cause.h"
#include "crypto/openssl.h"

SECURITY_STATUS exiting_check(void)
{
    OPENSSL_QUIET;
    bool alive = openssl_alive();
    return alive ? SEC_E_OK
                 : cause_set(SEC_E_INTERNAL_ERROR, "the process ends, and OpenSSL has ended before this call");
}
