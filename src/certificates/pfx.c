/*
 * PFX files (RFC 7292). They are opened in an OpenSSL library context of our own, which has the legacy provider for RC2 and RC4: the host's default
 * context never learns of it. What comes out is encoded and parsed again, so that it belongs to the default context.
 */
#include "base/memory.h"
#include "certificates/files.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "core/cause.h"
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdatomic.h>

#define PFX_MAX ((size_t)16 << 20) /* bytes: some keys and chains */
/* Of hashing a password, for one part and for a whole file: seconds, and half a minute. Nobody needs more, and a hostile file could ask for it. */
#define ROUNDS_MAX 5000000
#define ROUNDS_OF_ALL_MAX 50000000
#define PFX_DEPTH_MAX 4      /* bags within bags */
#define PFX_KEYS_MAX 64      /* private keys of one file */
#define PFX_ENTRIES_MAX 1000 /* certificates and keys */

OPENSSL_AUTO(PKCS12, pkcs12, PKCS12_free)
OPENSSL_AUTO(PKCS8_PRIV_KEY_INFO, pkcs8, PKCS8_PRIV_KEY_INFO_free)

static atomic_bool has_legacy;

static OSSL_LIB_CTX *own_get(void)
{
    static const struct openssl_provider usual = {"default", NULL};
    static _Atomic(void *) kept;
    return openssl_context(&kept, &usual);
}

/* For PFX files of an old kind. That it is not there is no failure: others can be read without it. */
static SECURITY_STATUS legacy_load(OSSL_LIB_CTX *context)
{
    if (atomic_load(&has_legacy))
        return SEC_E_OK;
    if (OSSL_PROVIDER_load(context, "legacy") != NULL)
        atomic_store(&has_legacy, true);
    else if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE)
        return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

static SECURITY_STATUS pfx_parse(struct slice bytes, PKCS12 **pkcs12)
{
    require(bytes.data != NULL && bytes.len > 0 && bytes.len <= PFX_MAX,
            cause_set(CRYPT_E_BAD_ENCODE, "no PFX, or one of more than 16 MiB"));
    OSSL_LIB_CTX *context = own_get();
    require(context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(legacy_load(context));
    PKCS12 *parsed = PKCS12_init_ex(NID_pkcs7_data, context, NULL);
    require(parsed != NULL, SEC_E_INSUFFICIENT_MEMORY);
    const unsigned char *at = bytes.data;
    if (d2i_PKCS12(&parsed, &at, (long)bytes.len) == NULL || at != bytes.data + bytes.len) {
        PKCS12_free(parsed); /* a failing d2i has freed it and left NULL */
        return cause_set(CRYPT_E_BAD_ENCODE, "these bytes are not one PFX");
    }
    *pkcs12 = parsed;
    return SEC_E_OK;
}

bool pfx_is(struct slice pfx)
{
    OPENSSL_QUIET;
    AUTO_OPENSSL(pkcs12) PKCS12 *pkcs12 = NULL;
    return pfx_parse(pfx, &pkcs12) == SEC_E_OK;
}

static SECURITY_STATUS too_many_rounds(void)
{
    return cause_set(CRYPT_E_BAD_ENCODE, "the PFX wants its password hashed more than %d times, or %d in all",
                     ROUNDS_MAX, ROUNDS_OF_ALL_MAX);
}

static int64_t rounds_of(const ASN1_INTEGER *rounds)
{
    int64_t n_rounds = 0;
    return ASN1_INTEGER_get_int64(&n_rounds, rounds) == 1 && n_rounds > 0 ? n_rounds : INT64_MAX;
}

/* The rounds that an encryption by password asks for (RFC 8018 A.2, A.3; RFC 7292 C); 0 where there are none to be read: the decryption will refuse
 * it. Other derivations (scrypt) do not count in rounds: too many. */
static int64_t algorithm_rounds(const X509_ALGOR *algorithm)
{
    int64_t n_rounds = 0;
    if (OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
        PBEPARAM *plain = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
        n_rounds = plain != NULL ? rounds_of(plain->iter) : 0;
        PBEPARAM_free(plain);
        return n_rounds;
    }
    PBE2PARAM *scheme = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    if (scheme != NULL && OBJ_obj2nid(scheme->keyfunc->algorithm) == NID_id_pbkdf2) {
        PBKDF2PARAM *derivation = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), scheme->keyfunc->parameter);
        n_rounds = derivation != NULL ? rounds_of(derivation->iter) : 0;
        PBKDF2PARAM_free(derivation);
    } else if (scheme != NULL)
        n_rounds = INT64_MAX;
    PBE2PARAM_free(scheme);
    return n_rounds;
}

