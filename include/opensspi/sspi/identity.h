/*
 * sspi/identity.h: identities, the names and secrets that a credential is made from. Include <sspi.h>, not
 * this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_IDENTITY_H
#define OPENSSPI_SSPI_IDENTITY_H

#include "base.h"

OPENSSPI_BEGIN_DECLS

/*
 * A user, a domain and a password. Lengths count characters without a terminator. Flags says whether the
 * strings are UTF-16 or not; the structures A and W differ in their pointers only.
 */
#ifndef _AUTH_IDENTITY_DEFINED
#define _AUTH_IDENTITY_DEFINED

#define SEC_WINNT_AUTH_IDENTITY_ANSI 0x1
#define SEC_WINNT_AUTH_IDENTITY_UNICODE 0x2

typedef struct _SEC_WINNT_AUTH_IDENTITY_W {
    unsigned short *User;
    ULONG UserLength;
    unsigned short *Domain;
    ULONG DomainLength;
    unsigned short *Password;
    ULONG PasswordLength;
    ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_W, *PSEC_WINNT_AUTH_IDENTITY_W;

typedef struct _SEC_WINNT_AUTH_IDENTITY_A {
    unsigned char *User;
    ULONG UserLength;
    unsigned char *Domain;
    ULONG DomainLength;
    unsigned char *Password;
    ULONG PasswordLength;
    ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_A, *PSEC_WINNT_AUTH_IDENTITY_A;

#define SEC_WINNT_AUTH_IDENTITY OPENSSPI_AW_(SEC_WINNT_AUTH_IDENTITY)
#define PSEC_WINNT_AUTH_IDENTITY OPENSSPI_AW_(PSEC_WINNT_AUTH_IDENTITY)
#define _SEC_WINNT_AUTH_IDENTITY OPENSSPI_AW_(_SEC_WINNT_AUTH_IDENTITY)
#endif

/*
 * The same with a list of packages to be used or, after an exclamation mark, avoided: "ntlm,!kerberos".
 * Version is SEC_WINNT_AUTH_IDENTITY_VERSION, Length the size of the structure in bytes.
 */
#ifndef SEC_WINNT_AUTH_IDENTITY_VERSION
#define SEC_WINNT_AUTH_IDENTITY_VERSION 0x200

typedef struct _SEC_WINNT_AUTH_IDENTITY_EXW {
    ULONG Version;
    ULONG Length;
    unsigned short *User;
    ULONG UserLength;
    unsigned short *Domain;
    ULONG DomainLength;
    unsigned short *Password;
    ULONG PasswordLength;
    ULONG Flags;
    unsigned short *PackageList;
    ULONG PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXW, *PSEC_WINNT_AUTH_IDENTITY_EXW;

typedef struct _SEC_WINNT_AUTH_IDENTITY_EXA {
    ULONG Version;
    ULONG Length;
    unsigned char *User;
    ULONG UserLength;
    unsigned char *Domain;
    ULONG DomainLength;
    unsigned char *Password;
    ULONG PasswordLength;
    ULONG Flags;
    unsigned char *PackageList;
    ULONG PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXA, *PSEC_WINNT_AUTH_IDENTITY_EXA;

#define SEC_WINNT_AUTH_IDENTITY_EX OPENSSPI_AW(SEC_WINNT_AUTH_IDENTITY_EX)
#define PSEC_WINNT_AUTH_IDENTITY_EX OPENSSPI_AW(PSEC_WINNT_AUTH_IDENTITY_EX)
#endif

/*
 * An identity in one block of cbStructureLength bytes: a header, and data at offsets from its start. Lengths
 * are bytes; strings are UTF-16. The packed credentials are a SEC_WINNT_AUTH_PACKED_CREDENTIALS.
 */
#ifndef _AUTH_IDENTITY_EX2_DEFINED
#define _AUTH_IDENTITY_EX2_DEFINED

#define SEC_WINNT_AUTH_IDENTITY_VERSION_2 0x201

typedef struct _SEC_WINNT_AUTH_IDENTITY_EX2 {
    ULONG Version;
    unsigned short cbHeaderLength;
    ULONG cbStructureLength;
    ULONG UserOffset;
    unsigned short UserLength;
    ULONG DomainOffset;
    unsigned short DomainLength;
    ULONG PackedCredentialsOffset;
    unsigned short PackedCredentialsLength;
    ULONG Flags;
    ULONG PackageListOffset;
    unsigned short PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EX2, *PSEC_WINNT_AUTH_IDENTITY_EX2;
#endif

#ifndef _AUTH_IDENTITY_INFO_DEFINED
#define _AUTH_IDENTITY_INFO_DEFINED

/* Any of the forms above: Version, or the lack of it, tells which. */
typedef union _SEC_WINNT_AUTH_IDENTITY_INFO {
    SEC_WINNT_AUTH_IDENTITY_EXW AuthIdExw;
    SEC_WINNT_AUTH_IDENTITY_EXA AuthIdExa;
    SEC_WINNT_AUTH_IDENTITY_A AuthId_a;
    SEC_WINNT_AUTH_IDENTITY_W AuthId_w;
    SEC_WINNT_AUTH_IDENTITY_EX2 AuthIdEx2;
} SEC_WINNT_AUTH_IDENTITY_INFO, *PSEC_WINNT_AUTH_IDENTITY_INFO;

/* Flags: how the identity is protected, and what is known of it. */
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED 0x10
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED 0x20
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED 0x40
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED 0x80

#define SEC_WINNT_AUTH_IDENTITY_FLAGS_RESERVED 0x10000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_USER 0x20000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_NULL_DOMAIN 0x40000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_ID_PROVIDER 0x80000

#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_USE_MASK 0xFF000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_SAVE 0x80000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_SAVE_CRED_BY_CALLER \
    SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_SAVE
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_SAVE_CRED_CHECKED 0x40000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_NO_CHECKBOX 0x20000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_LOAD 0x10000000
#define SEC_WINNT_AUTH_IDENTITY_FLAGS_VALID_SSPIPFC_FLAGS                                                          \
    (SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_SAVE |                                                  \
     SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_SAVE_CRED_CHECKED | SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_NO_CHECKBOX | \
     SEC_WINNT_AUTH_IDENTITY_FLAGS_SSPIPFC_CREDPROV_DO_NOT_LOAD)
#endif

/* Flags: the identity is marshalled, and it names a user without proving anything. */
#define SEC_WINNT_AUTH_IDENTITY_MARSHALLED 0x4
#define SEC_WINNT_AUTH_IDENTITY_ONLY 0x8

/* An identity whose form its holder does not look into. */
typedef PVOID PSEC_WINNT_AUTH_IDENTITY_OPAQUE;

/* Packed credentials: typed secrets in one block. Offsets count from the start of the enclosing structure. */

typedef struct _SEC_WINNT_AUTH_BYTE_VECTOR {
    ULONG ByteArrayOffset;
    unsigned short ByteArrayLength;
} SEC_WINNT_AUTH_BYTE_VECTOR, *PSEC_WINNT_AUTH_BYTE_VECTOR;

typedef struct _SEC_WINNT_AUTH_SHORT_VECTOR {
    ULONG ShortArrayOffset;
    unsigned short ShortArrayCount;
} SEC_WINNT_AUTH_SHORT_VECTOR, *PSEC_WINNT_AUTH_SHORT_VECTOR;

typedef struct _SEC_WINNT_AUTH_DATA {
    GUID CredType;
    SEC_WINNT_AUTH_BYTE_VECTOR CredData;
} SEC_WINNT_AUTH_DATA, *PSEC_WINNT_AUTH_DATA;

typedef struct _SEC_WINNT_AUTH_PACKED_CREDENTIALS {
    unsigned short cbHeaderLength;
    unsigned short cbStructureLength;
    SEC_WINNT_AUTH_DATA AuthData;
} SEC_WINNT_AUTH_PACKED_CREDENTIALS, *PSEC_WINNT_AUTH_PACKED_CREDENTIALS;

typedef struct _SEC_WINNT_AUTH_PACKED_CREDENTIALS_EX {
    unsigned short cbHeaderLength;
    ULONG Flags;
    SEC_WINNT_AUTH_BYTE_VECTOR PackedCredentials;
    SEC_WINNT_AUTH_SHORT_VECTOR PackageList;
} SEC_WINNT_AUTH_PACKED_CREDENTIALS_EX, *PSEC_WINNT_AUTH_PACKED_CREDENTIALS_EX;

typedef struct _SEC_WINNT_AUTH_DATA_PASSWORD {
    SEC_WINNT_AUTH_BYTE_VECTOR UnicodePassword;
} SEC_WINNT_AUTH_DATA_PASSWORD, *PSEC_WINNT_AUTH_DATA_PASSWORD;

typedef struct _SEC_WINNT_AUTH_CERTIFICATE_DATA {
    unsigned short cbHeaderLength;
    unsigned short cbStructureLength;
    SEC_WINNT_AUTH_BYTE_VECTOR Certificate;
} SEC_WINNT_AUTH_CERTIFICATE_DATA, *PSEC_WINNT_AUTH_CERTIFICATE_DATA;

typedef struct _SEC_WINNT_AUTH_NGC_DATA {
    LUID LogonId;
    ULONG Flags;
    SEC_WINNT_AUTH_BYTE_VECTOR CspInfo;
    SEC_WINNT_AUTH_BYTE_VECTOR UserIdKeyAuthTicket;
    SEC_WINNT_AUTH_BYTE_VECTOR DecryptionKeyName;
    SEC_WINNT_AUTH_BYTE_VECTOR DecryptionKeyAuthTicket;
} SEC_WINNT_AUTH_NGC_DATA, *PSEC_WINNT_AUTH_NGC_DATA;

#define NGC_DATA_FLAG_KERB_CERTIFICATE_LOGON_FLAG_CHECK_DUPLICATES 0x1
#define NGC_DATA_FLAG_KERB_CERTIFICATE_LOGON_FLAG_USE_CERTIFICATE_INFO 0x2
#define NGC_DATA_FLAG_IS_SMARTCARD_DATA 0x4

typedef struct _SEC_WINNT_AUTH_DATA_TYPE_SMARTCARD_CONTEXTS_DATA {
    PVOID pcc;
    PVOID hProv;
    LPWSTR pwszECDHKeyName;
} SEC_WINNT_AUTH_DATA_TYPE_SMARTCARD_CONTEXTS_DATA, *PSEC_WINNT_AUTH_DATA_TYPE_SMARTCARD_CONTEXTS_DATA;

typedef struct _SEC_WINNT_AUTH_FIDO_DATA {
    unsigned short cbHeaderLength;
    unsigned short cbStructureLength;
    SEC_WINNT_AUTH_BYTE_VECTOR Secret;
    SEC_WINNT_AUTH_BYTE_VECTOR NewSecret;
    SEC_WINNT_AUTH_BYTE_VECTOR EncryptedNewSecret;
    SEC_WINNT_AUTH_BYTE_VECTOR NetworkLogonBuffer;
    ULONG64 ulSignatureCount;
} SEC_WINNT_AUTH_FIDO_DATA, *PSEC_WINNT_AUTH_FIDO_DATA;

/* What CredType of SEC_WINNT_AUTH_DATA, and the types below, can be. */

#ifndef OPENSSPI_GUID
#if defined(__GNUC__) || defined(__clang__)
#define OPENSSPI_GUID(name) static const GUID name __attribute__((unused))
#else
#define OPENSSPI_GUID(name) static const GUID name
#endif
#endif

OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_PASSWORD) = {
    0x28bfc32f, 0x10f6, 0x4738, {0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_CERT) = {
    0x235f69ad, 0x73fb, 0x4dbc, {0x82, 0x03, 0x06, 0x29, 0xe7, 0x39, 0x33, 0x9b}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_CREDMAN_CERT) = {
    0x7cb72412, 0x1016, 0x491a, {0x8c, 0x87, 0x4d, 0x2a, 0xa1, 0xb7, 0xdd, 0x3a}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_NGC) = {
    0x10a47879, 0x5ebf, 0x4b85, {0xbd, 0x8d, 0xc2, 0x1b, 0xb4, 0xf4, 0x9c, 0x8a}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_FIDO) = {
    0x32e8f8d7, 0x7871, 0x4bcc, {0x83, 0xc5, 0x46, 0x0f, 0x66, 0xc6, 0x13, 0x5c}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_KEYTAB) = {
    0xd587aae8, 0xf78f, 0x4455, {0xa1, 0x12, 0xc9, 0x34, 0xbe, 0xee, 0x7c, 0xe1}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_CSP_DATA) = {
    0x68fd9879, 0x079c, 0x4dfe, {0x82, 0x81, 0x57, 0x8a, 0xad, 0xc1, 0xc1, 0x00}};
OPENSSPI_GUID(SEC_WINNT_AUTH_DATA_TYPE_SMARTCARD_CONTEXTS) = {
    0xb86c4ff3, 0x49d7, 0x4dc4, {0xb5, 0x60, 0xb1, 0x16, 0x36, 0x85, 0xb2, 0x36}};
OPENSSPI_GUID(CREDUIWIN_STRUCTURE_TYPE_SSPIPFC) = {
    0x3c3e93d9, 0xd96b, 0x49b5, {0x94, 0xa7, 0x45, 0x85, 0x92, 0x08, 0x83, 0x37}};
OPENSSPI_GUID(SSPIPFC_STRUCTURE_TYPE_CREDUI_CONTEXT) = {
    0xc2fffe6f, 0x503d, 0x4c3d, {0xa9, 0x5e, 0xbc, 0xe8, 0x21, 0x21, 0x3d, 0x44}};

/*
 * SspiEncodeStringsAsAuthIdentity makes an identity from strings.
 *
 * pszUserName, pszDomainName, pszPackedCredentialsString are zero-terminated; each may be NULL, but not all
 * of them. The third is a password, or a SEC_WINNT_AUTH_PACKED_CREDENTIALS of a password in base64. Whatever
 * else it looks like is a password, letter by letter: it may come from anybody, and names no keytab and no
 * certificate; SspiUnmarshalAuthIdentity and the flags of sspi_ext.h make identities of those. ppAuthIdentity
 * receives the identity, a SEC_WINNT_AUTH_IDENTITY_EX2, to be freed with SspiFreeAuthIdentity.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_TOKEN when all strings are NULL, when a name is not valid UTF-16 and when one
 * has more than 1024 characters; SEC_E_INVALID_PARAMETER; SEC_E_INSUFFICIENT_MEMORY. On failure *ppAuthIdentity is untouched.
 *
 * Source: Microsoft SSPI reference, SspiEncodeStringsAsAuthIdentity; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY SspiEncodeStringsAsAuthIdentity(PCWSTR pszUserName, PCWSTR pszDomainName,
                                                          PCWSTR pszPackedCredentialsString,
                                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity);

/*
 * SspiEncodeAuthIdentityAsStrings takes an identity apart into strings.
 *
 * pAuthIdentity stays the caller's. The outputs receive strings, each to be freed with SspiLocalFree; a NULL
 * one stays NULL. ppszPackedCredentialsString receives a secret, which freeing wipes: the password, or base64 of
 * its SEC_WINNT_AUTH_PACKED_CREDENTIALS where it holds a NUL or would be read as base64 itself.
 *
 * Returns SEC_E_OK; SEC_E_UNSUPPORTED_FUNCTION when the secret is no password: a hash, a keytab, a certificate or
 * the name of one (SspiMarshalAuthIdentity keeps them whole); STATUS_INVALID_PARAMETER (0xC000000D) when the
 * identity is encrypted; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN when the identity is damaged;
 * SEC_E_INSUFFICIENT_MEMORY. On failure the outputs are untouched.
 *
 * Source: Microsoft SSPI reference, SspiEncodeAuthIdentityAsStrings; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY SspiEncodeAuthIdentityAsStrings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE pAuthIdentity,
                                                          PCWSTR *ppszUserName, PCWSTR *ppszDomainName,
                                                          PCWSTR *ppszPackedCredentialsString);

/*
 * SspiValidateAuthIdentity says whether an identity is well formed.
 *
 * Returns SEC_E_OK when it is; SEC_E_INVALID_PARAMETER or SEC_E_INVALID_TOKEN when it is not;
 * SEC_E_INSUFFICIENT_MEMORY. A password is not tried; what is encrypted is not looked into.
 *
 * Source: Microsoft SSPI reference, SspiValidateAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiValidateAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData);

/*
 * SspiCopyAuthIdentity copies an identity.
 *
 * AuthData is of any form. AuthDataCopy receives the copy, a SEC_WINNT_AUTH_IDENTITY_EX2, to be freed with
 * SspiFreeAuthIdentity; of an encrypted identity the copy is encrypted.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiCopyAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiCopyAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData,
                                               PSEC_WINNT_AUTH_IDENTITY_OPAQUE *AuthDataCopy);

/*
 * SspiFreeAuthIdentity frees an identity that an Sspi function made, and wipes it first. NULL is allowed; what
 * no Sspi function made is left alone.
 *
 * Source: Microsoft SSPI reference, SspiFreeAuthIdentity.
 */
VOID SEC_ENTRY SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData);

/*
 * SspiZeroAuthIdentity wipes an identity, secrets and names, without freeing it. NULL is allowed. Of a structure
 * with pointers, SEC_WINNT_AUTH_IDENTITY or _EX, the strings are wiped; its pointers and lengths stay.
 *
 * Source: Microsoft SSPI reference, SspiZeroAuthIdentity.
 */
VOID SEC_ENTRY SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData);

/*
 * SspiLocalFree frees a string or block that an Sspi function handed out. NULL is allowed.
 *
 * Source: Microsoft SSPI reference, SspiLocalFree.
 */
VOID SEC_ENTRY SspiLocalFree(PVOID DataBuffer);

/*
 * SspiCompareAuthIdentities compares two identities.
 *
 * SameSuppliedUser receives TRUE when user and domain are the same, without regard to case;
 * SameSuppliedIdentity when also the secrets and the rest are. Either identity may be NULL, the caller's own
 * one, and either output may be NULL.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_TOKEN; SEC_E_DECRYPT_FAILURE; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiCompareAuthIdentities.
 */
SECURITY_STATUS SEC_ENTRY SspiCompareAuthIdentities(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity1,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity2,
                                                    PBOOLEAN SameSuppliedUser, PBOOLEAN SameSuppliedIdentity);

/*
 * SspiMarshalAuthIdentity writes an identity as one block of bytes.
 *
 * AuthIdentityLength receives its size in bytes, AuthIdentityByteArray the block, to be freed with
 * SspiLocalFree. The secret stands in it as it stands in the identity: readable unless encrypted.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiMarshalAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiMarshalAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity,
                                                  ULONG *AuthIdentityLength, char **AuthIdentityByteArray);

/*
 * SspiUnmarshalAuthIdentity reads what SspiMarshalAuthIdentity wrote.
 *
 * AuthIdentityByteArray is AuthIdentityLength bytes and stays the caller's. ppAuthIdentity receives the
 * identity, to be freed with SspiFreeAuthIdentity. It may name a keytab, or a certificate with a module to be
 * loaded for its key: take such bytes from nobody who may not choose those.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN when the block is damaged;
 * SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiUnmarshalAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiUnmarshalAuthIdentity(ULONG AuthIdentityLength, char *AuthIdentityByteArray,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity);

/*
 * SspiExcludePackage copies an identity and adds a package to be avoided to its list.
 *
 * AuthIdentity is the original, NULL for the caller's default. pszPackageName is the package.
 * ppNewAuthIdentity receives the new identity, to be freed with SspiFreeAuthIdentity.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_SECPKG_NOT_FOUND; SEC_E_INVALID_TOKEN;
 * SEC_E_DECRYPT_FAILURE; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiExcludePackage.
 */
SECURITY_STATUS SEC_ENTRY SspiExcludePackage(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszPackageName,
                                             PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppNewAuthIdentity);

/*
 * SspiGetTargetHostName finds the host name in a target name: host.example.com in HTTP/host.example.com:8080, and in
 * HTTP/host.example.com:8080/name@REALM. An address in brackets is given without them.
 *
 * pszHostName receives the name, to be freed with SspiLocalFree.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER, also for a target without a host; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiGetTargetHostName.
 */
SECURITY_STATUS SEC_ENTRY SspiGetTargetHostName(PCWSTR pszTargetName, PWSTR *pszHostName);

/*
 * SspiIsPromptingNeeded says whether a status means that asking the user for other credentials could help.
 *
 * ErrorOrNtStatus is a SECURITY_STATUS, an NTSTATUS or a Windows error number.
 *
 * Returns TRUE or FALSE.
 *
 * Source: Microsoft SSPI reference, SspiIsPromptingNeeded.
 */
BOOLEAN SEC_ENTRY SspiIsPromptingNeeded(ULONG ErrorOrNtStatus);

/* Who can decrypt what SspiEncryptAuthIdentityEx encrypts (Options). */
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON 0x1
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS 0x2
#define SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM 0x4

/*
 * SspiEncryptAuthIdentity encrypts the secrets of an identity in place, for this process.
 *
 * AuthData is an identity made by an Sspi function; one that is encrypted already stays as it is. Names stay
 * readable; of neither can a bit be altered unseen. AcquireCredentialsHandle takes it as it is.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER also for a structure of the caller's own, which has no room for it;
 * SEC_E_INVALID_TOKEN; SEC_E_ENCRYPT_FAILURE; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiEncryptAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData);

/*
 * SspiEncryptAuthIdentityEx is SspiEncryptAuthIdentity with a choice of who can decrypt.
 *
 * Options is SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, or 0 for the same.
 *
 * Returns what SspiEncryptAuthIdentity does; SEC_E_UNSUPPORTED_FUNCTION for _SAME_LOGON and _FOR_SYSTEM, for
 * which no key is kept anywhere.
 *
 * Source: Microsoft SSPI reference, SspiEncryptAuthIdentityEx.
 */
SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData);

/*
 * SspiDecryptAuthIdentity undoes SspiEncryptAuthIdentity, in place.
 *
 * An identity that is not encrypted stays as it is.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN; SEC_E_DECRYPT_FAILURE, and the identity as it
 * was, when it was encrypted by another process or altered; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiDecryptAuthIdentity.
 */
SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData);

/*
 * SspiDecryptAuthIdentityEx undoes SspiEncryptAuthIdentityEx, in place. Options is the value given there.
 *
 * Returns what SspiDecryptAuthIdentity does; SEC_E_UNSUPPORTED_FUNCTION as SspiEncryptAuthIdentityEx.
 *
 * Source: Microsoft SSPI reference, SspiDecryptAuthIdentityEx.
 */
SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData);

