/*
 * Delta revocation lists (RFC 5280 5.2.4): what an authority changed since a complete list. OpenSSL takes one for a complete list unless it is told
 * to look for deltas, and even then only where a certificate names a place to fetch them from; so it never gets to see one, and what they add is
 * found here.
 */
#ifndef OPENSSPI_CERTIFICATES_DELTAS_H
#define OPENSSPI_CERTIFICATES_DELTAS_H

#include <openssl/x509.h>
#include <stdbool.h>

bool crl_is_delta(const X509_CRL *list);
/* Have both the same issuing distribution point, or none? */
bool crls_same_scope(const X509_CRL *a, const X509_CRL *b);

/* Does one of the deltas among `lists` name the certificate as revoked, signed by its issuer and not outdone by a newer list of his among them? How
 * old the delta is does not count, as it does not of complete lists: who was revoked stays it until something newer says otherwise. removeFromCRL
 * takes nobody out of a complete list. */
bool deltas_revoke(const STACK_OF(X509_CRL) * lists, X509 *subject, X509 *issuer);

#endif
