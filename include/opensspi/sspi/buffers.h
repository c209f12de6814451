/*
 * sspi/buffers.h: SecBuffer, its types, and what the typed buffers hold. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_BUFFERS_H
#define OPENSSPI_SSPI_BUFFERS_H

#include "base.h"

/* One buffer: cbBuffer bytes at pvBuffer, of the kind and with the attributes in BufferType. */
typedef struct _SecBuffer {
    ULONG cbBuffer;
    ULONG BufferType;
    void *pvBuffer;
} SecBuffer, *PSecBuffer;

/* An array of cBuffers buffers. ulVersion is SECBUFFER_VERSION. */
typedef struct _SecBufferDesc {
    ULONG ulVersion;
    ULONG cBuffers;
    PSecBuffer pBuffers;
} SecBufferDesc, *PSecBufferDesc;

#define SECBUFFER_VERSION 0

/* Kinds of buffers: the low 28 bits of BufferType. */

#define SECBUFFER_EMPTY 0                            /* unused; a call may fill it in */
#define SECBUFFER_DATA 1                             /* payload of a message */
#define SECBUFFER_TOKEN 2                            /* handshake token, signature or trailer */
#define SECBUFFER_PKG_PARAMS 3                       /* package-specific parameters */
#define SECBUFFER_MISSING 4                          /* out: cbBuffer more input bytes are needed */
#define SECBUFFER_EXTRA 5                            /* out: the last cbBuffer input bytes were not used */
#define SECBUFFER_STREAM_TRAILER 6                   /* what follows the payload on the wire */
#define SECBUFFER_STREAM_HEADER 7                    /* what precedes the payload on the wire */
#define SECBUFFER_NEGOTIATION_INFO 8                 /* a SEC_NEGOTIATION_INFO */
#define SECBUFFER_PADDING 9                          /* padding up to the cipher's block size */
#define SECBUFFER_STREAM 10                          /* a whole encrypted message */
#define SECBUFFER_MECHLIST 11                        /* SPNEGO's list of mechanisms */
#define SECBUFFER_MECHLIST_SIGNATURE 12              /* its signature */
#define SECBUFFER_TARGET 13                          /* obsolete: target name */
#define SECBUFFER_CHANNEL_BINDINGS 14                /* a SEC_CHANNEL_BINDINGS and its data */
#define SECBUFFER_CHANGE_PASS_RESPONSE 15            /* out: why a password was refused */
#define SECBUFFER_TARGET_HOST 16                     /* UTF-16 host name a server was reached by */
#define SECBUFFER_ALERT 17                           /* a TLS alert to send */
#define SECBUFFER_APPLICATION_PROTOCOLS 18           /* a SEC_APPLICATION_PROTOCOLS */
#define SECBUFFER_SRTP_PROTECTION_PROFILES 19        /* a SEC_SRTP_PROTECTION_PROFILES */
#define SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER 20      /* a SEC_SRTP_MASTER_KEY_IDENTIFIER */
#define SECBUFFER_TOKEN_BINDING 21                   /* a SEC_TOKEN_BINDING */
#define SECBUFFER_PRESHARED_KEY 22                   /* a SEC_PRESHAREDKEY */
#define SECBUFFER_PRESHARED_KEY_IDENTITY 23          /* a SEC_PRESHAREDKEY_IDENTITY */
#define SECBUFFER_DTLS_MTU 24                        /* a SEC_DTLS_MTU */
#define SECBUFFER_SEND_GENERIC_TLS_EXTENSION 25      /* a SEND_GENERIC_TLS_EXTENSION */
#define SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION 26 /* a SUBSCRIBE_GENERIC_TLS_EXTENSION */
#define SECBUFFER_FLAGS 27                           /* a SEC_FLAGS: ISC_REQ_ or ASC_REQ_ flags past bit 31 */
#define SECBUFFER_TRAFFIC_SECRETS 28                 /* a SEC_TRAFFIC_SECRETS */
#define SECBUFFER_CERTIFICATE_REQUEST_CONTEXT 29     /* a SEC_CERTIFICATE_REQUEST_CONTEXT */
#define SECBUFFER_CHANNEL_BINDINGS_RESULT 30         /* out: a SEC_CHANNEL_BINDINGS_RESULT */
#define SECBUFFER_APP_SESSION_STATE 31               /* a SEC_APP_SESSION_STATE */
#define SECBUFFER_SESSION_TICKET 32                  /* a SEC_SESSION_TICKET */

