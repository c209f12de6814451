/*
 * What whoever acts with a token may authenticate with over the network, as the token's user: what the client delegated, or what a logon left.
 */
#ifndef OPENSSPI_ACCESS_BEHALF_H
#define OPENSSPI_ACCESS_BEHALF_H

#include "base/secret.h"
#include "core/objects.h"

/* Counted; immutable but for `made`. */
struct behalf {
    atomic_uint n_references;
    const struct package *package;      /* whose form `delegated` has, as acquire_delegated takes it */
    struct secret delegated;            /* as secret as a password */
    struct credential *service;         /* that goes with it, or NULL */
    SECURITY_IMPERSONATION_LEVEL level; /* that a token needs to have this */
    _Atomic(struct credential *) made;  /* once somebody asked; one for all, so that tickets are got once */
};

/* A copy of the bytes, and a reference of the service's credential (NULL is fine). NULL without memory. */
const struct behalf *behalf_new(const struct package *package, struct slice delegated, struct credential *service,
                                SECURITY_IMPERSONATION_LEVEL level);
const struct behalf *behalf_retain(const struct behalf *behalf);
void behalf_release(const struct behalf *behalf); /* NULL is fine */
static inline void behalf_cleanup(const struct behalf **behalf)
{
    behalf_release(*behalf);
}
#define AUTO_BEHALF __attribute__((cleanup(behalf_cleanup)))

/* The credential that was made of it, with a reference of the caller's; NULL: none was yet. */
struct credential *behalf_made(const struct behalf *behalf);
/* Keeps a credential that was made of it, unless one is kept: gives that which is, with a reference of the caller's, for the caller's own. */
struct credential *behalf_keep(const struct behalf *behalf, struct credential *made);

#endif
