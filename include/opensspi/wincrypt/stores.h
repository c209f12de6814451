/*
 * wincrypt/stores.h: collections of certificates and revocation lists. Include <wincrypt.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_STORES_H
#define OPENSSPI_WINCRYPT_STORES_H

#include "certificates.h"

OPENSSPI_BEGIN_DECLS

/* lpszStoreProvider of CertOpenStore, with what pvPara is. */
#define CERT_STORE_PROV_MEMORY ((LPCSTR)2)     /* not used */
#define CERT_STORE_PROV_PKCS7 ((LPCSTR)5)      /* CRYPT_DATA_BLOB with a PKCS #7 SignedData in DER */
#define CERT_STORE_PROV_FILENAME_A ((LPCSTR)7) /* path */
#define CERT_STORE_PROV_FILENAME_W ((LPCSTR)8) /* path */
#define CERT_STORE_PROV_FILENAME CERT_STORE_PROV_FILENAME_W
#define CERT_STORE_PROV_SYSTEM_A ((LPCSTR)9)  /* name: "ROOT", "MY", "CA" */
#define CERT_STORE_PROV_SYSTEM_W ((LPCSTR)10) /* name */
#define CERT_STORE_PROV_SYSTEM CERT_STORE_PROV_SYSTEM_W

/* The same providers by name, as lpszStoreProvider in text. */
#define sz_CERT_STORE_PROV_MEMORY "Memory"
#define sz_CERT_STORE_PROV_PKCS7 "PKCS7"
#define sz_CERT_STORE_PROV_FILENAME_W "File"
#define sz_CERT_STORE_PROV_FILENAME sz_CERT_STORE_PROV_FILENAME_W
#define sz_CERT_STORE_PROV_SYSTEM_W "System"
#define sz_CERT_STORE_PROV_SYSTEM sz_CERT_STORE_PROV_SYSTEM_W

/* dwFlags of CertOpenStore. */
#define CERT_STORE_SET_LOCALIZED_NAME_FLAG 0x00000002
#define CERT_STORE_DEFER_CLOSE_UNTIL_LAST_FREE_FLAG 0x00000004
#define CERT_STORE_DELETE_FLAG 0x00000010
#define CERT_STORE_SHARE_STORE_FLAG 0x00000040
#define CERT_STORE_SHARE_CONTEXT_FLAG 0x00000080
#define CERT_STORE_ENUM_ARCHIVED_FLAG \
    0x00000200 /* enumerations have archived certificates (CERT_ARCHIVED_PROP_ID), too */
#define CERT_STORE_UPDATE_KEYID_FLAG 0x00000400
#define CERT_STORE_BACKUP_RESTORE_FLAG 0x00000800
#define CERT_STORE_MAXIMUM_ALLOWED_FLAG 0x00001000
#define CERT_STORE_CREATE_NEW_FLAG 0x00002000
#define CERT_STORE_OPEN_EXISTING_FLAG 0x00004000
#define CERT_STORE_READONLY_FLAG 0x00008000
#define CERT_FILE_STORE_COMMIT_ENABLE_FLAG 0x00010000

