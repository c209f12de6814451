#include "base/memory.h"
#include "base/utf16.h"
#include "certificates/context.h"
#include "certificates/internal.h"
#include "certificates/keys.h"
#include "certificates/openssl.h"
#include "certificates/property_values.h"
#include "core/as_process.h"
#include "core/cause.h"
#include <string.h>

static const struct property *find(const struct certificate *certificate, DWORD id)
{
    const struct property *at = certificate->properties;
    while (at != NULL && at->id < id)
        at = at->next;
    return at != NULL && at->id == id ? at : NULL;
}

/* Replaces or (NULL) deletes; takes `property` over. */
static void put(struct certificate *certificate, DWORD id, struct property *property)
{
    struct property **link = &certificate->properties;
    while (*link != NULL && (*link)->id < id)
        link = &(*link)->next;
    struct property *old = *link;
    if (old != NULL && old->id == id)
        *link = old->next;
    else
        old = NULL;
    if (property != NULL) {
        property->id = id;
        property->next = *link;
        *link = property;
    }
    mem_free(old);
}

static struct property *property_new(const void *data, size_t len)
{
    require(len <= PROPERTY_MAX, NULL);
    struct property *property = mem_zalloc(sizeof *property + len);
    require(property != NULL, NULL);
    property->len = (DWORD)len;
    if (data != NULL && len > 0)
        memcpy(property->data, data, len);
    return property;
}

static void key_let_go(struct certificate *certificate)
{
    if (certificate->key != NULL)
        live_unhold(certificate->key);
    certificate->key = NULL;
    certificate->key_was_read = false;
}

/* Under the lock: sets or (NULL) deletes where the key is. One that was read from another place is no longer the certificate's. */
static void place_put(struct certificate *certificate, struct property *property)
{
    put(certificate, CERT_KEY_PROV_INFO_PROP_ID, property);
    certificate->place_number++;
    if (certificate->key_was_read)
        key_let_go(certificate);
}

void certificate_properties_release(struct certificate *certificate)
{
    while (certificate->properties != NULL)
        put(certificate, certificate->properties->id, NULL);
    key_let_go(certificate);
}

static void key_destroy(void *object)
{
    EVP_PKEY_free(((struct key *)object)->pkey);
}

static bool is_pair(const struct certificate *certificate, const EVP_PKEY *pkey)
{
    OPENSSL_QUIET;
    EVP_PKEY *theirs = X509_get0_pubkey(certificate->x509);
    return theirs != NULL && EVP_PKEY_eq(theirs, pkey) == 1;
}

static SECURITY_STATUS no_pair(void)
{
    return cause_set(NTE_BAD_PUBLIC_KEY, "the private key is not the certificate's");
}

/* A key, held; NTE_BAD_PUBLIC_KEY when it is not the certificate's. */
static SECURITY_STATUS key_make(const struct certificate *certificate, EVP_PKEY *pkey, struct key **made)
{
    require(is_pair(certificate, pkey), no_pair());
    struct key *key = live_alloc(LIVE_KEY, sizeof *key, key_destroy);
    require(key != NULL, SEC_E_INSUFFICIENT_MEMORY);
    EVP_PKEY_up_ref(pkey);
    key->pkey = pkey;
    (void)live_hold(key, LIVE_KEY);
    (void)live_user_drop(key, LIVE_KEY);
    *made = key;
    return SEC_E_OK;
}

SECURITY_STATUS certificate_key_set(struct certificate *certificate, EVP_PKEY *pkey)
{
    struct key *key;
    try(key_make(certificate, pkey, &key));
    pthread_mutex_lock(&certificate->lock);
    key_let_go(certificate);
    certificate->key = key;
    pthread_mutex_unlock(&certificate->lock);
    return SEC_E_OK;
}

/* Keeps a key that was read, unless there is one or another place by now. */
static SECURITY_STATUS key_keep(struct certificate *certificate, EVP_PKEY *pkey, unsigned place_number)
{
    struct key *key;
    try(key_make(certificate, pkey, &key));
    pthread_mutex_lock(&certificate->lock);
    bool kept = certificate->key == NULL && certificate->place_number == place_number;
    if (kept) {
        certificate->key = key;
        certificate->key_was_read = true;
    }
    pthread_mutex_unlock(&certificate->lock);
    if (!kept)
        live_unhold(key);
    return SEC_E_OK;
}

