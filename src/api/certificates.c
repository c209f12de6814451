#include "api/certificates.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "certificates/context.h"
#include "certificates/live.h"
#include "core/last_error.h"
#include <string.h>
#include <time.h>

BOOL answer_status(SECURITY_STATUS status)
{
    if (status == SEC_E_OK)
        return TRUE;
    status = cause_answer(status);
    last_error_set((uint32_t)(status == SEC_E_INSUFFICIENT_MEMORY ? E_OUTOFMEMORY : status));
    return FALSE;
}

SECURITY_STATUS argument_missing(const char *name)
{
    return cause_set(E_INVALIDARG, "%s is missing", name);
}

SECURITY_STATUS argument_text_w(LPCWSTR text, char **utf8)
{
    const uint16_t *units = (const uint16_t *)text;
    require(utf16_to_text(units, utf16_units(units), utf8) == WIRE_OK,
            cause_set(E_INVALIDARG, "a text given to a W function is not valid UTF-16"));
    return SEC_E_OK;
}

SECURITY_STATUS argument_text_a(LPCSTR text, char **utf8)
{
    require(utf8_valid(slice_of_text(text)),
            cause_set(E_INVALIDARG, "a text given to an A function is not valid UTF-8"));
    *utf8 = mem_strdup(text);
    return *utf8 == NULL ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

/* Contexts. */

PCCERT_CONTEXT WINAPI CertCreateCertificateContext(DWORD dwCertEncodingType, const BYTE *pbCertEncoded,
                                                   DWORD cbCertEncoded)
{
    PCCERT_CONTEXT context = NULL;
    cause_clear();
    return ANSWER_POINTER(certificate_create(dwCertEncodingType, slice_of(pbCertEncoded, cbCertEncoded), &context),
                          context);
}

PCCERT_CONTEXT WINAPI CertDuplicateCertificateContext(PCCERT_CONTEXT pCertContext)
{
    cause_clear();
    if (pCertContext == NULL || live_user_add(pCertContext, LIVE_CERTIFICATE))
        return pCertContext;
    (void)answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a certificate context of this library"));
    return NULL;
}

BOOL WINAPI CertFreeCertificateContext(PCCERT_CONTEXT pCertContext)
{
    cause_clear();
    if (pCertContext == NULL || live_user_drop(pCertContext, LIVE_CERTIFICATE))
        return TRUE;
    return answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a certificate context of this library"));
}

/* Comparing. */

BOOL WINAPI CertCompareIntegerBlob(PCRYPT_INTEGER_BLOB pInt1, PCRYPT_INTEGER_BLOB pInt2)
{
    cause_clear();
    if (pInt1 == NULL || pInt2 == NULL)
        return answer_status(argument_missing("an integer"));
    return numbers_equal(pInt1, pInt2) ? TRUE : FALSE;
}

BOOL WINAPI CertCompareCertificateName(DWORD dwCertEncodingType, PCERT_NAME_BLOB pCertName1, PCERT_NAME_BLOB pCertName2)
{
    cause_clear();
    (void)dwCertEncodingType;
    if (pCertName1 == NULL || pCertName2 == NULL || (pCertName1->pbData == NULL && pCertName1->cbData > 0) ||
        (pCertName2->pbData == NULL && pCertName2->cbData > 0))
        return answer_status(argument_missing("a name"));
    return slice_equal(slice_of(pCertName1->pbData, pCertName1->cbData),
                       slice_of(pCertName2->pbData, pCertName2->cbData))
               ? TRUE
               : FALSE;
}

BOOL WINAPI CertCompareCertificate(DWORD dwCertEncodingType, PCERT_INFO pCertId1, PCERT_INFO pCertId2)
{
    cause_clear();
    if (pCertId1 == NULL || pCertId2 == NULL)
        return answer_status(argument_missing("a certificate"));
    return CertCompareCertificateName(dwCertEncodingType, &pCertId1->Issuer, &pCertId2->Issuer) &&
           CertCompareIntegerBlob(&pCertId1->SerialNumber, &pCertId2->SerialNumber);
}

PCERT_EXTENSION WINAPI CertFindExtension(LPCSTR pszObjId, DWORD cExtensions, CERT_EXTENSION rgExtensions[])
{
    cause_clear();
    for (DWORD i = 0; pszObjId != NULL && rgExtensions != NULL && i < cExtensions; i++)
        if (rgExtensions[i].pszObjId != NULL && strcmp(rgExtensions[i].pszObjId, pszObjId) == 0)
            return &rgExtensions[i];
    return NULL;
}

static int64_t filetime_value(const FILETIME *time)
{
    return (int64_t)((uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime);
}

LONG WINAPI CertVerifyTimeValidity(LPFILETIME pTimeToVerify, PCERT_INFO pCertInfo)
{
    cause_clear();
    int64_t at = pTimeToVerify == NULL ? filetime_now() : filetime_value(pTimeToVerify);
    if (pCertInfo == NULL || at > filetime_value(&pCertInfo->NotAfter))
        return 1;
    return at < filetime_value(&pCertInfo->NotBefore) ? -1 : 0;
}

BOOL WINAPI CertGetIntendedKeyUsage(DWORD dwCertEncodingType, PCERT_INFO pCertInfo, BYTE *pbKeyUsage, DWORD cbKeyUsage)
{
    cause_clear();
    (void)dwCertEncodingType;
    if (pCertInfo == NULL || pbKeyUsage == NULL)
        return answer_status(argument_missing("the certificate or the room"));
    memset(pbKeyUsage, 0, cbKeyUsage);
    const CERT_EXTENSION *extension = CertFindExtension(szOID_KEY_USAGE, pCertInfo->cExtension, pCertInfo->rgExtension);
    if (extension == NULL) {
        last_error_set(0);
        return FALSE;
    }
    /* BIT STRING: tag, length of one byte, unused bits, then the bits (RFC 5280 4.2.1.3). */
    const BYTE *der = extension->Value.pbData;
    DWORD len = extension->Value.cbData;
    if (len < 3 || der[0] != 0x03 || der[1] != len - 2 || der[2] > 7 || (len == 3 && der[2] != 0))
        return answer_status(cause_set(CRYPT_E_ASN1_BADTAG, "the key usage is damaged"));
    for (DWORD i = 0; i < cbKeyUsage && i + 3 < len; i++)
        pbKeyUsage[i] = der[i + 3];
    return TRUE;
}

DWORD WINAPI CertGetPublicKeyLength(DWORD dwCertEncodingType, PCERT_PUBLIC_KEY_INFO pPublicKey)
{
    cause_clear();
    (void)dwCertEncodingType;
    DWORD n_bits = pPublicKey == NULL ? 0 : public_key_bits(pPublicKey);
    if (n_bits == 0)
        (void)answer_status(cause_set(E_INVALIDARG, "the public key cannot be read"));
    return n_bits;
}

BOOL WINAPI CryptHashCertificate(HCRYPTPROV_LEGACY hCryptProv, ALG_ID Algid, DWORD dwFlags, const BYTE *pbEncoded,
                                 DWORD cbEncoded, BYTE *pbComputedHash, DWORD *pcbComputedHash)
{
    cause_clear();
    (void)hCryptProv;
    (void)dwFlags;
    if (pcbComputedHash == NULL || (pbEncoded == NULL && cbEncoded > 0))
        return answer_status(argument_missing("pcbComputedHash or pbEncoded"));
    return answer_status(hash_of_bytes(Algid, slice_of(pbEncoded, cbEncoded), pbComputedHash, pcbComputedHash));
}

/* Properties. */

BOOL WINAPI CertSetCertificateContextProperty(PCCERT_CONTEXT pCertContext, DWORD dwPropId, DWORD dwFlags,
                                              const void *pvData)
{
    cause_clear();
    return answer_status(property_set(pCertContext, dwPropId, dwFlags, pvData));
}

BOOL WINAPI CertGetCertificateContextProperty(PCCERT_CONTEXT pCertContext, DWORD dwPropId, void *pvData, DWORD *pcbData)
{
    cause_clear();
    return answer_status(property_get(pCertContext, dwPropId, pvData, pcbData));
}

DWORD WINAPI CertEnumCertificateContextProperties(PCCERT_CONTEXT pCertContext, DWORD dwPropId)
{
    cause_clear();
    return property_next(pCertContext, dwPropId);
}

BOOL WINAPI CryptAcquireCertificatePrivateKey(PCCERT_CONTEXT pCert, DWORD dwFlags, void *pvParameters,
                                              HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *phCryptProvOrNCryptKey,
                                              DWORD *pdwKeySpec, BOOL *pfCallerFreeProvOrNCryptKey)
{
    cause_clear();
    (void)pvParameters;
    if (phCryptProvOrNCryptKey == NULL)
        return answer_status(argument_missing("phCryptProvOrNCryptKey"));
    if (!answer_status(property_key_handle(pCert, phCryptProvOrNCryptKey)))
        return FALSE;
    if (pdwKeySpec != NULL)
        *pdwKeySpec = (dwFlags & CRYPT_ACQUIRE_NCRYPT_KEY_FLAGS_MASK) != 0 ? CERT_NCRYPT_KEY_SPEC : AT_KEYEXCHANGE;
    if (pfCallerFreeProvOrNCryptKey != NULL)
        *pfCallerFreeProvOrNCryptKey = FALSE;
    return TRUE;
}

/* Keys: their handles are their context's. */

static bool key_is(ULONG_PTR handle)
{
    if (handle == 0 || !live_hold((const void *)handle, LIVE_KEY))
        return false;
    live_unhold((const void *)handle);
    return true;
}

BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags)
{
    cause_clear();
    if (dwFlags != 0)
        return answer_status(cause_set(NTE_BAD_FLAGS, "CryptReleaseContext has no flags"));
    if (!key_is(hProv))
        return answer_status(cause_set(E_INVALIDARG, "this is not, or no longer, a key handle"));
    return TRUE;
}

SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE hObject)
{
    cause_clear();
    return key_is(hObject) ? SEC_E_OK : cause_set(NTE_INVALID_HANDLE, "this is not, or no longer, a key handle");
}