/* Where a system store is. The user's and the machine's differ for MY alone. */
#define CERT_SYSTEM_STORE_MASK 0xFFFF0000
#define CERT_SYSTEM_STORE_LOCATION_MASK 0x00FF0000
#define CERT_SYSTEM_STORE_LOCATION_SHIFT 16
#define CERT_SYSTEM_STORE_CURRENT_USER_ID 1
#define CERT_SYSTEM_STORE_LOCAL_MACHINE_ID 2
#define CERT_SYSTEM_STORE_CURRENT_SERVICE_ID 4 /* these six name places that are not here: CertOpenStore refuses them */
#define CERT_SYSTEM_STORE_SERVICES_ID 5
#define CERT_SYSTEM_STORE_USERS_ID 6
#define CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY_ID 7
#define CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY_ID 8
#define CERT_SYSTEM_STORE_LOCAL_MACHINE_ENTERPRISE_ID 9
#define CERT_SYSTEM_STORE_CURRENT_SERVICE (CERT_SYSTEM_STORE_CURRENT_SERVICE_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_SERVICES (CERT_SYSTEM_STORE_SERVICES_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_USERS (CERT_SYSTEM_STORE_USERS_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY \
    (CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY \
    (CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_LOCAL_MACHINE_ENTERPRISE \
    (CERT_SYSTEM_STORE_LOCAL_MACHINE_ENTERPRISE_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_CURRENT_USER (CERT_SYSTEM_STORE_CURRENT_USER_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)
#define CERT_SYSTEM_STORE_LOCAL_MACHINE (CERT_SYSTEM_STORE_LOCAL_MACHINE_ID << CERT_SYSTEM_STORE_LOCATION_SHIFT)

/*
 * CertOpenStore opens a store.
 *
 * dwEncodingType  X509_ASN_ENCODING | PKCS_7_ASN_ENCODING; not used.
 * hCryptProv      not used; 0.
 * dwFlags         of the above, CERT_STORE_DELETE_FLAG, CREATE_NEW of anything but memory and CERT_FILE_STORE_COMMIT_ENABLE_FLAG are refused: nothing
 *                 here writes files. For a file OPEN_EXISTING is implied. A system store needs one of the CERT_SYSTEM_STORE_ places, and is read
 *                 only.
 * pvPara          as the provider says. A file holds certificates and revocation lists in PEM (any number, other blocks are passed over), a
 *                 certificate or list in DER, or a PKCS #7 SignedData in either. What is added to an open file store stays in memory.
 *
 * Returns a handle for CertCloseStore, or NULL: ERROR_FILE_NOT_FOUND when the file or the named provider or system store is not there,
 * CRYPT_E_FILE_ERROR when it, or what the configuration names for a system store, cannot be read, CRYPT_E_BAD_ENCODE when nothing in it makes sense,
 * ERROR_NOT_SUPPORTED for what is refused.
 *
 * Source: Microsoft, CertOpenStore.
 */
HCERTSTORE WINAPI CertOpenStore(LPCSTR lpszStoreProvider, DWORD dwEncodingType, HCRYPTPROV_LEGACY hCryptProv,
                                DWORD dwFlags, const void *pvPara);

/*
 * CertOpenSystemStoreW opens a system store of the current user: "MY", "ROOT", "CA".
 *
 * Returns as CertOpenStore.
 *
 * Source: Microsoft, CertOpenSystemStoreW.
 */
HCERTSTORE WINAPI CertOpenSystemStoreW(HCRYPTPROV_LEGACY hProv, LPCWSTR szSubsystemProtocol);
/* CertOpenSystemStoreA does the same with UTF-8. */
HCERTSTORE WINAPI CertOpenSystemStoreA(HCRYPTPROV_LEGACY hProv, LPCSTR szSubsystemProtocol);
#define CertOpenSystemStore OPENSSPI_AW(CertOpenSystemStore)

/*
 * CertDuplicateStore counts one more reference.
 *
 * Returns hCertStore; NULL for NULL and for what is not, or no longer, a store of this library.
 *
 * Source: Microsoft, CertDuplicateStore.
 */
HCERTSTORE WINAPI CertDuplicateStore(HCERTSTORE hCertStore);

#define CERT_CLOSE_STORE_FORCE_FLAG 0x00000001
#define CERT_CLOSE_STORE_CHECK_FLAG 0x00000002

/*
 * CertCloseStore gives one reference back. The last one closes the store; contexts of it that the caller holds stay usable until he frees them.
 *
 * dwFlags  CERT_CLOSE_STORE_FORCE_FLAG closes at once, whoever else holds a reference, and frees all contexts that callers hold from this store:
 *          their pointers are void then. CERT_CLOSE_STORE_CHECK_FLAG tells whether contexts are still held.
 *
 * Returns TRUE, also for NULL; FALSE with CRYPT_E_PENDING_CLOSE under CHECK when the store was closed though contexts are still held.
 *
 * Source: Microsoft, CertCloseStore.
 */
BOOL WINAPI CertCloseStore(HCERTSTORE hCertStore, DWORD dwFlags);

/* dwAddDisposition: what happens when the store has the certificate already. The private key and where it is are properties that only go over to a
 * certificate of the same public key. */
#define CERT_STORE_ADD_NEW 1              /* CRYPT_E_EXISTS */
#define CERT_STORE_ADD_USE_EXISTING 2     /* the one there is kept, and takes over properties it has not */
#define CERT_STORE_ADD_REPLACE_EXISTING 3 /* it is replaced */
#define CERT_STORE_ADD_ALWAYS 4           /* both stay */
#define CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES 5 /* it is replaced; its properties go over */
#define CERT_STORE_ADD_NEWER 6 /* replaced when the new one's NotBefore is later, else CRYPT_E_EXISTS */
#define CERT_STORE_ADD_NEWER_INHERIT_PROPERTIES 7 /* the same; properties go over */

/*
 * CertAddCertificateContextToStore puts a copy of a certificate, with its properties and key, into a store.
 *
 * dwAddDisposition  one of the above. Certificates are the same when issuer and serial number are.
 * ppStoreContext    receives the store's context, for CertFreeCertificateContext; may be NULL.
 *
 * Returns TRUE; FALSE with CRYPT_E_EXISTS as above, E_ACCESSDENIED for a store that is read only.
 *
 * Source: Microsoft, CertAddCertificateContextToStore.
 */
BOOL WINAPI CertAddCertificateContextToStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pCertContext, DWORD dwAddDisposition,
                                             PCCERT_CONTEXT *ppStoreContext);

/*
 * CertAddEncodedCertificateToStore makes a context from encoded bytes and puts it into a store.
 *
 * Returns TRUE; FALSE with the codes of CertCreateCertificateContext and CertAddCertificateContextToStore.
 *
 * Source: Microsoft, CertAddEncodedCertificateToStore.
 */
BOOL WINAPI CertAddEncodedCertificateToStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, const BYTE *pbCertEncoded,
                                             DWORD cbCertEncoded, DWORD dwAddDisposition,
                                             PCCERT_CONTEXT *ppCertContext);

/*
 * CertDeleteCertificateFromStore takes a certificate out of its store and frees the context, even on failure. A duplicate of the context can still be
 * the pPrevCertContext of an enumeration.
 *
 * Returns TRUE, also for a context without a store; FALSE with E_ACCESSDENIED for a store that is read only.
 *
 * Source: Microsoft, CertDeleteCertificateFromStore.
 */
BOOL WINAPI CertDeleteCertificateFromStore(PCCERT_CONTEXT pCertContext);

/*
 * CertEnumCertificatesInStore gives the first (pPrevCertContext NULL) or the next certificate of a store, and frees pPrevCertContext. Archived ones
 * (CERT_ARCHIVED_PROP_ID) are left out, unless the store was opened with CERT_STORE_ENUM_ARCHIVED_FLAG; CERT_FIND_ANY and CertFindChainInStore leave
 * them out likewise.
 *
 * Returns a context for CertFreeCertificateContext or the next call; NULL after the last, with CRYPT_E_NOT_FOUND.
 *
 * Source: Microsoft, CertEnumCertificatesInStore.
 */
PCCERT_CONTEXT WINAPI CertEnumCertificatesInStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pPrevCertContext);