/* Attributes: the high four bits of BufferType. */

#define SECBUFFER_ATTRMASK 0xF0000000
#define SECBUFFER_READONLY 0x80000000               /* signed, never changed */
#define SECBUFFER_READONLY_WITH_CHECKSUM 0x10000000 /* signed, never changed; what Kerberos takes for headers */
#define SECBUFFER_RESERVED 0x60000000

/* Contents. Sizes are bytes; offsets count from the start of the structure. */

typedef struct _SEC_NEGOTIATION_INFO {
    ULONG Size;
    ULONG NameLength;
    SEC_WCHAR *Name;
    void *Reserved;
} SEC_NEGOTIATION_INFO, *PSEC_NEGOTIATION_INFO;

/* RFC 2743 channel bindings; the three data fields lie behind the structure in the same buffer. */
typedef struct _SEC_CHANNEL_BINDINGS {
    ULONG dwInitiatorAddrType;
    ULONG cbInitiatorLength;
    ULONG dwInitiatorOffset;
    ULONG dwAcceptorAddrType;
    ULONG cbAcceptorLength;
    ULONG dwAcceptorOffset;
    ULONG cbApplicationDataLength;
    ULONG dwApplicationDataOffset;
} SEC_CHANNEL_BINDINGS, *PSEC_CHANNEL_BINDINGS;

/* magicNumber tells this form from SEC_CHANNEL_BINDINGS, whose first word is an address type. */
typedef struct _SEC_CHANNEL_BINDINGS_EX {
    ULONG magicNumber;
    ULONG flags;
    ULONG cbHeaderLength;
    ULONG cbStructureLength;
    ULONG dwInitiatorAddrType;
    ULONG cbInitiatorLength;
    ULONG dwInitiatorOffset;
    ULONG dwAcceptorAddrType;
    ULONG cbAcceptorLength;
    ULONG dwAcceptorOffset;
    ULONG cbApplicationDataLength;
    ULONG dwApplicationDataOffset;
} SEC_CHANNEL_BINDINGS_EX, *PSEC_CHANNEL_BINDINGS_EX;

#define SEC_CHANNEL_BINDINGS_EX_MAGIC 0x58454243
#define SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS 0x1
#define SEC_CHANNEL_BINDINGS_VALID_FLAGS SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS

typedef struct _SEC_CHANNEL_BINDINGS_RESULT {
    ULONG flags;
} SEC_CHANNEL_BINDINGS_RESULT, *PSEC_CHANNEL_BINDINGS_RESULT;

#define SEC_CHANNEL_BINDINGS_RESULT_CLIENT_SUPPORT 0x1
#define SEC_CHANNEL_BINDINGS_RESULT_ABSENT 0x2
#define SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISMATCH 0x4
#define SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISSING 0x8
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_MATCHED 0x10
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_PROXY 0x20
#define SEC_CHANNEL_BINDINGS_RESULT_VALID_MISSING 0x40
#define SEC_CHANNEL_BINDINGS_RESULT_VALID                                                  \
    (SEC_CHANNEL_BINDINGS_RESULT_VALID_MATCHED | SEC_CHANNEL_BINDINGS_RESULT_VALID_PROXY | \
     SEC_CHANNEL_BINDINGS_RESULT_VALID_MISSING)
#define SEC_CHANNEL_BINDINGS_RESULT_NOTVALID \
    (SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISMATCH | SEC_CHANNEL_BINDINGS_RESULT_NOTVALID_MISSING)

typedef enum _SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT {
    SecApplicationProtocolNegotiationExt_None,
    SecApplicationProtocolNegotiationExt_NPN,
    SecApplicationProtocolNegotiationExt_ALPN
} SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT,
    *PSEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT;

/* ProtocolList is RFC 7301's list: names, each after a byte with its length. */
typedef struct _SEC_APPLICATION_PROTOCOL_LIST {
    SEC_APPLICATION_PROTOCOL_NEGOTIATION_EXT ProtoNegoExt;
    unsigned short ProtocolListSize;
    unsigned char ProtocolList[ANYSIZE_ARRAY];
} SEC_APPLICATION_PROTOCOL_LIST, *PSEC_APPLICATION_PROTOCOL_LIST;

