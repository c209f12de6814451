#include "api/certificates.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/secret.h"
#include "certificates/context.h"
#include "certificates/live.h"
#include "certificates/store.h"
#include <string.h>
#include <strings.h>

/* Providers by number or by name. */
static uintptr_t provider_of(LPCSTR provider)
{
    static const struct {
        const char *name;
        LPCSTR provider;
    } names[] = {
        {sz_CERT_STORE_PROV_MEMORY, CERT_STORE_PROV_MEMORY},
        {sz_CERT_STORE_PROV_PKCS7, CERT_STORE_PROV_PKCS7},
        {sz_CERT_STORE_PROV_FILENAME_W, CERT_STORE_PROV_FILENAME_W},
        {sz_CERT_STORE_PROV_SYSTEM_W, CERT_STORE_PROV_SYSTEM_W},
    };
    if ((uintptr_t)provider <= 0xFFFF)
        return (uintptr_t)provider;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i].name, provider) == 0)
            return (uintptr_t)names[i].provider;
    return 0;
}

static SECURITY_STATUS text_of(const void *text, bool wide, char **utf8)
{
    require(text != NULL, argument_missing("pvPara"));
    return wide ? argument_text_w(text, utf8) : argument_text_a(text, utf8);
}

static SECURITY_STATUS file_open(const void *text, bool wide, HCERTSTORE *store)
{
    AUTO_FREE char *path = NULL;
    try(text_of(text, wide, &path));
    return store_open_file(path, store);
}

/* The current user's own certificates, whose keys prove who he is: a thread that impersonates is somebody else, of whom nothing is kept here. */
static bool is_of_somebody_else(const char *name, DWORD place)
{
    return place == CERT_SYSTEM_STORE_CURRENT_USER && name != NULL && strcasecmp(name, "MY") == 0 &&
           impersonation_current() != NULL;
}

static SECURITY_STATUS empty_open(HCERTSTORE *store)
{
    try(store_open_memory(store));
    return store_make_read_only(*store);
}

static SECURITY_STATUS system_open(const void *text, bool wide, DWORD place, HCERTSTORE *store)
{
    AUTO_FREE char *name = NULL;
    require(place == CERT_SYSTEM_STORE_CURRENT_USER || place == CERT_SYSTEM_STORE_LOCAL_MACHINE,
            cause_set(ERROR_FILE_NOT_FOUND, "system stores are CURRENT_USER's or LOCAL_MACHINE's, not 0x%x's", place));
    try(text_of(text, wide, &name));
    if (is_of_somebody_else(name, place))
        return empty_open(store);
    return store_open_system(name, place == CERT_SYSTEM_STORE_LOCAL_MACHINE, store);
}

static SECURITY_STATUS store_open(LPCSTR provider, DWORD flags, const void *parameter, HCERTSTORE *store)
{
    const CRYPT_DATA_BLOB *blob = parameter;
    DWORD place = flags & CERT_SYSTEM_STORE_LOCATION_MASK;
    switch (provider_of(provider)) {
    case (uintptr_t)CERT_STORE_PROV_MEMORY:
        return store_open_memory(store);
    case (uintptr_t)CERT_STORE_PROV_PKCS7:
        require(blob != NULL && blob->pbData != NULL, argument_missing("pvPara"));
        return store_open_pkcs7(slice_of(blob->pbData, blob->cbData), store);
    case (uintptr_t)CERT_STORE_PROV_FILENAME_A:
    case (uintptr_t)CERT_STORE_PROV_FILENAME_W:
        require((flags & CERT_FILE_STORE_COMMIT_ENABLE_FLAG) == 0,
                cause_set(ERROR_NOT_SUPPORTED, "stores are not written to files"));
        return file_open(parameter, provider != CERT_STORE_PROV_FILENAME_A, store);
    case (uintptr_t)CERT_STORE_PROV_SYSTEM_A:
    case (uintptr_t)CERT_STORE_PROV_SYSTEM_W:
        return system_open(parameter, provider != CERT_STORE_PROV_SYSTEM_A, place, store);
    default:
        return cause_set(ERROR_FILE_NOT_FOUND, "there is no store provider of this number or name");
    }
}

HCERTSTORE WINAPI CertOpenStore(LPCSTR lpszStoreProvider, DWORD dwEncodingType, HCRYPTPROV_LEGACY hCryptProv,
                                DWORD dwFlags, const void *pvPara)
{
    HCERTSTORE store = NULL;
    cause_clear();
    (void)dwEncodingType;
    (void)hCryptProv;
    /* A store in memory is always new. */
    DWORD refused = CERT_STORE_DELETE_FLAG;
    if (provider_of(lpszStoreProvider) != (uintptr_t)CERT_STORE_PROV_MEMORY)
        refused |= CERT_STORE_CREATE_NEW_FLAG;
    if ((dwFlags & refused) != 0) {
        (void)answer_status(cause_set(ERROR_NOT_SUPPORTED, "stores are neither deleted nor made on disk"));
        return NULL;
    }
    SECURITY_STATUS status = store_open(lpszStoreProvider, dwFlags, pvPara, &store);
    if (status == SEC_E_OK && (dwFlags & CERT_STORE_ENUM_ARCHIVED_FLAG) != 0)
        store_enumerate_archived(store);
    if (status == SEC_E_OK && (dwFlags & CERT_STORE_READONLY_FLAG) != 0)
        status = store_make_read_only(store);
    return ANSWER_POINTER(status, store);
}

