#include "api/identity.h"

#include "base/lazy.h"
#include "base/memory.h"
#include "base/reader.h"
#include "core/block.h"
#include "core/cause.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include <stddef.h>
#include <string.h>

/*
 * SspiEncryptAuthIdentity and its kin. The key is of this process: made at the first use, kept out of core dumps, never written anywhere.
 */

static void key_free(void *key)
{
    secret_block_free(key, AEAD_KEY_LEN);
}

static void *key_make(const void *unused)
{
    void *key = secret_block_alloc(AEAD_KEY_LEN);
    (void)unused;
    if (key == NULL || random_bytes(key, AEAD_KEY_LEN))
        return key;
    key_free(key);
    return NULL;
}

static SECURITY_STATUS key_get(const uint8_t **key)
{
    static _Atomic(void *) kept;
    *key = lazy_get(&kept, key_make, key_free, NULL);
    return *key != NULL ? SEC_E_OK
                        : cause_answer(cause_set(SEC_E_ENCRYPT_FAILURE, "there is no key to encrypt identities with"));
}

/* The structure as the cipher sees it: what is encrypted, what is bound to it, and where nonce and tag lie. */
struct layout {
    struct slice_mut secret;
    struct slice bound[2];
    uint8_t *nonce, *tag;
};
_Static_assert(AEAD_NONCE_LEN + AEAD_TAG_LEN <= IDENTITY_SEAL_LEN, "");

static SECURITY_STATUS layout_find(struct slice_mut whole, struct layout *layout)
{
    struct identity_fields fields;
    try(identity_fields_of_ex2(slice_of(whole.data, whole.len), &fields));
    size_t start = fields.packed.len > 0 ? (size_t)(fields.packed.data - whole.data) : whole.len - IDENTITY_SEAL_LEN;
    size_t end = start + fields.packed.len;
    require(whole.len >= sizeof(SEC_WINNT_AUTH_IDENTITY_EX2) + IDENTITY_SEAL_LEN &&
                start >= sizeof(SEC_WINNT_AUTH_IDENTITY_EX2) && end <= whole.len - IDENTITY_SEAL_LEN,
            cause_set(SEC_E_INVALID_TOKEN, "an EX2 identity without room for its encryption"));
    uint8_t *seal = whole.data + whole.len - IDENTITY_SEAL_LEN;
    *layout = (struct layout){
        .secret = {whole.data + start, fields.packed.len},
        .bound = {slice_of(whole.data, start), slice_of(whole.data + end, whole.len - IDENTITY_SEAL_LEN - end)},
        .nonce = seal,
        .tag = seal + AEAD_NONCE_LEN,
    };
    return SEC_E_OK;
}

static void flag_set(uint8_t *structure, bool encrypted)
{
    /* PROCESS_ENCRYPTED lies in the lowest byte of the little-endian Flags. */
    uint8_t *flags = structure + offsetof(SEC_WINNT_AUTH_IDENTITY_EX2, Flags);
    *flags = (uint8_t)(encrypted ? *flags | SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED
                                 : *flags & ~SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED);
}

SECURITY_STATUS identity_seal(struct slice_mut whole)
{
    struct layout layout;
    try(layout_find(whole, &layout));
    const uint8_t *key;
    uint8_t nonce[AEAD_NONCE_LEN];
    try(key_get(&key));
    require(random_bytes(nonce, sizeof nonce),
            cause_set(SEC_E_ENCRYPT_FAILURE, "there are no random bytes to encrypt the identity with"));
    AUTO_SECRET struct secret before = {
        0}; /* a cipher that fails half way must not leave the caller without the secret */
    require(secret_set(&before, layout.secret.data, layout.secret.len), SEC_E_INSUFFICIENT_MEMORY);
    flag_set(whole.data, true); /* bound to the secret like the rest of the header */
    if (!aead_seal(key, nonce, layout.bound, COUNT_OF(layout.bound), layout.secret, layout.tag)) {
        if (before.len > 0)
            memcpy(layout.secret.data, before.data, before.len);
        flag_set(whole.data, false);
        return cause_set(SEC_E_ENCRYPT_FAILURE, "AES-GCM is not to be had");
    }
    memcpy(layout.nonce, nonce, sizeof nonce);
    return SEC_E_OK;
}