/* Where CERT_KEY_PROV_INFO_PROP_ID says the key is, and who said it; NULL when it does not. */
static SECURITY_STATUS place_of_key(struct certificate *certificate, char **place, bool *of_process, unsigned *number)
{
    pthread_mutex_lock(&certificate->lock);
    *number = certificate->place_number;
    const struct property *property = find(certificate, CERT_KEY_PROV_INFO_PROP_ID);
    SECURITY_STATUS status = SEC_E_OK;
    *place = NULL;
    if (property != NULL) {
        *of_process = property->of_process;
        const CRYPT_KEY_PROV_INFO *info = (const CRYPT_KEY_PROV_INFO *)(const void *)property->data;
        const uint16_t *units = (const uint16_t *)info->pwszContainerName;
        if (units != NULL && utf16_to_text(units, utf16_units(units), place) != WIRE_OK)
            status = cause_set(NTE_BAD_KEYSET, "CRYPT_KEY_PROV_INFO names no file and no pkcs11: URI of a key");
    }
    pthread_mutex_unlock(&certificate->lock);
    return status;
}

/* A place that the caller named is opened with the rights of his thread. */
static SECURITY_STATUS key_read(const char *place, bool of_process, EVP_PKEY **pkey)
{
    if (!of_process)
        return key_open(place, NULL, pkey);
    AS_PROCESS_SCOPE;
    return key_open(place, NULL, pkey);
}

/* What was read is good for whoever asked while that place was named, also when another one is by now. */
SECURITY_STATUS certificate_key_get(struct certificate *certificate, EVP_PKEY **pkey)
{
    AUTO_FREE char *place = NULL;
    AUTO_OPENSSL(pkey) EVP_PKEY *found = NULL;
    bool of_process = false;
    unsigned number = 0;
    pthread_mutex_lock(&certificate->lock);
    if (certificate->key != NULL && EVP_PKEY_up_ref(certificate->key->pkey) == 1)
        found = certificate->key->pkey;
    pthread_mutex_unlock(&certificate->lock);
    if (found == NULL) {
        try(place_of_key(certificate, &place, &of_process, &number));
        require(place != NULL, cause_set(CRYPT_E_NO_KEY_PROPERTY, "the certificate has no private key"));
        try(key_read(place, of_process, &found));
        try(key_keep(certificate, found, number));
    }
    *pkey = STEAL(found);
    return SEC_E_OK;
}

bool certificate_has_key(struct certificate *certificate)
{
    pthread_mutex_lock(&certificate->lock);
    bool has = certificate->key != NULL || find(certificate, CERT_KEY_PROV_INFO_PROP_ID) != NULL;
    pthread_mutex_unlock(&certificate->lock);
    return has;
}

bool certificate_is_archived(struct certificate *certificate)
{
    pthread_mutex_lock(&certificate->lock);
    bool is = find(certificate, CERT_ARCHIVED_PROP_ID) != NULL;
    pthread_mutex_unlock(&certificate->lock);
    return is;
}

static SECURITY_STATUS prov_info_set(struct certificate *certificate, const CRYPT_KEY_PROV_INFO *info, bool of_process)
{
    size_t len = prov_info_size(info);
    require(len != 0, cause_set(E_INVALIDARG, "CRYPT_KEY_PROV_INFO is larger than it can be"));
    struct property *property = property_new(NULL, len);
    require(property != NULL, SEC_E_INSUFFICIENT_MEMORY);
    prov_info_pack(info, property->data);
    property->of_process = of_process;
    pthread_mutex_lock(&certificate->lock);
    place_put(certificate, property);
    pthread_mutex_unlock(&certificate->lock);
    return SEC_E_OK;
}

