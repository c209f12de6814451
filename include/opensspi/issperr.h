/*
 * issperr.h: the statuses that SSPI functions return.
 *
 * A SECURITY_STATUS is negative for an error (SEC_E_) and zero or positive for success (SEC_E_OK) and for
 * news that asks for something from the caller (SEC_I_). Certificate checks add the CRYPT_E_, CERT_E_ and
 * TRUST_E_ codes at the end.
 *
 * Source: Microsoft, SSPI Status Codes; COM Error Codes (Security and Setup).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_ISSPERR_H
#define OPENSSPI_ISSPERR_H

#include "wintypes.h"

#ifndef __SECSTATUS_DEFINED__
#define __SECSTATUS_DEFINED__
typedef LONG SECURITY_STATUS;
#endif

/* Success and progress. */

/* The call succeeded. */
#define SEC_E_OK ((HRESULT)0x00000000)
/* Send the output token, then call again with the peer's answer. */
#define SEC_I_CONTINUE_NEEDED ((HRESULT)0x00090312)
/* Finish the token with CompleteAuthToken before it is sent. */
#define SEC_I_COMPLETE_NEEDED ((HRESULT)0x00090313)
/* Both: CompleteAuthToken first, then another round trip. */
#define SEC_I_COMPLETE_AND_CONTINUE ((HRESULT)0x00090314)
/* The logon was made locally, with no authority reached over the network. */
#define SEC_I_LOCAL_LOGON ((HRESULT)0x00090315)
/* A subscribed TLS extension was received; call again to go on. */
#define SEC_I_GENERIC_EXTENSION_RECEIVED ((HRESULT)0x00090316)
/* The peer has closed the connection in good order. */
#define SEC_I_CONTEXT_EXPIRED ((HRESULT)0x00090317)
/* The server asks for a client certificate and none was given. */
#define SEC_I_INCOMPLETE_CREDENTIALS ((HRESULT)0x00090320)
/* The peer wants another handshake, or sent a post-handshake message. */
#define SEC_I_RENEGOTIATE ((HRESULT)0x00090321)
/* The security authority holds no state for this context. */
#define SEC_I_NO_LSA_CONTEXT ((HRESULT)0x00090323)
/* A signature is needed before the handshake can go on. */
#define SEC_I_SIGNATURE_NEEDED ((HRESULT)0x0009035C)
/* The peer declined to renegotiate. */
#define SEC_I_NO_RENEGOTIATION ((HRESULT)0x00090360)
/* The returned token is one fragment of a longer message. */
#define SEC_I_MESSAGE_FRAGMENT ((HRESULT)0x00090364)
/* Another step is needed, and messages may be protected already. */
#define SEC_I_CONTINUE_NEEDED_MESSAGE_OK ((HRESULT)0x00090366)
/* The asynchronous call goes on in the background. */
#define SEC_I_ASYNC_CALL_PENDING ((HRESULT)0x00090368)

/* Calls, handles and buffers. */

