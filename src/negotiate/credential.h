/*
 * A Negotiate credential: one of each package that may be chosen, in the order of preference.
 */
#ifndef OPENSSPI_NEGOTIATE_CREDENTIAL_H
#define OPENSSPI_NEGOTIATE_CREDENTIAL_H

#include "core/cause.h"
#include "core/objects.h"

#define NEGOTIATE_INNER_MAX 8 /* packages that one credential composes; two are there today */

/* The credential of one package. Contexts point at it; it stays as it is for the credential's life. */
struct negotiate_inner {
    const struct package *package;
    void *credential;
    struct credential *held; /* whose part `credential` is; NULL: it is this credential's own */
    size_t unable_len;       /* of `unable` below: what it says of packages of more preference */
};

struct negotiate_credential {
    const struct config *config;
    unsigned n_inner;
    struct negotiate_inner inner[NEGOTIATE_INNER_MAX];
    char missing[CAUSE_TEXT_MAX]; /* why packages that might be here are not; "" when all are */
    char unable[CAUSE_TEXT_MAX];  /* of these, why those are not that nobody left out on purpose */
};

SECURITY_STATUS negotiate_acquire(const struct acquire_request *request, void **credential, int64_t *expiry);
/* package_authority.wrap: policy decides about the one package as about each. SEC_E_NO_CREDENTIALS where it leaves it out. */
SECURITY_STATUS negotiate_wrap(const struct acquire_request *request, struct credential *chosen, void **credential);
/* package_authority.part */
void *negotiate_part(void *credential, const struct package *package);
void negotiate_release(void *credential);
SECURITY_STATUS negotiate_query_credential(const void *credential, uint32_t attribute, struct attribute *value);
SECURITY_STATUS negotiate_set_credential(void *credential, uint32_t attribute, const void *value, size_t len);
SECURITY_STATUS negotiate_change_password(const struct password_change *change);

/* The package that this OID names, or NULL. */
const struct negotiate_inner *negotiate_inner_of(const struct negotiate_credential *credential, struct slice oid);

/* The MechTypeList of the packages from `first` on. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS negotiate_mech_list(const struct negotiate_credential *credential, const struct negotiate_inner *first,
                                    struct writer *list);

/* Does this failure mean that a package cannot be used here, rather than that it was used and said no? Only then another one is tried. */
bool negotiate_is_unable(SECURITY_STATUS status);

/* Appends "NAME: the thread's cause" to `text` of CAUSE_TEXT_MAX bytes, and clears the cause for the next attempt. */
void negotiate_cause_keep(char *text, const char *name);

#endif
