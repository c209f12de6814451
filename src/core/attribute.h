/*
 * Attributes as packages answer them: plain values in UTF-8, borrowed from the object that was asked and valid while it is held.
 * api/attributes.c turns them into Windows' structures.
 */
#ifndef OPENSSPI_CORE_ATTRIBUTE_H
#define OPENSSPI_CORE_ATTRIBUTE_H

#include "base/slice.h"
#include <sspi.h>
#include <string.h>

struct package;
struct identity;

#define KEY_INFO_HMAC_MD5 0xffffff76u /* HMAC-MD5 as Windows numbers it in a SecPkgContext_KeyInfo */

#define ATTRIBUTE_FLAT_MAX 1024 /* SecPkgContext_CipherInfo, the largest of its kind, has 600 bytes */

struct attribute {
    union {
        struct { /* of a package that chooses */
            const struct package *package;
            uint32_t state; /* SECPKG_NEGOTIATION_* */
        } choice;
        struct {
            uint32_t max_token, max_signature, block, trailer;
            uint32_t
                peer_max; /* DIGEST-MD5's sessions: the longest protected message that the peer takes; others leave it as it is */
        } sizes;
        struct {
            const char *signature_name, *encrypt_name;
            uint32_t key_bits, signature_algorithm, encrypt_algorithm;
        } key_info;
        struct {
            const char *text, *second;
        } names;
        struct slice bytes;
        struct {
            int64_t start, expiry; /* FILETIME, UTC */
        } lifespan;
        uint32_t number;
        int64_t time; /* FILETIME, UTC */
        struct {
            size_t len;
            _Alignas(8) uint8_t bytes[ATTRIBUTE_FLAT_MAX];
        } flat; /* a structure without pointers as Windows lays it out, or bytes that live nowhere else */
        const struct identity *identity; /* to be handed out as a SEC_WINNT_AUTH_IDENTITY_EX2 */
        const void *pointer;             /* a reference that the caller gets */
    };
};

/* Answers with a copy of a structure of at most ATTRIBUTE_FLAT_MAX bytes: SEC_E_OK. */
static inline SECURITY_STATUS attribute_flat(struct attribute *value, const void *from, size_t len)
{
    memcpy(value->flat.bytes, from, len);
    value->flat.len = len;
    return SEC_E_OK;
}

#endif
