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
 * SaslEnumerateProfilesW lists the SASL mechanisms.
 *
 * ProfileList receives a block of zero-terminated names with an empty one at the end, to be freed with
 * FreeContextBuffer. ProfileCount receives their number.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_PARAMETER; SEC_E_INSUFFICIENT_MEMORY; SEC_E_UNSUPPORTED_FUNCTION. On
 * failure the outputs are untouched.
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
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND; SEC_E_INVALID_PARAMETER; SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_UNSUPPORTED_FUNCTION.
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
 * pInput describes the buffer that begins with the prefix. PackageInfo receives the description of the
 * package, to be freed with FreeContextBuffer.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND; SEC_E_INVALID_TOKEN; SEC_E_INVALID_PARAMETER;
 * SEC_E_INSUFFICIENT_MEMORY; SEC_E_UNSUPPORTED_FUNCTION.
 *
 * Source: Microsoft SSPI reference, SaslIdentifyPackage.
 */
SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageW(PSecBufferDesc pInput, PSecPkgInfoW *PackageInfo);

/* SaslIdentifyPackageA does what SaslIdentifyPackageW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY SaslIdentifyPackageA(PSecBufferDesc pInput, PSecPkgInfoA *PackageInfo);

#define SaslIdentifyPackage OPENSSPI_AW(SaslIdentifyPackage)

/*
 * SaslInitializeSecurityContextW is InitializeSecurityContextW with SASL's framing: it takes a client one
 * step through the handshake and, at its end, agrees on a security layer and its buffer sizes with the
 * server.
 *
 * Parameters, ownership and statuses are those of InitializeSecurityContextW; SEC_E_UNSUPPORTED_FUNCTION
 * where the package of the credential has no SASL mechanism.
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
 * SaslAcceptSecurityContext is AcceptSecurityContext with SASL's framing: it takes a server one step through
 * the handshake and, at its end, agrees on a security layer and its buffer sizes with the client.
 *
 * Parameters, ownership and statuses are those of AcceptSecurityContext; SEC_E_UNSUPPORTED_FUNCTION where the
 * package of the credential has no SASL mechanism.
 *
 * Source: Microsoft SSPI reference, SaslAcceptSecurityContext; RFC 4752.
 */
SECURITY_STATUS SEC_ENTRY SaslAcceptSecurityContext(PCredHandle phCredential, PCtxtHandle phContext,
                                                    PSecBufferDesc pInput, ULONG fContextReq, ULONG TargetDataRep,
                                                    PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                    ULONG *pfContextAttr, PTimeStamp ptsExpiry);

/* Options of a SASL context. */
#define SASL_OPTION_SEND_SIZE 1        /* ULONG: largest buffer in bytes that may be sent */
#define SASL_OPTION_RECV_SIZE 2        /* ULONG: largest buffer in bytes that can be received */
#define SASL_OPTION_AUTHZ_STRING 3     /* string: authorization identity */
#define SASL_OPTION_AUTHZ_PROCESSING 4 /* SASL_AUTHZID_STATE */

typedef enum _SASL_AUTHZID_STATE {
    Sasl_AuthZIDForbidden, /* an authorization identity ends the handshake */
    Sasl_AuthZIDProcessed  /* the application looks at it */
} SASL_AUTHZID_STATE;

/*
 * SaslSetContextOption sets an option of a SASL context.
 *
 * Option is a SASL_OPTION_ value. Value is Size bytes and stays the caller's.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_BUFFER_TOO_SMALL when Size is too small for the option;
 * SEC_E_INVALID_PARAMETER; SEC_E_UNSUPPORTED_FUNCTION.
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
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_BUFFER_TOO_SMALL; SEC_E_INVALID_PARAMETER;
 * SEC_E_UNSUPPORTED_FUNCTION.
 *
 * Source: Microsoft SSPI reference, SaslGetContextOption.
 */
SECURITY_STATUS SEC_ENTRY SaslGetContextOption(PCtxtHandle ContextHandle, ULONG Option, PVOID Value, ULONG Size,
                                               PULONG Needed);

OPENSSPI_END_DECLS

#endif