/* dwFindType is a comparison and, for names, whose. */
#define CERT_COMPARE_MASK 0xFFFF
#define CERT_COMPARE_SHIFT 16
#define CERT_COMPARE_ANY 0
#define CERT_COMPARE_SHA1_HASH 1
#define CERT_COMPARE_NAME 2
#define CERT_COMPARE_MD5_HASH 4
#define CERT_COMPARE_PROPERTY 5
#define CERT_COMPARE_PUBLIC_KEY 6
#define CERT_COMPARE_HASH CERT_COMPARE_SHA1_HASH
#define CERT_COMPARE_NAME_STR_A 7
#define CERT_COMPARE_NAME_STR_W 8
#define CERT_COMPARE_ENHKEY_USAGE 10
#define CERT_COMPARE_SUBJECT_CERT 11
#define CERT_COMPARE_ISSUER_OF 12
#define CERT_COMPARE_EXISTING 13
#define CERT_COMPARE_KEY_IDENTIFIER 15
#define CERT_COMPARE_HASH_STR 20
#define CERT_COMPARE_HAS_PRIVATE_KEY 21

/* dwFindType, with what pvFindPara is. */
#define CERT_FIND_ANY (CERT_COMPARE_ANY << CERT_COMPARE_SHIFT)             /* not used */
#define CERT_FIND_SHA1_HASH (CERT_COMPARE_SHA1_HASH << CERT_COMPARE_SHIFT) /* CRYPT_HASH_BLOB */
#define CERT_FIND_MD5_HASH (CERT_COMPARE_MD5_HASH << CERT_COMPARE_SHIFT)   /* CRYPT_HASH_BLOB */
#define CERT_FIND_HASH CERT_FIND_SHA1_HASH
#define CERT_FIND_KEY_IDENTIFIER (CERT_COMPARE_KEY_IDENTIFIER << CERT_COMPARE_SHIFT) /* CRYPT_HASH_BLOB */
#define CERT_FIND_PROPERTY (CERT_COMPARE_PROPERTY << CERT_COMPARE_SHIFT)             /* DWORD: property is there */
#define CERT_FIND_PUBLIC_KEY (CERT_COMPARE_PUBLIC_KEY << CERT_COMPARE_SHIFT)         /* CERT_PUBLIC_KEY_INFO */
#define CERT_FIND_SUBJECT_NAME (CERT_COMPARE_NAME << CERT_COMPARE_SHIFT | CERT_INFO_SUBJECT_FLAG) /* CERT_NAME_BLOB */
#define CERT_FIND_ISSUER_NAME (CERT_COMPARE_NAME << CERT_COMPARE_SHIFT | CERT_INFO_ISSUER_FLAG)   /* CERT_NAME_BLOB */
#define CERT_FIND_SUBJECT_STR_A \
    (CERT_COMPARE_NAME_STR_A << CERT_COMPARE_SHIFT | CERT_INFO_SUBJECT_FLAG) /* part of it */
