/*
 * wincrypt/properties.h: what hangs on a certificate beside its bytes: hashes, a friendly name, its private key. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_PROPERTIES_H
#define OPENSSPI_WINCRYPT_PROPERTIES_H

#include "../issperr.h"
#include "certificates.h"

OPENSSPI_BEGIN_DECLS

/*
 * A key handle. Here it stands for a private key of OpenSSL, wherever that lives: in memory, in a PKCS#11 token. It is not memory of the caller's and
 * nothing can be read through it; a stale one is refused.
 */
typedef ULONG_PTR HCRYPTPROV_OR_NCRYPT_KEY_HANDLE;
typedef ULONG_PTR NCRYPT_HANDLE;
typedef ULONG_PTR NCRYPT_KEY_HANDLE;

/* dwKeySpec. */
#define AT_KEYEXCHANGE 1
#define AT_SIGNATURE 2
#define CERT_NCRYPT_KEY_SPEC 0xFFFFFFFF

/* Properties, with what pvData points to. */
#define CERT_KEY_PROV_HANDLE_PROP_ID 1 /* HCRYPTPROV_OR_NCRYPT_KEY_HANDLE */
#define CERT_KEY_PROV_INFO_PROP_ID 2   /* CRYPT_KEY_PROV_INFO */
#define CERT_SHA1_HASH_PROP_ID 3       /* 20 bytes, computed */
#define CERT_MD5_HASH_PROP_ID 4        /* 16 bytes, computed */
#define CERT_HASH_PROP_ID CERT_SHA1_HASH_PROP_ID
#define CERT_KEY_CONTEXT_PROP_ID 5                  /* CERT_KEY_CONTEXT */
#define CERT_KEY_SPEC_PROP_ID 6                     /* DWORD */
#define CERT_ENHKEY_USAGE_PROP_ID 9                 /* encoded CERT_ENHKEY_USAGE */
#define CERT_FRIENDLY_NAME_PROP_ID 11               /* WCHAR text with its NUL */
#define CERT_DESCRIPTION_PROP_ID 13                 /* WCHAR text with its NUL */
#define CERT_ACCESS_STATE_PROP_ID 14                /* DWORD, computed */
#define CERT_SIGNATURE_HASH_PROP_ID 15              /* the hash that was signed, computed */
#define CERT_ARCHIVED_PROP_ID 19                    /* empty: enumerations leave it out */
#define CERT_KEY_IDENTIFIER_PROP_ID 20              /* bytes: the extension's, else the SHA-1 of the public key info */
#define CERT_SUBJECT_PUBLIC_KEY_MD5_HASH_PROP_ID 25 /* 16 bytes, computed */
#define CERT_ISSUER_SERIAL_NUMBER_MD5_HASH_PROP_ID 28   /* 16 bytes, computed */
#define CERT_SUBJECT_NAME_MD5_HASH_PROP_ID 29           /* 16 bytes, computed */
#define CERT_NCRYPT_KEY_HANDLE_PROP_ID 78               /* NCRYPT_KEY_HANDLE */
#define CERT_HCRYPTPROV_OR_NCRYPT_KEY_HANDLE_PROP_ID 79 /* HCRYPTPROV_OR_NCRYPT_KEY_HANDLE, to be read */
#define CERT_SHA256_HASH_PROP_ID 107                    /* 32 bytes, computed */
#define CERT_FIRST_RESERVED_PROP_ID 107
#define CERT_LAST_RESERVED_PROP_ID 0x00007FFF
#define CERT_LAST_USER_PROP_ID 0x0000FFFF

/* CERT_ACCESS_STATE_PROP_ID. */
#define CERT_ACCESS_STATE_WRITE_PERSIST_FLAG 0x1
#define CERT_ACCESS_STATE_SYSTEM_STORE_FLAG 0x2

/* dwFlags of CertSetCertificateContextProperty, and of CRYPT_KEY_PROV_INFO. */
#define CERT_STORE_NO_CRYPT_RELEASE_FLAG 0x00000001
#define CERT_SET_PROPERTY_IGNORE_PERSIST_ERROR_FLAG 0x80000000
#define CERT_SET_PROPERTY_INHIBIT_PERSIST_FLAG 0x40000000
#define CERT_SET_KEY_PROV_HANDLE_PROP_ID 0x00000001
#define CERT_SET_KEY_CONTEXT_PROP_ID 0x00000001
#define CRYPT_MACHINE_KEYSET 0x00000020
#define CRYPT_SILENT 0x00000040

