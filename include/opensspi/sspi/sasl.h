/*
 * sspi/sasl.h: SASL on top of security packages (RFC 4422). Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_SASL_H
#define OPENSSPI_SSPI_SASL_H

#include "buffers.h"
#include "packages.h"

OPENSSPI_BEGIN_DECLS

/*
 * SaslEnumerateProfilesW lists the SASL mechanisms whose packages are there: GSSAPI (Kerberos), GSS-SPNEGO (Negotiate), EXTERNAL (Schannel),
 * DIGEST-MD5 (WDigest), NTLM (NTLM).
 *
 * ProfileList receives a block of zero-terminated names with an empty one at the end, to be freed with
 * FreeContextBuffer. ProfileCount receives their number.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INSUFFICIENT_MEMORY. On failure the
 * outputs are untouched.
 *
 * Source: Microsoft SSPI reference, SaslEnumerateProfiles.
 */
SECURITY_STATUS SEC_ENTRY SaslEnumerateProfilesW(LPWSTR *ProfileList, ULONG *ProfileCount);

/* SaslEnumerateProfilesA does what SaslEnumerateProfilesW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY SaslEnumerateProfilesA(LPSTR *ProfileList, ULONG *ProfileCount);

#define SaslEnumerateProfiles OPENSSPI_AW(SaslEnumerateProfiles)

/*
 * SaslGetProfilePackageW finds the package behind a SASL mechanism.
 *
 * ProfileName is the mechanism, such as GSSAPI, GSS-SPNEGO or DIGEST-MD5. PackageInfo receives the
 * description of its package, to be freed with FreeContextBuffer.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND; SEC_E_INVALID_PARAMETER; SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SaslGetProfilePackage.
 */
SECURITY_STATUS SEC_ENTRY SaslGetProfilePackageW(LPWSTR ProfileName, PSecPkgInfoW *PackageInfo);

/* SaslGetProfilePackageA does what SaslGetProfilePackageW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY SaslGetProfilePackageA(LPSTR ProfileName, PSecPkgInfoA *PackageInfo);

#define SaslGetProfilePackage OPENSSPI_AW(SaslGetProfilePackage)

/*
 * SaslIdentifyPackageW finds the package that a SASL negotiation prefix asks for.
 *
 * pInput has a SECBUFFER_TOKEN that begins with the mechanism's name (1 to 20 of A-Z, 0-9, - and _), which ends with the buffer, a NUL, a blank or a
 * line's end. PackageInfo receives the description of the
 * package, to be freed with FreeContextBuffer.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND; SEC_E_INVALID_TOKEN; SEC_E_INVALID_PARAMETER;
 * SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, SaslIdentifyPackage.
 */
SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageW(PSecBufferDesc pInput, PSecPkgInfoW *PackageInfo);

/* SaslIdentifyPackageA does what SaslIdentifyPackageW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageA(PSecBufferDesc pInput, PSecPkgInfoA *PackageInfo);

#define SaslIdentifyPackage OPENSSPI_AW(SaslIdentifyPackage)

/*
 * SaslInitializeSecurityContextW is InitializeSecurityContextW for a SASL client: each call takes the server's last message and makes the next
 * one. With Kerberos (GSSAPI) the calls go on after the tickets' tokens until client and server have agreed on a security layer: the one
 * that the first call's fContextReq asks for (ISC_REQ_CONFIDENTIALITY; else ISC_REQ_INTEGRITY, REPLAY_DETECT or SEQUENCE_DETECT; else none) and no
 * other. The last call's pfContextAttr says which it is by ISC_RET_CONFIDENTIALITY and ISC_RET_INTEGRITY. With the other packages their tokens are
 * SASL's messages, and their flags speak as ever.
 *
 * Under the layer each message is EncryptMessage's signature, text and padding in one row, with fQOP 0 for confidentiality and
 * SECQOP_WRAP_NO_ENCRYPT for integrity; its length before it (RFC 4422, 3.7) is the caller's to write and read. EncryptMessage and DecryptMessage
 * answer SEC_E_QOP_NOT_SUPPORTED for another protection than was agreed on, SEC_E_UNSUPPORTED_FUNCTION where none was (of DIGEST-MD5
 * this, too, is SEC_E_QOP_NOT_SUPPORTED), SEC_E_INVALID_TOKEN for a message beyond the sizes of the options below,
 * and SEC_E_MESSAGE_ALTERED for one that came unencrypted.
 *
 * Parameters and ownership are those of InitializeSecurityContextW. SEC_I_CONTINUE_NEEDED: send the output, also when it is empty, and call
 * again with the answer. SEC_E_OK: send the output if there is any; the exchange is over when the server says so.
 * Returns besides InitializeSecurityContextW's statuses SEC_E_UNSUPPORTED_FUNCTION where the package of the credential has no SASL mechanism of
 * tokens, and SEC_E_QOP_NOT_SUPPORTED where the server does not offer the layer. A context begun here goes on here, and cannot be exported.
 *
 * Source: Microsoft SSPI reference, SaslInitializeSecurityContext; RFC 4752.
 */
