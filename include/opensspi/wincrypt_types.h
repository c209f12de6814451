/*
 * wincrypt_types.h: the few types and numbers of <wincrypt.h> that SSPI itself needs: certificates by
 * pointer, certificate stores, and the algorithm numbers that attributes return.
 *
 * Source: Microsoft, wincrypt.h reference; ALG_ID.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_TYPES_H
#define OPENSSPI_WINCRYPT_TYPES_H

#include "wintypes.h"

typedef unsigned int ALG_ID;
typedef ULONG_PTR HCRYPTPROV;
typedef void *HCERTSTORE;

/* Encodings of a certificate. */
#define X509_ASN_ENCODING 0x00000001
#define PKCS_7_ASN_ENCODING 0x00010000
#define CERT_ENCODING_TYPE_MASK 0x0000FFFF
#define CMSG_ENCODING_TYPE_MASK 0xFFFF0000

#define CERT_FIRST_USER_PROP_ID 0x00008000

typedef struct _CRYPTOAPI_BLOB {
    DWORD cbData;
    BYTE *pbData;
} DATA_BLOB, *PDATA_BLOB, CERT_BLOB, *PCERT_BLOB, CERT_NAME_BLOB, *PCERT_NAME_BLOB, CRYPT_INTEGER_BLOB,
    *PCRYPT_INTEGER_BLOB, CRYPT_UINT_BLOB, *PCRYPT_UINT_BLOB, CRYPT_OBJID_BLOB, *PCRYPT_OBJID_BLOB, CERT_RDN_VALUE_BLOB,
    *PCERT_RDN_VALUE_BLOB, CRL_BLOB, *PCRL_BLOB, CRYPT_DATA_BLOB, *PCRYPT_DATA_BLOB, CRYPT_HASH_BLOB, *PCRYPT_HASH_BLOB,
    CRYPT_DIGEST_BLOB, *PCRYPT_DIGEST_BLOB, CRYPT_DER_BLOB, *PCRYPT_DER_BLOB, CRYPT_ATTR_BLOB, *PCRYPT_ATTR_BLOB;

typedef struct _CERT_INFO CERT_INFO, *PCERT_INFO;

/* A certificate, encoded in DER, and the store it belongs to. */
typedef struct _CERT_CONTEXT {
    DWORD dwCertEncodingType;
    BYTE *pbCertEncoded;
    DWORD cbCertEncoded;
    PCERT_INFO pCertInfo;
    HCERTSTORE hCertStore;
} CERT_CONTEXT, *PCERT_CONTEXT;

typedef const CERT_CONTEXT *PCCERT_CONTEXT;

/* An algorithm number is class (bits 13 to 15), type (9 to 12) and identifier (0 to 8). */

#define GET_ALG_CLASS(x) ((x)&0xE000)
#define GET_ALG_TYPE(x) ((x)&0x1E00)
#define GET_ALG_SID(x) ((x)&0x01FF)

#define ALG_CLASS_ANY 0x0000
#define ALG_CLASS_SIGNATURE 0x2000
#define ALG_CLASS_MSG_ENCRYPT 0x4000
#define ALG_CLASS_DATA_ENCRYPT 0x6000
#define ALG_CLASS_HASH 0x8000
#define ALG_CLASS_KEY_EXCHANGE 0xA000
#define ALG_CLASS_ALL 0xE000

#define ALG_TYPE_ANY 0x0000
#define ALG_TYPE_DSS 0x0200
#define ALG_TYPE_RSA 0x0400
#define ALG_TYPE_BLOCK 0x0600
#define ALG_TYPE_STREAM 0x0800
#define ALG_TYPE_DH 0x0A00
#define ALG_TYPE_SECURECHANNEL 0x0C00
#define ALG_TYPE_ECDH 0x0E00

/* Hashes. */
#define CALG_MD2 0x8001
#define CALG_MD4 0x8002
#define CALG_MD5 0x8003
#define CALG_SHA 0x8004
#define CALG_SHA1 0x8004
#define CALG_MAC 0x8005
#define CALG_SSL3_SHAMD5 0x8008
#define CALG_HMAC 0x8009
#define CALG_TLS1PRF 0x800A
#define CALG_HASH_REPLACE_OWF 0x800B
#define CALG_SHA_256 0x800C
#define CALG_SHA_384 0x800D
#define CALG_SHA_512 0x800E

/* Ciphers. */
#define CALG_NULLCIPHER 0x6000
#define CALG_DES 0x6601
#define CALG_RC2 0x6602
#define CALG_3DES 0x6603
#define CALG_DESX 0x6604
#define CALG_3DES_112 0x6609
#define CALG_RC5 0x660D
#define CALG_AES_128 0x660E
#define CALG_AES_192 0x660F
#define CALG_AES_256 0x6610
#define CALG_AES 0x6611
#define CALG_SKIPJACK 0x660A
#define CALG_TEK 0x660B
#define CALG_CYLINK_MEK 0x660C
#define CALG_RC4 0x6801
#define CALG_SEAL 0x6802

/* Signatures and key exchanges. */
#define CALG_NO_SIGN 0x2000
#define CALG_DSS_SIGN 0x2200
#define CALG_ECDSA 0x2203
#define CALG_RSA_SIGN 0x2400
#define CALG_ECMQV 0xA001
#define CALG_HUGHES_MD5 0xA003
#define CALG_RSA_KEYX 0xA400
#define CALG_DH_SF 0xAA01
#define CALG_DH_EPHEM 0xAA02
#define CALG_AGREEDKEY_ANY 0xAA03
#define CALG_KEA_KEYX 0xAA04
#define CALG_ECDH 0xAA05
#define CALG_ECDH_EPHEM 0xAE06

/* Keys of TLS. */
#define CALG_SSL3_MASTER 0x4C01
#define CALG_SCHANNEL_MASTER_HASH 0x4C02
#define CALG_SCHANNEL_MAC_KEY 0x4C03
#define CALG_PCT1_MASTER 0x4C04
#define CALG_SSL2_MASTER 0x4C05
#define CALG_TLS1_MASTER 0x4C06
#define CALG_SCHANNEL_ENC_KEY 0x4C07

#endif
