/*
 * sspi_ext.h: the few things that are OpenSSPI's own, beside Windows' interface. Programs that must also build on Windows put their use
 * under #ifdef OPENSSPI_VERSION.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_EXT_H
#define OPENSSPI_SSPI_EXT_H

#include "sspi.h"
#include "wincrypt_types.h"

#define OPENSSPI_VERSION_MAJOR 0
#define OPENSSPI_VERSION_MINOR 1
#define OPENSSPI_VERSION_PATCH 0
#define OPENSSPI_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In the Flags of SEC_WINNT_AUTH_IDENTITY and _EX: Password holds the NT hash (MD4 of the UTF-16LE password) in 32 hexadecimal digits,
 * of either width, instead of the password. NTLM takes it; packages that need the password answer SEC_E_UNKNOWN_CREDENTIALS. The bit is
 * the one that FreeRDP sets for the same purpose.
 */
#define OPENSSPI_AUTH_IDENTITY_NT_HASH 0x00800000

/*
 * In the same Flags: Password names what Kerberos logs on with, instead of a password. KEYTAB: a keytab, such as "FILE:/etc/web.keytab". X509: a
 * certificate and its private key (RFC 4556), as libkrb5 names them: "FILE:/path/cert.pem,/path/key.pem", "PKCS12:/path/file.p12",
 * "PKCS11:/path/module.so:token=LABEL:certlabel=LABEL"; the PIN or pass phrase is set by OPENSSPI_CRED_ATTR_PIN. Of the forms at most one may be
 * set. NTLM answers SEC_E_UNKNOWN_CREDENTIALS. The same names, and what a keytab file holds, can be packed into a SEC_WINNT_AUTH_IDENTITY_EX2
 * (docs/kerberos.md).
 */
#define OPENSSPI_AUTH_IDENTITY_KEYTAB 0x00200000
#define OPENSSPI_AUTH_IDENTITY_X509 0x00400000

/*
 * Attributes of a Kerberos credential, for SetCredentialsAttributes: pBuffer is a text, UTF-16 in the W and UTF-8 in the A function, and cbBuffer
 * its bytes, with or without a NUL at the end. They change where its tickets come from; what it got before is forgotten, and contexts that exist
 * stay as they are. An empty text takes the setting back. Of CCACHE, CLIENT_KEYTAB and X509_IDENTITY the last one set counts, and an empty text for
 * any of them takes all three back: tickets come again from where they came when the credential was acquired, with its password, cache or logon
 * session. KEYTAB is a setting of its own, whichever comes first: none of the three changes the server's keytab, and it none of them. Where none of
 * them is set, a server that asks KDCs itself is who its keytab says, too, unless it is a client as well that was acquired with an identity or in a
 * logon session. A server's password makes its keys as long as neither is set.
 */
#define OPENSSPI_CRED_ATTR_CCACHE 0x4F530101 /* name of a ticket cache, "FILE:/path", instead of the default one */
#define OPENSSPI_CRED_ATTR_CLIENT_KEYTAB 0x4F530102 /* name of a keytab to log on with */
#define OPENSSPI_CRED_ATTR_KEYTAB 0x4F530103        /* name of the keytab with the server's keys */
#define OPENSSPI_CRED_ATTR_X509_IDENTITY 0x4F530104 /* certificate and key, as OPENSSPI_AUTH_IDENTITY_X509 says */
#define OPENSSPI_CRED_ATTR_X509_ANCHORS \
    0x4F530105 /* who may have signed the KDC's certificate: "FILE:/path/ca.pem", "DIR:/path" */
#define OPENSSPI_CRED_ATTR_PIN 0x4F530106 /* of the X509 identity's token or key file */
/*
 * OPENSSPI_CRED_ATTR_CCACHE can also be queried, into a SecPkgCredentials_Names: the full name of the ticket cache. For a credential with tickets in
 * private memory that is a cache in this process's memory, for its libkrb5 or GSS-API, which holds the ticket-granting ticket and is there until the
 * credential is freed; to get it the credential logs on if it has not yet, and may answer what InitializeSecurityContext would.
 */

/*
 * For QueryContextAttributes on the server's side: what the client's authority says of the client, verified. Of Kerberos the PAC (MS-PAC), as it
 * stood in the ticket. The buffer is a OPENSSPI_AUTHORIZATION_DATA; AuthorizationData is freed with FreeContextBuffer.
 * SEC_E_UNSUPPORTED_FUNCTION on the client's side and where the authority said nothing.
 */