#define CERT_FIND_SUBJECT_STR_W (CERT_COMPARE_NAME_STR_W << CERT_COMPARE_SHIFT | CERT_INFO_SUBJECT_FLAG)
#define CERT_FIND_SUBJECT_STR CERT_FIND_SUBJECT_STR_W
#define CERT_FIND_ISSUER_STR_A (CERT_COMPARE_NAME_STR_A << CERT_COMPARE_SHIFT | CERT_INFO_ISSUER_FLAG)
#define CERT_FIND_ISSUER_STR_W (CERT_COMPARE_NAME_STR_W << CERT_COMPARE_SHIFT | CERT_INFO_ISSUER_FLAG)
#define CERT_FIND_ISSUER_STR CERT_FIND_ISSUER_STR_W
#define CERT_FIND_ENHKEY_USAGE (CERT_COMPARE_ENHKEY_USAGE << CERT_COMPARE_SHIFT) /* CERT_ENHKEY_USAGE */
#define CERT_FIND_SUBJECT_CERT (CERT_COMPARE_SUBJECT_CERT << CERT_COMPARE_SHIFT) /* CERT_INFO: issuer, serial */
#define CERT_FIND_ISSUER_OF (CERT_COMPARE_ISSUER_OF << CERT_COMPARE_SHIFT)       /* CERT_CONTEXT */
#define CERT_FIND_EXISTING (CERT_COMPARE_EXISTING << CERT_COMPARE_SHIFT)         /* CERT_CONTEXT: the very same */
#define CERT_FIND_HASH_STR (CERT_COMPARE_HASH_STR << CERT_COMPARE_SHIFT) /* WCHAR: "SHA256:hex" or SHA-1's hex */
#define CERT_FIND_HAS_PRIVATE_KEY (CERT_COMPARE_HAS_PRIVATE_KEY << CERT_COMPARE_SHIFT) /* not used */

/* dwFindFlags of CERT_FIND_ENHKEY_USAGE. */
#define CERT_FIND_OPTIONAL_ENHKEY_USAGE_FLAG 0x1
#define CERT_FIND_EXT_ONLY_ENHKEY_USAGE_FLAG 0x2
#define CERT_FIND_NO_ENHKEY_USAGE_FLAG 0x8
#define CERT_FIND_OR_ENHKEY_USAGE_FLAG 0x10

/*
 * CertFindCertificateInStore gives the first (pPrevCertContext NULL) or the next certificate that fits, and frees pPrevCertContext.
 *
 * dwFindFlags  0, but for CERT_FIND_ENHKEY_USAGE: without flags the certificate must have a usage extension that names all purposes; OPTIONAL: none
 *              is good as well; OR: one purpose is enough; NO: one without the extension.
 * dwFindType   one of CERT_FIND_. A part of a name is compared without regard to case with the name written as CertNameToStr does (CERT_X500_NAME_STR
 *              without keys: CERT_SIMPLE_NAME_STR).
 *
 * Returns a context for CertFreeCertificateContext or the next call; NULL with CRYPT_E_NOT_FOUND when none fits, E_INVALIDARG for another type.
 *
 * Source: Microsoft, CertFindCertificateInStore.
 */
PCCERT_CONTEXT WINAPI CertFindCertificateInStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType, DWORD dwFindFlags,
                                                 DWORD dwFindType, const void *pvFindPara,
                                                 PCCERT_CONTEXT pPrevCertContext);

