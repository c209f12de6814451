/*
 * The smallest program against an installed OpenSSPI: lists the security packages, fails when there are none.
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <stdio.h>

int main(void)
{
    ULONG count = 0;
    PSecPkgInfoA packages = NULL;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&count, &packages);
    if (status != SEC_E_OK) {
        fprintf(stderr, "EnumerateSecurityPackagesA: %s: %s\n", OpenSspiStatusName(status), OpenSspiLastErrorText());
        return 1;
    }
    for (ULONG i = 0; i < count; i++) {
        printf("%s: %s\n", packages[i].Name, packages[i].Comment);
    }
    FreeContextBuffer(packages);
    return count > 0 ? 0 : 1;
}