HCERTSTORE WINAPI CertOpenSystemStoreW(HCRYPTPROV_LEGACY hProv, LPCWSTR szSubsystemProtocol)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, hProv, CERT_SYSTEM_STORE_CURRENT_USER, szSubsystemProtocol);
}

HCERTSTORE WINAPI CertOpenSystemStoreA(HCRYPTPROV_LEGACY hProv, LPCSTR szSubsystemProtocol)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_A, 0, hProv, CERT_SYSTEM_STORE_CURRENT_USER, szSubsystemProtocol);
}

HCERTSTORE WINAPI CertDuplicateStore(HCERTSTORE hCertStore)
{
    cause_clear();
    if (hCertStore == NULL || live_user_add(hCertStore, LIVE_STORE))
        return hCertStore;
    (void)answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a certificate store of this library"));
    return NULL;
}

BOOL WINAPI CertCloseStore(HCERTSTORE hCertStore, DWORD dwFlags)
{
    cause_clear();
    return hCertStore == NULL ? TRUE : answer_status(store_close(hCertStore, dwFlags));
}

/* Adding and taking out. */

BOOL WINAPI CertAddCertificateContextToStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pCertContext, DWORD dwAddDisposition,
                                             PCCERT_CONTEXT *ppStoreContext)
{
    cause_clear();
    return answer_status(store_certificate_add(hCertStore, pCertContext, dwAddDisposition, ppStoreContext));
}

BOOL WINAPI CertAddEncodedCertificateToStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, const BYTE *pbCertEncoded,
                                             DWORD cbCertEncoded, DWORD dwAddDisposition, PCCERT_CONTEXT *ppCertContext)
{
    PCCERT_CONTEXT context;
    cause_clear();
    if (!answer_status(certificate_create(dwCertEncodingType, slice_of(pbCertEncoded, cbCertEncoded), &context)))
        return FALSE;
    SECURITY_STATUS status = store_certificate_add(hCertStore, context, dwAddDisposition, ppCertContext);
    (void)live_user_drop(context, LIVE_CERTIFICATE);
    return answer_status(status);
}

BOOL WINAPI CertDeleteCertificateFromStore(PCCERT_CONTEXT pCertContext)
{
    cause_clear();
    SECURITY_STATUS status = store_certificate_delete(pCertContext);
    (void)live_user_drop(pCertContext, LIVE_CERTIFICATE);
    return answer_status(status);
}

/* Finding. The previous context is freed whatever happens. */

static PCCERT_CONTEXT find_next(HCERTSTORE store, const struct store_search *search, PCCERT_CONTEXT previous)
{
    PCCERT_CONTEXT found = NULL;
    cause_clear();
    SECURITY_STATUS status = store_certificate_find(store, search, previous, &found);
    (void)live_user_drop(previous, LIVE_CERTIFICATE);
    return ANSWER_POINTER(status, found);
}

PCCERT_CONTEXT WINAPI CertEnumCertificatesInStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pPrevCertContext)
{
    return find_next(hCertStore, &(struct store_search){.type = CERT_FIND_ANY}, pPrevCertContext);
}

PCCERT_CONTEXT WINAPI CertFindCertificateInStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, DWORD dwFindFlags,
                                                 DWORD dwFindType, const void *pvFindPara,
                                                 PCCERT_CONTEXT pPrevCertContext)
{
    (void)dwCertEncodingType;
    struct store_search search = {.type = dwFindType, .flags = dwFindFlags, .what = pvFindPara};
    return find_next(hCertStore, &search, pPrevCertContext);
}

PCCERT_CONTEXT WINAPI CertGetSubjectCertificateFromStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType,
                                                         PCERT_INFO pCertId)
{
    (void)dwCertEncodingType;
    return find_next(hCertStore, &(struct store_search){.type = CERT_FIND_SUBJECT_CERT, .what = pCertId}, NULL);
}

PCCERT_CONTEXT WINAPI CertGetIssuerCertificateFromStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pSubjectContext,
                                                        PCCERT_CONTEXT pPrevIssuerContext, DWORD *pdwFlags)
{
    PCCERT_CONTEXT found = NULL;
    cause_clear();
    SECURITY_STATUS status = SEC_E_OK;
    if (pdwFlags == NULL || pSubjectContext == NULL)
        status = argument_missing("pdwFlags or pSubjectContext");
    else
        status = store_issuer_find(hCertStore, pSubjectContext, pPrevIssuerContext, pdwFlags, &found);
    (void)live_user_drop(pPrevIssuerContext, LIVE_CERTIFICATE);
    return ANSWER_POINTER(status, found);
}