/* FILETIME of a moment in parts; false when there is no such moment. */
static bool moment_read(const SYSTEMTIME *parts, int64_t *filetime)
{
    *filetime = 0;
    if (parts == NULL)
        return true;
    struct tm tm = {.tm_year = parts->wYear - 1900,
                    .tm_mon = parts->wMonth - 1,
                    .tm_mday = parts->wDay,
                    .tm_hour = parts->wHour,
                    .tm_min = parts->wMinute,
                    .tm_sec = parts->wSecond};
    if (parts->wYear < 1601 || parts->wYear > 9999)
        return false;
    int64_t at = unix_from_utc(&tm);
    if (tm.tm_mon != parts->wMonth - 1 || tm.tm_mday != parts->wDay || tm.tm_hour != parts->wHour ||
        tm.tm_min != parts->wMinute || tm.tm_sec != parts->wSecond) /* the 30th of February */
        return false;
    *filetime = filetime_from_unix(at);
    return *filetime > 0;
}

PCCERT_CONTEXT WINAPI CertCreateSelfSignCertificate(HCRYPTPROV_OR_NCRYPT_KEY_HANDLE hCryptProvOrNCryptKey,
                                                    PCERT_NAME_BLOB pSubjectIssuerBlob, DWORD dwFlags,
                                                    PCRYPT_KEY_PROV_INFO pKeyProvInfo,
                                                    PCRYPT_ALGORITHM_IDENTIFIER pSignatureAlgorithm,
                                                    PSYSTEMTIME pStartTime, PSYSTEMTIME pEndTime,
                                                    PCERT_EXTENSIONS pExtensions)
{
    PCCERT_CONTEXT context = NULL;
    struct self_sign wish = {.key = hCryptProvOrNCryptKey,
                             .place = pKeyProvInfo,
                             .algorithm = pSignatureAlgorithm,
                             .extensions = pExtensions,
                             .flags = dwFlags};
    cause_clear();
    if (pSubjectIssuerBlob == NULL)
        return ANSWER_POINTER(argument_missing("pSubjectIssuerBlob"), NULL);
    wish.subject = slice_of(pSubjectIssuerBlob->pbData, pSubjectIssuerBlob->cbData);
    if (!moment_read(pStartTime, &wish.from) || !moment_read(pEndTime, &wish.until))
        return ANSWER_POINTER(cause_set(E_INVALIDARG, "a SYSTEMTIME that is no moment"), NULL);
    return ANSWER_POINTER(certificate_self_sign(&wish, &context), context);
}