SECURITY_STATUS certificate_key_place(struct certificate *certificate, const char *place)
{
    static const WCHAR provider[] = {'O', 'p', 'e', 'n', 'S', 'S', 'L', 0};
    AUTO_FREE uint16_t *units = NULL;
    require(utf16_from_text(place, &units, NULL) == WIRE_OK,
            cause_set(CRYPT_E_FILE_ERROR, "the path of a key is not valid UTF-8"));
    CRYPT_KEY_PROV_INFO info = {
        .pwszContainerName = (LPWSTR)units, .pwszProvName = (LPWSTR)(uintptr_t)provider, .dwKeySpec = AT_KEYEXCHANGE};
    return prov_info_set(certificate, &info, true);
}

/* The handle's key, held. */
static SECURITY_STATUS handle_take(ULONG_PTR handle, struct key **key)
{
    require(live_hold((const void *)handle, LIVE_KEY), cause_set(E_INVALIDARG, "this is not a key handle"));
    *key = (struct key *)handle;
    return SEC_E_OK;
}

static SECURITY_STATUS handle_set(struct certificate *certificate, ULONG_PTR handle, DWORD flags)
{
    struct key *key;
    try(handle_take(handle, &key));
    if (!is_pair(certificate, key->pkey)) {
        live_unhold(key);
        return no_pair();
    }
    pthread_mutex_lock(&certificate->lock);
    key_let_go(certificate);
    certificate->key = key;
    pthread_mutex_unlock(&certificate->lock);
    if ((flags & CERT_STORE_NO_CRYPT_RELEASE_FLAG) == 0)
        (void)live_user_drop(key, LIVE_KEY); /* it is the context's now */
    return SEC_E_OK;
}