/* Finds out which password it is: the given one; where none or an empty one was given, whichever of these two fits. */
static SECURITY_STATUS mac_check(PKCS12 *pkcs12, const char **password)
{
    const ASN1_INTEGER *iterations = NULL;
    const X509_ALGOR *how = NULL;
    require(PKCS12_mac_present(pkcs12) == 1, cause_set(CRYPT_E_BAD_ENCODE, "the PFX has no checksum by password"));
    PKCS12_get0_mac(NULL, &how, NULL, &iterations, pkcs12);
    /* PBMAC1 (RFC 9579) has rounds of its own, which `iterations` does not tell. */
    require(how != NULL && EVP_get_digestbyobj(how->algorithm) != NULL,
            cause_set(CRYPT_E_BAD_ENCODE, "the PFX has a checksum by password of a kind not known"));
    require(iterations == NULL || rounds_of(iterations) <= ROUNDS_MAX, too_many_rounds());
    bool empty = *password == NULL || **password == '\0';
    if (!empty && PKCS12_verify_mac(pkcs12, *password, -1) == 1)
        return SEC_E_OK;
    if (empty && PKCS12_verify_mac(pkcs12, NULL, 0) == 1) {
        *password = NULL;
        return SEC_E_OK;
    }
    if (empty && PKCS12_verify_mac(pkcs12, "", 0) == 1) {
        *password = "";
        return SEC_E_OK;
    }
    return cause_set(ERROR_INVALID_PASSWORD, "the PFX has another password");
}

SECURITY_STATUS pfx_password_check(struct slice pfx, const char *password)
{
    OPENSSL_QUIET;
    AUTO_OPENSSL(pkcs12) PKCS12 *pkcs12 = NULL;
    try(pfx_parse(pfx, &pkcs12));
    return mac_check(pkcs12, &password);
}

/* What is being unpacked. */
struct unpacking {
    const char *password;
    struct store *store;
    EVP_PKEY *keys[PFX_KEYS_MAX];
    unsigned n_keys;
    bool only_certificates;
    unsigned n_entries;
    int64_t n_rounds; /* of all that was decrypted, or is to be */
};

static SECURITY_STATUS rounds_take(struct unpacking *unpacking, int64_t n_rounds)
{
    require(n_rounds <= ROUNDS_MAX && n_rounds <= ROUNDS_OF_ALL_MAX - unpacking->n_rounds, too_many_rounds());
    unpacking->n_rounds += n_rounds;
    return SEC_E_OK;
}

static SECURITY_STATUS cannot_decrypt(void)
{
    if (atomic_load(&has_legacy))
        return cause_set(CRYPT_E_BAD_ENCODE, "the PFX is damaged, or encrypted by an algorithm that is not known");
    try(legacy_load(own_get()));
    require(!atomic_load(&has_legacy), SEC_E_INSUFFICIENT_MEMORY); /* it is there: a moment ago there was none for it */
    return cause_set(ERROR_NOT_SUPPORTED, "the PFX cannot be decrypted; if it is of an old kind, OpenSSL's legacy "
                                          "provider is needed and not installed");
}

/* Reading a key of DSA or DH computes its public half, modulo a number as long as the file likes: minutes. Nothing here signs with one. */
static bool kind_is_known(const PKCS8_PRIV_KEY_INFO *info)
{
    static const int kinds[] = {EVP_PKEY_RSA, EVP_PKEY_RSA_PSS, EVP_PKEY_EC, EVP_PKEY_ED25519, EVP_PKEY_ED448};
    const ASN1_OBJECT *algorithm = NULL;
    if (PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) != 1)
        return false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (OBJ_obj2nid(algorithm) == kinds[i])
            return true;
    return false;
}

