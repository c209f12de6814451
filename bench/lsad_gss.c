/*
 * Kerberos handshakes by MIT's GSSAPI, through gssproxy where the environment asks for it: lsad_gss TARGET.
 * build: peer krb5-gssapi
 */
#include <gssapi/gssapi_krb5.h>

#include "gss_work.h"

int main(int argc, char **argv)
{
    measure_check(argc == 2, "naming the target");
    mechanism = *gss_mech_krb5;
    target = name_import(argv[1], GSS_KRB5_NT_PRINCIPAL_NAME);
    client_flags |= GSS_C_MUTUAL_FLAG;
    credentials_acquire(GSS_C_NO_NAME);
    measure("Kerberos handshake, mutual", handshake_once);
    return 0;
}