#define OPENSSPI_ATTR_AUTHORIZATION_DATA 0x4F530001
typedef struct _OPENSSPI_AUTHORIZATION_DATA {
    ULONG AuthorizationDataLength; /* bytes */
    PUCHAR AuthorizationData;
} OPENSSPI_AUTHORIZATION_DATA;

/* SecPkgContext_ClientCreds (credssp.h), on a CredSSP server: the client's TSCredentials ([MS-CSSP] 2.2.1.2) of any kind as they came, in DER. */
#define OPENSSPI_ATTR_TS_CREDENTIALS 0x4F530002

/*
 * For SetCredentialsAttributes on a CredSSP client: what ISC_REQ_DELEGATE hands over instead of the password, in any of the forms of TSCredentials
 * ([MS-CSSP] 2.2.1.2: a password, a smart card with its PIN, a remote guard's). In DER, as OPENSSPI_ATTR_TS_CREDENTIALS gives them, or a packed
 * KERB_INTERACTIVE_LOGON or KERB_CERTIFICATE_LOGON, as SECPKG_ATTR_CREDS_2 does. It is copied. Contexts that exist stay as they are; no bytes take it
 * back. SEC_E_UNKNOWN_CREDENTIALS for something else; SEC_E_INVALID_TOKEN where it is damaged; SEC_E_UNSUPPORTED_FUNCTION for a server.
 */
#define OPENSSPI_CRED_ATTR_TS_CREDENTIALS 0x4F530107

/*
 * What a module with packages of its own may export beside InitSecurityInterfaceW or A: the object identifier by which Negotiate offers a package
 * that has SECPKG_FLAG_NEGOTIABLE. PackageName is UTF-8, as EnumerateSecurityPackages gave it.
 *
 * Returns the identifier's DER contents (without tag and length) and their number of bytes, at most 64, in *Length; the bytes stay the module's.
 * NULL for a package that Negotiate shall not offer.
 */
#define OPENSSPI_PACKAGE_MECHANISM_NAME "OpenSspiPackageMechanism"
typedef const unsigned char *(*OPENSSPI_PACKAGE_MECHANISM_FN)(const char *PackageName, ULONG *Length);

/*
 * OpenSspiVersion tells the version of the library that the program runs with.
 *
 * Returns "MAJOR.MINOR.PATCH"; static, never to be freed.
 */
const char *OpenSspiVersion(void);

/*
 * OpenSspiLastErrorText tells, in words, why this thread's last call into the library failed: which check, which file and line, which name.
 * It never holds a secret. The text is for people and logs; programs decide by the status.
 *
 * Returns UTF-8, at most 511 bytes; "" when the last call succeeded or had no more to say than its status. The text belongs to the library and
 * stays until the same thread's next call into it.
 */
const char *OpenSspiLastErrorText(void);

/*
 * OpenSspiLastError tells why this thread's last function failed that reports by BOOL, BOOLEAN or NULL: what GetLastError tells on Windows, a system
 * error code such as 122 (ERROR_INSUFFICIENT_BUFFER). A success leaves it as it was.
 */
ULONG OpenSspiLastError(void);

/* OpenSspiSetLastError sets it, for libraries that stand on this one and share it: libopensspi-win32. */
void OpenSspiSetLastError(ULONG Code);

/*
 * OpenSspiLocalAlloc gives a zeroed block of Length bytes for OpenSspiLocalFree; NULL when there is no memory. OpenSspiLocalSize gives the bytes of
 * such a block; 0 for any other pointer, which is not followed.
 */
HLOCAL OpenSspiLocalAlloc(SIZE_T Length);
SIZE_T OpenSspiLocalSize(HLOCAL hMem);

/*
 * OpenSspiCloseHandle closes the handle of an access token: what CloseHandle does on Windows (win32/handleapi.h gives it that name).
 *
 * Returns TRUE; FALSE with ERROR_INVALID_HANDLE (6) for what is no open token.
 */
BOOL OpenSspiCloseHandle(HANDLE hObject);

/*
 * OpenSspiLocalFree frees what functions hand out that on Windows is freed with LocalFree: SIDs, descriptors and text of win32/sddl.h, and the logon
 * SID of LogonUserEx.
 *
 * Returns NULL; hMem itself when it is none of these.
 */
HLOCAL OpenSspiLocalFree(HLOCAL hMem);

/*
 * A class for GetTokenInformation (win32/securitybaseapi.h): the Unix user that a token stands for. Groups points behind the structure.
 */
