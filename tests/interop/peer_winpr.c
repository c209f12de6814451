/*
 * WinPR's NTLM (FreeRDP's SSPI) in the interop tests. Its server reads the accounts from a private SAM file.
 * build: peer winpr2|winpr3
 */
#include <winpr/sspi.h>
#include <winpr/version.h>
#include <stdint.h>

#include "peer_sspi.h"

static bool accounts_give(CtxtHandle *server)
{
    char *file = getenv("PEER_SAM");
    return file != NULL &&
           table->SetContextAttributesA(server, SECPKG_ATTR_AUTH_NTLM_SAM_FILE, file, (ULONG)strlen(file)) == SEC_E_OK;
}

static bool own_command(const struct line *line)
{
    if (!line_is(line, "signs"))
        return false;
    reply(WINPR_VERSION_MAJOR >= 3 ? "signs yes" : "signs no"); /* MakeSignature and VerifySignature are to do in 2 */
    return true;
}

int main(void)
{
    table = InitSecurityInterfaceExA(SSPI_INTERFACE_WINPR);
    server_prepare = accounts_give;
    command_more = own_command;
    return table != NULL ? commands_run() : 1;
}
