#include "certificates/kept_provider.h"

#include "base/memory.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdatomic.h>
#include <string.h>

/* provider-keymgmt(7). All that is public of a key the default library context's EVP_PKEY answers. */

struct kept_key {
    atomic_uint n_references;
    int kind;                        /* EVP_PKEY_get_base_id */
    EVP_PKEY *public;                /* NULL: nothing was imported yet */
    const struct key_keeper *keeper; /* NULL: a public key only, which OpenSSL holds against another one */
    uint8_t hash[KEPT_KEY_HASH_LEN];
    char name[KEPT_KEY_NAME_MAX + 1];
};

static _Thread_local SECURITY_STATUS failed;

SECURITY_STATUS kept_key_failure(void)
{
    return failed;
}

void kept_key_failure_forget(void)
{
    failed = SEC_E_OK;
}

struct kept_key *kept_key_retain(struct kept_key *key)
{
    atomic_fetch_add_explicit(&key->n_references, 1, memory_order_relaxed);
    return key;
}

void kept_key_put(void *data)
{
    struct kept_key *key = data;
    if (key == NULL || atomic_fetch_sub_explicit(&key->n_references, 1, memory_order_acq_rel) != 1)
        return;
    EVP_PKEY_free(key->public);
    mem_free(key);
}

EVP_PKEY *kept_key_public(const struct kept_key *key)
{
    return key->public;
}

bool kept_key_sign(const struct kept_key *key, uint16_t scheme, struct slice data, struct writer *signature)
{
    failed = key->keeper != NULL ? key->keeper->sign(key->name, key->hash, scheme, data, signature)
                                 : cause_set(SEC_E_NO_CREDENTIALS, "only the public half of this key is here");
    return failed == SEC_E_OK;
}

static void *key_new(int kind)
{
    struct kept_key *key = mem_zalloc(sizeof *key);
    require(key != NULL, NULL);
    atomic_init(&key->n_references, 1);
    key->kind = kind;
    return key;
}

static int key_has(const void *data, int selection)
{
    const struct kept_key *key = data;
    return key != NULL && key->public != NULL &&
           ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->keeper != NULL);
}

static int key_match(const void *one, const void *other, int selection)
{
    const struct kept_key *a = one, *b = other;
    OPENSSL_QUIET;
    return (selection & OSSL_KEYMGMT_SELECT_ALL) != 0 && a->public != NULL && b->public != NULL &&
           EVP_PKEY_eq(a->public, b->public) == 1;
}

static int key_get_params(void *data, OSSL_PARAM params[])
{
    const struct kept_key *key = data;
    return key->public != NULL && EVP_PKEY_get_params(key->public, params) == 1;
}

/* Those that every kind has; OpenSSL asks for others without looking here. */
static const OSSL_PARAM *key_gettable_params(void *provider)
{
    static const OSSL_PARAM params[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
                                        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
                                        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
                                        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0), OSSL_PARAM_END};
    (void)provider;
    return params;
}

static int source_take(struct kept_key *key, const struct kept_source *source)
{
    size_t len = strlen(source->name);
    require(len < sizeof key->name && EVP_PKEY_get_base_id(source->public) == key->kind &&
                EVP_PKEY_up_ref(source->public) == 1,
            0);
    memcpy(key->name, source->name, len + 1);
    memcpy(key->hash, source->hash, sizeof key->hash);
    key->public = source->public;
    key->keeper = source->keeper;
    return 1;
}

/* A key of ours, or the public half of another provider's, which is to be held against one of ours. */
static int key_import(void *data, int selection, const OSSL_PARAM params[])
{
    struct kept_key *key = data;
    const OSSL_PARAM *given = OSSL_PARAM_locate_const(params, KEPT_PARAM_SOURCE);
    const void *source = NULL;
    size_t len = 0;
    require(key->public == NULL, 0);
    if (given != NULL)
        return OSSL_PARAM_get_octet_ptr(given, &source, &len) == 1 && len == sizeof(struct kept_source)
                   ? source_take(key, source)
                   : 0;
    OPENSSL_QUIET;
    AUTO_OPENSSL(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(key->kind, NULL);
    OSSL_PARAM *theirs = (OSSL_PARAM *)(uintptr_t)params;
    return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
           EVP_PKEY_fromdata(ctx, &key->public, EVP_PKEY_PUBLIC_KEY, theirs) == 1;
}

static int key_export(void *data, int selection, OSSL_CALLBACK *take, void *whose)
{
    const struct kept_key *key = data;
    require(key->public != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0, 0);
    return EVP_PKEY_export(key->public, selection, take, whose);
}

static const OSSL_PARAM *key_types(int selection)
{
    static const OSSL_PARAM types[] = {OSSL_PARAM_octet_ptr(KEPT_PARAM_SOURCE, NULL, 0), OSSL_PARAM_END};
    (void)selection;
    return types;
}

static const char *key_operation_rsa(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL;
}

static const char *key_operation_ec(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define KIND(name, kind)                                                          \
    static void *name##_new(void *provider)                                       \
    {                                                                             \
        (void)provider;                                                           \
        return key_new(kind);                                                     \
    }                                                                             \
    static const OSSL_DISPATCH name##_functions[] = {                             \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_NEW, name##_new),                         \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_FREE, kept_key_put),                      \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),                            \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_MATCH, key_match),                        \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params),              \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable_params),    \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                      \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),                 \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                      \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),                 \
        KEPT_FUNCTION(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, name##_operations), \
        {0, NULL},                                                                \
    };

#define rsa_operations key_operation_rsa
#define rsa_pss_operations key_operation_rsa
#define ec_operations key_operation_ec
#define ed25519_operations NULL /* the key's own name */
#define ed448_operations NULL
KIND(rsa, EVP_PKEY_RSA)
KIND(rsa_pss, EVP_PKEY_RSA_PSS)
KIND(ec, EVP_PKEY_EC)
KIND(ed25519, EVP_PKEY_ED25519)
KIND(ed448, EVP_PKEY_ED448)

/* Names and object identifiers under which OpenSSL's own providers have these kinds (RFC 3279, 4055, 5480, 8410). */
const OSSL_ALGORITHM kept_keys[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "", rsa_functions, NULL},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "", rsa_pss_functions, NULL},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "", ec_functions, NULL},
    {"ED25519:1.3.101.112", "", ed25519_functions, NULL},
    {"ED448:1.3.101.113", "", ed448_functions, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_store)
{
    (void)provider;
    *no_store = 0;
    return operation == OSSL_OP_KEYMGMT ? kept_keys : operation == OSSL_OP_SIGNATURE ? kept_signatures : NULL;
}

int kept_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                       void **provider)
{
    static const OSSL_DISPATCH functions[] = {
        KEPT_FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query),
        {0, NULL},
    };
    (void)in;
    *out = functions;
    *provider = (void *)(uintptr_t)handle; /* OpenSSL takes NULL for a failure of some calls */
    return 1;
}