/*
 * SspiIsAuthIdentityEncrypted says whether the secrets of an identity are encrypted.
 *
 * Returns TRUE or FALSE.
 *
 * Source: Microsoft SSPI reference, SspiIsAuthIdentityEncrypted.
 */
BOOLEAN SEC_ENTRY SspiIsAuthIdentityEncrypted(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData);

/*
 * SspiPrepareForCredRead tells under which name and type a credential manager keeps the secret for a target.
 *
 * AuthIdentity gives the user, or is NULL. pszTargetName is the target; NULL takes the user name.
 * pCredmanCredentialType receives CRED_TYPE_DOMAIN_CERTIFICATE for a certificate, else
 * CRED_TYPE_DOMAIN_PASSWORD; ppszCredmanTargetName the name, to be freed with SspiLocalFree.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INVALID_TOKEN; SEC_E_DECRYPT_FAILURE;
 * SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiPrepareForCredRead.
 */
SECURITY_STATUS SEC_ENTRY SspiPrepareForCredRead(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                 PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName);

/*
 * SspiPrepareForCredWrite takes an identity apart into what a credential manager stores.
 *
 * AuthIdentity           the identity; it stays the caller's.
 * pszTargetName          the target; NULL takes the user name.
 * pCredmanCredentialType receives the type, CRED_TYPE_DOMAIN_PASSWORD for a password.
 * ppszCredmanTargetName  receives the name to store it under.
 * ppszCredmanUserName    receives the user as "domain\user".
 * ppCredentialBlob       receives the secret: for a password its UTF-16 characters, without a terminator.
 * pCredentialBlobSize    receives its size in bytes.
 *
 * Strings and blob are freed with SspiLocalFree.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER, also for an identity without a user or a secret;
 * SEC_E_INVALID_TOKEN; SEC_E_DECRYPT_FAILURE; SEC_E_UNSUPPORTED_FUNCTION for a secret that is no password;
 * SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SspiPrepareForCredWrite; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY SspiPrepareForCredWrite(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                                  PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName,
                                                  PCWSTR *ppszCredmanUserName, PUCHAR *ppCredentialBlob,
                                                  PULONG pCredentialBlobSize);

/* Prompting for credentials (dwFlags). */
#define SSPIPFC_CREDPROV_DO_NOT_SAVE 0x00000001
#define SSPIPFC_SAVE_CRED_BY_CALLER SSPIPFC_CREDPROV_DO_NOT_SAVE
#define SSPIPFC_NO_CHECKBOX 0x00000002
#define SSPIPFC_CREDPROV_DO_NOT_LOAD 0x00000004
#define SSPIPFC_USE_CREDUIBROKER 0x00000008
#define SSPIPFC_VALID_FLAGS \
    (SSPIPFC_CREDPROV_DO_NOT_SAVE | SSPIPFC_NO_CHECKBOX | SSPIPFC_CREDPROV_DO_NOT_LOAD | SSPIPFC_USE_CREDUIBROKER)

