#include "base/result.h"
#include "certificates/chain.h"
#include "certificates/internal.h"
#include "certificates/store.h"
#include "certificates/usage.h"
#include "core/cause.h"

/* CertFindChainInStore: certificates whose chain comes from one of some issuers. */

#define ISSUERS_MAX 4096

/* The longer form of the parameters, which a caller has who defined CERT_CHAIN_FIND_BY_ISSUER_PARA_HAS_EXTRA_FIELDS. */
struct wanted_longer {
    CERT_CHAIN_FIND_BY_ISSUER_PARA wanted;
    DWORD *chain_index, *element_index;
};

static void place_tell(const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted, DWORD element)
{
    const struct wanted_longer *longer = (const struct wanted_longer *)(const void *)wanted;
    if (wanted->cbSize != sizeof *longer)
        return;
    if (longer->chain_index != NULL)
        *longer->chain_index = 0;
    if (longer->element_index != NULL)
        *longer->element_index = element;
}

static bool is_wanted(PCCERT_CONTEXT context, const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted, DWORD flags)
{
    struct certificate *certificate = (struct certificate *)(uintptr_t)context;
    if (wanted->pszUsageIdentifier != NULL && !usage_allowed(certificate->x509, wanted->pszUsageIdentifier, true))
        return false;
    if ((flags & CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG) != 0)
        return true;
    /* A key is compared with its certificate whenever it is read. */
    EVP_PKEY *key = certificate_key(certificate);
    EVP_PKEY_free(key);
    return key != NULL;
}

/* Which element is issued by one of the names; -1: none. Without names the first. */
static LONG element_find(const CERT_SIMPLE_CHAIN *chain, const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted)
{
    if (wanted->cIssuer == 0)
        return 0;
    for (DWORD e = 0; e < chain->cElement; e++) {
        const CERT_NAME_BLOB *issuer = &chain->rgpElement[e]->pCertContext->pCertInfo->Issuer;
        for (DWORD i = 0; i < wanted->cIssuer; i++)
            if (slice_equal(slice_of(issuer->pbData, issuer->cbData),
                            slice_of(wanted->rgIssuer[i].pbData, wanted->rgIssuer[i].cbData)))
                return (LONG)e;
    }
    return -1;
}

/* SEC_E_OK with `chain` NULL: this certificate is not one. */
static SECURITY_STATUS chain_try(HCERTSTORE store, PCCERT_CONTEXT context, DWORD flags,
                                 const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted, PCCERT_CHAIN_CONTEXT *chain)
{
    bool machine = (flags & CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG) != 0;
    bool cached = (flags & CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG) != 0;
    PCCERT_CHAIN_CONTEXT built;
    *chain = NULL;
    if (!is_wanted(context, wanted, flags))
        return SEC_E_OK;
    try(chain_get(machine ? HCCE_LOCAL_MACHINE : HCCE_CURRENT_USER, context, 0, cached ? NULL : store, NULL, 0,
                  &built));
    LONG element = element_find(built->rgpChain[0], wanted);
    if (element < 0 || (wanted->pfnFindCallback != NULL && !wanted->pfnFindCallback(context, wanted->pvFindArg))) {
        (void)live_user_drop(built, LIVE_CHAIN);
        return SEC_E_OK;
    }
    place_tell(wanted, (DWORD)element);
    *chain = built;
    return SEC_E_OK;
}

static SECURITY_STATUS wanted_check(const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted, DWORD flags)
{
    const DWORD known = CERT_CHAIN_FIND_BY_ISSUER_COMPARE_KEY_FLAG | CERT_CHAIN_FIND_BY_ISSUER_COMPLEX_CHAIN_FLAG |
                        CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG | CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_URL_FLAG |
                        CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG | CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG;
    require((flags & ~known) == 0, cause_set(E_INVALIDARG, "there are no flags 0x%x", flags));
    require(wanted != NULL && (wanted->cbSize == sizeof *wanted || wanted->cbSize == sizeof(struct wanted_longer)),
            cause_set(E_INVALIDARG, "CERT_CHAIN_FIND_BY_ISSUER_PARA is missing, or has another cbSize"));
    require(wanted->cIssuer <= ISSUERS_MAX && (wanted->cIssuer == 0 || wanted->rgIssuer != NULL),
            cause_set(E_INVALIDARG, "more than %d issuers, or none where some were announced", ISSUERS_MAX));
    return SEC_E_OK;
}

SECURITY_STATUS chain_find(HCERTSTORE store, DWORD flags, const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted,
                           PCCERT_CHAIN_CONTEXT previous, PCCERT_CHAIN_CONTEXT *chain)
{
    const struct store_search any = {.type = CERT_FIND_ANY};
    PCCERT_CONTEXT at = previous != NULL ? previous->rgpChain[0]->rgpElement[0]->pCertContext : NULL, next = NULL;
    bool ours = false; /* the previous chain's context is not */
    *chain = NULL;
    SECURITY_STATUS status = wanted_check(wanted, flags);
    while (status == SEC_E_OK && *chain == NULL) {
        status = store_certificate_find(store, &any, at, &next);
        if (ours)
            (void)live_user_drop(at, LIVE_CERTIFICATE);
        if (status != SEC_E_OK)
            return status;
        at = next;
        ours = true;
        status = chain_try(store, at, flags, wanted, chain);
    }
    if (ours)
        (void)live_user_drop(at, LIVE_CERTIFICATE);
    return status;
}
