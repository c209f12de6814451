/*
 * SASL mechanisms (RFC 4422) and the security packages behind them. A mechanism is there when its package is.
 */
#ifndef OPENSSPI_SASL_PROFILES_H
#define OPENSSPI_SASL_PROFILES_H

#include "core/package.h"

/* What a mechanism does with the package's tokens. */
enum sasl_kind {
    SASL_PLAIN,   /* they are the mechanism's messages: GSS-SPNEGO (MS-ADTS 5.1.1.1), NTLM */
    SASL_SIZED,   /* they are, and tell how much each side takes: DIGEST-MD5 (RFC 2831 2.1.1: maxbuf) */
    SASL_LAYERED, /* then the security layer is agreed on: GSSAPI (RFC 4752) */
    SASL_OUTSIDE, /* the mechanism has no tokens of the package: EXTERNAL speaks of a TLS channel that is there already */
};

struct sasl_profile {
    const char *name, *package;
    enum sasl_kind kind;
};

/* The index-th mechanism whose package is registered, NULL past the last. */
const struct sasl_profile *sasl_profile_at(size_t index);
/* By mechanism, without regard to case; by package. NULL when there is none, or its package is not registered. */
const struct sasl_profile *sasl_profile_find(const char *name);
const struct sasl_profile *sasl_profile_of(const struct package *package);
/* The mechanism that a client's first message names at its start (RFC 4422 3.1: 1 to 20 of A-Z, 0-9, - and _), up to the end, a NUL, a blank or a
 * line's end. WIRE_BAD when there is no name; *profile is NULL for one that is not here. */
MUST_USE enum wire_result sasl_profile_identify(struct slice message, const struct sasl_profile **profile);

#endif