typedef struct _SEC_APPLICATION_PROTOCOLS {
    ULONG ProtocolListsSize;
    SEC_APPLICATION_PROTOCOL_LIST ProtocolLists[ANYSIZE_ARRAY];
} SEC_APPLICATION_PROTOCOLS, *PSEC_APPLICATION_PROTOCOLS;

/* ProfilesSize counts bytes. Profiles are IANA's numbers, in either order of their bytes. */
typedef struct _SEC_SRTP_PROTECTION_PROFILES {
    unsigned short ProfilesSize;
    unsigned short ProfilesList[ANYSIZE_ARRAY];
} SEC_SRTP_PROTECTION_PROFILES, *PSEC_SRTP_PROTECTION_PROFILES;

typedef struct _SEC_SRTP_MASTER_KEY_IDENTIFIER {
    unsigned char MasterKeyIdentifierSize;
    unsigned char MasterKeyIdentifier[ANYSIZE_ARRAY];
} SEC_SRTP_MASTER_KEY_IDENTIFIER, *PSEC_SRTP_MASTER_KEY_IDENTIFIER;

typedef struct _SEC_TOKEN_BINDING {
    unsigned char MajorVersion;
    unsigned char MinorVersion;
    unsigned short KeyParametersSize;
    unsigned char KeyParameters[ANYSIZE_ARRAY];
} SEC_TOKEN_BINDING, *PSEC_TOKEN_BINDING;

typedef struct _SEC_PRESHAREDKEY {
    unsigned short KeySize;
    unsigned char Key[ANYSIZE_ARRAY];
} SEC_PRESHAREDKEY, *PSEC_PRESHAREDKEY;

typedef struct _SEC_PRESHAREDKEY_IDENTITY {
    unsigned short KeyIdentitySize;
    unsigned char KeyIdentity[ANYSIZE_ARRAY];
} SEC_PRESHAREDKEY_IDENTITY, *PSEC_PRESHAREDKEY_IDENTITY;

typedef struct _SEC_DTLS_MTU {
    unsigned short PathMTU;
} SEC_DTLS_MTU, *PSEC_DTLS_MTU;

typedef struct _SEC_FLAGS {
    unsigned long long Flags;
} SEC_FLAGS, *PSEC_FLAGS;

typedef struct _SEC_CERTIFICATE_REQUEST_CONTEXT {
    unsigned char cbCertificateRequestContext;
    unsigned char rgCertificateRequestContext[ANYSIZE_ARRAY];
} SEC_CERTIFICATE_REQUEST_CONTEXT, *PSEC_CERTIFICATE_REQUEST_CONTEXT;

typedef struct _SEC_APP_SESSION_STATE {
    unsigned short AppSessionStateSize;
    unsigned char AppSessionState[ANYSIZE_ARRAY];
} SEC_APP_SESSION_STATE, *PSEC_APP_SESSION_STATE;

typedef struct _SEC_SESSION_TICKET {
    unsigned short SessionTicketSize;
    unsigned char SessionTicket[ANYSIZE_ARRAY];
} SEC_SESSION_TICKET, *PSEC_SESSION_TICKET;

typedef enum _SEC_TRAFFIC_SECRET_TYPE {
    SecTrafficSecret_None,
    SecTrafficSecret_Client,
    SecTrafficSecret_Server
} SEC_TRAFFIC_SECRET_TYPE,
    *PSEC_TRAFFIC_SECRET_TYPE;

/* Room for the name of an algorithm, in characters with the terminator. */
#ifndef SZ_ALG_MAX_SIZE
#define SZ_ALG_MAX_SIZE 64
#endif

typedef struct _SEC_TRAFFIC_SECRETS {
    WCHAR SymmetricAlgId[SZ_ALG_MAX_SIZE];
    WCHAR ChainingMode[SZ_ALG_MAX_SIZE];
    WCHAR HashAlgId[SZ_ALG_MAX_SIZE];
    unsigned short KeySize;
    unsigned short IvSize;
    unsigned short MsgSequenceStart;
    unsigned short MsgSequenceEnd;
    SEC_TRAFFIC_SECRET_TYPE TrafficSecretType;
    unsigned short TrafficSecretSize;
    unsigned char TrafficSecret[ANYSIZE_ARRAY];
} SEC_TRAFFIC_SECRETS, *PSEC_TRAFFIC_SECRETS;

#endif