/* Memory is short, or an output buffer may not be allocated for the caller. */
#define SEC_E_INSUFFICIENT_MEMORY ((HRESULT)0x80090300)
/* The handle does not name a live object of the right kind. */
#define SEC_E_INVALID_HANDLE ((HRESULT)0x80090301)
/* The package does not do this. */
#define SEC_E_UNSUPPORTED_FUNCTION ((HRESULT)0x80090302)
/* The call is malformed, or something failed that should not. */
#define SEC_E_INTERNAL_ERROR ((HRESULT)0x80090304)
/* No security package has this name. */
#define SEC_E_SECPKG_NOT_FOUND ((HRESULT)0x80090305)
/* The caller does not own the credential it asked for. */
#define SEC_E_NOT_OWNER ((HRESULT)0x80090306)
/* The package could not be initialised and is not usable. */
#define SEC_E_CANNOT_INSTALL ((HRESULT)0x80090307)
/* The token is damaged, of the wrong kind, or missing. */
#define SEC_E_INVALID_TOKEN ((HRESULT)0x80090308)
/* The package cannot encode what it was given. */
#define SEC_E_CANNOT_PACK ((HRESULT)0x80090309)
/* The package does not offer this quality of protection. */
#define SEC_E_QOP_NOT_SUPPORTED ((HRESULT)0x8009030A)
/* The package identifier is wrong. */
#define SEC_E_BAD_PKGID ((HRESULT)0x80090316)
/* More input bytes are needed; nothing was consumed. */
#define SEC_E_INCOMPLETE_MESSAGE ((HRESULT)0x80090318)
/* An output buffer is missing or too small. */
#define SEC_E_BUFFER_TOO_SMALL ((HRESULT)0x80090321)
/* A parameter has no valid meaning. */
#define SEC_E_INVALID_PARAMETER ((HRESULT)0x8009035D)
/* The buffer for a TLS extension is too small. */
#define SEC_E_EXT_BUFFER_TOO_SMALL ((HRESULT)0x8009036A)
/* The caller gave too few buffers. */
#define SEC_E_INSUFFICIENT_BUFFERS ((HRESULT)0x8009036B)
/* The system is shutting down. */
#define SEC_E_SHUTDOWN_IN_PROGRESS ((HRESULT)0x8009033F)

/* Credentials, peers and authorities. */

/* The target name is unknown or cannot be reached. */
#define SEC_E_TARGET_UNKNOWN ((HRESULT)0x80090303)
/* This context may not be impersonated. */
#define SEC_E_NO_IMPERSONATION ((HRESULT)0x8009030B)
/* The logon failed: wrong name, wrong password, or not allowed. */
#define SEC_E_LOGON_DENIED ((HRESULT)0x8009030C)
/* The package does not recognise the credential. */
#define SEC_E_UNKNOWN_CREDENTIALS ((HRESULT)0x8009030D)
/* There is no credential to use. */
#define SEC_E_NO_CREDENTIALS ((HRESULT)0x8009030E)
/* No authority could be reached to authenticate. */
#define SEC_E_NO_AUTHENTICATING_AUTHORITY ((HRESULT)0x80090311)
/* The credential lacks something the peer insists on. */
#define SEC_E_INCOMPLETE_CREDENTIALS ((HRESULT)0x80090320)
/* The peer is not the one that was asked for. */
#define SEC_E_WRONG_PRINCIPAL ((HRESULT)0x80090322)
/* The clocks of the two sides differ too much. */
#define SEC_E_TIME_SKEW ((HRESULT)0x80090324)
/* The requested kind of delegation or impersonation was not reached. */
#define SEC_E_SECURITY_QOS_FAILED ((HRESULT)0x80090332)
/* The credential is not the one that the context began with. */
#define SEC_E_WRONG_CREDENTIAL_HANDLE ((HRESULT)0x80090336)
/* More than one account matches. */
#define SEC_E_MULTIPLE_ACCOUNTS ((HRESULT)0x80090347)
/* The server needs a delegated credential and got none. */
#define SEC_E_DELEGATION_REQUIRED ((HRESULT)0x80090345)
/* Policy forbids delegation to this target. */
#define SEC_E_DELEGATION_POLICY ((HRESULT)0x8009035E)
/* Policy allows nothing but NTLM for this target. */
#define SEC_E_POLICY_NLTM_ONLY ((HRESULT)0x8009035F)
/* No security context exists yet. */
#define SEC_E_NO_CONTEXT ((HRESULT)0x80090361)
/* The peer could not prove its identity. */
#define SEC_E_MUTUAL_AUTH_FAILED ((HRESULT)0x80090363)
/* A key distribution centre proxy may be reached over HTTPS only. */
#define SEC_E_ONLY_HTTPS_ALLOWED ((HRESULT)0x80090365)
/* The user principal name is malformed. */
#define SEC_E_INVALID_UPN_NAME ((HRESULT)0x80090369)

/* Messages. */

