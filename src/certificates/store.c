#include "certificates/store.h"

#include "base/memory.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "core/cause.h"
#include <string.h>

#define STORE_MAX 20000 /* certificates, and lists, of one store: bounds what a hostile file can ask for */

static void store_destroy(void *object)
{
    struct store *store = object;
    for (size_t i = 0; i < store->n_certificates; i++)
        live_unkeep(store->certificates[i]);
    for (size_t i = 0; i < store->n_crls; i++)
        live_unkeep(store->crls[i]);
    mem_free(store->certificates);
    mem_free(store->crls);
    pthread_mutex_destroy(&store->lock);
}

struct store *store_new(void)
{
    struct store *store = live_alloc(LIVE_STORE, sizeof *store, store_destroy);
    require(store != NULL, NULL);
    pthread_mutex_init(&store->lock, NULL);
    store->next_order = 1;
    return store;
}

SECURITY_STATUS store_open_memory(HCERTSTORE *handle)
{
    struct store *store = store_new();
    require(store != NULL, SEC_E_INSUFFICIENT_MEMORY);
    *handle = store;
    return SEC_E_OK;
}

SECURITY_STATUS store_take(HCERTSTORE store)
{
    require(live_hold(store, LIVE_STORE),
            cause_set(SEC_E_INVALID_HANDLE, "this is not, or no longer, a certificate store of this library"));
    return SEC_E_OK;
}

void store_put(HCERTSTORE store)
{
    live_unhold(store);
}

static void store_cleanup(struct store **store)
{
    live_unhold(*store);
}
#define AUTO_STORE __attribute__((cleanup(store_cleanup)))

static SECURITY_STATUS handle_take(HCERTSTORE handle, struct store **store)
{
    require(store_take(handle) == SEC_E_OK, E_INVALIDARG);
    *store = handle;
    return SEC_E_OK;
}

void store_enumerate_archived(HCERTSTORE handle)
{
    struct store *store = handle; /* nobody else has it yet */
    store->enumerates_archived = true;
}

SECURITY_STATUS store_make_read_only(HCERTSTORE handle)
{
    AUTO_STORE struct store *store = NULL;
    try(handle_take(handle, &store));
    pthread_mutex_lock(&store->lock);
    store->read_only = true;
    pthread_mutex_unlock(&store->lock);
    return SEC_E_OK;
}

/* Takes the callers' references to everything in the store away. Under the lock only holds are taken, since what dies must die outside it. */
static SECURITY_STATUS revoke_all(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    size_t n_objects = 0;
    const void **objects = mem_zalloc_array(store->n_certificates + store->n_crls + 1, sizeof *objects);
    for (size_t i = 0; objects != NULL && i < store->n_certificates; i++)
        objects[n_objects++] = store->certificates[i];
    for (size_t i = 0; objects != NULL && i < store->n_crls; i++)
        objects[n_objects++] = store->crls[i];
    for (size_t i = 0; i < n_objects; i++)
        (void)live_hold(objects[i], LIVE_ANY);
    pthread_mutex_unlock(&store->lock);
    require(objects != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < n_objects; i++) {
        live_revoke(objects[i]);
        live_unhold(objects[i]);
    }
    mem_free(objects);
    return SEC_E_OK;
}

SECURITY_STATUS store_close(HCERTSTORE handle, DWORD flags)
{
    AUTO_STORE struct store *store = NULL;
    require((flags & ~(DWORD)(CERT_CLOSE_STORE_FORCE_FLAG | CERT_CLOSE_STORE_CHECK_FLAG)) == 0,
            cause_set(E_INVALIDARG, "CertCloseStore knows no flags 0x%x", flags));
    try(handle_take(handle, &store));
    require(live_user_drop(store, LIVE_STORE), cause_set(E_INVALIDARG, "the store was closed before"));
    if ((flags & CERT_CLOSE_STORE_FORCE_FLAG) != 0) {
        try(revoke_all(store));
        live_revoke(store);
    }
    bool pending = live_holds(store) > 1; /* one is ours */
    require((flags & CERT_CLOSE_STORE_CHECK_FLAG) == 0 || !pending,
            cause_set(CRYPT_E_PENDING_CLOSE, "contexts of the store are still held"));
    return SEC_E_OK;
}

