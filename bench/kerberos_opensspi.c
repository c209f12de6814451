/*
 * Kerberos by this library: kerberos_opensspi TARGET [LABEL]. With a label, which tells the encryption type, 16 KiB messages alone.
 */
#include <sspi.h>

#include "sspi_work.h"

int main(int argc, char **argv)
{
    measure_check(argc == 2 || argc == 3, "naming the target");
    table = InitSecurityInterfaceA();
    target = argv[1];
    credentials_acquire("Kerberos", NULL);
    if (argc == 2)
        measure("handshake, one way", handshake_once);
    client_flags |= ISC_REQ_MUTUAL_AUTH;
    server_flags |= ASC_REQ_MUTUAL_AUTH;
    if (argc == 2)
        measure("handshake, mutual", handshake_once);
    run_messages(argv[2]);
    if (argc == 2)
        run_memory();
    return 0;
}
