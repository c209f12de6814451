/*
 * Identities as callers give them and as the Sspi functions make them. Below this floor there is only struct identity (core/identity.h).
 */
#ifndef OPENSSPI_API_IDENTITY_H
#define OPENSSPI_API_IDENTITY_H

#include "base/secret.h"
#include "core/identity.h"
#include <sspi.h>
#include <sspi_ext.h>

/* Names and passwords longer than this are mistakes or attacks: Windows' own limits are 256 and 256 characters (UNLEN, PWLEN), domains 255. */
#define IDENTITY_UNITS_MAX 1024

/* A string of a caller's structure; text NULL where there is none. Units are two bytes wide, or one (identity_fields.wide). */
struct field {
    const void *text;
    size_t n_units;
};

/* A structure of any form, looked at where it lies. */
struct identity_fields {
    struct field user, domain, packages;
    struct field password; /* the plain forms' */
    struct slice packed;   /* EX2: the packed credentials; encrypted where the flags say so */
    struct slice whole;    /* EX2: all of it; empty for the plain forms */
    uint32_t flags;
    bool wide;
};

/* What a structure is, by its first eight bytes. */
enum identity_form {
    IDENTITY_FORM_PLAIN,
    IDENTITY_FORM_EX,
    IDENTITY_FORM_EX2,
};
enum identity_form identity_form(const void *auth_data);

/* Finds out the form and checks offsets and lengths; a plain structure without flags is wide or not as `wide_call` says. SEC_E_INVALID_TOKEN. */
SECURITY_STATUS identity_fields_find(const void *auth_data, bool wide_call, struct identity_fields *fields);
/* The same for the bytes of an EX2 structure, which must be exactly so long. */
SECURITY_STATUS identity_fields_of_ex2(struct slice bytes, struct identity_fields *fields);
/* Text as UTF-8; *text stays where the field has none. SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS identity_field_text(struct field field, bool wide, char **text);
/* Fills password and has_password. */
SECURITY_STATUS identity_field_password(struct field field, bool wide, struct identity *identity);
/* The password in packed credentials. SEC_E_UNKNOWN_CREDENTIALS when they hold something else. */
SECURITY_STATUS identity_packed_password(struct slice packed, struct field *password);

/* With one of these in the flags the password is something else: a hash, or a name. */
#define IDENTITY_PASSWORD_FORMS \
    (OPENSSPI_AUTH_IDENTITY_NT_HASH | OPENSSPI_AUTH_IDENTITY_KEYTAB | OPENSSPI_AUTH_IDENTITY_X509)

/* Encryption of an EX2 structure: the packed credentials are unreadable, and nothing of it can be altered unseen. The last IDENTITY_SEAL_LEN bytes of
 * the structure are set aside for nonce and tag. */
#define IDENTITY_SEAL_LEN 32
#define IDENTITY_FLAGS_PROTECTED                                                                        \
    (SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED | SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED | \
     SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED | SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED)
/* A readable copy of the structure, decrypted where it has to be. SEC_E_DECRYPT_FAILURE when another process encrypted it or it was altered;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS identity_unsealed_copy(struct slice whole, struct secret *copy);
/* In place. `whole` is a well-formed EX2 structure with room at its end. SEC_E_INVALID_TOKEN; SEC_E_ENCRYPT_FAILURE; SEC_E_DECRYPT_FAILURE. */
SECURITY_STATUS identity_seal(struct slice_mut whole);

/* An identity taken apart, whatever form it had, and nothing lost of it. Text is UTF-8, NULL where there is none. */
struct identity_parts {
    char *user, *domain, *packages;
    struct secret packed; /* SEC_WINNT_AUTH_PACKED_CREDENTIALS; data NULL where there are none */
    uint32_t flags;       /* without those that tell of the form */
};
void identity_parts_release(struct identity_parts *parts);
#define AUTO_PARTS __attribute__((cleanup(identity_parts_release)))
/* Of a caller's structure, decrypted where it has to be. NULL is SEC_E_INVALID_PARAMETER. */
SECURITY_STATUS identity_parts_read(const void *auth_data, struct identity_parts *parts);
SECURITY_STATUS identity_parts_of_fields(const struct identity_fields *fields, struct identity_parts *parts);
/* The password, which lies in `parts`; false for a hash in its place, a certificate, the name of either, or nothing. */
bool identity_parts_password(const struct identity_parts *parts, struct field *password);
/* As an EX2 structure in a block of SspiFreeAuthIdentity. */
SECURITY_STATUS identity_parts_write(const struct identity_parts *parts, void **block);
/* Packs a password (UTF-16LE). */
SECURITY_STATUS identity_pack_password(struct slice password, struct secret *packed);

/* Copies bytes into a block in memory kept for secrets, with `zeros` zero bytes behind; NULL when there is no memory. */
void *identity_block(struct slice bytes, size_t zeros);

#endif