typedef struct _CRYPT_KEY_PROV_PARAM {
    DWORD dwParam;
    BYTE *pbData;
    DWORD cbData;
    DWORD dwFlags;
} CRYPT_KEY_PROV_PARAM, *PCRYPT_KEY_PROV_PARAM;

/*
 * Where the private key is. Here pwszContainerName is the path of a PEM, DER or PKCS#8 file without a password, or a "pkcs11:" URI (RFC 7512); the
 * key is read when it is first needed, with the rights of the thread that needs it, and is the context's from then on, until the property is set anew
 * or deleted: handles of it are none then. The other members are kept and given back.
 */
typedef struct _CRYPT_KEY_PROV_INFO {
    LPWSTR pwszContainerName;
    LPWSTR pwszProvName;
    DWORD dwProvType;
    DWORD dwFlags;
    DWORD cProvParam;
    PCRYPT_KEY_PROV_PARAM rgProvParam;
    DWORD dwKeySpec;
} CRYPT_KEY_PROV_INFO, *PCRYPT_KEY_PROV_INFO;

/* A private key by its handle. */
typedef struct _CERT_KEY_CONTEXT {
    DWORD cbSize;
    __extension__ union {
        HCRYPTPROV hCryptProv;
        NCRYPT_KEY_HANDLE hNCryptKey;
    };
    DWORD dwKeySpec;
} CERT_KEY_CONTEXT, *PCERT_KEY_CONTEXT;

/*
 * CertSetCertificateContextProperty sets or deletes a property.
 *
 * dwFlags  CERT_STORE_NO_CRYPT_RELEASE_FLAG with a key handle: the caller keeps his; else it is the context's from now on. The PERSIST flags change
 *          nothing: properties live as long as the context.
 * pvData   NULL deletes. Else for CERT_KEY_PROV_INFO_PROP_ID a CRYPT_KEY_PROV_INFO, for CERT_KEY_CONTEXT_PROP_ID a CERT_KEY_CONTEXT, for
 *          CERT_KEY_PROV_HANDLE_PROP_ID and CERT_NCRYPT_KEY_HANDLE_PROP_ID the handle itself, for CERT_KEY_SPEC_PROP_ID a DWORD; for all others a
 *          CRYPT_DATA_BLOB. Everything is copied.
 *
 * Returns TRUE; FALSE with NTE_BAD_PUBLIC_KEY when the key does not fit the certificate, E_INVALIDARG for a computed property, a handle that is not
 * ours, or a member of CERT_KEY_CONTEXT that makes no sense.
 *
 * Source: Microsoft, CertSetCertificateContextProperty.
 */
BOOL WINAPI CertSetCertificateContextProperty(PCCERT_CONTEXT pCertContext, DWORD dwPropId, DWORD dwFlags,
                                              const void *pvData);

/*
 * CertGetCertificateContextProperty gives a property.
 *
 * pvData  receives it: a structure with what its pointers point to behind it, a handle, or the plain bytes; NULL asks for the size. Handles stay the
 *         context's.
 * pcbData its room, then its size.
 *
 * Returns TRUE; FALSE with CRYPT_E_NOT_FOUND when there is none, ERROR_MORE_DATA when the room is too small.
 *
 * Source: Microsoft, CertGetCertificateContextProperty.
 */
BOOL WINAPI CertGetCertificateContextProperty(PCCERT_CONTEXT pCertContext, DWORD dwPropId, void *pvData,
                                              DWORD *pcbData);

/*
 * CertEnumCertificateContextProperties gives the number of the property after dwPropId (0: the first), or 0 after the last. Computed properties are
 * among them once they were asked for or are always there.
 *
 * Source: Microsoft, CertEnumCertificateContextProperties.
 */
DWORD WINAPI CertEnumCertificateContextProperties(PCCERT_CONTEXT pCertContext, DWORD dwPropId);

/* dwFlags of CryptAcquireCertificatePrivateKey. */
#define CRYPT_ACQUIRE_CACHE_FLAG 0x00000001
#define CRYPT_ACQUIRE_USE_PROV_INFO_FLAG 0x00000002
#define CRYPT_ACQUIRE_COMPARE_KEY_FLAG 0x00000004
#define CRYPT_ACQUIRE_NO_HEALING 0x00000008
#define CRYPT_ACQUIRE_SILENT_FLAG 0x00000040
#define CRYPT_ACQUIRE_WINDOW_HANDLE_FLAG 0x00000080
#define CRYPT_ACQUIRE_NCRYPT_KEY_FLAGS_MASK 0x00070000
#define CRYPT_ACQUIRE_ALLOW_NCRYPT_KEY_FLAG 0x00010000
#define CRYPT_ACQUIRE_PREFER_NCRYPT_KEY_FLAG 0x00020000
#define CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG 0x00040000