#define OPENSSPI_TOKEN_UNIX ((TOKEN_INFORMATION_CLASS)0x55584E49)

typedef struct _OPENSSPI_TOKEN_UNIX_IDS {
    BOOL Mapped; /* FALSE: the client has no Unix user here, and all else is 0 */
    ULONG User;
    ULONG Group;
    ULONG GroupCount; /* supplementary groups */
    ULONG *Groups;
} OPENSSPI_TOKEN_UNIX_IDS, *POPENSSPI_TOKEN_UNIX_IDS;

/*
 * OpenSspiStatusName gives the name of a status, such as "SEC_E_LOGON_DENIED" for 0x8009030C.
 *
 * Status: a SECURITY_STATUS of this library (SEC_E_, SEC_I_, CERT_E_, CRYPT_E_, TRUST_E_, and the NT statuses that logons answer, others' too).
 *
 * Returns a static ASCII string; "" for a status without a name here.
 */
const char *OpenSspiStatusName(SECURITY_STATUS Status);

/*
 * OpenSspiBindingsFromCertificate builds the channel bindings "tls-server-end-point" (RFC 5929, section 4) of a TLS server's certificate: what a
 * SECBUFFER_CHANNEL_BINDINGS of InitializeSecurityContext and AcceptSecurityContext holds. The hash is that of the certificate's own signature,
 * also where RSA-PSS names it in its parameters, and SHA-256 where that is MD5 or SHA-1.
 *
 * Certificate: CertificateLength bytes of DER, exactly one certificate. The server gives the one that its TLS shows, the client the one that
 * it was shown.
 * Bindings receives a block and its length; the block is to be freed with FreeContextBuffer.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER when a pointer is missing; SEC_E_CERT_UNKNOWN when the bytes are not one certificate;
 * SEC_E_ALGORITHM_MISMATCH when its signature has no hash function of its own (Ed25519, Ed448): RFC 5929 leaves its binding undefined, and two ends
 * that guess differently would lock each other out; SEC_E_INSUFFICIENT_MEMORY. On failure Bindings is untouched. The same holds for the
 * functions below.
 */
SECURITY_STATUS OpenSspiBindingsFromCertificate(const void *Certificate, ULONG CertificateLength,
                                                SecPkgContext_Bindings *Bindings);

/*
 * OpenSspiBindingsFromCertificateFileW does the same for the first certificate of a PEM file (at most 1 MiB), which in a server's chain file is the
 * server's own. The file is read anew by each call, so that a renewed certificate counts.
 *
 * Returns also SEC_E_CERT_UNKNOWN when the file cannot be read or holds no certificate.
 */
SECURITY_STATUS OpenSspiBindingsFromCertificateFileW(const SEC_WCHAR *Path, SecPkgContext_Bindings *Bindings);

/* OpenSspiBindingsFromCertificateFileA does what OpenSspiBindingsFromCertificateFileW does, with a path in UTF-8. */
SECURITY_STATUS OpenSspiBindingsFromCertificateFileA(const SEC_CHAR *Path, SecPkgContext_Bindings *Bindings);

/*
 * OpenSspiBindingsFromTlsUnique builds the channel bindings "tls-unique" (RFC 5929, section 3) of one TLS connection. TLS 1.3 has none.
 *
 * Finished: the first Finished message of the connection's latest handshake, its verify data alone: 12 bytes by TLS 1.2's rules, at most 64.
 *
 * Returns also SEC_E_INVALID_PARAMETER for an empty or longer one.
 */
SECURITY_STATUS OpenSspiBindingsFromTlsUnique(const void *Finished, ULONG FinishedLength,
                                              SecPkgContext_Bindings *Bindings);

/*
 * OpenSspiBindingsFromTlsExporter builds the channel bindings "tls-exporter" (RFC 9266) of one TLS connection.
 *
 * Exported: 32 bytes of exported keying material with the label "EXPORTER-Channel-Binding" and an empty context; in TLS 1.2 of a connection with the
 * extended
 *           master secret (RFC 9266 4.2).
 *
 * Returns also SEC_E_INVALID_PARAMETER for any other length.
 */
SECURITY_STATUS OpenSspiBindingsFromTlsExporter(const void *Exported, ULONG ExportedLength,
                                                SecPkgContext_Bindings *Bindings);