/* Revocation lists. */

PCCRL_CONTEXT WINAPI CertCreateCRLContext(DWORD dwCertEncodingType, const BYTE *pbCrlEncoded, DWORD cbCrlEncoded)
{
    PCCRL_CONTEXT context = NULL;
    cause_clear();
    return ANSWER_POINTER(crl_create(dwCertEncodingType, slice_of(pbCrlEncoded, cbCrlEncoded), &context), context);
}

PCCRL_CONTEXT WINAPI CertDuplicateCRLContext(PCCRL_CONTEXT pCrlContext)
{
    cause_clear();
    if (pCrlContext == NULL || live_user_add(pCrlContext, LIVE_CRL))
        return pCrlContext;
    (void)answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a revocation list of this library"));
    return NULL;
}

BOOL WINAPI CertFreeCRLContext(PCCRL_CONTEXT pCrlContext)
{
    cause_clear();
    if (pCrlContext == NULL || live_user_drop(pCrlContext, LIVE_CRL))
        return TRUE;
    return answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a revocation list of this library"));
}

BOOL WINAPI CertAddCRLContextToStore(HCERTSTORE hCertStore, PCCRL_CONTEXT pCrlContext, DWORD dwAddDisposition,
                                     PCCRL_CONTEXT *ppStoreContext)
{
    cause_clear();
    return answer_status(store_crl_add(hCertStore, pCrlContext, dwAddDisposition, ppStoreContext));
}

BOOL WINAPI CertAddEncodedCRLToStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, const BYTE *pbCrlEncoded,
                                     DWORD cbCrlEncoded, DWORD dwAddDisposition, PCCRL_CONTEXT *ppCrlContext)
{
    PCCRL_CONTEXT context;
    cause_clear();
    if (!answer_status(crl_create(dwCertEncodingType, slice_of(pbCrlEncoded, cbCrlEncoded), &context)))
        return FALSE;
    SECURITY_STATUS status = store_crl_add(hCertStore, context, dwAddDisposition, ppCrlContext);
    (void)live_user_drop(context, LIVE_CRL);
    return answer_status(status);
}

PCCRL_CONTEXT WINAPI CertEnumCRLsInStore(HCERTSTORE hCertStore, PCCRL_CONTEXT pPrevCrlContext)
{
    PCCRL_CONTEXT found = NULL;
    cause_clear();
    SECURITY_STATUS status = store_crl_next(hCertStore, pPrevCrlContext, &found);
    (void)live_user_drop(pPrevCrlContext, LIVE_CRL);
    return ANSWER_POINTER(status, found);
}

BOOL WINAPI CertDeleteCRLFromStore(PCCRL_CONTEXT pCrlContext)
{
    cause_clear();
    SECURITY_STATUS status = store_crl_delete(pCrlContext);
    (void)live_user_drop(pCrlContext, LIVE_CRL);
    return answer_status(status);
}

/* PFX. */

static SECURITY_STATUS pfx_arguments(const CRYPT_DATA_BLOB *pfx, LPCWSTR password, char **utf8)
{
    require(pfx != NULL && pfx->pbData != NULL, argument_missing("pPFX"));
    return password == NULL ? SEC_E_OK : argument_text_w(password, utf8);
}

HCERTSTORE WINAPI PFXImportCertStore(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags)
{
    HCERTSTORE store = NULL;
    char *password = NULL;
    cause_clear();
    SECURITY_STATUS status = pfx_arguments(pPFX, szPassword, &password);
    if (status == SEC_E_OK && (dwFlags & CRYPT_USER_PROTECTED) != 0)
        status = cause_set(ERROR_NOT_SUPPORTED, "nobody is asked before a key is used (CRYPT_USER_PROTECTED)");
    if (status == SEC_E_OK)
        status = store_open_pfx(slice_of(pPFX->pbData, pPFX->cbData), password, dwFlags, &store);
    secret_free_text(password);
    return ANSWER_POINTER(status, store);
}

BOOL WINAPI PFXIsPFXBlob(CRYPT_DATA_BLOB *pPFX)
{
    cause_clear();
    if (pPFX == NULL || pPFX->pbData == NULL)
        return answer_status(argument_missing("pPFX"));
    return pfx_is(slice_of(pPFX->pbData, pPFX->cbData)) ? TRUE : FALSE;
}

BOOL WINAPI PFXVerifyPassword(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags)
{
    char *password = NULL;
    cause_clear();
    (void)dwFlags;
    SECURITY_STATUS status = pfx_arguments(pPFX, szPassword, &password);
    if (status == SEC_E_OK)
        status = pfx_password_check(slice_of(pPFX->pbData, pPFX->cbData), password);
    secret_free_text(password);
    return answer_status(status);
}