/* From our own library context into the default one. */
static SECURITY_STATUS key_move(const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **pkey)
{
    unsigned char *der = NULL;
    require(kind_is_known(info), cause_set(CRYPT_E_BAD_ENCODE, "a private key in the PFX is of no known kind"));
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    require(len > 0, SEC_E_INSUFFICIENT_MEMORY);
    const unsigned char *at = der;
    *pkey = d2i_AutoPrivateKey(NULL, &at, len);
    OPENSSL_clear_free(der, (size_t)len);
    return *pkey != NULL ? SEC_E_OK : cause_set(CRYPT_E_BAD_ENCODE, "a private key in the PFX is of no known kind");
}

static SECURITY_STATUS key_unpack(const PKCS8_PRIV_KEY_INFO *info, struct unpacking *unpacking)
{
    require(unpacking->n_keys < PFX_KEYS_MAX,
            cause_set(CRYPT_E_BAD_ENCODE, "more than %d private keys in one PFX", PFX_KEYS_MAX));
    try(key_move(info, &unpacking->keys[unpacking->n_keys]));
    unpacking->n_keys++;
    return SEC_E_OK;
}

static SECURITY_STATUS x509_unpack(PKCS12_SAFEBAG *bag, struct unpacking *unpacking)
{
    AUTO_OPENSSL(x509) X509 *theirs = PKCS12_SAFEBAG_get1_cert(bag);
    AUTO_OPENSSL(x509) X509 *x509 = NULL;
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    unsigned char *der = NULL;
    int len = theirs == NULL ? 0 : i2d_X509(theirs, &der);
    AUTO_OPENSSL(block) unsigned char *owner = der;
    require(len > 0, cause_set(CRYPT_E_BAD_ENCODE, "a certificate in the PFX is damaged"));
    require(x509_parse(slice_of(der, (size_t)len), &x509) == SEC_E_OK, CRYPT_E_BAD_ENCODE);
    try(store_add(unpacking->store, x509, NULL, CERT_STORE_ADD_USE_EXISTING, &certificate));
    char *name = PKCS12_get_friendlyname(bag);
    SECURITY_STATUS status = name == NULL || *name == '\0'
                                 ? SEC_E_OK
                                 : certificate_property_text(certificate, CERT_FRIENDLY_NAME_PROP_ID, name);
    OPENSSL_free(name);
    return status;
}

static SECURITY_STATUS crl_unpack(PKCS12_SAFEBAG *bag, struct unpacking *unpacking)
{
    AUTO_OPENSSL(crl) X509_CRL *crl = PKCS12_SAFEBAG_get1_crl(bag);
    require(crl != NULL, cause_set(CRYPT_E_BAD_ENCODE, "a revocation list in the PFX is damaged"));
    return store_add_crl(unpacking->store, crl, CERT_STORE_ADD_ALWAYS, NULL);
}

static SECURITY_STATUS bags_unpack(const STACK_OF(PKCS12_SAFEBAG) * bags, struct unpacking *unpacking, unsigned depth);

static SECURITY_STATUS bag_unpack(PKCS12_SAFEBAG *bag, struct unpacking *unpacking, unsigned depth)
{
    require(++unpacking->n_entries <= PFX_ENTRIES_MAX, cause_set(CRYPT_E_BAD_ENCODE, "the PFX holds too much"));
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return unpacking->only_certificates ? SEC_E_OK : key_unpack(PKCS12_SAFEBAG_get0_p8inf(bag), unpacking);
    case NID_pkcs8ShroudedKeyBag: {
        if (unpacking->only_certificates)
            return SEC_E_OK;
        const char *password = unpacking->password;
        const X509_ALGOR *algorithm = NULL;
        X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, NULL);
        try(rounds_take(unpacking, algorithm_rounds(algorithm)));
        AUTO_OPENSSL(pkcs8) PKCS8_PRIV_KEY_INFO *info = PKCS12_decrypt_skey_ex(bag, password, -1, own_get(), NULL);
        return info == NULL ? cannot_decrypt() : key_unpack(info, unpacking);
    }
    case NID_certBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate ? x509_unpack(bag, unpacking) : SEC_E_OK;
    case NID_crlBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Crl ? crl_unpack(bag, unpacking) : SEC_E_OK;
    case NID_safeContentsBag:
        return bags_unpack(PKCS12_SAFEBAG_get0_safes(bag), unpacking, depth + 1);
    default:
        return SEC_E_OK; /* secrets of other kinds */
    }
}

