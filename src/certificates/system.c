/*
 * The system stores: which file or directory stands behind ROOT, CA and MY. docs/certificates.md tells users.
 */
#include "base/memory.h"
#include "certificates/files.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "certificates/system_kept.h"
#include "certificates/system_read.h"
#include "core/as_process.h"
#include "core/cause.h"
#include "core/config.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Where distributions keep the roots, one file each; the first that is there counts. */
static const char *const root_files[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Alpine */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",                  /* BSDs */
    "/etc/ssl/certs",
};

/* The system's failure to say is no "not there": whoever named other roots would get the distribution's instead. */
static bool may_be_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 || !file_error_answers(errno);
}

static void default_root(char *path)
{
    const char *named = secure_getenv("SSL_CERT_FILE");
    if (named == NULL || !may_be_there(named))
        named = secure_getenv("SSL_CERT_DIR");
    for (size_t i = 0; (named == NULL || !may_be_there(named)) && i < COUNT_OF(root_files); i++)
        named = root_files[i];
    (void)snprintf(path, PATH_MAX, "%s", named);
}

static void default_user(char *path, const char *name)
{
    const char *data = secure_getenv("XDG_DATA_HOME"), *home = secure_getenv("HOME");
    path[0] = '\0';
    if (data != NULL && data[0] == '/')
        (void)snprintf(path, PATH_MAX, "%s/opensspi/%s", data, name);
    else if (home != NULL && home[0] == '/')
        (void)snprintf(path, PATH_MAX, "%s/.local/share/opensspi/%s", home, name);
}

/* The path behind a store, and whether it was configured: then it must be there. */
static SECURITY_STATUS path_of(const char *name, bool machine, char *path, bool *wanted)
{
    const struct config *config;
    SECURITY_STATUS status = config_get(&config);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : CRYPT_E_FILE_ERROR);
    const char *chosen = NULL;
    if (strcasecmp(name, "ROOT") == 0)
        chosen = config->certificates_root;
    else if (strcasecmp(name, "CA") == 0)
        chosen = config->certificates_ca;
    else if (strcasecmp(name, "MY") == 0)
        chosen = machine ? config->certificates_machine_my : config->certificates_my;
    else
        status = cause_set(ERROR_FILE_NOT_FOUND, "there is no system store \"%s\": only ROOT, CA and MY", name);
    *wanted = chosen != NULL;
    if (status != SEC_E_OK)
        ;
    else if (chosen != NULL)
        (void)snprintf(path, PATH_MAX, "%s", chosen);
    else if (strcasecmp(name, "ROOT") == 0)
        default_root(path);
    else if (strcasecmp(name, "CA") == 0)
        (void)snprintf(path, PATH_MAX, "/etc/opensspi/ca");
    else if (machine)
        (void)snprintf(path, PATH_MAX, "/etc/opensspi/my");
    else
        default_user(path, "my");
    config_release(config);
    return status;
}

SECURITY_STATUS system_roots(STACK_OF(X509) * roots)
{
    AS_PROCESS_SCOPE; /* whom the process trusts is not for the client to say, of whom the thread has the rights */
    char path[PATH_MAX];
    bool wanted;
    try(path_of("ROOT", false, path, &wanted));
    return system_kept(SYSTEM_ROOTS, path, wanted, roots, NULL);
}

SECURITY_STATUS system_intermediates(STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists)
{
    AS_PROCESS_SCOPE;
    char path[PATH_MAX];
    bool wanted;
    try(path_of("CA", false, path, &wanted));
    return system_kept(SYSTEM_INTERMEDIATES, path, wanted, certificates, lists);
}

static SECURITY_STATUS roots_into(struct store *store)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *roots = sk_X509_new_null();
    require(roots != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(system_roots(roots));
    for (int i = 0; i < sk_X509_num(roots); i++)
        try(store_add(store, sk_X509_value(roots, i), NULL, CERT_STORE_ADD_ALWAYS, NULL));
    return SEC_E_OK;
}

SECURITY_STATUS system_store_open(const char *name, bool machine, struct store **store)
{
    AS_PROCESS_SCOPE;
    OPENSSL_QUIET;
    char path[PATH_MAX];
    bool wanted;
    try(path_of(name, machine, path, &wanted));
    struct store *made = store_new();
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct pour into = {.store = made, .keys = strcasecmp(name, "MY") == 0};
    SECURITY_STATUS status = strcasecmp(name, "ROOT") == 0 ? roots_into(made) : system_path_read(path, wanted, &into);
    if (status != SEC_E_OK) {
        (void)live_user_drop(made, LIVE_STORE);
        return status;
    }
    made->read_only = true;
    *store = made;
    return SEC_E_OK;
}

SECURITY_STATUS store_open_system(const char *name, bool machine, HCERTSTORE *handle)
{
    struct store *store;
    try(system_store_open(name, machine, &store));
    *handle = store;
    return SEC_E_OK;
}
