/*
 * The system stores: which file or directory stands behind ROOT, CA and MY. docs/certificates.md tells users.
 */
#include "base/fork.h"
#include "base/memory.h"
#include "certificates/files.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "core/as_process.h"
#include "core/cause.h"
#include "core/config.h"
#include "core/trace.h"
#include <dirent.h>
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

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

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

/* The key of a certificate in MY: in its own file, or beside it under the same name with .key. Only noted: it is read when it is needed. */
static SECURITY_STATUS key_note(struct certificate *certificate, const char *path, bool key_inside)
{
    char beside[PATH_MAX];
    if (key_inside)
        return certificate_key_place(certificate, path);
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    size_t stem = dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - path) : strlen(path);
    if (stem + sizeof ".key" > sizeof beside)
        return SEC_E_OK;
    (void)snprintf(beside, sizeof beside, "%.*s.key", (int)stem, path);
    return is_there(beside) ? certificate_key_place(certificate, beside) : SEC_E_OK;
}

static SECURITY_STATUS store_pour_lists(struct store *to, const struct store *file)
{
    for (size_t i = 0; i < file->n_crls; i++)
        try(store_add_crl(to, file->crls[i]->crl, CERT_STORE_ADD_ALWAYS, NULL));
    return SEC_E_OK;
}

/* What a file's own store has goes into the others'. `first` is the file's first certificate, and becomes the one that stands there for it, or NULL, as in struct contents. */
static SECURITY_STATUS store_pour(struct store *to, const struct store *file, struct certificate **first)
{
    const struct certificate *first_of_file = *first;
    *first = NULL;
    for (size_t i = 0; i < file->n_certificates; i++) {
        AUTO_CERTIFICATE struct certificate *there = NULL;
        bool is_first = file->certificates[i] == first_of_file;
        X509 *x509 = file->certificates[i]->x509;
        try(store_add(to, x509, NULL, CERT_STORE_ADD_USE_EXISTING, is_first ? &there : NULL));
        if (is_first && X509_cmp(there->x509, x509) == 0)
            *first = there; /* the store holds it */
    }
    return store_pour_lists(to, file);
}

/* Of a damaged file only the revocation lists before the damage go into the store: they were signed each for itself, and without them somebody revoked would pass. The
 * status is the damage's still. `failed`: nobody knows what is in it. */