SECURITY_STATUS SEC_ENTRY SaslInitializeSecurityContextW(PCredHandle phCredential, PCtxtHandle phContext,
                                                         LPWSTR pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                         ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                         PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                         ULONG *pfContextAttr, PTimeStamp ptsExpiry);

/* SaslInitializeSecurityContextA does what SaslInitializeSecurityContextW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY SaslInitializeSecurityContextA(PCredHandle phCredential, PCtxtHandle phContext,
                                                         LPSTR pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                         ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                         PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                         ULONG *pfContextAttr, PTimeStamp ptsExpiry);

#define SaslInitializeSecurityContext OPENSSPI_AW(SaslInitializeSecurityContext)

/*
 * SaslAcceptSecurityContext is AcceptSecurityContext for a SASL server. With Kerberos (GSSAPI) it offers the security layers that the context can
 * do; ASC_REQ_CONFIDENTIALITY, or ASC_REQ_INTEGRITY, of the first call leaves out the weaker ones. SEC_I_CONTINUE_NEEDED: send the output, also when
 * it is empty. SEC_E_OK: the client is in; pfContextAttr says the layer by ASC_RET_CONFIDENTIALITY and ASC_RET_INTEGRITY. Look at
 * SASL_OPTION_AUTHZ_STRING then: a client that names somebody else there wants to act as that one.
 *
 * Messages and statuses are as above, the rest as of AcceptSecurityContext.
 *
 * Source: Microsoft SSPI reference, SaslAcceptSecurityContext; RFC 4752.
 */
SECURITY_STATUS SEC_ENTRY SaslAcceptSecurityContext(PCredHandle phCredential, PCtxtHandle phContext,
                                                    PSecBufferDesc pInput, ULONG fContextReq, ULONG TargetDataRep,
                                                    PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                    ULONG *pfContextAttr, PTimeStamp ptsExpiry);

/*
 * Options of a SASL context. Sizes count a message with its protection, 1 to 0xFFFFFF, and are 0xFFFF at first. Under GSSAPI's layer they hold for
 * every message; NTLM and GSS-SPNEGO agree on none, and there a size holds once it is set. DIGEST-MD5 tells the size to be received as maxbuf: 17 or
 * more, 0x10000 at first, set by a client before its response. On its server it cannot be set, as the first call, which makes the context, tells it.
 */
#define SASL_OPTION_SEND_SIZE \
    1 /* ULONG: set: how much to send at most, besides what the peer takes; get: how much text fits into that */
#define SASL_OPTION_RECV_SIZE 2 /* ULONG: how much to receive at most; to be set before the peer is told */
#define SASL_OPTION_AUTHZ_STRING \
    3 /* bytes of UTF-8 without NUL, at most 1024: GSSAPI's authorization identity; a client sets it, a server gets it */
#define SASL_OPTION_AUTHZ_PROCESSING 4 /* SASL_AUTHZID_STATE, Sasl_AuthZIDProcessed at first */

typedef enum _SASL_AUTHZID_STATE {
    Sasl_AuthZIDForbidden, /* an authorization identity ends the handshake */
    Sasl_AuthZIDProcessed  /* the application looks at it */
} SASL_AUTHZID_STATE;

/*
 * SaslSetContextOption sets an option of a SASL context.
 *
 * Option is a SASL_OPTION_ value. Value is Size bytes and stays the caller's.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE, also for a context that no SASL function began; SEC_E_BUFFER_TOO_SMALL when Size is too small
 * for the option; SEC_E_INVALID_PARAMETER; SEC_E_OUT_OF_SEQUENCE when it is too late for the option; SEC_E_UNSUPPORTED_FUNCTION for an
 * unknown option, and for an authorization identity where there is none or Sasl_AuthZIDForbidden is set.
 *
 * Source: Microsoft SSPI reference, SaslSetContextOption.
 */
SECURITY_STATUS SEC_ENTRY SaslSetContextOption(PCtxtHandle ContextHandle, ULONG Option, PVOID Value, ULONG Size);

/*
 * SaslGetContextOption reads an option of a SASL context.
 *
 * Option is a SASL_OPTION_ value. Value has room for Size bytes. Needed receives how many are needed, also
 * when they do not fit; may be NULL.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_BUFFER_TOO_SMALL; SEC_E_INVALID_PARAMETER; SEC_E_UNSUPPORTED_FUNCTION, as above.
 *
 * Source: Microsoft SSPI reference, SaslGetContextOption.
 */
SECURITY_STATUS SEC_ENTRY SaslGetContextOption(PCtxtHandle ContextHandle, ULONG Option, PVOID Value, ULONG Size,
                                               PULONG Needed);

OPENSSPI_END_DECLS

#endif
