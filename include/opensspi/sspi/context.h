/*
 * sspi/context.h: building, completing, moving and ending a security context. Include <sspi.h>, not this
 * file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_CONTEXT_H
#define OPENSSPI_SSPI_CONTEXT_H

#include "buffers.h"

OPENSSPI_BEGIN_DECLS

/*
 * What a client asks for (fContextReq of InitializeSecurityContext). On Windows flags past bit 31 travel in a
 * SECBUFFER_FLAGS input buffer; Schannel refuses it with SEC_E_UNSUPPORTED_FUNCTION, other packages pass it over.
 */
#define ISC_REQ_DELEGATE 0x00000001
#define ISC_REQ_MUTUAL_AUTH 0x00000002
#define ISC_REQ_REPLAY_DETECT 0x00000004
#define ISC_REQ_SEQUENCE_DETECT 0x00000008
#define ISC_REQ_CONFIDENTIALITY 0x00000010
#define ISC_REQ_USE_SESSION_KEY 0x00000020
#define ISC_REQ_PROMPT_FOR_CREDS 0x00000040
#define ISC_REQ_USE_SUPPLIED_CREDS 0x00000080
#define ISC_REQ_ALLOCATE_MEMORY 0x00000100
#define ISC_REQ_USE_DCE_STYLE 0x00000200
#define ISC_REQ_DATAGRAM 0x00000400
#define ISC_REQ_CONNECTION 0x00000800
#define ISC_REQ_CALL_LEVEL 0x00001000
#define ISC_REQ_FRAGMENT_SUPPLIED 0x00002000
#define ISC_REQ_EXTENDED_ERROR 0x00004000
#define ISC_REQ_STREAM 0x00008000
#define ISC_REQ_INTEGRITY 0x00010000
#define ISC_REQ_IDENTIFY 0x00020000
#define ISC_REQ_NULL_SESSION 0x00040000
#define ISC_REQ_MANUAL_CRED_VALIDATION 0x00080000
#define ISC_REQ_RESERVED1 0x00100000
#define ISC_REQ_FRAGMENT_TO_FIT 0x00200000
#define ISC_REQ_FORWARD_CREDENTIALS 0x00400000
#define ISC_REQ_NO_INTEGRITY 0x00800000
#define ISC_REQ_USE_HTTP_STYLE 0x01000000
#define ISC_REQ_UNVERIFIED_TARGET_NAME 0x20000000
#define ISC_REQ_CONFIDENTIALITY_ONLY 0x40000000
#define ISC_REQ_MESSAGES 0x0000000100000000
#define ISC_REQ_DEFERRED_CRED_VALIDATION 0x0000000200000000
#define ISC_REQ_NO_POST_HANDSHAKE_AUTH 0x0000000400000000
#define ISC_REQ_REUSE_SESSION_TICKETS 0x0000000800000000
#define ISC_REQ_EXPLICIT_SESSION 0x0000001000000000

/* What a client has got (*pfContextAttr of InitializeSecurityContext). */
#define ISC_RET_DELEGATE 0x00000001
#define ISC_RET_MUTUAL_AUTH 0x00000002
#define ISC_RET_REPLAY_DETECT 0x00000004
#define ISC_RET_SEQUENCE_DETECT 0x00000008
#define ISC_RET_CONFIDENTIALITY 0x00000010
#define ISC_RET_USE_SESSION_KEY 0x00000020
#define ISC_RET_USED_COLLECTED_CREDS 0x00000040
#define ISC_RET_USED_SUPPLIED_CREDS 0x00000080
#define ISC_RET_ALLOCATED_MEMORY 0x00000100
#define ISC_RET_USED_DCE_STYLE 0x00000200
#define ISC_RET_DATAGRAM 0x00000400
#define ISC_RET_CONNECTION 0x00000800
#define ISC_RET_INTERMEDIATE_RETURN 0x00001000
#define ISC_RET_CALL_LEVEL 0x00002000
#define ISC_RET_EXTENDED_ERROR 0x00004000
#define ISC_RET_STREAM 0x00008000
#define ISC_RET_INTEGRITY 0x00010000
#define ISC_RET_IDENTIFY 0x00020000
#define ISC_RET_NULL_SESSION 0x00040000
#define ISC_RET_MANUAL_CRED_VALIDATION 0x00080000
#define ISC_RET_RESERVED1 0x00100000
#define ISC_RET_FRAGMENT_ONLY 0x00200000
#define ISC_RET_FORWARD_CREDENTIALS 0x00400000
#define ISC_RET_USED_HTTP_STYLE 0x01000000
#define ISC_RET_NO_ADDITIONAL_TOKEN 0x02000000
#define ISC_RET_REAUTHENTICATION 0x08000000
#define ISC_RET_CONFIDENTIALITY_ONLY 0x40000000
#define ISC_RET_MESSAGES 0x0000000100000000
#define ISC_RET_DEFERRED_CRED_VALIDATION 0x0000000200000000
#define ISC_RET_NO_POST_HANDSHAKE_AUTH 0x0000000400000000
#define ISC_RET_REUSE_SESSION_TICKETS 0x0000000800000000
#define ISC_RET_EXPLICIT_SESSION 0x0000001000000000