/* The message or its signature was changed on the way. */
#define SEC_E_MESSAGE_ALTERED ((HRESULT)0x8009030F)
/* The message or the call came out of order. */
#define SEC_E_OUT_OF_SEQUENCE ((HRESULT)0x80090310)
/* The context has expired or was shut down. */
#define SEC_E_CONTEXT_EXPIRED ((HRESULT)0x80090317)
/* The message could not be encrypted. */
#define SEC_E_ENCRYPT_FAILURE ((HRESULT)0x80090329)
/* The message could not be decrypted. */
#define SEC_E_DECRYPT_FAILURE ((HRESULT)0x80090330)
/* The peer sent a message that the protocol forbids, or an alert. */
#define SEC_E_ILLEGAL_MESSAGE ((HRESULT)0x80090326)
/* The two sides share no algorithm or no protocol version. */
#define SEC_E_ALGORITHM_MISMATCH ((HRESULT)0x80090331)
/* The context was deleted before it was complete. */
#define SEC_E_UNFINISHED_CONTEXT_DELETED ((HRESULT)0x80090333)
/* The key, cipher or mode does not fit the context. */
#define SEC_E_CRYPTO_SYSTEM_INVALID ((HRESULT)0x80090337)
/* Ciphers of this strength are not available. */
#define SEC_E_STRONG_CRYPTO_NOT_SUPPORTED ((HRESULT)0x8009033A)
/* Someone tried to talk the two sides into weaker protection. */
#define SEC_E_DOWNGRADE_DETECTED ((HRESULT)0x80090350)
/* The channel bindings differ from what the channel says. */
#define SEC_E_BAD_BINDINGS ((HRESULT)0x80090346)
/* The two sides share no application protocol. */
#define SEC_E_APPLICATION_PROTOCOL_MISMATCH ((HRESULT)0x80090367)

/* Certificates. */

/* The certificate chain ends in a root that is not trusted. */
#define SEC_E_UNTRUSTED_ROOT ((HRESULT)0x80090325)
/* Something is wrong with the certificate. */
#define SEC_E_CERT_UNKNOWN ((HRESULT)0x80090327)
/* The certificate is not valid at this time. */
#define SEC_E_CERT_EXPIRED ((HRESULT)0x80090328)
/* The certificate may not be used for this. */
#define SEC_E_CERT_WRONG_USAGE ((HRESULT)0x80090349)
/* An issuer in the chain is not trusted. */
#define SEC_E_ISSUING_CA_UNTRUSTED ((HRESULT)0x80090352)
/* A smart card is required for this account. */
#define SEC_E_SMARTCARD_LOGON_REQUIRED ((HRESULT)0x8009033E)
/* The smart card's certificate is revoked. */
#define SEC_E_SMARTCARD_CERT_REVOKED ((HRESULT)0x80090351)
/* The smart card's certificate has expired. */
#define SEC_E_SMARTCARD_CERT_EXPIRED ((HRESULT)0x80090355)
/* The revocation state of the client's certificate cannot be had. */
#define SEC_E_REVOCATION_OFFLINE_C ((HRESULT)0x80090353)
/* The revocation state of the KDC's certificate cannot be had. */
#define SEC_E_REVOCATION_OFFLINE_KDC ((HRESULT)0x80090358)
/* An issuer in the KDC's chain is not trusted. */
#define SEC_E_ISSUING_CA_UNTRUSTED_KDC ((HRESULT)0x80090359)
/* The KDC's certificate has expired. */
#define SEC_E_KDC_CERT_EXPIRED ((HRESULT)0x8009035A)
/* The KDC's certificate is revoked. */
#define SEC_E_KDC_CERT_REVOKED ((HRESULT)0x8009035B)
/* The peer's certificate was refused by the user-to-user package. */
#define SEC_E_PKU2U_CERT_FAILURE ((HRESULT)0x80090362)

/* Kerberos. */

