/*
 * Handshakes by this library, through the daemon or within the process as the configuration says: lsad_opensspi PACKAGE TARGET. NTLM as alice, with
 * her password; Kerberos with default credentials.
 */
#include <sspi.h>

#include "ntlm_identity.h"
#include "sspi_work.h"

int main(int argc, char **argv)
{
    measure_check(argc == 3, "naming the package and the target");
    int ntlm = strcmp(argv[1], "NTLM") == 0;
    table = InitSecurityInterfaceA();
    target = argv[2];
    if (!ntlm) {
        client_flags |= ISC_REQ_MUTUAL_AUTH;
        server_flags |= ASC_REQ_MUTUAL_AUTH;
    }
    credentials_acquire(argv[1], ntlm ? ntlm_identity() : NULL);
    measure(ntlm ? "NTLM handshake" : "Kerberos handshake, mutual", handshake_once);
    return 0;
}
