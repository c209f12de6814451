/*
 * SPNEGO by MIT's GSSAPI over its Kerberos or over gss-ntlmssp: negotiate_gss Kerberos|NTLM TARGET
 * build: peer krb5-gssapi
 */
#include <gssapi/gssapi_krb5.h>

#include "gss_work.h"

int main(int argc, char **argv)
{
    static gss_OID_desc ntlm = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
    OM_uint32 minor;
    measure_check(argc == 3, "naming mechanism and target");
    int kerberos = strcmp(argv[1], "Kerberos") == 0;
    gss_OID_set_desc only = {1, kerberos ? (gss_OID)gss_mech_krb5 : &ntlm};
    mechanism = (gss_OID_desc){6, (void *)"\x2b\x06\x01\x05\x05\x02"};
    target = name_import(argv[2], kerberos ? GSS_KRB5_NT_PRINCIPAL_NAME : GSS_C_NT_HOSTBASED_SERVICE);
    credentials_acquire(kerberos ? GSS_C_NO_NAME : name_import("EXAMPLE\\alice", GSS_C_NT_USER_NAME));
    check(gss_set_neg_mechs(&minor, client_credential, &only), "the client's mechanism");
    check(gss_set_neg_mechs(&minor, server_credential, &only), "the server's mechanism");
    if (kerberos)
        client_flags |= GSS_C_MUTUAL_FLAG;
    measure(kerberos ? "handshake, Kerberos" : "handshake, NTLM", handshake_once);
    run_messages(kerberos ? "Kerberos" : NULL);
    if (!kerberos)
        run_memory();
    return 0;
}