/*
 * SspiPromptForCredentialsW asks the user for credentials: with the program that the configuration names as
 * askpass, else at the process's terminal.
 *
 * pszTargetName        what they are for.
 * pUiInfo              a CREDUI_INFOW with texts to show, or NULL.
 * dwAuthError          why the user is asked: a status, or 0.
 * pszPackage           the package that will use them.
 * pInputAuthIdentity   what to begin with, or NULL.
 * ppAuthIdentity       receives the identity, to be freed with SspiFreeAuthIdentity.
 * pfSave               receives FALSE: nothing here keeps them; may be NULL.
 * dwFlags              SSPIPFC_ flags.
 *
 * Returns a Windows error number, or a status in its place: 0 when the user gave credentials; ERROR_CANCELLED
 * (1223) when the user declined, or did not answer; ERROR_INVALID_PARAMETER (87); SEC_E_SECPKG_NOT_FOUND;
 * SEC_E_UNSUPPORTED_FUNCTION where nobody can be asked and for a package that takes no password. Unless it is
 * 0, the outputs are untouched.
 *
 * Source: Microsoft SSPI reference, SspiPromptForCredentials.
 */
ULONG SEC_ENTRY SspiPromptForCredentialsW(PCWSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCWSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags);

/* SspiPromptForCredentialsA does what SspiPromptForCredentialsW does, in UTF-8, with a CREDUI_INFOA. */
ULONG SEC_ENTRY SspiPromptForCredentialsA(PCSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags);