SECURITY_STATUS store_room(size_t n)
{
    require(n < STORE_MAX, cause_set(CRYPT_E_FILE_ERROR, "more than %d entries in one store", STORE_MAX));
    return SEC_E_OK;
}

SECURITY_STATUS store_grow(void *list, size_t n, size_t *max)
{
    void *longer;
    if (n < *max)
        return SEC_E_OK;
    try(store_room(n));
    size_t room = *max == 0 ? 8 : *max * 2;
    memcpy(&longer, list, sizeof longer);
    longer = mem_realloc(longer, room * sizeof(void *));
    require(longer != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(list, &longer, sizeof longer);
    *max = room;
    return SEC_E_OK;
}

static struct certificate *same_certificate(const struct store *store, const X509 *x509)
{
    for (size_t i = 0; i < store->n_certificates; i++)
        if (X509_issuer_and_serial_cmp(store->certificates[i]->x509, x509) == 0)
            return store->certificates[i];
    return NULL;
}

enum meeting store_meet(DWORD disposition, bool newer)
{
    switch (disposition) {
    case CERT_STORE_ADD_USE_EXISTING:
        return MEET_USE;
    case CERT_STORE_ADD_REPLACE_EXISTING:
    case CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES:
        return MEET_REPLACE;
    case CERT_STORE_ADD_NEWER:
    case CERT_STORE_ADD_NEWER_INHERIT_PROPERTIES:
        return newer ? MEET_REPLACE : MEET_REFUSE;
    default:
        return MEET_REFUSE;
    }
}

static bool inherits(DWORD disposition)
{
    return disposition == CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES ||
           disposition == CERT_STORE_ADD_NEWER_INHERIT_PROPERTIES;
}

SECURITY_STATUS store_disposition_check(DWORD disposition)
{
    require(disposition >= CERT_STORE_ADD_NEW && disposition <= CERT_STORE_ADD_NEWER_INHERIT_PROPERTIES,
            cause_set(E_INVALIDARG, "there is no disposition %u", disposition));
    return SEC_E_OK;
}

static SECURITY_STATUS exists(void)
{
    return cause_set(CRYPT_E_EXISTS, "the store has one of this issuer and number already");
}

static void unlink_certificate(struct store *store, const struct certificate *certificate)
{
    for (size_t i = 0; i < store->n_certificates; i++)
        if (store->certificates[i] == certificate) {
            memmove(&store->certificates[i], &store->certificates[i + 1],
                    (--store->n_certificates - i) * sizeof(struct certificate *));
            return;
        }
}

/* Under the store's lock. `*gone` receives what was replaced, to be let go outside it; `made` is in the store afterwards unless `*existing` was used.
 * */
static SECURITY_STATUS add_locked(struct store *store, struct certificate *made, DWORD disposition,
                                  struct certificate **existing, struct certificate **gone)
{
    struct certificate *same = disposition == CERT_STORE_ADD_ALWAYS ? NULL : same_certificate(store, made->x509);
    if (same != NULL) {
        bool newer = ASN1_TIME_compare(X509_get0_notBefore(made->x509), X509_get0_notBefore(same->x509)) > 0;
        switch (store_meet(disposition, newer)) {
        case MEET_REFUSE:
            return exists();
        case MEET_USE:
            (void)live_hold(same, LIVE_CERTIFICATE);
            *existing = same;
            return SEC_E_OK;
        case MEET_REPLACE:
            break;
        }
    }
    try(store_grow(&store->certificates, store->n_certificates, &store->max_certificates));
    if (same != NULL) {
        unlink_certificate(store, same);
        *gone = same;
    }
    made->order = store->next_order++;
    made->context.hCertStore = store;
    live_keep(made, store);
    store->certificates[store->n_certificates++] = made;
    return SEC_E_OK;
}

SECURITY_STATUS store_add(struct store *store, X509 *x509, struct certificate *properties_of, DWORD disposition,
                          struct certificate **to)
{
    struct certificate *made = NULL, *existing = NULL, *gone = NULL;
    try(certificate_new(x509, X509_ASN_ENCODING, &made));
    SECURITY_STATUS status = properties_of == NULL ? SEC_E_OK : certificate_properties_copy(made, properties_of, false);
    if (status == SEC_E_OK) {
        pthread_mutex_lock(&store->lock);
        status = add_locked(store, made, disposition, &existing, &gone);
        pthread_mutex_unlock(&store->lock);
    }
    if (gone != NULL && inherits(disposition))
        status = certificate_properties_copy(made, gone, true);
    if (existing != NULL && properties_of != NULL)
        status = certificate_properties_copy(existing, properties_of, true);
    if (gone != NULL)
        live_unkeep(gone);
    struct certificate *result = existing != NULL ? existing : made;
    if (status == SEC_E_OK && to != NULL)
        *to = certificate_retain(result);
    if (existing != NULL)
        certificate_put(existing);
    (void)live_user_drop(made, LIVE_CERTIFICATE); /* in the store it lives on */
    return status;
}

SECURITY_STATUS store_certificate_add(HCERTSTORE handle, PCCERT_CONTEXT context, DWORD disposition,
                                      PCCERT_CONTEXT *added)
{
    AUTO_STORE struct store *store = NULL;
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    struct certificate *made = NULL;
    try(store_disposition_check(disposition));
    require(context != NULL, cause_set(E_INVALIDARG, "a certificate context is missing"));
    SECURITY_STATUS status = certificate_take(context, &certificate);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : E_INVALIDARG);
    if (handle == NULL) { /* documented: only a copy is made */
        try(certificate_new(certificate->x509, context->dwCertEncodingType, &made));
        status = certificate_properties_copy(made, certificate, false);
        if (status == SEC_E_OK && added != NULL)
            *added = &made->context;
        else
            (void)live_user_drop(made, LIVE_CERTIFICATE);
        return status;
    }
    try(handle_take(handle, &store));
    require(!store->read_only, cause_set(E_ACCESSDENIED, "the store is read only"));
    try(store_add(store, certificate->x509, certificate, disposition, added == NULL ? NULL : &made));
    if (added != NULL)
        *added = certificate_context(made);
    return SEC_E_OK;
}