/* What a server asks for (fContextReq of AcceptSecurityContext). Mind that bits differ from the client's. */
#define ASC_REQ_DELEGATE 0x00000001
#define ASC_REQ_MUTUAL_AUTH 0x00000002
#define ASC_REQ_REPLAY_DETECT 0x00000004
#define ASC_REQ_SEQUENCE_DETECT 0x00000008
#define ASC_REQ_CONFIDENTIALITY 0x00000010
#define ASC_REQ_USE_SESSION_KEY 0x00000020
#define ASC_REQ_SESSION_TICKET 0x00000040
#define ASC_REQ_ALLOCATE_MEMORY 0x00000100
#define ASC_REQ_USE_DCE_STYLE 0x00000200
#define ASC_REQ_DATAGRAM 0x00000400
#define ASC_REQ_CONNECTION 0x00000800
#define ASC_REQ_CALL_LEVEL 0x00001000
#define ASC_REQ_FRAGMENT_SUPPLIED 0x00002000
#define ASC_REQ_EXTENDED_ERROR 0x00008000
#define ASC_REQ_STREAM 0x00010000
#define ASC_REQ_INTEGRITY 0x00020000
#define ASC_REQ_LICENSING 0x00040000
#define ASC_REQ_IDENTIFY 0x00080000
#define ASC_REQ_ALLOW_NULL_SESSION 0x00100000
#define ASC_REQ_ALLOW_NON_USER_LOGONS 0x00200000
#define ASC_REQ_ALLOW_CONTEXT_REPLAY 0x00400000
#define ASC_REQ_FRAGMENT_TO_FIT 0x00800000
#define ASC_REQ_NO_TOKEN 0x01000000
#define ASC_REQ_PROXY_BINDINGS 0x04000000
#define ASC_REQ_ALLOW_MISSING_BINDINGS 0x10000000
#define ASC_REQ_MESSAGES 0x0000000100000000
#define ASC_REQ_EXPLICIT_SESSION 0x0000001000000000

/* What a server has got (*pfContextAttr of AcceptSecurityContext). */
#define ASC_RET_DELEGATE 0x00000001
#define ASC_RET_MUTUAL_AUTH 0x00000002
#define ASC_RET_REPLAY_DETECT 0x00000004
#define ASC_RET_SEQUENCE_DETECT 0x00000008
#define ASC_RET_CONFIDENTIALITY 0x00000010
#define ASC_RET_USE_SESSION_KEY 0x00000020
#define ASC_RET_SESSION_TICKET 0x00000040
#define ASC_RET_ALLOCATED_MEMORY 0x00000100
#define ASC_RET_USED_DCE_STYLE 0x00000200
#define ASC_RET_DATAGRAM 0x00000400
#define ASC_RET_CONNECTION 0x00000800
#define ASC_RET_CALL_LEVEL 0x00002000
#define ASC_RET_THIRD_LEG_FAILED 0x00004000
#define ASC_RET_EXTENDED_ERROR 0x00008000
#define ASC_RET_STREAM 0x00010000
#define ASC_RET_INTEGRITY 0x00020000
#define ASC_RET_LICENSING 0x00040000
#define ASC_RET_IDENTIFY 0x00080000
#define ASC_RET_NULL_SESSION 0x00100000
#define ASC_RET_ALLOW_NON_USER_LOGONS 0x00200000
#define ASC_RET_ALLOW_CONTEXT_REPLAY 0x00400000
#define ASC_RET_FRAGMENT_ONLY 0x00800000
#define ASC_RET_NO_TOKEN 0x01000000
#define ASC_RET_NO_ADDITIONAL_TOKEN 0x02000000
#define ASC_RET_MESSAGES 0x0000000100000000
#define ASC_RET_REUSE_SESSION_TICKETS 0x0000000800000000
#define ASC_RET_EXPLICIT_SESSION 0x0000001000000000