#define SspiPromptForCredentials OPENSSPI_AW(SspiPromptForCredentials)

/* Contexts of a credential dialogue, as marshalled between it and a package. */

typedef struct _SEC_WINNT_CREDUI_CONTEXT_VECTOR {
    ULONG CredUIContextArrayOffset;
    unsigned short CredUIContextCount;
} SEC_WINNT_CREDUI_CONTEXT_VECTOR, *PSEC_WINNT_CREDUI_CONTEXT_VECTOR;

typedef struct _CREDUIWIN_MARSHALED_CONTEXT {
    GUID StructureType;
    unsigned short cbHeaderLength;
    LUID LogonId;
    GUID MarshaledDataType;
    ULONG MarshaledDataOffset;
    unsigned short MarshaledDataLength;
} CREDUIWIN_MARSHALED_CONTEXT, *PCREDUIWIN_MARSHALED_CONTEXT;

typedef struct _SEC_WINNT_CREDUI_CONTEXT {
    unsigned short cbHeaderLength;
    HANDLE CredUIContextHandle;
    PVOID UIInfo;
    ULONG dwAuthError;
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity;
    PUNICODE_STRING TargetName;
} SEC_WINNT_CREDUI_CONTEXT, *PSEC_WINNT_CREDUI_CONTEXT;

