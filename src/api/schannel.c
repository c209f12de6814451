#include "api/api.h"

#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/registry.h"
#include "wire/client_hello.h"
#include <schannel.h>
#include <stddef.h>
#include <string.h>
#include <wincrypt.h>

/* The functions of schannel.h. */

#define KEY_SIZE_MAX 16384 /* OPENSSL_RSA_MAX_MODULUS_BITS */
#define NAMES_MAX 65535    /* TLS's list has a length of 16 bits (RFC 5246 7.4.4) */

static BOOL cache_forget(const char *server)
{
    const struct package *package;
    if (api_package_find(SCHANNEL_NAME_A, &package) != SEC_E_OK || package->authority->forget == NULL)
        return FALSE;
    package->authority->forget(server);
    return TRUE;
}

BOOL SslEmptyCacheW(LPWSTR pszTargetName, DWORD dwFlags)
{
    AUTO_FREE char *server = NULL;
    cause_clear();
    if (dwFlags != 0 || api_text_from_w(pszTargetName, &server) != SEC_E_OK)
        return FALSE;
    return cache_forget(server);
}

BOOL SslEmptyCacheA(LPSTR pszTargetName, DWORD dwFlags)
{
    AUTO_FREE char *server = NULL;
    cause_clear();
    if (dwFlags != 0 || api_text_from_a(pszTargetName, &server) != SEC_E_OK)
        return FALSE;
    return cache_forget(server);
}

/* Client hellos. */

static SECURITY_STATUS hello_refused(enum wire_result result)
{
    if (result == WIRE_SHORT)
        return cause_set(SEC_E_INCOMPLETE_MESSAGE, "the client hello is not whole yet");
    return cause_set(SEC_E_INVALID_TOKEN, "this is no client hello of TLS in one record");
}

SECURITY_STATUS WINAPI SslGetServerIdentity(PBYTE ClientHello, DWORD ClientHelloSize, PBYTE *ServerIdentity,
                                            PDWORD ServerIdentitySize, DWORD Flags)
{
    struct slice list, data, host = {0};
    size_t missing;
    cause_clear();
    require(ClientHello != NULL && ServerIdentity != NULL && ServerIdentitySize != NULL && Flags == 0,
            cause_set(SEC_E_INVALID_PARAMETER, "a pointer is missing, or the flags are not 0"));
    enum wire_result result =
        client_hello_extensions(slice_of(ClientHello, ClientHelloSize), CLIENT_HELLO_RECORD, &list, &missing);
    require(result == WIRE_OK, hello_refused(result));
    for (struct reader reader = reader_of(list); reader_left(&reader) > 0 && host.len == 0;) {
        uint16_t type;
        require(client_hello_extension(&reader, &type, &data) == WIRE_OK, hello_refused(WIRE_BAD));
        if (type == CLIENT_HELLO_SERVER_NAME)
            require(client_hello_host(data, &host) == WIRE_OK, hello_refused(WIRE_BAD));
    }
    *ServerIdentity = host.len > 0 ? ClientHello + (host.data - ClientHello) : NULL;
    *ServerIdentitySize = (DWORD)host.len;
    return SEC_E_OK;
}

SECURITY_STATUS WINAPI SslGetExtensions(const BYTE *clientHello, DWORD clientHelloByteSize,
                                        SCH_EXTENSION_DATA *genericExtensions, BYTE genericExtensionsCount,
                                        DWORD *bytesToRead, SchGetExtensionsOptions flags)
{
    struct slice list, data;
    size_t missing;
    cause_clear();
    require(clientHello != NULL && (genericExtensions != NULL || genericExtensionsCount == 0) &&
                ((unsigned)flags & ~(unsigned)SCH_NO_RECORD_HEADER) == 0,
            cause_set(SEC_E_INVALID_PARAMETER, "a pointer is missing, or a flag is unknown"));
    enum client_hello_form form = flags == SCH_NO_RECORD_HEADER ? CLIENT_HELLO_MESSAGE : CLIENT_HELLO_RECORD;
    enum wire_result result =
        client_hello_extensions(slice_of(clientHello, clientHelloByteSize), form, &list, &missing);
    if (bytesToRead != NULL)
        *bytesToRead = (DWORD)missing;
    require(result == WIRE_OK, hello_refused(result));
    for (struct reader reader = reader_of(list); reader_left(&reader) > 0;) {
        uint16_t type;
        require(client_hello_extension(&reader, &type, &data) == WIRE_OK, hello_refused(WIRE_BAD));
    }
    for (size_t i = 0; i < genericExtensionsCount; i++) {
        SCH_EXTENSION_DATA *wanted = &genericExtensions[i];
        wanted->pExtData = NULL;
        wanted->cbExtData = 0;
        for (struct reader reader = reader_of(list); reader_left(&reader) > 0;) {
            uint16_t type;
            if (client_hello_extension(&reader, &type, &data) != WIRE_OK || type != wanted->ExtensionType)
                continue;
            wanted->pExtData = data.data;
            wanted->cbExtData = (DWORD)data.len;
            break;
        }
    }
    return SEC_E_OK;
}

/* Certificates, as programs of Windows NT knew them. */

