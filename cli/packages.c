#include "cli.h"

#include <sspi.h>
#include <string.h>

static int packages_list(const struct cli_options *options)
{
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&n_packages, &packages);
    if (status != SEC_E_OK)
        return cli_status(status);
    int width = 0;
    for (ULONG i = 0; i < n_packages; i++)
        if (strlen(packages[i].Name) > (size_t)width)
            width = (int)strlen(packages[i].Name);
    struct json_list list = json_list_begin(options->json);
    for (ULONG i = 0; i < n_packages; i++) {
        const SecPkgInfoA *package = &packages[i];
        if (!json_list_item(&list)) {
            printf("%-*s  token %-6u capabilities 0x%08x  %s\n", width, package->Name, (unsigned)package->cbMaxToken,
                   (unsigned)package->fCapabilities, package->Comment);
            continue;
        }
        fputs("{\"name\": ", stdout);
        json_text(stdout, package->Name);
        fputs(", \"comment\": ", stdout);
        json_text(stdout, package->Comment);
        printf(", \"capabilities\": %u, \"version\": %u, \"rpc_id\": %u, \"max_token\": %u}",
               (unsigned)package->fCapabilities, (unsigned)package->wVersion, (unsigned)package->wRPCID,
               (unsigned)package->cbMaxToken);
    }
    json_list_end(&list);
    FreeContextBuffer(packages);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"", "", "Lists the security packages: name, largest token, capabilities, comment", OPTION_JSON, 0, 0,
     packages_list},
};

const struct cli_family cli_packages = {"packages", "the security packages there are", commands, 1};
