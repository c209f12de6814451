#include "api/api.h"

#include "api/identity.h"
#include "base/base64.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/status.h"
#include <string.h>

/* The functions that make, copy, compare and take apart identities. Encryption is in identity_seal.c, prompting in identity_prompt.c. */

/* Is it base64 of a packed password, and nothing else? Then *packed is filled; else it stays empty. SEC_E_OK, or SEC_E_INSUFFICIENT_MEMORY.
 * Programs hand over what anybody typed: packed credentials of other types name keytabs, and modules that PKINIT would load, and are text here. */
static SECURITY_STATUS packed_from_text(struct slice utf16, struct secret *packed)
{
    AUTO_WRITER struct writer text = writer_growing(utf16.len / 2 + 1);
    AUTO_WRITER struct writer bytes = writer_growing(utf16.len / 2 + 1);
    for (size_t i = 0; i + 1 < utf16.len; i += 2) {
        if (utf16.data[i + 1] != 0 || utf16.data[i] >= 0x80)
            return SEC_E_OK;
        writer_u8(&text, utf16.data[i]);
    }
    require(writer_finish(&text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    enum wire_result read = base64_read(writer_slice_of(&text), &bytes);
    require(writer_finish(&bytes) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (read != WIRE_OK || bytes.len == 0)
        return SEC_E_OK;
    const struct identity_fields fields = {.packed = writer_slice_of(&bytes)};
    AUTO_PARTS struct identity_parts parts = {0};
    struct field password;
    SECURITY_STATUS status = identity_packed_password(fields.packed, &password);
    if (status == SEC_E_OK)
        status = identity_parts_of_fields(&fields, &parts);
    if (status == SEC_E_OK && !secret_set(packed, parts.packed.data, parts.packed.len))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status != SEC_E_INSUFFICIENT_MEMORY)
        cause_clear(); /* it is a password, and none of its shape is wrong */
    return status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiEncodeStringsAsAuthIdentity(PCWSTR pszUserName, PCWSTR pszDomainName,
                                                          PCWSTR pszPackedCredentialsString,
                                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    AUTO_PARTS struct identity_parts parts = {0};
    cause_clear();
    require(pszUserName != NULL || pszDomainName != NULL || pszPackedCredentialsString != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "an identity needs a name, a domain or a password"));
    require(ppAuthIdentity != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no place for the identity was given"));
    try(api_text_from_w(pszUserName, &parts.user));
    try(api_text_from_w(pszDomainName, &parts.domain));
    if (pszPackedCredentialsString != NULL) {
        size_t n_units = utf16_units((const uint16_t *)pszPackedCredentialsString);
        struct slice text = slice_of(pszPackedCredentialsString, n_units * 2);
        try(packed_from_text(text, &parts.packed));
        if (parts.packed.len == 0)
            try(identity_pack_password(text, &parts.packed));
    }
    return identity_parts_write(&parts, ppAuthIdentity);
}

/* A string for SspiLocalFree; NULL text is a NULL string. */
static SECURITY_STATUS string_out(const char *text, void **string)
{
    *string = NULL;
    if (text == NULL)
        return SEC_E_OK;
    AUTO_WRITER struct writer units = writer_growing(utf16le_len(text) + 1);
    require(utf16le_write(&units, text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    *string = identity_block(writer_slice_of(&units), sizeof(SEC_WCHAR));
    return *string != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static bool has_nul(struct slice utf16)
{
    for (size_t i = 0; i + 1 < utf16.len; i += 2)
        if (utf16.data[i] == 0 && utf16.data[i + 1] == 0)
            return true;
    return false;
}

/* A password as it is; one with a NUL, or that would be read back as another one, in base64. */
static SECURITY_STATUS packed_out(const struct secret *packed, void **string)
{
    *string = NULL;
    if (packed->len == 0)
        return SEC_E_OK;
    struct field password = {0};
    AUTO_SECRET struct secret other = {0};
    try(identity_packed_password(secret_slice(packed), &password));
    struct slice plain = slice_of(password.text, password.n_units * 2);
    try(packed_from_text(plain, &other));
    if (!has_nul(plain) && other.len == 0) {
        *string = identity_block(plain, sizeof(SEC_WCHAR));
        return *string != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    AUTO_WRITER struct writer text = writer_growing(packed->len * 2);
    base64_write(&text, secret_slice(packed));
    require(writer_finish(&text) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    SEC_WCHAR *wide = block_alloc_secret((text.len + 1) * sizeof *wide);
    require(wide != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (size_t i = 0; i < text.len; i++)
        wide[i] = text.data[i];
    *string = wide;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiEncodeAuthIdentityAsStrings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE pAuthIdentity,
                                                          PCWSTR *ppszUserName, PCWSTR *ppszDomainName,
                                                          PCWSTR *ppszPackedCredentialsString)
{
    AUTO_PARTS struct identity_parts parts = {0};
    struct field password;
    void *string[3] = {0};
    cause_clear();
    require(ppszUserName != NULL && ppszDomainName != NULL && ppszPackedCredentialsString != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no place for the strings was given"));
    require(!SspiIsAuthIdentityEncrypted(pAuthIdentity),
            cause_set(STATUS_INVALID_PARAMETER, "the identity is encrypted: decrypt it first"));
    try(identity_parts_read(pAuthIdentity, &parts));
    require(parts.packed.len == 0 || identity_parts_password(&parts, &password),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "of the kinds of secrets only passwords have a string"));
    SECURITY_STATUS status = string_out(parts.user, &string[0]);
    if (status == SEC_E_OK)
        status = string_out(parts.domain, &string[1]);
    if (status == SEC_E_OK)
        status = packed_out(&parts.packed, &string[2]);
    if (status != SEC_E_OK) {
        for (unsigned i = 0; i < COUNT_OF(string); i++)
            (void)block_free(string[i]);
        return status;
    }
    *ppszUserName = string[0];
    *ppszDomainName = string[1];
    *ppszPackedCredentialsString = string[2];
    return SEC_E_OK;
}

/* An encrypted structure is judged without its secret. */
static SECURITY_STATUS encrypted_validate(const struct identity_fields *fields)
{
    struct identity_fields open = *fields;
    AUTO_PARTS struct identity_parts parts = {0};
    open.packed = (struct slice){0};
    return identity_parts_of_fields(&open, &parts);
}

SECURITY_STATUS SEC_ENTRY SspiValidateAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    AUTO_PARTS struct identity_parts parts = {0};
    struct identity_fields fields;
    cause_clear();
    require(AuthData != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no identity was given"));
    try(identity_fields_find(AuthData, true, &fields));
    return SspiIsAuthIdentityEncrypted(AuthData) ? encrypted_validate(&fields)
                                                 : identity_parts_of_fields(&fields, &parts);
}

/* The structure as it is when it is encrypted, else one in our layout. */
static SECURITY_STATUS structure_copy(const void *auth_data, void **block)
{
    require(auth_data != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no identity was given"));
    struct identity_fields fields;
    AUTO_PARTS struct identity_parts parts = {0};
    try(identity_fields_find(auth_data, true, &fields));
    if (fields.whole.len > 0 && (fields.flags & IDENTITY_FLAGS_PROTECTED) != 0) {
        try(encrypted_validate(&fields));
        *block = identity_block(fields.whole, 0);
        return *block != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    try(identity_parts_of_fields(&fields, &parts));
    return identity_parts_write(&parts, block);
}

SECURITY_STATUS SEC_ENTRY SspiCopyAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData,
                                               PSEC_WINNT_AUTH_IDENTITY_OPAQUE *AuthDataCopy)
{
    void *block = NULL;
    cause_clear();
    require(AuthDataCopy != NULL, cause_set(SEC_E_INVALID_PARAMETER, "no place for the copy was given"));
    try(structure_copy(AuthData, &block));
    *AuthDataCopy = block;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiMarshalAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity,
                                                  ULONG *AuthIdentityLength, char **AuthIdentityByteArray)
{
    void *block = NULL;
    cause_clear();
    require(AuthIdentityLength != NULL && AuthIdentityByteArray != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no place for the bytes was given"));
    try(structure_copy(AuthIdentity, &block));
    *AuthIdentityLength = (ULONG)block_len(block);
    *AuthIdentityByteArray = block;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiUnmarshalAuthIdentity(ULONG AuthIdentityLength, char *AuthIdentityByteArray,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    void *block = NULL;
    AUTO_SECRET struct secret aligned = {0};
    struct identity_fields fields;
    cause_clear();
    require(AuthIdentityByteArray != NULL && ppAuthIdentity != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no bytes, or no place for the identity, were given"));
    try(identity_fields_of_ex2(slice_of(AuthIdentityByteArray, AuthIdentityLength), &fields));
    /* Bytes may lie anywhere; a structure is aligned. */
    require(secret_set(&aligned, AuthIdentityByteArray, AuthIdentityLength), SEC_E_INSUFFICIENT_MEMORY);
    try(structure_copy(aligned.data, &block));
    *ppAuthIdentity = block;
    return SEC_E_OK;
}

VOID SEC_ENTRY SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    cause_clear();
    (void)block_free(AuthData); /* wipes; leaves alone what is not ours */
}

VOID SEC_ENTRY SspiLocalFree(PVOID DataBuffer)
{
    cause_clear();
    (void)block_free(DataBuffer);
}

static void field_wipe(struct field field, bool wide)
{
    secret_wipe((void *)(uintptr_t)field.text, field.text != NULL ? field.n_units * (wide ? 2 : 1) : 0);
}

/* Is what lies in a block of LocalAlloc a structure with pointers, and all of it there? Blocks of our own never are. */
static bool plain_structure_fits(const void *auth_data, size_t len)
{
    if (len < sizeof(SEC_WINNT_AUTH_IDENTITY_W) || identity_form(auth_data) == IDENTITY_FORM_EX2)
        return false;
    return identity_form(auth_data) == IDENTITY_FORM_PLAIN || len >= sizeof(SEC_WINNT_AUTH_IDENTITY_EXW);
}

VOID SEC_ENTRY SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    struct identity_fields fields;
    cause_clear();
    if (AuthData == NULL)
        return;
    size_t own_len = block_len(AuthData);
    if (own_len > 0 && (block_is_secret(AuthData) || !plain_structure_fits(AuthData, own_len)))
        secret_wipe(AuthData, own_len); /* whatever its header says */
    else if (identity_fields_find(AuthData, true, &fields) == SEC_E_OK) {
        if (fields.whole.len > 0)
            secret_wipe(AuthData, fields.whole.len);
        else { /* the strings; the structure keeps its pointers, which its owner may have to free */
            field_wipe(fields.user, fields.wide);
            field_wipe(fields.domain, fields.wide);
            field_wipe(fields.password, fields.wide);
            field_wipe(fields.packages, fields.wide);
        }
    }
}

static bool text_same(const char *a, const char *b)
{
    return (a == NULL || *a == '\0') ? b == NULL || *b == '\0' : b != NULL && text_equal_fold(a, b);
}

/* "DOMAIN\user" without a domain is the same user as "user" with it. `user` is borrowed, `domain` is the caller's. */
static SECURITY_STATUS user_split(const struct identity_parts *parts, const char **user, char **domain)
{
    const char *slash = parts->user != NULL ? strchr(parts->user, '\\') : NULL;
    bool has_domain = parts->domain != NULL && *parts->domain != '\0';
    bool split = slash != NULL && !has_domain;
    *user = split ? slash + 1 : parts->user;
    *domain = split ? mem_dup(parts->user, (size_t)(slash - parts->user)) : mem_strdup(has_domain ? parts->domain : "");
    return *domain != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS user_same(const struct identity_parts *a, const struct identity_parts *b, bool *same)
{
    AUTO_FREE char *domain_a = NULL;
    AUTO_FREE char *domain_b = NULL;
    const char *user_a, *user_b;
    try(user_split(a, &user_a, &domain_a));
    try(user_split(b, &user_b, &domain_b));
    *same = text_same(user_a, user_b) && text_same(domain_a, domain_b);
    return SEC_E_OK;
}

/* All but the user. The time tells of passwords no more than their length. */
static bool rest_same(const struct identity_parts *a, const struct identity_parts *b)
{
    return text_same(a->packages, b->packages) && a->flags == b->flags && a->packed.len == b->packed.len &&
           secret_equal(a->packed.data, b->packed.data, a->packed.len);
}

SECURITY_STATUS SEC_ENTRY SspiCompareAuthIdentities(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity1,
                                                    PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity2,
                                                    PBOOLEAN SameSuppliedUser, PBOOLEAN SameSuppliedIdentity)
{
    AUTO_PARTS struct identity_parts first = {0};
    AUTO_PARTS struct identity_parts second = {0};
    cause_clear();
    bool same_user = AuthIdentity1 == NULL && AuthIdentity2 == NULL; /* both the caller's own */
    bool same = same_user;
    if (AuthIdentity1 != NULL)
        try(identity_parts_read(AuthIdentity1, &first));
    if (AuthIdentity2 != NULL)
        try(identity_parts_read(AuthIdentity2, &second));
    if (AuthIdentity1 != NULL && AuthIdentity2 != NULL) {
        try(user_same(&first, &second, &same_user));
        same = same_user && rest_same(&first, &second);
    }
    if (SameSuppliedUser != NULL)
        *SameSuppliedUser = same_user;
    if (SameSuppliedIdentity != NULL)
        *SameSuppliedIdentity = same;
    return SEC_E_OK;
}

/* Puts "!name" before the list: the first word on a package is the one that counts, and a list that named packages goes on to name them. */
static SECURITY_STATUS packages_exclude(struct identity_parts *parts, const char *name)
{
    size_t len = strlen(name) + (parts->packages != NULL ? strlen(parts->packages) : 0) + 3;
    char *list = mem_zalloc(len);
    require(list != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct writer writer = writer_fixed(list, len - 1);
    writer_u8(&writer, '!');
    writer_bytes(&writer, name, strlen(name));
    if (parts->packages != NULL && *parts->packages != '\0') {
        writer_u8(&writer, ',');
        writer_bytes(&writer, parts->packages, strlen(parts->packages));
    }
    mem_free(parts->packages);
    parts->packages = list;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY SspiExcludePackage(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszPackageName,
                                             PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppNewAuthIdentity)
{
    AUTO_PARTS struct identity_parts parts = {0};
    AUTO_FREE char *name = NULL;
    const struct package *package;
    void *block = NULL;
    cause_clear();
    require(pszPackageName != NULL && ppNewAuthIdentity != NULL,
            cause_set(SEC_E_INVALID_PARAMETER, "no package, or no place for the identity, was given"));
    try(api_text_from_w(pszPackageName, &name));
    try(api_package_find(name, &package));
    if (AuthIdentity != NULL)
        try(identity_parts_read(AuthIdentity, &parts));
    const struct identity listed = {.packages = parts.packages};
    if (!identity_forbids(&listed, package->info.name))
        try(packages_exclude(&parts, package->info.name));
    try(identity_parts_write(&parts, &block));
    if (SspiIsAuthIdentityEncrypted(AuthIdentity)) {
        SECURITY_STATUS status = identity_seal((struct slice_mut){block, block_len(block)});
        if (status != SEC_E_OK) {
            (void)block_free(block);
            return status;
        }
    }
    *ppNewAuthIdentity = block;
    return SEC_E_OK;
}