static SECURITY_STATUS identity_unseal(struct slice_mut whole)
{
    struct layout layout;
    try(layout_find(whole, &layout));
    AUTO_SECRET struct secret plain = {0};
    require(secret_set(&plain, layout.secret.data, layout.secret.len), SEC_E_INSUFFICIENT_MEMORY);
    const uint8_t *key;
    try(key_get(&key));
    static const uint8_t nothing[IDENTITY_SEAL_LEN - AEAD_NONCE_LEN - AEAD_TAG_LEN];
    bool untouched = memcmp(layout.tag + AEAD_TAG_LEN, nothing, sizeof nothing) == 0; /* the room that is left */
    require(untouched && aead_open(key, layout.nonce, layout.bound, COUNT_OF(layout.bound),
                                   (struct slice_mut){plain.data, plain.len}, layout.tag),
            cause_set(SEC_E_DECRYPT_FAILURE, "the identity was encrypted by another process, or altered since"));
    if (plain.len > 0)
        memcpy(layout.secret.data, plain.data, plain.len);
    memset(layout.nonce, 0, IDENTITY_SEAL_LEN);
    flag_set(whole.data, false);
    return SEC_E_OK;
}

SECURITY_STATUS identity_unsealed_copy(struct slice whole, struct secret *copy)
{
    AUTO_SECRET struct secret made = {0};
    struct identity_fields fields;
    try(identity_fields_of_ex2(whole, &fields));
    uint32_t protection = fields.flags & IDENTITY_FLAGS_PROTECTED;
    require(protection == 0 || protection == SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED,
            cause_set(SEC_E_DECRYPT_FAILURE, "the identity is encrypted for a system or a logon session"));
    require(secret_set(&made, whole.data, whole.len), SEC_E_INSUFFICIENT_MEMORY);
    if (protection != 0) {
        SECURITY_STATUS status = identity_unseal((struct slice_mut){made.data, made.len});
        /* Somebody else's encryption needs no room at the end. */
        require(status != SEC_E_INVALID_TOKEN, SEC_E_DECRYPT_FAILURE);
        try(status);
    }
    secret_release(copy);
    *copy = made;
    made = (struct secret){0};
    return SEC_E_OK;
}

/* Only a structure made here has the room at its end, and a known size. */
static SECURITY_STATUS own_structure(void *auth_data, struct slice_mut *whole, uint32_t *flags)
{
    require(auth_data != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no identity was given"));
    size_t len = block_len(auth_data);
    require(len >= sizeof(SEC_WINNT_AUTH_IDENTITY_EX2),
            cause_set(SEC_E_INVALID_PARAMETER, "this identity was not made by an Sspi function: copy it first"));
    struct identity_fields fields;
    try(identity_fields_of_ex2(slice_of(auth_data, len), &fields));
    *whole = (struct slice_mut){auth_data, len};
    *flags = fields.flags;
    return SEC_E_OK;
}

static SECURITY_STATUS options_check(ULONG options)
{
    require((options & SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM) == 0 &&
                (options & SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "identities are encrypted for this process only: there is no logon session that holds a key"));
    require((options & ~(ULONG)SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS) == 0,
            cause_set(SEC_E_INVALID_PARAMETER, "unknown encryption options 0x%x", (unsigned)options));
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    struct slice_mut whole;
    uint32_t flags;
    cause_clear();
    try(options_check(Options));
    try(own_structure(AuthData, &whole, &flags));
    return (flags & IDENTITY_FLAGS_PROTECTED) != 0 ? SEC_E_OK : identity_seal(whole);
}

SECURITY_STATUS SEC_ENTRY SspiEncryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    return SspiEncryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, AuthData);
}

SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    struct slice_mut whole;
    uint32_t flags;
    cause_clear();
    try(options_check(Options));
    try(own_structure(EncryptedAuthData, &whole, &flags));
    uint32_t protection = flags & IDENTITY_FLAGS_PROTECTED;
    require(protection == 0 || protection == SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED,
            cause_set(SEC_E_DECRYPT_FAILURE, "the identity is encrypted for a system or a logon session"));
    return protection == 0 ? SEC_E_OK : identity_unseal(whole);
}

SECURITY_STATUS SEC_ENTRY SspiDecryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    return SspiDecryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, EncryptedAuthData);
}

BOOLEAN SEC_ENTRY SspiIsAuthIdentityEncrypted(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    struct identity_fields fields;
    cause_clear();
    return EncryptedAuthData != NULL && identity_fields_find(EncryptedAuthData, true, &fields) == SEC_E_OK &&
           fields.whole.len > 0 && (fields.flags & IDENTITY_FLAGS_PROTECTED) != 0;
}