/* The peer sent no ticket-granting ticket where one is needed. */
#define SEC_E_NO_TGT_REPLY ((HRESULT)0x80090334)
/* This host has no network address to put into a ticket request. */
#define SEC_E_NO_IP_ADDRESSES ((HRESULT)0x80090335)
/* Too many referrals from realm to realm. */
#define SEC_E_MAX_REFERRALS_EXCEEDED ((HRESULT)0x80090338)
/* Only a key distribution centre may do this. */
#define SEC_E_MUST_BE_KDC ((HRESULT)0x80090339)
/* The exchange involves more principals than it may. */
#define SEC_E_TOO_MANY_PRINCIPALS ((HRESULT)0x8009033B)
/* Pre-authentication data is missing. */
#define SEC_E_NO_PA_DATA ((HRESULT)0x8009033C)
/* The certificate names another user than the request. */
#define SEC_E_PKINIT_NAME_MISMATCH ((HRESULT)0x8009033D)
/* The KDC was asked for something it cannot do. */
#define SEC_E_KDC_INVALID_REQUEST ((HRESULT)0x80090340)
/* The KDC knows no realm to refer the client to. */
#define SEC_E_KDC_UNABLE_TO_REFER ((HRESULT)0x80090341)
/* The KDC does not support the encryption type. */
#define SEC_E_KDC_UNKNOWN_ETYPE ((HRESULT)0x80090342)
/* The KDC asks for a kind of pre-authentication that is not supported. */
#define SEC_E_UNSUPPORTED_PREAUTH ((HRESULT)0x80090343)
/* The account has no Kerberos key of a usable type. */
#define SEC_E_NO_KERB_KEY ((HRESULT)0x80090348)
/* The client could not check the KDC's PKINIT answer. */
#define SEC_E_PKINIT_CLIENT_FAILURE ((HRESULT)0x80090354)
/* A domain controller on the way does not know S4U. */
#define SEC_E_NO_S4U_PROT_SUPPORT ((HRESULT)0x80090356)
/* Delegation across this realm boundary is not possible. */
#define SEC_E_CROSSREALM_DELEGATION_FAILURE ((HRESULT)0x80090357)

/* Other names for codes above. */

#define SEC_E_NO_SPM SEC_E_INTERNAL_ERROR
#define SEC_E_NOT_SUPPORTED SEC_E_UNSUPPORTED_FUNCTION

/* Cryptographic messages. */

/* A cryptographic message could not be processed. */
#define CRYPT_E_MSG_ERROR ((HRESULT)0x80091001)
/* The algorithm is not known. */
#define CRYPT_E_UNKNOWN_ALGO ((HRESULT)0x80091002)
/* An object identifier is malformed. */
#define CRYPT_E_OID_FORMAT ((HRESULT)0x80091003)
/* The message is not of the expected type. */
#define CRYPT_E_INVALID_MSG_TYPE ((HRESULT)0x80091004)
/* The message has an unexpected encoding. */
#define CRYPT_E_UNEXPECTED_ENCODING ((HRESULT)0x80091005)
/* A required authenticated attribute is missing. */
#define CRYPT_E_AUTH_ATTR_MISSING ((HRESULT)0x80091006)
/* The hash is not the expected one. */
#define CRYPT_E_HASH_VALUE ((HRESULT)0x80091007)
/* The index is out of range. */
#define CRYPT_E_INVALID_INDEX ((HRESULT)0x80091008)
/* The content is decrypted already. */
#define CRYPT_E_ALREADY_DECRYPTED ((HRESULT)0x80091009)
/* The content is not decrypted yet. */
#define CRYPT_E_NOT_DECRYPTED ((HRESULT)0x8009100A)
/* The recipient is not among those of the message. */
#define CRYPT_E_RECIPIENT_NOT_FOUND ((HRESULT)0x8009100B)
/* The control request is not known. */
#define CRYPT_E_CONTROL_TYPE ((HRESULT)0x8009100C)
/* The issuer or the serial number is wrong. */
#define CRYPT_E_ISSUER_SERIALNUMBER ((HRESULT)0x8009100D)
/* The signer is not among those of the message. */
#define CRYPT_E_SIGNER_NOT_FOUND ((HRESULT)0x8009100E)
/* The message lacks requested attributes. */
#define CRYPT_E_ATTRIBUTES_MISSING ((HRESULT)0x8009100F)
/* The streamed message is not complete yet. */
#define CRYPT_E_STREAM_MSG_NOT_READY ((HRESULT)0x80091010)
/* The streamed message needs more data. */
#define CRYPT_E_STREAM_INSUFFICIENT_DATA ((HRESULT)0x80091011)
/* The protected data should be protected anew. */
#define CRYPT_I_NEW_PROTECTION_REQUIRED ((HRESULT)0x00091012)

