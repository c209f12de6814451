#include "certificates/deltas.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "core/cause.h"
#include <string.h>

/* Same issuer and same scope, and base or delta. */
static bool same_list(const X509_CRL *a, const X509_CRL *b)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(a), X509_CRL_get_issuer(b)) == 0 && crl_is_delta(a) == crl_is_delta(b) &&
           crls_same_scope(a, b);
}

static size_t place_of(const struct store *store, const X509_CRL *list)
{
    size_t i = 0;
    while (i < store->n_crls && !same_list(store->crls[i]->crl, list))
        i++;
    return i;
}

static void unlink_at(struct store *store, size_t at)
{
    memmove(&store->crls[at], &store->crls[at + 1], (--store->n_crls - at) * sizeof(struct crl *));
}

static SECURITY_STATUS add_locked(struct store *store, struct crl *made, DWORD disposition, struct crl **existing,
                                  struct crl **gone)
{
    size_t at = disposition == CERT_STORE_ADD_ALWAYS ? store->n_crls : place_of(store, made->crl);
    if (at < store->n_crls) {
        struct crl *same = store->crls[at];
        bool newer = ASN1_TIME_compare(X509_CRL_get0_lastUpdate(made->crl), X509_CRL_get0_lastUpdate(same->crl)) > 0;
        switch (store_meet(disposition, newer)) {
        case MEET_REFUSE:
            return cause_set(CRYPT_E_EXISTS, "the store has a revocation list of this issuer already");
        case MEET_USE:
            (void)live_hold(same, LIVE_CRL);
            *existing = same;
            return SEC_E_OK;
        case MEET_REPLACE:
            break;
        }
    }
    try(store_grow(&store->crls, store->n_crls, &store->max_crls));
    if (at < store->n_crls) {
        *gone = store->crls[at];
        unlink_at(store, at);
    }
    made->order = store->next_order++;
    made->context.hCertStore = store;
    live_keep(made, store);
    store->crls[store->n_crls++] = made;
    return SEC_E_OK;
}

SECURITY_STATUS store_add_crl(struct store *store, X509_CRL *list, DWORD disposition, struct crl **to)
{
    struct crl *made = NULL, *existing = NULL, *gone = NULL;
    try(crl_new(list, X509_ASN_ENCODING, &made));
    pthread_mutex_lock(&store->lock);
    SECURITY_STATUS status = add_locked(store, made, disposition, &existing, &gone);
    pthread_mutex_unlock(&store->lock);
    if (gone != NULL)
        live_unkeep(gone);
    struct crl *result = existing != NULL ? existing : made;
    if (status == SEC_E_OK && to != NULL && live_hold(result, LIVE_CRL))
        *to = result;
    if (existing != NULL)
        live_unhold(existing);
    (void)live_user_drop(made, LIVE_CRL);
    return status;
}

SECURITY_STATUS store_crl_add(HCERTSTORE handle, PCCRL_CONTEXT context, DWORD disposition, PCCRL_CONTEXT *added)
{
    AUTO_OPENSSL(crl) X509_CRL *list = NULL;
    struct crl *made = NULL;
    try(store_disposition_check(disposition));
    require(live_hold(context, LIVE_CRL),
            cause_set(E_INVALIDARG, "this is not, or no longer, a revocation list of this library"));
    list = ((const struct crl *)(const void *)context)->crl;
    X509_CRL_up_ref(list);
    live_unhold(context);
    require(store_take(handle) == SEC_E_OK, E_INVALIDARG);
    struct store *store = handle;
    SECURITY_STATUS status = store->read_only ? cause_set(E_ACCESSDENIED, "the store is read only")
                                              : store_add_crl(store, list, disposition, added == NULL ? NULL : &made);
    store_put(handle);
    try(status);
    if (added != NULL) {
        live_hand_out(made);
        *added = &made->context;
    }
    return SEC_E_OK;
}

SECURITY_STATUS store_crl_delete(PCCRL_CONTEXT context)
{
    require(live_hold(context, LIVE_CRL),
            cause_set(E_INVALIDARG, "this is not, or no longer, a revocation list of this library"));
    const struct crl *crl = (const struct crl *)(const void *)context;
    struct store *store = crl->context.hCertStore;
    SECURITY_STATUS status = SEC_E_OK;
    bool was_there = false;
    if (store != NULL && store->read_only)
        status = cause_set(E_ACCESSDENIED, "the store is read only");
    else if (store != NULL) {
        pthread_mutex_lock(&store->lock);
        for (size_t i = 0; i < store->n_crls && !was_there; i++)
            if (store->crls[i] == crl) {
                unlink_at(store, i);
                was_there = true;
            }
        pthread_mutex_unlock(&store->lock);
    }
    if (was_there)
        live_unkeep(crl);
    live_unhold(crl);
    return status;
}

SECURITY_STATUS store_crl_next(HCERTSTORE handle, PCCRL_CONTEXT previous, PCCRL_CONTEXT *found)
{
    uint64_t after = 0;
    struct crl *next = NULL;
    if (previous != NULL) {
        require(live_hold(previous, LIVE_CRL),
                cause_set(E_INVALIDARG, "this is not, or no longer, a revocation list of this library"));
        const struct crl *crl = (const struct crl *)(const void *)previous;
        after = crl->order;
        bool ours = crl->context.hCertStore == handle;
        live_unhold(previous);
        require(ours, cause_set(E_INVALIDARG, "the previous revocation list is of another store"));
    }
    require(store_take(handle) == SEC_E_OK, E_INVALIDARG);
    struct store *store = handle;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->n_crls && next == NULL; i++)
        if (store->crls[i]->order > after && live_user_add(store->crls[i], LIVE_CRL))
            next = store->crls[i];
    pthread_mutex_unlock(&store->lock);
    store_put(handle);
    require(next != NULL, CRYPT_E_NOT_FOUND);
    *found = &next->context;
    return SEC_E_OK;
}