/*
 * InitializeSecurityContextW takes a client one step through the handshake with a server.
 *
 * phCredential   the client's credential, outbound. May be NULL on later calls, where phContext is given.
 * phContext      NULL, or a handle of zeroes, on the first call; the context on later ones.
 * pszTargetName  whom to talk to: a service principal name such as HTTP/host.example.com, or a host name for
 *                Schannel. NULL where the package needs none. Not needed on later calls of most packages.
 * fContextReq    ISC_REQ_ flags. Those of the first call count. The flag ISC_REQ_ALLOCATE_MEMORY has the
 *                library allocate output buffers.
 * Reserved1      0.
 * TargetDataRep  SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP; not used by Schannel.
 * pInput         NULL on the first call, or buffers with channel bindings, application protocols and the
 *                like, in any order; on later calls a SECBUFFER_TOKEN with what the server sent. Schannel
 *                marks an EMPTY buffer beside it as EXTRA (input not used) or MISSING (input still needed).
 * Reserved2      0.
 * phNewContext   receives the context on the first call; the caller releases it with DeleteSecurityContext.
 *                On later calls it may be NULL or point to the same handle as phContext.
 * pOutput        buffers for the answer: a SECBUFFER_TOKEN, and for Schannel perhaps a SECBUFFER_ALERT.
 *                cbBuffer says how many bytes fit and receives how many are to be sent; 0 means none. A
 *                buffer that the library allocated is freed with FreeContextBuffer.
 * pfContextAttr  receives the ISC_RET_ flags of what was granted, never an echo of what was asked.
 * ptsExpiry      receives the time when the context expires; may be NULL.
 *
 * Returns SEC_E_OK when the context is ready (a token may still have to be sent); SEC_I_CONTINUE_NEEDED when
 * the token goes out and the answer comes back into the next call; SEC_I_COMPLETE_NEEDED and
 * SEC_I_COMPLETE_AND_CONTINUE, of modules alone, when CompleteAuthToken comes first;
 * SEC_I_INCOMPLETE_CREDENTIALS when the server asks for a certificate; SEC_I_MESSAGE_FRAGMENT when fragments
 * were asked for. Errors: SEC_E_INVALID_HANDLE; SEC_E_INVALID_TOKEN; SEC_E_INCOMPLETE_MESSAGE when more input is needed and nothing was used up;
 * SEC_E_BUFFER_TOO_SMALL when a token has no room, or there is no TOKEN buffer (Schannel:
 * SEC_E_INSUFFICIENT_MEMORY); SEC_E_INTERNAL_ERROR for a NULL pvBuffer with a size; SEC_E_NO_CREDENTIALS;
 * SEC_E_UNKNOWN_CREDENTIALS; SEC_E_LOGON_DENIED; SEC_E_TARGET_UNKNOWN; SEC_E_WRONG_PRINCIPAL;
 * SEC_E_NO_AUTHENTICATING_AUTHORITY; SEC_E_TIME_SKEW; SEC_E_BAD_BINDINGS; SEC_E_ALGORITHM_MISMATCH;
 * SEC_E_ILLEGAL_MESSAGE; SEC_E_UNTRUSTED_ROOT, SEC_E_CERT_EXPIRED, SEC_E_CERT_UNKNOWN and the CERT_E_ codes;
 * SEC_E_APPLICATION_PROTOCOL_MISMATCH; SEC_E_OUT_OF_SEQUENCE on a context that is finished or failed;
 * SEC_E_UNSUPPORTED_FUNCTION; SEC_E_INSUFFICIENT_MEMORY. When the first call fails there is no context and
 * *phNewContext is untouched.
 *
 * Source: Microsoft SSPI reference, InitializeSecurityContext (General), (CredSSP), (Digest), (Kerberos),
 * (Negotiate), (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextW(PCredHandle phCredential, PCtxtHandle phContext,
                                                     SEC_WCHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                     ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                     PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                     ULONG *pfContextAttr, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *INITIALIZE_SECURITY_CONTEXT_FN_W)(PCredHandle, PCtxtHandle, SEC_WCHAR *, ULONG,
                                                                     ULONG, ULONG, PSecBufferDesc, ULONG, PCtxtHandle,
                                                                     PSecBufferDesc, ULONG *, PTimeStamp);

/* InitializeSecurityContextA does what InitializeSecurityContextW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextA(PCredHandle phCredential, PCtxtHandle phContext,
                                                     SEC_CHAR *pszTargetName, ULONG fContextReq, ULONG Reserved1,
                                                     ULONG TargetDataRep, PSecBufferDesc pInput, ULONG Reserved2,
                                                     PCtxtHandle phNewContext, PSecBufferDesc pOutput,
                                                     ULONG *pfContextAttr, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *INITIALIZE_SECURITY_CONTEXT_FN_A)(PCredHandle, PCtxtHandle, SEC_CHAR *, ULONG, ULONG,
                                                                     ULONG, PSecBufferDesc, ULONG, PCtxtHandle,
                                                                     PSecBufferDesc, ULONG *, PTimeStamp);

#define InitializeSecurityContext OPENSSPI_AW(InitializeSecurityContext)
#define INITIALIZE_SECURITY_CONTEXT_FN OPENSSPI_AW_(INITIALIZE_SECURITY_CONTEXT_FN)

/*
 * AcceptSecurityContext takes a server one step through the handshake with a client.
 *
 * phCredential   the server's credential, inbound. May be NULL on later calls, where phContext is given.
 * phContext      NULL, or a handle of zeroes, on the first call; the context on later ones.
 * pInput         a SECBUFFER_TOKEN with what the client sent; channel bindings, application protocols and
 *                other typed buffers beside it, in any order; for Schannel also an EMPTY one, which comes
 *                back as EXTRA or MISSING.
 * fContextReq    ASC_REQ_ flags. Those of the first call count.
 * TargetDataRep  SECURITY_NATIVE_DREP or SECURITY_NETWORK_DREP; not used by Schannel.
 * phNewContext, pOutput, ptsExpiry   as with InitializeSecurityContextW.
 * pfContextAttr  receives the ASC_RET_ flags of what was granted.
 *
 * Returns what InitializeSecurityContextW does. SEC_E_OK means that the client is who it says it is;
 * SEC_E_LOGON_DENIED that it is not, or may not log on. When the first call fails there is no context and
 * *phNewContext is untouched; with ASC_REQ_EXTENDED_ERROR a token for the client may come with the error.
 *
 * Source: Microsoft SSPI reference, AcceptSecurityContext (General), (CredSSP), (Digest), (Kerberos),
 * (Negotiate), (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY AcceptSecurityContext(PCredHandle phCredential, PCtxtHandle phContext, PSecBufferDesc pInput,
                                                ULONG fContextReq, ULONG TargetDataRep, PCtxtHandle phNewContext,
                                                PSecBufferDesc pOutput, ULONG *pfContextAttr, PTimeStamp ptsExpiry);

typedef SECURITY_STATUS(SEC_ENTRY *ACCEPT_SECURITY_CONTEXT_FN)(PCredHandle, PCtxtHandle, PSecBufferDesc, ULONG, ULONG,
                                                               PCtxtHandle, PSecBufferDesc, ULONG *, PTimeStamp);

/*
 * CompleteAuthToken finishes a token that a handshake call left with SEC_I_COMPLETE_NEEDED or
 * SEC_I_COMPLETE_AND_CONTINUE.
 *
 * pToken describes the output buffers of that call; they are completed in place. After SEC_I_COMPLETE_NEEDED it
 * is success that establishes the context. When it fails, the context has failed.
 *
 * Returns SEC_E_OK; the package's own error, such as SEC_E_LOGON_DENIED; SEC_E_INVALID_HANDLE; SEC_E_INVALID_TOKEN; SEC_E_OUT_OF_SEQUENCE;
 * SEC_E_MESSAGE_ALTERED; SEC_E_INTERNAL_ERROR; SEC_E_UNSUPPORTED_FUNCTION for a package that never asks for it.
 *
 * Source: Microsoft SSPI reference, CompleteAuthToken.
 */