/*
 * SspiGetCredUIContext would read the dialogue contexts that go with a credential type.
 *
 * ContextHandle  handle of the dialogue, from SEC_WINNT_CREDUI_CONTEXT.
 * CredType       type of credential, a SEC_WINNT_AUTH_DATA_TYPE_ value.
 * LogonId        logon session, or NULL for the caller's.
 * CredUIContexts would receive the contexts, in one block to be freed with SspiLocalFree.
 * TokenHandle    would receive the user's access token, to be closed with CloseHandle.
 *
 * Returns SEC_E_UNSUPPORTED_FUNCTION: there is no such dialogue. Outputs are untouched.
 *
 * Source: Microsoft SSPI reference, SspiGetCredUIContext.
 */
SECURITY_STATUS SEC_ENTRY SspiGetCredUIContext(HANDLE ContextHandle, GUID *CredType, LUID *LogonId,
                                               PSEC_WINNT_CREDUI_CONTEXT_VECTOR *CredUIContexts, HANDLE *TokenHandle);

/*
 * SspiUpdateCredentials would update the credentials of a dialogue context.
 *
 * ContextHandle is the dialogue, CredType the type of credential. FlatCredUIContext is
 * FlatCredUIContextLength bytes: the new context as SspiGetCredUIContext gave it. It stays the caller's.
 *
 * Returns SEC_E_UNSUPPORTED_FUNCTION: there is no such dialogue.
 *
 * Source: Microsoft SSPI reference, SspiUpdateCredentials.
 */
SECURITY_STATUS SEC_ENTRY SspiUpdateCredentials(HANDLE ContextHandle, GUID *CredType, ULONG FlatCredUIContextLength,
                                                PUCHAR FlatCredUIContext);

/*
 * SspiUnmarshalCredUIContext would read a CREDUIWIN_MARSHALED_CONTEXT.
 *
 * MarshaledCredUIContext is MarshaledCredUIContextLength bytes and stays the caller's. CredUIContext would
 * receive the context, to be freed with SspiLocalFree.
 *
 * Returns SEC_E_UNSUPPORTED_FUNCTION: there is no such dialogue. Outputs are untouched.
 *
 * Source: Microsoft SSPI reference, SspiUnmarshalCredUIContext.
 */
SECURITY_STATUS SEC_ENTRY SspiUnmarshalCredUIContext(PUCHAR MarshaledCredUIContext, ULONG MarshaledCredUIContextLength,
                                                     PSEC_WINNT_CREDUI_CONTEXT *CredUIContext);

OPENSSPI_END_DECLS

#endif
