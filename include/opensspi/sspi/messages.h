/*
 * sspi/messages.h: signing and encrypting messages. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_MESSAGES_H
#define OPENSSPI_SSPI_MESSAGES_H

#include "buffers.h"

OPENSSPI_BEGIN_DECLS

/* Qualities of protection (fQOP). */
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001 /* EncryptMessage signs only */
#define SECQOP_WRAP_OOB_DATA 0x40000000   /* Schannel of Windows: send the alert in the buffer; refused here */

/* The first of them under its older name, from a Kerberos header. */
#ifndef KERB_WRAP_NO_ENCRYPT
#define KERB_WRAP_NO_ENCRYPT 0x80000001
#endif

/*
 * MakeSignature signs a message.
 *
 * fQOP          quality of protection: 0 or a package's own value.
 * pMessage      DATA buffers, which together are one message, and a TOKEN of at least cbMaxSignature bytes
 *               (SecPkgContext_Sizes) anywhere among them, whose cbBuffer receives the size of the signature.
 *               DATA with SECBUFFER_READONLY or SECBUFFER_READONLY_WITH_CHECKSUM is signed like any other.
 *               Where there is no TOKEN, an EMPTY buffer with room for the signature is taken for it.
 * MessageSeqNo  the message's number, where the transport keeps count; 0 where the package does.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE, also for a context that is not established; SEC_E_INVALID_TOKEN
 * when buffers are missing; SEC_E_BUFFER_TOO_SMALL when the signature does not fit; SEC_E_OUT_OF_SEQUENCE and
 * SEC_E_CONTEXT_EXPIRED in the wrong state; SEC_E_QOP_NOT_SUPPORTED; SEC_E_UNSUPPORTED_FUNCTION where the
 * package or the context does not sign; SEC_E_INSUFFICIENT_MEMORY. WDigest over HTTP, where a security authority
 * keeps the key: SEC_E_NO_AUTHENTICATING_AUTHORITY when it cannot be asked.
 *
 * Source: Microsoft SSPI reference, MakeSignature; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);

typedef SECURITY_STATUS(SEC_ENTRY *MAKE_SIGNATURE_FN)(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);

/*
 * VerifySignature checks the signature of a message.
 *
 * pMessage      the DATA buffers as they were signed, and the TOKEN with the signature.
 * MessageSeqNo  as with MakeSignature.
 * pfQOP         receives the quality of protection, where the package has more than one; may be NULL. NTLM
 *               leaves it as it was.
 *
 * Returns SEC_E_OK when the message is genuine; SEC_E_MESSAGE_ALTERED when it is not; SEC_E_OUT_OF_SEQUENCE
 * when it comes out of order; SEC_E_INVALID_HANDLE, also for a context that is not established;
 * SEC_E_INVALID_TOKEN when the signature is missing or cut short; SEC_E_CONTEXT_EXPIRED;
 * SEC_E_UNSUPPORTED_FUNCTION; SEC_E_INSUFFICIENT_MEMORY. WDigest over HTTP, where a security authority keeps
 * the key: SEC_E_NO_AUTHENTICATING_AUTHORITY when it cannot be asked.
 *
 * Source: Microsoft SSPI reference, VerifySignature; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY VerifySignature(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                          ULONG *pfQOP);

typedef SECURITY_STATUS(SEC_ENTRY *VERIFY_SIGNATURE_FN)(PCtxtHandle, PSecBufferDesc, ULONG, ULONG *);

/*
 * EncryptMessage encrypts and signs a message in place.
 *
 * fQOP          0, or SECQOP_WRAP_NO_ENCRYPT to sign only, which Schannel does not.
 * pMessage      for NTLM, Kerberos, Negotiate, CredSSP and Digest: a TOKEN of at least cbSecurityTrailer bytes,
 *               DATA buffers, and for Kerberos and Digest a PADDING of at least cbBlockSize bytes, in any order.
 *               For Digest also DATA and, without a TOKEN, a PADDING of cbMaxSignature + cbBlockSize bytes, which
 *               receives all that follows DATA on the wire. For Schannel: STREAM_HEADER, DATA, STREAM_TRAILER and
 *               EMPTY, the first and third with the sizes of SecPkgContext_StreamSizes. cbBuffer of every buffer
 *               but DATA receives what was used. DATA with SECBUFFER_READONLY or
 *               SECBUFFER_READONLY_WITH_CHECKSUM is signed but not encrypted.
 * MessageSeqNo  the message's number, where the transport keeps count; 0 where the package does.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_HANDLE, also for a context that is not established; SEC_E_INVALID_TOKEN
 * when buffers are missing; SEC_E_BUFFER_TOO_SMALL; SEC_E_CONTEXT_EXPIRED; SEC_E_OUT_OF_SEQUENCE;
 * SEC_E_ENCRYPT_FAILURE; SEC_E_CRYPTO_SYSTEM_INVALID; SEC_E_QOP_NOT_SUPPORTED; SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_UNSUPPORTED_FUNCTION (of Digest SEC_E_QOP_NOT_SUPPORTED) on a context without confidentiality, unless fQOP
 * is SECQOP_WRAP_NO_ENCRYPT.
 *
 * Source: Microsoft SSPI reference, EncryptMessage (General), (CredSSP), (Digest), (Kerberos), (Negotiate),
 * (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY EncryptMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage,
                                         ULONG MessageSeqNo);

typedef SECURITY_STATUS(SEC_ENTRY *ENCRYPT_MESSAGE_FN)(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);

/*
 * DecryptMessage decrypts a message in place and checks its signature.
 *
 * pMessage      the buffers that EncryptMessage left, or a STREAM with the whole message and an empty DATA,
 *               which then points to the payload inside it. For Digest also one DATA with the whole message,
 *               whose cbBuffer becomes the payload's: DATA and PADDING that were encrypted without a TOKEN are
 *               joined into it, or into a STREAM. For Schannel a DATA with what the peer sent and
 *               three EMPTY buffers, which become STREAM_HEADER, DATA, STREAM_TRAILER and, where bytes of the
 *               next record follow, EXTRA.
 * MessageSeqNo  as with EncryptMessage.
 * pfQOP         receives the quality of protection, SECQOP_WRAP_NO_ENCRYPT for a message that was only
 *               signed; may be NULL.
 *
 * Returns SEC_E_OK; SEC_I_CONTEXT_EXPIRED when the peer has closed the connection; SEC_I_RENEGOTIATE when the
 * EXTRA buffer has to go through InitializeSecurityContext or AcceptSecurityContext; SEC_E_INCOMPLETE_MESSAGE
 * when the record is not whole (MISSING buffers say how many bytes are needed, if known) and nothing has
 * changed; SEC_E_MESSAGE_ALTERED; SEC_E_OUT_OF_SEQUENCE; SEC_E_INVALID_HANDLE, also for a context that is not
 * established; SEC_E_INVALID_TOKEN when buffers are missing; SEC_E_BUFFER_TOO_SMALL; SEC_E_CONTEXT_EXPIRED;
 * SEC_E_DECRYPT_FAILURE; SEC_E_CRYPTO_SYSTEM_INVALID; SEC_E_QOP_NOT_SUPPORTED; SEC_E_UNSUPPORTED_FUNCTION.
 *
 * Source: Microsoft SSPI reference, DecryptMessage (General), (CredSSP), (Digest), (Kerberos), (Negotiate),
 * (NTLM), (Schannel); observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY DecryptMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                         ULONG *pfQOP);

typedef SECURITY_STATUS(SEC_ENTRY *DECRYPT_MESSAGE_FN)(PCtxtHandle, PSecBufferDesc, ULONG, ULONG *);

/*
 * SealMessage is EncryptMessage under the name it had in Windows NT 4.0. Parameters and statuses are the
 * same.
 */
SECURITY_STATUS SEC_ENTRY SealMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo);

/*
 * UnsealMessage is DecryptMessage under the name it had in Windows NT 4.0. Parameters and statuses are the
 * same.
 */
SECURITY_STATUS SEC_ENTRY UnsealMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                        ULONG *pfQOP);

OPENSSPI_END_DECLS

#endif