/* Certificates, stores and revocation. */

/* A length is wrong. */
#define CRYPT_E_BAD_LEN ((HRESULT)0x80092001)
/* Encoding or decoding failed. */
#define CRYPT_E_BAD_ENCODE ((HRESULT)0x80092002)
/* A file could not be read or written. */
#define CRYPT_E_FILE_ERROR ((HRESULT)0x80092003)
/* The object or property does not exist. */
#define CRYPT_E_NOT_FOUND ((HRESULT)0x80092004)
/* The object or property exists already. */
#define CRYPT_E_EXISTS ((HRESULT)0x80092005)
/* No provider was named for the object. */
#define CRYPT_E_NO_PROVIDER ((HRESULT)0x80092006)
/* The certificate is self-signed. */
#define CRYPT_E_SELF_SIGNED ((HRESULT)0x80092007)
/* The object before this one was deleted. */
#define CRYPT_E_DELETED_PREV ((HRESULT)0x80092008)
/* Nothing matches. */
#define CRYPT_E_NO_MATCH ((HRESULT)0x80092009)
/* The message is of another type than expected. */
#define CRYPT_E_UNEXPECTED_MSG_TYPE ((HRESULT)0x8009200A)
/* The certificate has no private key. */
#define CRYPT_E_NO_KEY_PROPERTY ((HRESULT)0x8009200B)
/* No certificate with a key fit for decryption was found. */
#define CRYPT_E_NO_DECRYPT_CERT ((HRESULT)0x8009200C)
/* The message is malformed. */
#define CRYPT_E_BAD_MSG ((HRESULT)0x8009200D)
/* The message has no signer at this index. */
#define CRYPT_E_NO_SIGNER ((HRESULT)0x8009200E)
/* The store closes when its last object is released. */
#define CRYPT_E_PENDING_CLOSE ((HRESULT)0x8009200F)
/* The certificate is revoked. */
#define CRYPT_E_REVOKED ((HRESULT)0x80092010)
/* Nothing here can check revocation. */
#define CRYPT_E_NO_REVOCATION_DLL ((HRESULT)0x80092011)
/* Revocation could not be checked for this certificate. */
#define CRYPT_E_NO_REVOCATION_CHECK ((HRESULT)0x80092012)
/* The revocation server could not be reached. */
#define CRYPT_E_REVOCATION_OFFLINE ((HRESULT)0x80092013)
/* The revocation server does not know the certificate. */
#define CRYPT_E_NOT_IN_REVOCATION_DATABASE ((HRESULT)0x80092014)
/* The string holds characters other than digits and spaces. */
#define CRYPT_E_INVALID_NUMERIC_STRING ((HRESULT)0x80092020)
/* The string is not a PrintableString. */
#define CRYPT_E_INVALID_PRINTABLE_STRING ((HRESULT)0x80092021)
/* The string is not 7-bit ASCII. */
#define CRYPT_E_INVALID_IA5_STRING ((HRESULT)0x80092022)
/* The distinguished name is malformed. */
#define CRYPT_E_INVALID_X500_STRING ((HRESULT)0x80092023)
/* The name attribute is not of a character type. */
#define CRYPT_E_NOT_CHAR_STRING ((HRESULT)0x80092024)
/* The file changed its size while it was used. */
#define CRYPT_E_FILERESIZED ((HRESULT)0x80092025)
/* The security settings do not allow this. */
#define CRYPT_E_SECURITY_SETTINGS ((HRESULT)0x80092026)
/* Nothing here can verify the subject's usage. */
#define CRYPT_E_NO_VERIFY_USAGE_DLL ((HRESULT)0x80092027)
/* The subject's usage could not be verified. */
#define CRYPT_E_NO_VERIFY_USAGE_CHECK ((HRESULT)0x80092028)
/* The server that verifies usage could not be reached. */
#define CRYPT_E_VERIFY_USAGE_OFFLINE ((HRESULT)0x80092029)
/* The subject is not in the trust list. */
#define CRYPT_E_NOT_IN_CTL ((HRESULT)0x8009202A)
/* No signer of the message or trust list is trusted. */
#define CRYPT_E_NO_TRUSTED_SIGNER ((HRESULT)0x8009202B)
/* The public key lacks its algorithm parameters. */
#define CRYPT_E_MISSING_PUBKEY_PARA ((HRESULT)0x8009202C)
/* An object locator could not find its object. */
#define CRYPT_E_OBJECT_LOCATOR_OBJECT_NOT_FOUND ((HRESULT)0x8009202D)

