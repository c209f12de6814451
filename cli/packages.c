#include "cli.h"

#include <sspi.h>
#include <string.h>

int cli_packages(int argc, char **argv)
{
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("usage: sspi packages [--json]\nLists the security packages: name, largest token, capabilities, comment.");
        return CLI_OK;
    }
    if (argc > 1 && !json)
        return cli_misuse("usage: sspi packages [--json]");
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&n_packages, &packages);
    if (status != SEC_E_OK)
        return cli_status(status);
    if (json)
        puts("[");
    for (ULONG i = 0; i < n_packages; i++) {
        const SecPkgInfoA *package = &packages[i];
        if (!json) {
            printf("%-12s token %-6u capabilities 0x%08x  %s\n", package->Name, (unsigned)package->cbMaxToken,
                   (unsigned)package->fCapabilities, package->Comment);
            continue;
        }
        fputs("  {\"name\": ", stdout);
        json_text(stdout, package->Name);
        fputs(", \"comment\": ", stdout);
        json_text(stdout, package->Comment);
        printf(", \"capabilities\": %u, \"version\": %u, \"rpc_id\": %u, \"max_token\": %u}%s\n",
               (unsigned)package->fCapabilities, (unsigned)package->wVersion, (unsigned)package->wRPCID,
               (unsigned)package->cbMaxToken, i + 1 < n_packages ? "," : "");
    }
    if (json)
        puts("]");
    FreeContextBuffer(packages);
    return CLI_OK;
}