SECURITY_STATUS store_certificate_delete(PCCERT_CONTEXT context)
{
    AUTO_CERTIFICATE struct certificate *certificate = NULL;
    require(live_hold(context, LIVE_CERTIFICATE),
            cause_set(E_INVALIDARG, "this is not, or no longer, a certificate context of this library"));
    certificate = (struct certificate *)(uintptr_t)context;
    struct store *store = certificate->context.hCertStore;
    if (store == NULL)
        return SEC_E_OK;
    require(!store->read_only, cause_set(E_ACCESSDENIED, "the store is read only"));
    pthread_mutex_lock(&store->lock);
    size_t before = store->n_certificates;
    unlink_certificate(store, certificate);
    bool was_there = store->n_certificates < before;
    pthread_mutex_unlock(&store->lock);
    if (was_there)
        live_unkeep(certificate);
    return SEC_E_OK;
}

SECURITY_STATUS store_collect(struct store *store, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists)
{
    SECURITY_STATUS status = SEC_E_OK;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; certificates != NULL && status == SEC_E_OK && i < store->n_certificates; i++) {
        X509 *x509 = store->certificates[i]->x509;
        if (sk_X509_push(certificates, x509) > 0)
            X509_up_ref(x509);
        else
            status = SEC_E_INSUFFICIENT_MEMORY;
    }
    for (size_t i = 0; lists != NULL && status == SEC_E_OK && i < store->n_crls; i++) {
        X509_CRL *crl = store->crls[i]->crl;
        if (sk_X509_CRL_push(lists, crl) > 0)
            X509_CRL_up_ref(crl);
        else
            status = SEC_E_INSUFFICIENT_MEMORY;
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

SECURITY_STATUS store_certificates(HCERTSTORE handle, STACK_OF(X509) * *certificates)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *stack = sk_X509_new_null();
    require(stack != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(store_take(handle));
    SECURITY_STATUS status = store_collect(handle, stack, NULL);
    store_put(handle);
    try(status);
    *certificates = STEAL(stack);
    return SEC_E_OK;
}