/*
 * OpenSspiAcquireDelegatedCredentials makes an outbound credential with which a server acts for the client of an established context: by the
 * ticket that the client forwarded (the context has ASC_RET_DELEGATE), or else by S4U2Proxy with the ticket that it came with, where the KDC lets the
 * service do that (constrained delegation, also resource-based). On Windows programs impersonate and acquire default credentials instead.
 *
 * phContext: a server's context, also an imported one, of Kerberos or of Negotiate that came to Kerberos. It stays as it is, and may be deleted while
 * the credential lives. The credential is one of Kerberos.
 * phService: the service's own credential of Kerberos, needed for S4U2Proxy: acquired with SECPKG_CRED_BOTH, as the context's must have been. NULL is
 * fine where the client has forwarded its ticket.
 * phCredential: receives the credential; free it with FreeCredentialsHandle. Its tickets are in private memory.
 * ptsExpiry: receives when the client's ticket ends, in local time; may be NULL.
 *
 * Returns SEC_E_OK; SEC_E_NO_CREDENTIALS when the client has handed nothing over (in packages without delegation none does), phService is missing, or
 * the configuration says "s4u2proxy = no" and the client forwarded no ticket; SEC_E_INVALID_HANDLE; SEC_E_UNSUPPORTED_FUNCTION for a client's
 * context; SEC_E_INSUFFICIENT_MEMORY. No KDC is asked: whether the service may is found out by the first InitializeSecurityContext with the
 * credential, which answers SEC_E_DELEGATION_POLICY if not.
 */
SECURITY_STATUS SEC_ENTRY OpenSspiAcquireDelegatedCredentials(PCtxtHandle phContext, PCredHandle phService,
                                                              PCredHandle phCredential, PTimeStamp ptsExpiry);

/*
 * OpenSspiAcquireS4uCredentialsW makes an outbound credential with which a service acts for a user who has not authenticated to it by Kerberos at
 * all (protocol transition: S4U2Self, then S4U2Proxy in each handshake; MS-SFU). The KDC decides who may.
 *
 * phService: the service's own credential: a password's, a keytab's, or that of its ticket cache.
 * pszUser: "user@domain" (a principal or a UPN), "DOMAIN\user", or "user" in the default realm.
 * phCredential, ptsExpiry: as for OpenSspiAcquireDelegatedCredentials.
 *
 * Returns SEC_E_OK; SEC_E_LOGON_DENIED for a user whom the KDC does not know; SEC_E_NO_S4U_PROT_SUPPORT when the KDC knows no S4U2Self;
 * SEC_E_NO_CREDENTIALS when the service cannot log on, or the configuration says "s4u2proxy = no"; SEC_E_NO_AUTHENTICATING_AUTHORITY;
 * SEC_E_INVALID_TOKEN for a missing or malformed name; SEC_E_INVALID_HANDLE; SEC_E_UNSUPPORTED_FUNCTION; SEC_E_INSUFFICIENT_MEMORY. Waits for KDCs at
 * most kdc_seconds of the configuration.
 */
SECURITY_STATUS SEC_ENTRY OpenSspiAcquireS4uCredentialsW(PCredHandle phService, SEC_WCHAR *pszUser,
                                                         PCredHandle phCredential, PTimeStamp ptsExpiry);
/* OpenSspiAcquireS4uCredentialsA does what OpenSspiAcquireS4uCredentialsW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY OpenSspiAcquireS4uCredentialsA(PCredHandle phService, SEC_CHAR *pszUser,
                                                         PCredHandle phCredential, PTimeStamp ptsExpiry);
#define OpenSspiAcquireS4uCredentials OPENSSPI_AW(OpenSspiAcquireS4uCredentials)

/* One of several messages that one call protects or opens. */
typedef struct _OPENSSPI_MESSAGE {
    PCtxtHandle phContext;   /* established; several messages may have the same */
    PSecBufferDesc pMessage; /* as EncryptMessage or DecryptMessage takes it */
    ULONG fQOP; /* EncryptMessage's fQOP; DecryptMessage's *pfQOP, which is written when the message was opened */
    ULONG MessageSeqNo;     /* as theirs */
    SECURITY_STATUS Status; /* receives what EncryptMessage or DecryptMessage would have answered */
} OPENSSPI_MESSAGE, *POPENSSPI_MESSAGE;

