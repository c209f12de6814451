/*
 * What certificates are good for (RFC 5280 4.2.1.12, 4.2.1.3), down a chain: a purpose must be allowed by every certificate that names purposes.
 */
#ifndef OPENSSPI_CERTIFICATES_USAGE_H
#define OPENSSPI_CERTIFICATES_USAGE_H

#include "certificates/arena.h"
#include "certificates/certificate.h"

/* Does this one certificate allow the purpose? For TLS the end certificate's key usage counts as well (RFC 5246 7.4.2, 7.4.6). */
bool usage_allowed(X509 *x509, const char *oid, bool is_leaf);
/* Do a root's trust settings (RFC 5280 knows none; OpenSSL's TRUSTED CERTIFICATE has them) let it count for the purpose? A purpose that is rejected
 * does not, nor one that is not among those that are trusted, where some are named; the any purpose stands for all. True without settings. */
bool usage_trusted(X509 *root, const char *oid);
/* The purposes that are left for element `from` of a chain after all above it; NULL for any. SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS usage_of_chain(struct arena *arena, const STACK_OF(X509) * chain, int from, PCERT_ENHKEY_USAGE *usage);

#endif
