/*
 * A certificate that a side showed, with those it showed to prove it. Its own references: it outlives whose it was.
 */
#ifndef OPENSSPI_SCHANNEL_SHOWN_H
#define OPENSSPI_SCHANNEL_SHOWN_H

#include "base/result.h"
#include <openssl/x509.h>
#include <stdbool.h>

/* Zeroed: none. */
struct shown {
    X509 *x509;
    STACK_OF(X509) * issuers; /* NULL: none */
};

/* In place of what `shown` has; NULL is fine for both. False when there is no memory: then it has nothing. */
MUST_USE bool shown_take(struct shown *shown, X509 *x509, STACK_OF(X509) * issuers);
void shown_release(struct shown *shown);

#endif
