/*
 * NTLM by WinPR (FreeRDP's SSPI). Its server is handed the account's NT hash, which spares it the reading of its SAM file.
 * build: peer winpr2|winpr3
 */
#include <winpr/sspi.h>

#include "ntlm_identity.h"
#include "sspi_work.h"

static void give_hash(CtxtHandle *server)
{
    /* NT hash of "Password1!" */
    static SecPkgContext_AuthNtlmHash hash = {
        1, {0x7f, 0xac, 0xdc, 0x49, 0x8e, 0xd1, 0x68, 0x0c, 0x4f, 0xd1, 0x44, 0x83, 0x19, 0xa8, 0xc0, 0x4f}};
    measure_check(table->SetContextAttributesA(server, SECPKG_ATTR_AUTH_NTLM_HASH, &hash, sizeof hash) == 0,
                  "giving WinPR the hash");
}

int main(void)
{
    table = InitSecurityInterfaceExA(0);
    server_prepare = give_hash;
    has_signatures = 0;
    target = (char *)"test/server";
    credentials_acquire("NTLM", ntlm_identity());
    measure("handshake", handshake_once);
    run_messages(NULL);
    run_memory();
    return 0;
}
