#include "fuzz/lsad/daemon_world.h"

#include "fuzz/world.h"
#include "support/kerberos_loop.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>

/* A private key that the daemon keeps, made anew each time. */
static void key_make(const char *path)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    mode_t before = umask(077);
    FILE *file = fopen(path, "w");
    umask(before);
    MUST(file != NULL && pkey != NULL && PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
         fclose(file) == 0);
    EVP_PKEY_free(pkey);
}

void daemon_world_configure(uid_t accept)
{
    char own[800], path[200], key[200];
    kerberos_loop_configure(NULL, NULL, NULL);
    atexit(kerberos_loop_cleanup);
    snprintf(path, sizeof path, "%s/sam", kerberos_loop_directory());
    mode_t before = umask(077); /* an account file that others may read is none */
    FILE *file = fopen(path, "w");
    umask(before);
    MUST(file != NULL && fputs("alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n", file) >= 0 && fclose(file) == 0);
    snprintf(key, sizeof key, "%s/web.key", kerberos_loop_directory());
    key_make(key);
    snprintf(own, sizeof own,
             "[accounts]\nstores = sam:%s\nlockout_threshold = 0\n[digest]\nrealms = EXAMPLE\n[lsa]\naccept = %u\nkey "
             "= web 0,%u %s\n",
             path, (unsigned)accept, (unsigned)accept, key);
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