static ALG_ID signature_algorithm(const char *oid)
{
    static const char rsa[] = "1.2.840.113549.1.1.", ecdsa[] = "1.2.840.10045.4.";
    if (strncmp(oid, rsa, sizeof rsa - 1) == 0)
        return CALG_RSA_SIGN;
    return strncmp(oid, ecdsa, sizeof ecdsa - 1) == 0 ? CALG_ECDSA : 0;
}

/* One block: the structure, both names, the key. */
static X509Certificate *crack(const CERT_INFO *info)
{
    CERT_NAME_BLOB issuer = info->Issuer, subject = info->Subject;
    const CRYPT_BIT_BLOB *key = &info->SubjectPublicKeyInfo.PublicKey;
    DWORD issuer_len = CertNameToStrA(X509_ASN_ENCODING, &issuer, CERT_X500_NAME_STR, NULL, 0);
    DWORD subject_len = CertNameToStrA(X509_ASN_ENCODING, &subject, CERT_X500_NAME_STR, NULL, 0);
    size_t key_at = sizeof(X509Certificate), names_at = key_at + sizeof(PctPublicKey) + key->cbData;
    char *block = block_alloc(names_at + issuer_len + subject_len);
    require(block != NULL, NULL);
    X509Certificate *cracked = (X509Certificate *)(void *)block;
    size_t serial_len = info->SerialNumber.cbData;
    cracked->Version = info->dwVersion + 1;
    memcpy(cracked->SerialNumber, info->SerialNumber.pbData,
           serial_len < sizeof cracked->SerialNumber ? serial_len : sizeof cracked->SerialNumber);
    cracked->SignatureAlgorithm = signature_algorithm(info->SignatureAlgorithm.pszObjId);
    cracked->ValidFrom = info->NotBefore;
    cracked->ValidUntil = info->NotAfter;
    cracked->pPublicKey = (PctPublicKey *)(void *)(block + key_at);
    cracked->pPublicKey->Type =
        strcmp(info->SubjectPublicKeyInfo.Algorithm.pszObjId, "1.2.840.113549.1.1.1") == 0 ? CALG_RSA_KEYX : 0;
    cracked->pPublicKey->cbKey = key->cbData;
    memcpy(block + key_at + offsetof(PctPublicKey, pKey), key->pbData, key->cbData);
    cracked->pszIssuer = block + names_at;
    cracked->pszSubject = block + names_at + issuer_len;
    CertNameToStrA(X509_ASN_ENCODING, &issuer, CERT_X500_NAME_STR, cracked->pszIssuer, issuer_len);
    CertNameToStrA(X509_ASN_ENCODING, &subject, CERT_X500_NAME_STR, cracked->pszSubject, subject_len);
    return cracked;
}

BOOL SslCrackCertificate(PUCHAR pbCertificate, DWORD cbCertificate, DWORD dwFlags, PX509Certificate *ppCertificate)
{
    (void)dwFlags; /* where the bytes came from */
    cause_clear();
    if (pbCertificate == NULL || ppCertificate == NULL) {
        cause_set(SEC_E_INVALID_PARAMETER, "a pointer is missing");
        return FALSE;
    }
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING, pbCertificate, cbCertificate);
    if (context == NULL)
        return FALSE;
    X509Certificate *cracked = crack(context->pCertInfo);
    CertFreeCertificateContext(context);
    if (cracked != NULL)
        *ppCertificate = cracked;
    return cracked != NULL;
}

VOID SslFreeCertificate(PX509Certificate pCertificate)
{
    if (pCertificate != NULL)
        block_free(pCertificate);
}

DWORD WINAPI SslGetMaximumKeySize(DWORD Reserved)
{
    (void)Reserved;
    return KEY_SIZE_MAX;
}

BOOL SslGetDefaultIssuers(PBYTE pbIssuers, DWORD *pcbIssuers)
{
    size_t needed = 0, room = pbIssuers != NULL && pcbIssuers != NULL ? *pcbIssuers : 0;
    cause_clear();
    if (pcbIssuers == NULL) {
        cause_set(SEC_E_INVALID_PARAMETER, "a pointer is missing");
        return FALSE;
    }
    HCERTSTORE roots = CertOpenSystemStoreA(0, "ROOT");
    if (roots == NULL)
        return FALSE;
    for (PCCERT_CONTEXT root = NULL; (root = CertEnumCertificatesInStore(roots, root)) != NULL;) {
        const CERT_NAME_BLOB *name = &root->pCertInfo->Subject;
        if (name->cbData > NAMES_MAX - 2 || needed > NAMES_MAX - 2 - name->cbData)
            continue;
        if (pbIssuers != NULL && needed + 2 + name->cbData <= room) {
            pbIssuers[needed] = (BYTE)(name->cbData >> 8);
            pbIssuers[needed + 1] = (BYTE)name->cbData;
            memcpy(pbIssuers + needed + 2, name->pbData, name->cbData);
        }
        needed += 2 + name->cbData;
    }
    CertCloseStore(roots, 0);
    *pcbIssuers = (DWORD)needed;
    if (needed == 0 || (pbIssuers != NULL && needed > room)) {
        cause_set(needed == 0 ? SEC_E_NO_CREDENTIALS : SEC_E_BUFFER_TOO_SMALL,
                  "the names of the trusted roots take %zu bytes", needed);
        return FALSE;
    }
    return TRUE;
}