static SECURITY_STATUS one_file(struct store *store, const char *path, bool keys, bool *failed)
{
    uint8_t *data = NULL;
    size_t len = 0;
    struct contents contents;
    try(file_read_one(path, &data, &len, failed));
    struct store *whole = store_new(); /* nobody else has it */
    SECURITY_STATUS status =
        whole == NULL ? SEC_E_INSUFFICIENT_MEMORY : contents_read(path, slice_of(data, len), whole, &contents);
    file_wipe(data, len);
    if (status == SEC_E_OK)
        status = store_pour(store, whole, &contents.first);
    else if (status == CRYPT_E_BAD_ENCODE && store_pour_lists(store, whole) != SEC_E_OK)
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (whole != NULL)
        (void)live_user_drop(whole, LIVE_STORE);
    /* Several files may have one certificate: the first that has a key for it counts. */
    if (status == SEC_E_OK && keys && contents.first != NULL && !certificate_has_key(contents.first))
        status = key_note(contents.first, path, contents.n_keys > 0);
    return status;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A file of a directory that holds nothing of use is passed over: keys lie there, notes, what other programs need, and is not for us; a damaged one too, but for its
 * lists. One that the system fails to read is not: it may be the list that revokes somebody. */
static SECURITY_STATUS directory_file(struct store *store, const char *file, bool keys)
{
    struct stat what;
    bool failed = false;
    if (stat(file, &what) != 0) {
        require(file_error_answers(errno),
                cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be examined: %s", file, strerror(errno)));
        return SEC_E_OK;
    }
    if (!S_ISREG(what.st_mode))
        return SEC_E_OK;
    SECURITY_STATUS status = one_file(store, file, keys, &failed);
    if (status == SEC_E_OK || status == SEC_E_INSUFFICIENT_MEMORY || failed)
        return status;
    TRACE("certificates", "%s: passed over", file);
    cause_drop();
    return SEC_E_OK;
}

static SECURITY_STATUS directory_read(struct store *store, const char *path, bool keys)
{
    struct dirent **names = NULL;
    int n_names = scandir(path, &names, NULL, by_name);
    require(n_names >= 0, cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be read: %s", path, strerror(errno)));
    SECURITY_STATUS status = SEC_E_OK;
    for (int i = 0; i < n_names; i++) {
        char file[PATH_MAX];
        int len = snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (status == SEC_E_OK && names[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof file)
            status = directory_file(store, file, keys);
        free(names[i]);
    }
    free(names);
    return status;
}

static SECURITY_STATUS path_read(struct store *store, const char *path, bool wanted, bool keys)
{
    struct stat what;
    bool failed;
    if (path[0] == '\0' || stat(path, &what) != 0) {
        require(path[0] == '\0' || file_error_answers(errno),
                cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be examined: %s", path, strerror(errno)));
        require(!wanted, cause_set(CRYPT_E_FILE_ERROR, "%s: is configured for certificates, and is not there", path));
        return SEC_E_OK;
    }
    return S_ISDIR(what.st_mode) ? directory_read(store, path, keys) : one_file(store, path, keys, &failed);
}

/* The roots, kept from one handshake to the next until the process ends: OpenSSL is gone before our destructors run. */
static struct {
    pthread_mutex_t lock;
    char path[PATH_MAX];
    struct stat status;
    STACK_OF(X509) * roots;
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

FORK_GUARD(cache.lock, FORK_RANK_CONFIG)

static bool cache_fits(const char *path, const struct stat *now)
{
    return cache.roots != NULL && strcmp(cache.path, path) == 0 && cache.status.st_dev == now->st_dev &&
           cache.status.st_ino == now->st_ino && cache.status.st_size == now->st_size &&
           cache.status.st_mtim.tv_sec == now->st_mtim.tv_sec && cache.status.st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static SECURITY_STATUS stack_append(STACK_OF(X509) * to, STACK_OF(X509) * from)
{
    for (int i = 0; i < sk_X509_num(from); i++) {
        require(sk_X509_push(to, sk_X509_value(from, i)) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(sk_X509_value(from, i));
    }
    return SEC_E_OK;
}

static SECURITY_STATUS roots_read(const char *path, bool wanted, STACK_OF(X509) * roots)
{
    struct store *store = store_new();
    require(store != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = path_read(store, path, wanted, false);
    if (status == SEC_E_OK)
        status = store_collect(store, roots, NULL);
    (void)live_user_drop(store, LIVE_STORE);
    return status;
}

SECURITY_STATUS system_roots(STACK_OF(X509) * roots)
{
    AS_PROCESS_SCOPE; /* whom the process trusts is not for the client to say, of whom the thread has the rights */
    char path[PATH_MAX];
    bool wanted;
    struct stat now;
    try(path_of("ROOT", false, path, &wanted));
    bool there = stat(path, &now) == 0;
    pthread_mutex_lock(&cache.lock);
    bool fits = there && cache_fits(path, &now);
    SECURITY_STATUS status = fits ? stack_append(roots, cache.roots) : SEC_E_OK;
    pthread_mutex_unlock(&cache.lock);
    if (fits)
        return status;
    AUTO_OPENSSL(x509s) STACK_OF(X509) *fresh = sk_X509_new_null();
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(roots_read(path, wanted, fresh));
    try(stack_append(roots, fresh));
    if (!there)
        return SEC_E_OK;
    pthread_mutex_lock(&cache.lock);
    STACK_OF(X509) *old = cache.roots;
    cache.roots = fresh;
    cache.status = now;
    (void)snprintf(cache.path, sizeof cache.path, "%s", path);
    pthread_mutex_unlock(&cache.lock);
    fresh = old; /* released */
    return SEC_E_OK;
}

SECURITY_STATUS system_intermediates(STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists)
{
    struct store *store;
    try(system_store_open("CA", false, &store));
    SECURITY_STATUS status = store_collect(store, certificates, lists);
    (void)live_user_drop(store, LIVE_STORE);
    return status;
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
    SECURITY_STATUS status =
        strcasecmp(name, "ROOT") == 0 ? roots_into(made) : path_read(made, path, wanted, strcasecmp(name, "MY") == 0);
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