static SECURITY_STATUS bags_unpack(const STACK_OF(PKCS12_SAFEBAG) * bags, struct unpacking *unpacking, unsigned depth)
{
    require(depth <= PFX_DEPTH_MAX, cause_set(CRYPT_E_BAD_ENCODE, "bags within bags in the PFX go too deep"));
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++)
        try(bag_unpack(sk_PKCS12_SAFEBAG_value(bags, i), unpacking, depth));
    return SEC_E_OK;
}

static SECURITY_STATUS safe_unpack(PKCS7 *safe, struct unpacking *unpacking)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    if (PKCS7_type_is_data(safe))
        bags = PKCS12_unpack_p7data(safe);
    else if (PKCS7_type_is_encrypted(safe))
        bags = PKCS12_unpack_p7encdata(safe, unpacking->password, -1);
    else
        return SEC_E_OK;
    require(bags != NULL, cannot_decrypt());
    SECURITY_STATUS status = bags_unpack(bags, unpacking, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return status;
}

/* Each key goes to the certificates that have its public half. */
static SECURITY_STATUS keys_give(struct unpacking *unpacking)
{
    struct store *store = unpacking->store;
    for (unsigned i = 0; i < unpacking->n_keys; i++)
        for (size_t k = 0; k < store->n_certificates; k++) { /* nobody else has the store yet */
            EVP_PKEY *key = unpacking->keys[i];
            EVP_PKEY *theirs = X509_get0_pubkey(store->certificates[k]->x509);
            if (theirs != NULL && EVP_PKEY_eq(theirs, key) == 1)
                try(certificate_key_set(store->certificates[k], key));
        }
    return SEC_E_OK;
}

/* Before the first is decrypted. */
static SECURITY_STATUS safes_take(const STACK_OF(PKCS7) * safes, struct unpacking *unpacking)
{
    for (int i = 0; i < sk_PKCS7_num(safes); i++) {
        const PKCS7 *safe = sk_PKCS7_value(safes, i);
        if (PKCS7_type_is_encrypted(safe))
            try(rounds_take(unpacking, algorithm_rounds(safe->d.encrypted->enc_data->algorithm)));
    }
    return SEC_E_OK;
}

static SECURITY_STATUS pfx_unpack(PKCS12 *pkcs12, struct unpacking *unpacking)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(pkcs12);
    require(safes != NULL, cause_set(CRYPT_E_BAD_ENCODE, "the PFX is damaged"));
    SECURITY_STATUS status = safes_take(safes, unpacking);
    for (int i = 0; status == SEC_E_OK && i < sk_PKCS7_num(safes); i++)
        status = safe_unpack(sk_PKCS7_value(safes, i), unpacking);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return status == SEC_E_OK ? keys_give(unpacking) : status;
}

SECURITY_STATUS store_open_pfx(struct slice pfx, const char *password, DWORD flags, HCERTSTORE *handle)
{
    OPENSSL_QUIET;
    AUTO_OPENSSL(pkcs12) PKCS12 *pkcs12 = NULL;
    try(pfx_parse(pfx, &pkcs12));
    try(mac_check(pkcs12, &password));
    struct unpacking unpacking = {
        .password = password, .store = store_new(), .only_certificates = (flags & PKCS12_ONLY_CERTIFICATES) != 0};
    SECURITY_STATUS status = unpacking.store == NULL ? SEC_E_INSUFFICIENT_MEMORY : pfx_unpack(pkcs12, &unpacking);
    for (unsigned i = 0; i < unpacking.n_keys; i++)
        EVP_PKEY_free(unpacking.keys[i]);
    if (status == SEC_E_OK)
        *handle = unpacking.store;
    else if (unpacking.store != NULL)
        (void)live_user_drop(unpacking.store, LIVE_STORE);
    return status;
}