static SECURITY_STATUS stored_set(struct certificate *certificate, DWORD id, const void *data, size_t len)
{
    struct property *property = property_new(data, len);
    require(property != NULL,
            len > PROPERTY_MAX ? cause_set(E_INVALIDARG, "a property of more than 1 MiB") : SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_lock(&certificate->lock);
    put(certificate, id, property);
    pthread_mutex_unlock(&certificate->lock);
    return SEC_E_OK;
}

SECURITY_STATUS certificate_property_text(struct certificate *certificate, DWORD id, const char *utf8)
{
    AUTO_FREE uint16_t *units = NULL;
    size_t n_units;
    require(utf16_from_text(utf8, &units, &n_units) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return stored_set(certificate, id, units, (n_units + 1) * sizeof *units);
}

static void property_delete(struct certificate *certificate, DWORD id)
{
    pthread_mutex_lock(&certificate->lock);
    if (property_is_key(id))
        key_let_go(certificate);
    else if (id == CERT_KEY_PROV_INFO_PROP_ID)
        place_put(certificate, NULL);
    else
        put(certificate, id, NULL);
    pthread_mutex_unlock(&certificate->lock);
}

static SECURITY_STATUS property_change(struct certificate *certificate, DWORD id, DWORD flags, const void *data)
{
    require(id != 0 && id <= CERT_LAST_USER_PROP_ID && !property_is_computed(id),
            cause_set(E_INVALIDARG, "property %u cannot be set", id));
    if (data == NULL) {
        property_delete(certificate, id);
        return SEC_E_OK;
    }
    const CERT_KEY_CONTEXT *key_context = data;
    const CRYPT_DATA_BLOB *blob = data;
    switch (id) {
    case CERT_KEY_PROV_INFO_PROP_ID:
        return prov_info_set(certificate, data, false);
    case CERT_KEY_CONTEXT_PROP_ID:
        require(key_context->cbSize == sizeof *key_context,
                cause_set(E_INVALIDARG, "CERT_KEY_CONTEXT.cbSize is %u", key_context->cbSize));
        return handle_set(certificate, key_context->hNCryptKey, flags);
    case CERT_KEY_PROV_HANDLE_PROP_ID:
    case CERT_NCRYPT_KEY_HANDLE_PROP_ID:
    case CERT_HCRYPTPROV_OR_NCRYPT_KEY_HANDLE_PROP_ID:
        return handle_set(certificate, (ULONG_PTR)data, flags);
    case CERT_KEY_SPEC_PROP_ID:
        return stored_set(certificate, id, data, sizeof(DWORD));
    default:
        require(blob->pbData != NULL || blob->cbData == 0, cause_set(E_INVALIDARG, "a property without its bytes"));
        return stored_set(certificate, id, blob->pbData, blob->cbData);
    }
}

/* A caller's context, held; only one of ours will do, since what is set on a passing copy is lost. */
static SECURITY_STATUS context_take(PCCERT_CONTEXT context, struct certificate **certificate)
{
    require(live_hold(context, LIVE_CERTIFICATE),
            cause_set(E_INVALIDARG, "this is not, or no longer, a certificate context of this library"));
    *certificate = (struct certificate *)(uintptr_t)context;
    return SEC_E_OK;
}

SECURITY_STATUS property_set(PCCERT_CONTEXT context, DWORD id, DWORD flags, const void *data)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    try(context_take(context, &certificate));
    return property_change(certificate, id, flags, data);
}

static bool same_public_key(const struct certificate *a, const struct certificate *b)
{
    OPENSSL_QUIET;
    const EVP_PKEY *key = X509_get0_pubkey(b->x509);
    return a->x509 == b->x509 || (key != NULL && is_pair(a, key));
}

/* Under the lock: copies of all properties, but those that tell of a key only `with_key`. False when there is no memory. */
static bool properties_take(const struct certificate *from, bool with_key, struct property **copies)
{
    struct property **end = copies;
    for (const struct property *at = from->properties; at != NULL; at = at->next) {
        if (!with_key && (at->id == CERT_KEY_PROV_INFO_PROP_ID || at->id == CERT_KEY_SPEC_PROP_ID))
            continue;
        struct property *copy = property_new(at->data, at->len);
        require(copy != NULL, false);
        copy->id = at->id;
        copy->of_process = at->of_process;
        if (at->id == CERT_KEY_PROV_INFO_PROP_ID) /* its pointers go to the copy */
            prov_info_pack((const CRYPT_KEY_PROV_INFO *)(const void *)at->data, copy->data);
        *end = copy;
        end = &copy->next;
    }
    return true;
}

/* Under the lock: takes the copies over, or (not `whole`) frees them. */
static void properties_give(struct certificate *to, struct property *copies, bool whole, bool keep)
{
    while (copies != NULL) {
        struct property *copy = copies;
        copies = copy->next;
        if (!whole || (keep && find(to, copy->id) != NULL))
            mem_free(copy);
        else if (copy->id == CERT_KEY_PROV_INFO_PROP_ID)
            place_put(to, copy);
        else
            put(to, copy->id, copy);
    }
}

SECURITY_STATUS certificate_properties_copy(struct certificate *to, struct certificate *from, bool keep)
{
    struct property *copies = NULL;
    struct key *key = NULL;
    bool with_key = same_public_key(to, from);
    pthread_mutex_lock(&from->lock);
    bool whole = properties_take(from, with_key, &copies);
    /* One that was read is read again, from the place that was copied: by whoever asks, with his rights. */
    if (whole && with_key && !from->key_was_read && from->key != NULL && live_hold(from->key, LIVE_KEY))
        key = from->key;
    pthread_mutex_unlock(&from->lock);
    pthread_mutex_lock(&to->lock);
    properties_give(to, copies, whole, keep);
    if (key != NULL && (to->key == NULL || !keep)) {
        key_let_go(to);
        to->key = key;
        key = NULL;
    }
    pthread_mutex_unlock(&to->lock);
    if (key != NULL)
        live_unhold(key);
    return whole ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Hands bytes to the caller by the rules of a size query. */
static SECURITY_STATUS give(const void *bytes, size_t len, void *data, DWORD *room)
{
    DWORD had = *room;
    *room = (DWORD)len;
    if (data == NULL)
        return SEC_E_OK;
    require(had >= len, ERROR_MORE_DATA);
    if (len > 0)
        memcpy(data, bytes, len);
    return SEC_E_OK;
}

#define HANDLE_TRIES \
    8 /* another thread names another place each time: that is its fault, and not to hold this one up */

static SECURITY_STATUS key_give(struct certificate *certificate, DWORD id, void *data, DWORD *len)
{
    ULONG_PTR handle = 0;
    require(certificate_has_key(certificate), CRYPT_E_NOT_FOUND);
    for (int i = 0; i < HANDLE_TRIES && handle == 0; i++) {
        AUTO_OPENSSL(pkey) EVP_PKEY *pkey = NULL;
        try(certificate_key_get(certificate, &pkey));
        pthread_mutex_lock(&certificate->lock);
        handle = (ULONG_PTR)certificate->key;
        pthread_mutex_unlock(&certificate->lock);
    }
    require(handle != 0, CRYPT_E_NOT_FOUND);
    if (id != CERT_KEY_CONTEXT_PROP_ID)
        return give(&handle, sizeof handle, data, len);
    CERT_KEY_CONTEXT context = {.cbSize = sizeof context, .dwKeySpec = CERT_NCRYPT_KEY_SPEC};
    context.hNCryptKey = handle;
    return give(&context, sizeof context, data, len);
}

static SECURITY_STATUS stored_give(struct certificate *certificate, DWORD id, void *data, DWORD *len)
{
    pthread_mutex_lock(&certificate->lock);
    const struct property *property = find(certificate, id);
    SECURITY_STATUS status = CRYPT_E_NOT_FOUND;
    if (property != NULL) {
        status = give(property->data, property->len, data, len);
        if (status == SEC_E_OK && data != NULL && id == CERT_KEY_PROV_INFO_PROP_ID)
            prov_info_pack((const CRYPT_KEY_PROV_INFO *)(const void *)property->data, data);
    }
    pthread_mutex_unlock(&certificate->lock);
    return status;
}

SECURITY_STATUS certificate_property_bytes(struct certificate *certificate, DWORD id, uint8_t **data, size_t *len)
{
    pthread_mutex_lock(&certificate->lock);
    const struct property *property = find(certificate, id);
    uint8_t *copy = property == NULL ? NULL : mem_dup(property->data, property->len);
    size_t copy_len = property == NULL ? 0 : property->len;
    bool is_there = property != NULL;
    pthread_mutex_unlock(&certificate->lock);
    if (!is_there)
        return property_compute(certificate, id, data, len);
    require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *data = copy;
    *len = copy_len;
    return SEC_E_OK;
}

SECURITY_STATUS property_get(PCCERT_CONTEXT context, DWORD id, void *data, DWORD *len)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    AUTO_FREE uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    require(len != NULL, cause_set(E_INVALIDARG, "no place for the size was given"));
    try(context_take(context, &certificate));
    if (property_is_key(id))
        return key_give(certificate, id, data, len);
    SECURITY_STATUS status = stored_give(certificate, id, data, len);
    if (status != CRYPT_E_NOT_FOUND)
        return status;
    try(property_compute(certificate, id, &bytes, &n_bytes));
    return give(bytes, n_bytes, data, len);
}

DWORD property_next(PCCERT_CONTEXT context, DWORD id)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    if (context_take(context, &certificate) != SEC_E_OK)
        return 0;
    pthread_mutex_lock(&certificate->lock);
    const struct property *at = certificate->properties;
    while (at != NULL && at->id <= id)
        at = at->next;
    DWORD next = at == NULL ? 0 : at->id;
    bool has_key = certificate->key != NULL;
    pthread_mutex_unlock(&certificate->lock);
    static const DWORD always[] = {CERT_SHA1_HASH_PROP_ID, CERT_KEY_CONTEXT_PROP_ID, CERT_ACCESS_STATE_PROP_ID,
                                   CERT_KEY_IDENTIFIER_PROP_ID, CERT_SHA256_HASH_PROP_ID};
    for (size_t i = 0; i < COUNT_OF(always); i++)
        if (always[i] > id && (next == 0 || always[i] < next) && (always[i] != CERT_KEY_CONTEXT_PROP_ID || has_key))
            next = always[i];
    return next;
}

SECURITY_STATUS property_key_handle(PCCERT_CONTEXT context, HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *handle)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    DWORD len = sizeof *handle;
    try(context_take(context, &certificate));
    SECURITY_STATUS status = key_give(certificate, CERT_NCRYPT_KEY_HANDLE_PROP_ID, handle, &len);
    return status == CRYPT_E_NOT_FOUND ? cause_set(CRYPT_E_NO_KEY_PROPERTY, "the certificate has no private key")
                                       : status;
}