SECURITY_STATUS SEC_ENTRY CompleteAuthToken(PCtxtHandle phContext, PSecBufferDesc pToken);

typedef SECURITY_STATUS(SEC_ENTRY *COMPLETE_AUTH_TOKEN_FN)(PCtxtHandle, PSecBufferDesc);

/*
 * DeleteSecurityContext ends a context and wipes its keys.
 *
 * phContext is the handle; it names nothing afterwards. A call that another thread is just making with the
 * context ends in good order.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE when the handle is stale, zero, of another kind, or NULL.
 *
 * Source: Microsoft SSPI reference, DeleteSecurityContext; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY DeleteSecurityContext(PCtxtHandle phContext);

typedef SECURITY_STATUS(SEC_ENTRY *DELETE_SECURITY_CONTEXT_FN)(PCtxtHandle);

/*
 * ApplyControlToken hands a control token to a context, such as Schannel's request to shut down or to send an
 * alert. It takes effect in the next InitializeSecurityContext or AcceptSecurityContext call.
 *
 * pInput describes exactly one SECBUFFER_TOKEN, which begins with a DWORD (SCHANNEL_SHUTDOWN, SCHANNEL_ALERT,
 * SCHANNEL_SESSION, SCHANNEL_RENEGOTIATE). It stays the caller's.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_INTERNAL_ERROR when pInput is NULL; SEC_E_INVALID_TOKEN when
 * there is not exactly one TOKEN; SEC_E_UNSUPPORTED_FUNCTION for fewer than 4 bytes, for an unknown request,
 * and for a package that has no control tokens.
 *
 * Source: Microsoft SSPI reference, ApplyControlToken; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY ApplyControlToken(PCtxtHandle phContext, PSecBufferDesc pInput);

typedef SECURITY_STATUS(SEC_ENTRY *APPLY_CONTROL_TOKEN_FN)(PCtxtHandle, PSecBufferDesc);

/*
 * ImpersonateSecurityContext lets the calling thread act as the client of a context.
 *
 * phContext is a server's context, established. The thread acts as the client until RevertSecurityContext.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_NO_IMPERSONATION when the context does not allow it;
 * SEC_E_UNSUPPORTED_FUNCTION.
 *
 * Source: Microsoft SSPI reference, ImpersonateSecurityContext.
 */
