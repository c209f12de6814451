/*
 * Negotiate by this library, or the package that it chooses by itself: negotiate_opensspi PACKAGE Kerberos|NTLM TARGET. PACKAGE is Negotiate or the
 * other one again.
 */
#include <sspi.h>

#include "ntlm_identity.h"
#include "sspi_work.h"

int main(int argc, char **argv)
{
    measure_check(argc == 4, "naming package, mechanism and target");
    int kerberos = strcmp(argv[2], "Kerberos") == 0;
    table = InitSecurityInterfaceA();
    target = argv[3];
    if (kerberos) {
        client_flags |= ISC_REQ_MUTUAL_AUTH;
        server_flags |= ASC_REQ_MUTUAL_AUTH;
    }
    credentials_acquire(argv[1], kerberos ? NULL : ntlm_identity());
    measure(kerberos ? "handshake, Kerberos" : "handshake, NTLM", handshake_once);
    run_messages(kerberos ? "Kerberos" : NULL);
    if (!kerberos)
        run_memory();
    return 0;
}
