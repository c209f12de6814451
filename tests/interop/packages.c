/* Prints the names of all packages, one a line; for each argument what is known of that package, or why it is not there. */
#include <sspi_ext.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    ULONG count;
    PSecPkgInfoA infos, info;
    if (EnumerateSecurityPackagesA(&count, &infos) != SEC_E_OK)
        return 1;
    for (ULONG i = 0; i < count; i++)
        printf("%s\n", infos[i].Name);
    FreeContextBuffer(infos);
    for (int i = 1; i < argc; i++)
        if (QuerySecurityPackageInfoA(argv[i], &info) == SEC_E_OK) {
            printf("? %s\n", info->Comment);
            FreeContextBuffer(info);
        } else
            printf("! %s\n", OpenSspiLastErrorText());
    return 0;
}