/*
 * OpenSspiEncryptMessages does for each of the messages what EncryptMessage does, in their order: what goes over the wire, sequence numbers and the
 * rules of the buffers are the same, and a message that fails leaves the others alone. Messages of Kerberos with AES and HMAC-SHA1, also under
 * Negotiate and of several contexts, are encrypted side by side, up to eight at a time, on processors that have instructions for AES and SHA-1; on
 * others, and those of other packages, they are done one by one, and so are eight of several contexts while another thread uses one of these.
 *
 * Messages: Count of them. The memory of one message must not be part of another one's. The handles must stay as long as the call. With a context
 * that another thread uses at the same time, that thread's messages come before or after, or between eight and the next eight; where messages are
 * done one by one, between any two.
 *
 * Returns SEC_E_OK when every Status is SEC_E_OK; else the Status of the first message whose is not. OpenSspiLastErrorText explains one of those that
 * failed, which need not be the first. SEC_E_INVALID_PARAMETER, and no Status is written, when Messages is missing. Takes about 64 KiB of stack.
 */
SECURITY_STATUS SEC_ENTRY OpenSspiEncryptMessages(POPENSSPI_MESSAGE Messages, ULONG Count);

/*
 * OpenSspiDecryptMessages does for each of the messages what DecryptMessage does, in their order, as OpenSspiEncryptMessages says. A message that was
 * altered, or came before, stays as it came, and those behind it are opened or refused as DecryptMessage would after it.
 */
SECURITY_STATUS SEC_ENTRY OpenSspiDecryptMessages(POPENSSPI_MESSAGE Messages, ULONG Count);

/* Who the other side of a server's context is, beyond its name. Texts are ASCII. */
typedef struct _OPENSSPI_CLIENT_GROUP {
    const char *Sid;  /* "S-1-5-..." */
    ULONG Attributes; /* SE_GROUP_ bits: 0x4 enabled, 0x10 for denial only */
    LONGLONG Gid;     /* Unix group, or -1 */
} OPENSSPI_CLIENT_GROUP;

typedef struct _OPENSSPI_CLIENT_IDENTITY {
    const char *UserSid;
    BOOL Anonymous;
    LONGLONG Uid, Gid; /* Unix user and first group, or -1 */
    ULONG GroupCount;
    const OPENSSPI_CLIENT_GROUP *Groups;
} OPENSSPI_CLIENT_IDENTITY;

/*
 * OpenSspiQueryClientIdentity tells who came in, as the account store or the ticket's PAC says: on Windows that is read from the access token.
 *
 * Context: a server's, established. Identity receives one block, to be freed with FreeContextBuffer; everything in it points into it.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER when Identity is NULL; SEC_E_INVALID_HANDLE for a context that is NULL, not there or not established;
 * SEC_E_NO_IMPERSONATION for a client's context, and where the client is known by name alone (a Kerberos ticket without a PAC);
 * SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS OpenSspiQueryClientIdentity(PCtxtHandle Context, OPENSSPI_CLIENT_IDENTITY **Identity);

/*
 * OpenSspiCertificateFromPem makes a certificate context, with its private key, from files: what a TLS server or client needs for
 * SCHANNEL_CRED.paCred.
 *
 * CertificateFile  path, UTF-8, of a file of certificates in PEM (also DER or PKCS #7): the first is the one, the others, such as its issuers, go
 *                  into the memory store that the context lives in, and are sent with it.
 * KeyFile          path of its private key: PEM or DER, PKCS #1, SEC 1 or PKCS #8, encrypted or not; may be CertificateFile again. Everybody must not
 *                  be able to read it. Or a "pkcs11:" URI (RFC 7512), for a key in a token: OpenSSL's configuration must name a provider or an engine
 *                  for it. Or "lsa:NAME", for one that the security authority keeps (docs/lsa.md), alone or as a line of the file. NULL: no key.
 * Password         UTF-8, of the key file or the token; NULL: none. Nobody is asked for one.
 * Certificate      receives the context, for CertFreeCertificateContext.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER for a missing argument or a text that is not UTF-8; SEC_E_NO_CREDENTIALS when a file or the token's key
 * is not there or cannot be read, or everybody may read the key; SEC_E_UNKNOWN_CREDENTIALS when a file holds no certificate or key, is damaged, has
 * another password, or key and certificate are no pair; SEC_E_NO_AUTHENTICATING_AUTHORITY when the one that keeps the key does not answer;
 * SEC_E_INSUFFICIENT_MEMORY. OpenSspiLastErrorText says which.
 */
SECURITY_STATUS OpenSspiCertificateFromPem(const char *CertificateFile, const char *KeyFile, const char *Password,
                                           PCCERT_CONTEXT *Certificate);

#ifdef __cplusplus
}
#endif

#define OpenSspiBindingsFromCertificateFile OPENSSPI_AW(OpenSspiBindingsFromCertificateFile)

#endif