/* ASN.1. */

/* Base of the older ASN.1 coder's errors. */
#define CRYPT_E_OSS_ERROR ((HRESULT)0x80093000)
/* Base of the ASN.1 coder's errors. */
#define CRYPT_E_ASN1_ERROR ((HRESULT)0x80093100)
/* The ASN.1 coder failed internally. */
#define CRYPT_E_ASN1_INTERNAL ((HRESULT)0x80093101)
/* The ASN.1 data ends too early. */
#define CRYPT_E_ASN1_EOD ((HRESULT)0x80093102)
/* The ASN.1 data is damaged. */
#define CRYPT_E_ASN1_CORRUPT ((HRESULT)0x80093103)
/* An ASN.1 value is too large. */
#define CRYPT_E_ASN1_LARGE ((HRESULT)0x80093104)
/* An ASN.1 constraint is violated. */
#define CRYPT_E_ASN1_CONSTRAINT ((HRESULT)0x80093105)
/* The ASN.1 coder is out of memory. */
#define CRYPT_E_ASN1_MEMORY ((HRESULT)0x80093106)
/* The ASN.1 buffer is too small. */
#define CRYPT_E_ASN1_OVERFLOW ((HRESULT)0x80093107)
/* This ASN.1 type cannot stand at the top. */
#define CRYPT_E_ASN1_BADPDU ((HRESULT)0x80093108)
/* The ASN.1 coder was called wrongly. */
#define CRYPT_E_ASN1_BADARGS ((HRESULT)0x80093109)
/* An ASN.1 real value is malformed. */
#define CRYPT_E_ASN1_BADREAL ((HRESULT)0x8009310A)
/* An ASN.1 tag is not the expected one. */
#define CRYPT_E_ASN1_BADTAG ((HRESULT)0x8009310B)
/* An ASN.1 choice is not known. */
#define CRYPT_E_ASN1_CHOICE ((HRESULT)0x8009310C)
/* The ASN.1 encoding rule is not known. */
#define CRYPT_E_ASN1_RULE ((HRESULT)0x8009310D)
/* An ASN.1 UTF-8 string is malformed. */
#define CRYPT_E_ASN1_UTF8 ((HRESULT)0x8009310E)
/* The ASN.1 type is of the wrong kind for this call. */
#define CRYPT_E_ASN1_PDU_TYPE ((HRESULT)0x80093133)
/* The ASN.1 feature is not available. */
#define CRYPT_E_ASN1_NYI ((HRESULT)0x80093134)
/* Unknown ASN.1 extensions were skipped. */
#define CRYPT_E_ASN1_EXTENDED ((HRESULT)0x80093201)
/* Bytes follow the end of the ASN.1 data. */
#define CRYPT_E_ASN1_NOEOD ((HRESULT)0x80093202)

/* Trust. */