/*
 * CertGetSubjectCertificateFromStore gives the certificate of this issuer and serial number.
 *
 * Returns as CertFindCertificateInStore with CERT_FIND_SUBJECT_CERT.
 *
 * Source: Microsoft, CertGetSubjectCertificateFromStore.
 */
PCCERT_CONTEXT WINAPI CertGetSubjectCertificateFromStore(HCERTSTORE hCertStore, DWORD dwCertEncodingType,
                                                         PCERT_INFO pCertId);

/* pdwFlags of CertGetIssuerCertificateFromStore. */
#define CERT_STORE_SIGNATURE_FLAG 0x00000001
#define CERT_STORE_TIME_VALIDITY_FLAG 0x00000002
#define CERT_STORE_REVOCATION_FLAG 0x00000004
#define CERT_STORE_NO_CRL_FLAG 0x00010000
#define CERT_STORE_NO_ISSUER_FLAG 0x00020000

/*
 * CertGetIssuerCertificateFromStore gives the first (pPrevIssuerContext NULL) or the next certificate of a store that can have issued another, and
 * frees pPrevIssuerContext.
 *
 * pdwFlags  in: the checks to be made, of SIGNATURE, TIME_VALIDITY and REVOCATION; out: those that failed, and NO_CRL or NO_ISSUER where there was
 *           nothing to check with. Only the store is asked.
 *
 * Returns a context; NULL with CRYPT_E_NOT_FOUND when there is none, CRYPT_E_SELF_SIGNED when the subject issued itself: the checks are made on it
 * then.
 *
 * Source: Microsoft, CertGetIssuerCertificateFromStore.
 */
PCCERT_CONTEXT WINAPI CertGetIssuerCertificateFromStore(HCERTSTORE hCertStore, PCCERT_CONTEXT pSubjectContext,
                                                        PCCERT_CONTEXT pPrevIssuerContext, DWORD *pdwFlags);

/* dwFlags of PFXImportCertStore. */
#define CRYPT_EXPORTABLE 0x00000001
#define CRYPT_USER_PROTECTED 0x00000002
#define CRYPT_USER_KEYSET 0x00001000
#define PKCS12_IMPORT_SILENT 0x00000040
#define PKCS12_INCLUDE_EXTENDED_PROPERTIES 0x00000010
#define PKCS12_PREFER_CNG_KSP 0x00000100
#define PKCS12_ALWAYS_CNG_KSP 0x00000200
#define PKCS12_ONLY_CERTIFICATES 0x00000400
#define PKCS12_ALLOW_OVERWRITE_KEY 0x00004000
#define PKCS12_NO_PERSIST_KEY 0x00008000

/*
 * PFXImportCertStore makes a memory store of the certificates and keys of a PFX (PKCS #12) file, of the old encryption (RC2, 3DES) and the new (AES).
 *
 * pPFX        the file's bytes.
 * szPassword  UTF-16; NULL and "" are both tried for either.
 * dwFlags     of the above. Keys are always in memory alone and go with the store; PKCS12_ONLY_CERTIFICATES leaves them out. CRYPT_USER_PROTECTED,
 *             which would ask the user, is refused.
 *
 * Returns a handle for CertCloseStore, or NULL: ERROR_INVALID_PASSWORD; CRYPT_E_BAD_ENCODE when it is no PFX or is damaged or names an algorithm that
 * is not known, or holds a key that is not for RSA, elliptic curves or EdDSA; ERROR_NOT_SUPPORTED when OpenSSL's legacy provider is needed and not
 * installed.
 *
 * Source: Microsoft, PFXImportCertStore.
 */
HCERTSTORE WINAPI PFXImportCertStore(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags);

/*
 * PFXIsPFXBlob tells whether the bytes look like a PFX file: its outermost form is right.
 *
 * Source: Microsoft, PFXIsPFXBlob.
 */
BOOL WINAPI PFXIsPFXBlob(CRYPT_DATA_BLOB *pPFX);

/*
 * PFXVerifyPassword tells whether the password is that of a PFX file, by its checksum.
 *
 * Returns TRUE; FALSE with ERROR_INVALID_PASSWORD when it is not, CRYPT_E_BAD_ENCODE when it is no PFX file or has no checksum.
 *
 * Source: Microsoft, PFXVerifyPassword.
 */
BOOL WINAPI PFXVerifyPassword(CRYPT_DATA_BLOB *pPFX, LPCWSTR szPassword, DWORD dwFlags);

OPENSSPI_END_DECLS

#endif