SECURITY_STATUS SEC_ENTRY ImpersonateSecurityContext(PCtxtHandle phContext);

typedef SECURITY_STATUS(SEC_ENTRY *IMPERSONATE_SECURITY_CONTEXT_FN)(PCtxtHandle);

/*
 * RevertSecurityContext ends what ImpersonateSecurityContext began; the thread is itself again.
 *
 * Returns SEC_E_OK, also when the thread did not impersonate, and whatever became of the context when it did;
 * SEC_E_INVALID_HANDLE when it did not and there is no such context.
 *
 * Source: Microsoft SSPI reference, RevertSecurityContext.
 */
SECURITY_STATUS SEC_ENTRY RevertSecurityContext(PCtxtHandle phContext);

typedef SECURITY_STATUS(SEC_ENTRY *REVERT_SECURITY_CONTEXT_FN)(PCtxtHandle);

/*
 * QuerySecurityContextToken obtains the access token of a context's client.
 *
 * Token receives a handle to it, which the caller closes with CloseHandle. It outlives the context.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE; SEC_E_INVALID_TOKEN when Token is NULL; SEC_E_NO_IMPERSONATION
 * when the context has no client, as on the client's own side; SEC_E_UNSUPPORTED_FUNCTION;
 * SEC_E_INSUFFICIENT_MEMORY.
 *
 * Source: Microsoft SSPI reference, QuerySecurityContextToken.
 */
SECURITY_STATUS SEC_ENTRY QuerySecurityContextToken(PCtxtHandle phContext, void **Token);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_CONTEXT_TOKEN_FN)(PCtxtHandle, void **);

/* What kind of delegation DelegateSecurityContext is asked for. */
typedef enum _SecDelegationType {
    SecFull,
    SecService,
    SecTree,
    SecDirectory,
    SecObject
} SecDelegationType,
    *PSecDelegationType;

/*
 * DelegateSecurityContext would delegate a context to another target. No package of Windows offers it;
 * delegation is asked for with ISC_REQ_DELEGATE.
 *
 * pszTarget names the target, DelegationType says how far the delegation goes. pExpiry would receive its end,
 * pOutput the token; pPackageParameters is passed on to the package.
 *
 * Returns SEC_E_UNSUPPORTED_FUNCTION; outputs are untouched.
 *
 * Source: Microsoft SSPI reference, DelegateSecurityContext.
 */
SECURITY_STATUS SEC_ENTRY DelegateSecurityContext(PCtxtHandle phContext, SEC_CHAR *pszTarget,
                                                  SecDelegationType DelegationType, PTimeStamp pExpiry,
                                                  PSecBuffer pPackageParameters, PSecBufferDesc pOutput);

