#include "certificates/system_read.h"

#include "certificates/files.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include "core/trace.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
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

/* What a file's own store has goes into the others'. `first` is the file's first certificate, and becomes the one that stands there for it, or NULL,
 * as in struct contents. */
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

/* `contents->first` becomes the store's. */
static SECURITY_STATUS into_store(struct store *store, const char *path, struct slice bytes, struct contents *contents)
{
    struct store *whole = store_new(); /* nobody else has it */
    require(whole != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = contents_read(path, bytes, whole, contents);
    if (status == SEC_E_OK)
        status = store_pour(store, whole, &contents->first);
    else if (status == CRYPT_E_BAD_ENCODE && store_pour_lists(store, whole) != SEC_E_OK)
        status = SEC_E_INSUFFICIENT_MEMORY;
    (void)live_user_drop(whole, LIVE_STORE);
    return status;
}

/* One of several that are the same (bundles repeat what lies beside them) is enough, the first, as in a store. */
static bool has_same(const STACK_OF(X509) * certificates, const X509 *x509)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (X509_issuer_and_serial_cmp(sk_X509_value(certificates, i), x509) == 0)
            return true;
    return false;
}

static SECURITY_STATUS lists_append(STACK_OF(X509_CRL) * to, STACK_OF(X509_CRL) * from)
{
    for (int i = 0; to != NULL && i < sk_X509_CRL_num(from); i++) {
        try(store_room((size_t)sk_X509_CRL_num(to)));
        require(sk_X509_CRL_push(to, sk_X509_CRL_value(from, i)) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_CRL_up_ref(sk_X509_CRL_value(from, i));
    }
    return SEC_E_OK;
}

static SECURITY_STATUS onto_stacks(const struct pour *to, const char *path, struct slice bytes)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *certificates = sk_X509_new_null();
    AUTO_OPENSSL(crls) STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    require(certificates != NULL && lists != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = contents_collect(path, bytes, certificates, lists);
    for (int i = 0; status == SEC_E_OK && i < sk_X509_num(certificates); i++) {
        X509 *x509 = sk_X509_value(certificates, i);
        if (has_same(to->certificates, x509))
            continue;
        try(store_room((size_t)sk_X509_num(to->certificates)));
        require(sk_X509_push(to->certificates, x509) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(x509);
    }
    if (status == SEC_E_OK || status == CRYPT_E_BAD_ENCODE)
        try(lists_append(to->lists, lists));
    return status;
}

/* Of a damaged file only the revocation lists before the damage count: they were signed each for itself, and without them somebody revoked would
 * pass. The status is the damage's still. `failed`: nobody knows what is in it. */
static SECURITY_STATUS one_file(const struct pour *to, const char *path, bool *failed)
{
    uint8_t *data = NULL;
    size_t len = 0;
    struct contents contents = {0};
    try(file_read_one(path, &data, &len, failed));
    struct slice bytes = slice_of(data, len);
    SECURITY_STATUS status =
        to->store != NULL ? into_store(to->store, path, bytes, &contents) : onto_stacks(to, path, bytes);
    file_wipe(data, len);
    /* Several files may have one certificate: the first that has a key for it counts. */
    if (status == SEC_E_OK && to->keys && contents.first != NULL && !certificate_has_key(contents.first))
        status = key_note(contents.first, path, contents.n_keys > 0);
    return status;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A file of a directory that holds nothing of use is passed over: keys lie there, notes, what other programs need, and is not for us; a damaged one
 * too, but for its lists. One that the system fails to read is not: it may be the list that revokes somebody. */
static SECURITY_STATUS directory_file(void *context, const char *file)
{
    const struct pour *to = context;
    struct stat what;
    bool failed = false;
    if (stat(file, &what) != 0) {
        require(file_error_answers(errno),
                cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be examined: %s", file, strerror(errno)));
        return SEC_E_OK;
    }
    if (!S_ISREG(what.st_mode))
        return SEC_E_OK;
    SECURITY_STATUS status = one_file(to, file, &failed);
    if (status == SEC_E_OK || status == SEC_E_INSUFFICIENT_MEMORY || failed)
        return status;
    TRACE("certificates", "%s: passed over", file);
    cause_drop();
    return SEC_E_OK;
}

SECURITY_STATUS system_directory_walk(const char *path, SECURITY_STATUS (*each)(void *context, const char *file),
                                      void *context)
{
    struct dirent **names = NULL;
    int n_names = scandir(path, &names, NULL, by_name);
    require(n_names >= 0, cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be read: %s", path, strerror(errno)));
    SECURITY_STATUS status = SEC_E_OK;
    for (int i = 0; i < n_names; i++) {
        char file[PATH_MAX];
        int len = snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (status == SEC_E_OK && names[i]->d_name[0] != '.' && len > 0 && (size_t)len < sizeof file)
            status = each(context, file);
        free(names[i]);
    }
    free(names);
    return status;
}

SECURITY_STATUS system_path_read(const char *path, bool wanted, struct pour *to)
{
    struct stat what;
    bool failed;
    if (path[0] == '\0' || stat(path, &what) != 0) {
        require(path[0] == '\0' || file_error_answers(errno),
                cause_set(CRYPT_E_FILE_ERROR, "%s: cannot be examined: %s", path, strerror(errno)));
        require(!wanted, cause_set(CRYPT_E_FILE_ERROR, "%s: is configured for certificates, and is not there", path));
        return SEC_E_OK;
    }
    return S_ISDIR(what.st_mode) ? system_directory_walk(path, directory_file, to) : one_file(to, path, &failed);
}
