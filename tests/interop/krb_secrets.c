/*
 * What the package knows of an account with a password and shows nobody: krb_secrets USER PASSWORD logs on and prints
 * "key ENCTYPE HEX" for each key that is made of the password.
 * build: internal
 */
#include "core/cause.h"
#include "kerberos/password_keys.h"
#include <stdio.h>
#include <string.h>

static int failed(SECURITY_STATUS status, const char *what)
{
    fprintf(stderr, "%s: 0x%08x %s\n", what, (unsigned)status, cause_text());
    return 1;
}

static int show(struct kerberos_credential *credential, krb5_context krb)
{
    krb5_creds *tgt = NULL;
    struct password_keys keys = {.n_keys = 0};
    SECURITY_STATUS status = kerberos_tgt_get(credential, krb, &tgt);
    if (status != SEC_E_OK)
        return failed(status, "logging on");
    krb5_free_creds(krb, tgt);
    status = kerberos_password_keys(credential, &keys);
    if (status != SEC_E_OK)
        return failed(status, "making keys");
    for (unsigned i = 0; i < keys.n_keys; i++) {
        printf("key %d ", (int)keys.key[i].enctype);
        for (unsigned j = 0; j < keys.key[i].length; j++)
            printf("%02x", keys.key[i].contents[j]);
        putchar('\n');
    }
    password_keys_release(krb, &keys);
    return 0;
}

int main(int argc, char **argv)
{
    const struct config *config;
    krb5_context krb;
    void *credential = NULL;
    int64_t expiry;
    uint8_t units[128] = {0};
    if (argc != 3 || 2 * strlen(argv[2]) > sizeof units)
        return 2;
    for (size_t i = 0; argv[2][i] != '\0'; i++)
        units[2 * i] = (uint8_t)argv[2][i];
    struct identity identity = {.user = argv[1], .password = {units, 2 * strlen(argv[2])}, .has_password = true};
    if (config_get(&config) != SEC_E_OK || krb5_init_context(&krb) != 0)
        return 2;
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND, .identity = &identity};
    SECURITY_STATUS status = kerberos_acquire(&request, &credential, &expiry);
    int code = status == SEC_E_OK ? show(credential, krb) : failed(status, "acquiring");
    if (credential != NULL)
        kerberos_release(credential);
    config_release(config);
    krb5_free_context(krb);
    return code;
}
