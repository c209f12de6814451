/*
 * NTLM by gss-ntlmssp through GSSAPI; accounts from NTLM_USER_FILE.
 * build: peer krb5-gssapi
 */
#include "gss_work.h"

int main(void)
{
    mechanism = (gss_OID_desc){10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
    target = name_import("test@server", GSS_C_NT_HOSTBASED_SERVICE);
    credentials_acquire(name_import("EXAMPLE\\alice", GSS_C_NT_USER_NAME));
    measure("handshake", handshake_once);
    run_messages(NULL);
    run_memory();
    return 0;
}
