/*
 * Kerberos by MIT's GSSAPI: kerberos_gss TARGET [LABEL], as kerberos_opensspi; with BENCH_IN_PLACE the messages alone, by gss_wrap_iov.
 * build: peer krb5-gssapi
 */
#include <gssapi/gssapi_krb5.h>

#include "gss_work.h"

int main(int argc, char **argv)
{
    measure_check(argc == 2 || argc == 3, "naming the target");
    in_place = getenv("BENCH_IN_PLACE") != NULL;
    mechanism = *gss_mech_krb5;
    target = name_import(argv[1], GSS_KRB5_NT_PRINCIPAL_NAME);
    credentials_acquire(GSS_C_NO_NAME);
    if (argc == 2 && !in_place)
        measure("handshake, one way", handshake_once);
    client_flags |= GSS_C_MUTUAL_FLAG;
    if (argc == 2 && !in_place)
        measure("handshake, mutual", handshake_once);
    run_messages(argv[2]);
    if (argc == 2 && !in_place)
        run_memory();
    return 0;
}
