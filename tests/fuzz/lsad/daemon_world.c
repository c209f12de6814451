#include "fuzz/lsad/daemon_world.h"

#include "fuzz/world.h"
#include "support/kerberos_loop.h"
#include <stdio.h>

void daemon_world_configure(uid_t accept)
{
    char own[512], path[200];
    kerberos_loop_configure(NULL, NULL, NULL);
    atexit(kerberos_loop_cleanup);
    snprintf(path, sizeof path, "%s/sam", kerberos_loop_directory());
    FILE *file = fopen(path, "w");
    MUST(file != NULL && fputs("alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n", file) >= 0 && fclose(file) == 0);
    snprintf(own, sizeof own,
             "[accounts]\nstores = sam:%s\nlockout_threshold = 0\n[digest]\nrealms = EXAMPLE\n[lsa]\naccept = %u\n",
             path, (unsigned)accept);
    kerberos_loop_configure(NULL, NULL, own);
    setenv("KRB5CCNAME", "MEMORY:nobody", 1);
    setenv("KRB5_CLIENT_KTNAME", "MEMORY:nobody", 1);
}

void daemon_world_token(struct writer *token, unsigned number)
{
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    forge.microseconds = number % 1000000;
    forge_token(token, &forge);
}