/* Flags of ExportSecurityContext. */
#define SECPKG_CONTEXT_EXPORT_RESET_NEW 0x00000001  /* sequence numbers start anew in the copy */
#define SECPKG_CONTEXT_EXPORT_DELETE_OLD 0x00000002 /* the original ends */
#define SECPKG_CONTEXT_EXPORT_TO_KERNEL 0x00000004  /* the copy goes to the kernel: not supported */

/*
 * ExportSecurityContext writes an established context into a block of bytes, for ImportSecurityContextW in
 * this or another process.
 *
 * fFlags          SECPKG_CONTEXT_EXPORT_ flags. With DELETE_OLD the original ends in the moment in which it is
 *                 written: of several threads one gets the block, and no message is made with it afterwards.
 *                 With RESET_NEW the copy begins where the handshake ended, and so must the peer.
 * pPackedContext  receives the block, in a buffer that the caller frees with FreeContextBuffer. It holds
 *                 keys: whoever reads it can read and forge the context's messages.
 * pToken          receives NULL: the client's access token travels in the block; may be NULL.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE, also for a context that is not established; SEC_E_INVALID_TOKEN
 * when pPackedContext is NULL; SEC_E_INSUFFICIENT_MEMORY; SEC_E_UNSUPPORTED_FUNCTION for a package whose
 * contexts cannot be moved, Schannel among them, and with RESET_NEW for a context of NTLM, or of Kerberos with
 * RC4, that has sent messages: the key stream would come again.
 *
 * Source: Microsoft SSPI reference, ExportSecurityContext.
 */
SECURITY_STATUS SEC_ENTRY ExportSecurityContext(PCtxtHandle phContext, ULONG fFlags, PSecBuffer pPackedContext,
                                                void **pToken);

typedef SECURITY_STATUS(SEC_ENTRY *EXPORT_SECURITY_CONTEXT_FN)(PCtxtHandle, ULONG, PSecBuffer, void **);

/*
 * ImportSecurityContextW makes a context from a block that ExportSecurityContext wrote.
 *
 * pszPackage      name of the package that the context belongs to.
 * pPackedContext  the block; it stays the caller's.
 * Token           not used: the client's access token is in the block.
 * phContext       receives the context, which the caller releases with DeleteSecurityContext.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND, also for NULL; SEC_E_INVALID_TOKEN when another pointer is NULL, the block
 * is damaged, or it belongs to another package; SEC_E_INSUFFICIENT_MEMORY; SEC_E_UNSUPPORTED_FUNCTION. On failure
 * *phContext is untouched.
 *
 * Source: Microsoft SSPI reference, ImportSecurityContext.
 */
SECURITY_STATUS SEC_ENTRY ImportSecurityContextW(SEC_WCHAR *pszPackage, PSecBuffer pPackedContext, void *Token,
                                                 PCtxtHandle phContext);

typedef SECURITY_STATUS(SEC_ENTRY *IMPORT_SECURITY_CONTEXT_FN_W)(SEC_WCHAR *, PSecBuffer, void *, PCtxtHandle);

/* ImportSecurityContextA does what ImportSecurityContextW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY ImportSecurityContextA(SEC_CHAR *pszPackage, PSecBuffer pPackedContext, void *Token,
                                                 PCtxtHandle phContext);

typedef SECURITY_STATUS(SEC_ENTRY *IMPORT_SECURITY_CONTEXT_FN_A)(SEC_CHAR *, PSecBuffer, void *, PCtxtHandle);

#define ImportSecurityContext OPENSSPI_AW(ImportSecurityContext)
#define IMPORT_SECURITY_CONTEXT_FN OPENSSPI_AW_(IMPORT_SECURITY_CONTEXT_FN)

/*
 * FreeContextBuffer frees a block that SSPI handed out: a token allocated for the caller, a package
 * description, or a string or block that an attribute query returned.
 *
 * pvContextBuffer is the block; each one is freed by itself.
 *
 * Returns SEC_E_OK, also for NULL; SEC_E_INVALID_HANDLE for a pointer that is not such a block, or is one no
 * more.
 *
 * Source: Microsoft SSPI reference, FreeContextBuffer; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY FreeContextBuffer(void *pvContextBuffer);

typedef SECURITY_STATUS(SEC_ENTRY *FREE_CONTEXT_BUFFER_FN)(void *);

OPENSSPI_END_DECLS

#endif