/* A system error stopped the check of trust. */
#define TRUST_E_SYSTEM_ERROR ((HRESULT)0x80096001)
/* The signer's certificate is missing or invalid. */
#define TRUST_E_NO_SIGNER_CERT ((HRESULT)0x80096002)
/* A countersignature is invalid. */
#define TRUST_E_COUNTER_SIGNER ((HRESULT)0x80096003)
/* The certificate's signature does not verify. */
#define TRUST_E_CERT_SIGNATURE ((HRESULT)0x80096004)
/* The time stamp is invalid. */
#define TRUST_E_TIME_STAMP ((HRESULT)0x80096005)
/* The object's digest does not verify. */
#define TRUST_E_BAD_DIGEST ((HRESULT)0x80096010)
/* The digital signature is malformed. */
#define TRUST_E_MALFORMED_SIGNATURE ((HRESULT)0x80096011)
/* The basic constraints of a certificate are not observed. */
#define TRUST_E_BASIC_CONSTRAINTS ((HRESULT)0x80096019)
/* The certificate lacks required financial criteria. */
#define TRUST_E_FINANCIAL_CRITERIA ((HRESULT)0x8009601E)
/* The trust provider is not known. */
#define TRUST_E_PROVIDER_UNKNOWN ((HRESULT)0x800B0001)
/* The provider does not know the action. */
#define TRUST_E_ACTION_UNKNOWN ((HRESULT)0x800B0002)
/* The provider does not know the form of the subject. */
#define TRUST_E_SUBJECT_FORM_UNKNOWN ((HRESULT)0x800B0003)
/* The subject is not trusted for the action. */
#define TRUST_E_SUBJECT_NOT_TRUSTED ((HRESULT)0x800B0004)
/* There is no signature. */
#define TRUST_E_NOSIGNATURE ((HRESULT)0x800B0100)
/* Trust could not be established, for no single reason. */
#define TRUST_E_FAIL ((HRESULT)0x800B010B)
/* The certificate is explicitly distrusted. */
#define TRUST_E_EXPLICIT_DISTRUST ((HRESULT)0x800B0111)

/* Certificate chains. */

/* A certificate of the chain is not valid at this time. */
#define CERT_E_EXPIRED ((HRESULT)0x800B0101)
/* The validity periods in the chain do not nest. */
#define CERT_E_VALIDITYPERIODNESTING ((HRESULT)0x800B0102)
/* An end-entity certificate is used as an issuer, or the reverse. */
#define CERT_E_ROLE ((HRESULT)0x800B0103)
/* The chain is longer than a path length constraint allows. */
#define CERT_E_PATHLENCONST ((HRESULT)0x800B0104)
/* A critical extension is not known. */
#define CERT_E_CRITICAL ((HRESULT)0x800B0105)
/* The certificate is used against its purpose. */
#define CERT_E_PURPOSE ((HRESULT)0x800B0106)
/* A parent did not issue its child. */
#define CERT_E_ISSUERCHAINING ((HRESULT)0x800B0107)
/* The certificate lacks a field or has an empty one. */
#define CERT_E_MALFORMED ((HRESULT)0x800B0108)
/* The chain ends in a root that is not trusted. */
#define CERT_E_UNTRUSTEDROOT ((HRESULT)0x800B0109)
/* No chain to a trusted root could be built. */
#define CERT_E_CHAINING ((HRESULT)0x800B010A)
/* The issuer has revoked the certificate. */
#define CERT_E_REVOKED ((HRESULT)0x800B010C)
/* The chain ends in a test root, which is not trusted. */
#define CERT_E_UNTRUSTEDTESTROOT ((HRESULT)0x800B010D)
/* Revocation could not be checked. */
#define CERT_E_REVOCATION_FAILURE ((HRESULT)0x800B010E)
/* The certificate's name does not match. */
#define CERT_E_CN_NO_MATCH ((HRESULT)0x800B010F)
/* The certificate may not be used for this. */
#define CERT_E_WRONG_USAGE ((HRESULT)0x800B0110)
/* An intermediate authority is not trusted. */
#define CERT_E_UNTRUSTEDCA ((HRESULT)0x800B0112)
/* The certificate has an invalid policy. */
#define CERT_E_INVALID_POLICY ((HRESULT)0x800B0113)
/* The certificate's name violates the name constraints. */
#define CERT_E_INVALID_NAME ((HRESULT)0x800B0114)

#endif
