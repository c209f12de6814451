/*
 * The functions of the interface that nothing implements. Each answers its honest failure and leaves its outputs
 * alone; one that gets an implementation moves from here to the file of its family.
 */
#include "core/cause.h"
#include <ntsecapi.h>
#include <schannel.h>
#include <sspi.h>
#include <win32/ntstatus.h>

/* No function here looks at its parameters. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

static SECURITY_STATUS unsupported(void)
{
    cause_clear();
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this function is not in this version");
}

/* Contexts. */

SECURITY_STATUS SEC_ENTRY DelegateSecurityContext(PCtxtHandle phContext, SEC_CHAR *pszTarget,
                                                  SecDelegationType DelegationType, PTimeStamp pExpiry,
                                                  PSecBuffer pPackageParameters, PSecBufferDesc pOutput)
{
    return unsupported();
}

/* The contexts of a credential dialogue: there is no dialogue. */

SECURITY_STATUS SEC_ENTRY SspiGetCredUIContext(HANDLE ContextHandle, GUID *CredType, LUID *LogonId,
                                               PSEC_WINNT_CREDUI_CONTEXT_VECTOR *CredUIContexts, HANDLE *TokenHandle)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiUpdateCredentials(HANDLE ContextHandle, GUID *CredType, ULONG FlatCredUIContextLength,
                                                PUCHAR FlatCredUIContext)
{
    return unsupported();
}

SECURITY_STATUS SEC_ENTRY SspiUnmarshalCredUIContext(PUCHAR MarshaledCredUIContext, ULONG MarshaledCredUIContextLength,
                                                     PSEC_WINNT_CREDUI_CONTEXT *CredUIContext)
{
    return unsupported();
}

/* Schannel. */

BOOL SslGenerateKeyPair(PSSL_CREDENTIAL_CERTIFICATE pCerts, PSTR pszDN, PSTR pszPassword, DWORD Bits)
{
    return FALSE;
}

/* The security authority. */

NTSTATUS NTAPI LsaInsertProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI LsaRemoveProtectedProcessAddress(PVOID BufferAddress, ULONG BufferSize)
{
    return STATUS_NOT_SUPPORTED;
}
