/*
 * WinPR's NTLM (FreeRDP's SSPI) in the interop tests. Its server reads the accounts from a private SAM file.
 * build: peer winpr2|winpr3
 */
#include <winpr/sspi.h>
#include <stdint.h>

#include "peer_sspi.h"

static bool accounts_give(CtxtHandle *server)
{
    char *file = getenv("PEER_SAM");
    return file != NULL &&
           table->SetContextAttributesA(server, SECPKG_ATTR_AUTH_NTLM_SAM_FILE, file, (ULONG)strlen(file)) == SEC_E_OK;
}

int main(void)
{
    table = InitSecurityInterfaceExA(SSPI_INTERFACE_WINPR);
    server_prepare = accounts_give;
    return table != NULL ? commands_run() : 1;
}
