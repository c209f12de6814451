/* NTLM by this library. */
#include <sspi.h>

#include "ntlm_identity.h"
#include "sspi_work.h"

int main(void)
{
    table = InitSecurityInterfaceA();
    target = (char *)"test/server";
    credentials_acquire("NTLM", ntlm_identity());
    measure("handshake", handshake_once);
    run_messages(NULL);
    run_memory();
    return 0;
}
