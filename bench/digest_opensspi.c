/* SASL DIGEST-MD5 by this library: auth-conf with rc4, the server's account in a database. */
#include <sspi.h>

#include "ntlm_identity.h"
#include "sspi_work.h"

int main(void)
{
    table = InitSecurityInterfaceA();
    target = (char *)"test/server.example.test";
    server_first = 1;
    measure_max = 16384;
    has_signatures = 0; /* under auth-conf every message is encrypted */
    credentials_acquire("WDigest", ntlm_identity());
    measure("handshake", handshake_once);
    run_messages(NULL);
    run_memory();
    return 0;
}