/*
 * CryptAcquireCertificatePrivateKey gives a handle of the certificate's private key, reading it when that has not happened. The handle can be set on
 * other contexts of the same certificate (CertSetCertificateContextProperty), and signs in CertCreateSelfSignCertificate.
 *
 * dwFlags                   CRYPT_ACQUIRE_ flags. None of them asks anybody anything here; the key is always compared with the certificate.
 * pvParameters              not used.
 * phCryptProvOrNCryptKey    receives the handle, which stays the context's: it lives until the context is freed, its key is set, or
 *                           CERT_KEY_PROV_INFO_PROP_ID is set or deleted.
 * pdwKeySpec                receives CERT_NCRYPT_KEY_SPEC when dwFlags has one of the NCRYPT flags, else AT_KEYEXCHANGE; may be NULL.
 * pfCallerFreeProvOrNCryptKey  receives FALSE; may be NULL.
 *
 * Returns TRUE; FALSE with CRYPT_E_NO_KEY_PROPERTY when the certificate has no key, NTE_BAD_KEYSET when the place it names holds none,
 * NTE_BAD_PUBLIC_KEY when the two are no pair.
 *
 * Source: Microsoft, CryptAcquireCertificatePrivateKey.
 */
BOOL WINAPI CryptAcquireCertificatePrivateKey(PCCERT_CONTEXT pCert, DWORD dwFlags, void *pvParameters,
                                              HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *phCryptProvOrNCryptKey,
                                              DWORD *pdwKeySpec, BOOL *pfCallerFreeProvOrNCryptKey);

/*
 * CryptReleaseContext and NCryptFreeObject give a key handle back. The handles of this library stay their context's and end with it: there is nothing
 * to free, and a handle may be given back or not.
 *
 * dwFlags  0.
 *
 * Return TRUE, or ERROR_SUCCESS (0); FALSE with E_INVALIDARG or NTE_BAD_FLAGS, or NTE_INVALID_HANDLE, for what is not, or no longer, a key handle.
 *
 * Source: Microsoft, CryptReleaseContext, NCryptFreeObject.
 */
BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags);
SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE hObject);

typedef struct _CERT_EXTENSIONS {
    DWORD cExtension;
    PCERT_EXTENSION rgExtension;
} CERT_EXTENSIONS, *PCERT_EXTENSIONS;

/* dwFlags of CertCreateSelfSignCertificate. */
#define CERT_CREATE_SELFSIGN_NO_SIGN 1 /* a signature is not needed; there is one all the same */
#define CERT_CREATE_SELFSIGN_NO_KEY_INFO 2

/*
 * CertCreateSelfSignCertificate makes a certificate that its own key has signed.
 *
 * hCryptProvOrNCryptKey  a key handle of this library, or 0.
 * pSubjectIssuerBlob     subject and issuer, encoded (CertStrToName).
 * dwFlags                NO_KEY_INFO: the context gets no key.
 * pKeyProvInfo           without a handle: where the key is (CRYPT_KEY_PROV_INFO); it must be there. NULL as well: a new RSA key of 2048 bits, which
 *                        lives with the context.
 * pSignatureAlgorithm    its object identifier counts; NULL: with SHA-256 (Windows: SHA-1, which nobody accepts any more).
 * pStartTime, pEndTime   NULL: now, and a year later.
 * pExtensions            as they are; NULL: none.
 *
 * Returns the context, with its key, for CertFreeCertificateContext; NULL with NTE_BAD_KEYSET, NTE_BAD_ALGID, CRYPT_E_ASN1_BADTAG, E_INVALIDARG.
 *
 * Source: Microsoft, CertCreateSelfSignCertificate.
 */
PCCERT_CONTEXT WINAPI CertCreateSelfSignCertificate(HCRYPTPROV_OR_NCRYPT_KEY_HANDLE hCryptProvOrNCryptKey,
                                                    PCERT_NAME_BLOB pSubjectIssuerBlob, DWORD dwFlags,
                                                    PCRYPT_KEY_PROV_INFO pKeyProvInfo,
                                                    PCRYPT_ALGORITHM_IDENTIFIER pSignatureAlgorithm,
                                                    PSYSTEMTIME pStartTime, PSYSTEMTIME pEndTime,
                                                    PCERT_EXTENSIONS pExtensions);

OPENSSPI_END_DECLS

#endif
