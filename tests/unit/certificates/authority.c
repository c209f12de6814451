#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/certificates/authority.h"

#include "certificates/live.h"
#include <dirent.h>
#include <limits.h>
#include <openssl/conf.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (value == NULL)
        return;
    CONF *empty = NCONF_new(NULL); /* certificate policies are not read without one */
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509V3_set_nconf(&context, empty);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    NCONF_free(empty);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void extend_unknown(X509 *x509, const char *oid)
{
    if (oid == NULL)
        return;
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    assert_non_null(object);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(data, (const unsigned char *)"\x05\x00", 2);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, data);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(object);
}

struct pki make_identity(const struct order *order)
{
    static long serial = 1000;
    struct pki pair = {.x509 = X509_new()};
    pair.key = order->rsa_bits > 0 ? EVP_RSA_gen((unsigned)order->rsa_bits) : EVP_EC_gen("P-256");
    assert_non_null(pair.key);
    X509 *x509 = pair.x509, *issuer = order->issuer == NULL ? x509 : order->issuer->x509;
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), order->serial != 0 ? order->serial : ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509), (order->from_days != 0 ? order->from_days : -1) * 86400);
    X509_gmtime_adj(X509_getm_notAfter(x509), (order->to_days != 0 ? order->to_days : 365) * 86400);
    X509_NAME *name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Tests, Inc.", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)order->name, -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    X509_set_pubkey(x509, pair.key);
    const char *constraints = order->authority ? "critical,CA:TRUE" : NULL;
    extend(x509, issuer, NID_basic_constraints, order->constraints != NULL ? order->constraints : constraints);
    extend(x509, issuer, NID_key_usage,
           order->key_usage != NULL ? order->key_usage : (order->authority ? "keyCertSign,cRLSign" : NULL));
    extend(x509, issuer, NID_subject_key_identifier, "hash");
    extend(x509, issuer, NID_authority_key_identifier, order->issuer != NULL ? "keyid:always" : NULL);
    extend(x509, issuer, NID_subject_alt_name, order->alternatives);
    extend(x509, issuer, NID_ext_key_usage, order->usage);
    extend(x509, issuer, NID_name_constraints, order->name_constraints);
    extend(x509, issuer, NID_crl_distribution_points, order->distribution);
    extend(x509, issuer, NID_certificate_policies, order->policies);
    extend(x509, issuer, NID_policy_constraints, order->policy_constraints);
    extend_unknown(x509, order->critical);
    EVP_PKEY *signer = order->issuer == NULL ? pair.key : order->issuer->key;
    assert_true(X509_sign(x509, signer, order->digest != NULL ? order->digest : EVP_sha256()) > 0);
    return pair;
}

static struct pki root, middle, leaf;

static void hierarchy_free(void)
{
    pki_free(&root);
    pki_free(&middle);
    pki_free(&leaf);
}

static void hierarchy_make(void)
{
    if (root.x509 != NULL)
        return;
    root = make_identity(&(struct order){.name = "Root", .authority = true, .serial = 1, .to_days = 3650});
    middle = make_identity(&(struct order){.name = "Middle", .issuer = &root, .authority = true, .serial = 2});
    leaf = make_identity(&(struct order){.name = "server.example",
                                         .issuer = &middle,
                                         .serial = 3,
                                         .alternatives = "DNS:server.example,DNS:*.wild.example,IP:192.0.2.7,"
                                                         "email:boss@server.example,URI:https://server.example/",
                                         .usage = "serverAuth",
                                         .key_usage = "digitalSignature"});
    atexit(hierarchy_free);
}

const struct pki *the_root(void)
{
    hierarchy_make();
    return &root;
}

const struct pki *the_middle(void)
{
    hierarchy_make();
    return &middle;
}

const struct pki *the_leaf(void)
{
    hierarchy_make();
    return &leaf;
}

PCCERT_CONTEXT context_of(const X509 *x509)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    assert_true(len > 0);
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)len);
    OPENSSL_free(der);
    assert_non_null(context);
    return context;
}

void add_to(HCERTSTORE store, const X509 *x509)
{
    PCCERT_CONTEXT context = context_of(x509);
    assert_true(CertAddCertificateContextToStore(store, context, CERT_STORE_ADD_ALWAYS, NULL));
    assert_true(CertFreeCertificateContext(context));
}

void add_crl_to(HCERTSTORE store, X509_CRL *crl)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    assert_true(CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, (DWORD)len, CERT_STORE_ADD_ALWAYS, NULL));
    OPENSSL_free(der);
}

HCERTSTORE store_with(const X509 *a, const X509 *b)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    assert_non_null(store);
    if (a != NULL)
        add_to(store, a);
    if (b != NULL)
        add_to(store, b);
    return store;
}

/* Files. */

static char folder[PATH_MAX];

static void scratch_remove(void)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        closedir(directory);
    (void)rmdir(folder);
}

const char *scratch(void)
{
    if (folder[0] != '\0')
        return folder;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/opensspi-certificates-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(folder));
    atexit(scratch_remove);
    return folder;
}

static const char *scratch_path(const char *name)
{
    static char paths[8][PATH_MAX + 64];
    static unsigned at;
    char *path = paths[at++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch(), name);
    return path;
}

const char *scratch_file(const char *name, const void *data, size_t len)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fclose(file);
    return path;
}

const char *scratch_pem(const char *name, const X509 *const *x509s, size_t n_x509s, EVP_PKEY *key, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < n_x509s; i++)
        assert_int_equal(PEM_write_bio_X509(bio, (X509 *)(uintptr_t)x509s[i]), 1);
    if (key != NULL)
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, password == NULL ? NULL : EVP_aes_256_cbc(), password,
                                                       password == NULL ? 0 : (int)strlen(password), NULL, NULL),
                         1);
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    const char *path = scratch_file(name, data, (size_t)len);
    BIO_free(bio);
    return path;
}

int nothing_left(void **state)
{
    (void)state;
    return live_count() == 0 ? 0 : -1;
}

void configure(const char *text)
{
    const char *path = scratch_file("opensspi.conf", text, strlen(text));
    setenv("OPENSSPI_CONFIG", path, 1);
}
