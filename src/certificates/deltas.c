#include "certificates/deltas.h"

#include "certificates/openssl.h"
#include <openssl/x509v3.h>

bool crl_is_delta(const X509_CRL *list)
{
    return X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) != -1;
}

static ASN1_INTEGER *number_of(const X509_CRL *list, int nid)
{
    return X509_CRL_get_ext_d2i(list, nid, NULL, NULL);
}

/* Is it of the issuer's name, and his key's? */
static bool is_of(X509_CRL *list, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return key != NULL && X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(issuer)) == 0 &&
           X509_CRL_verify(list, key) == 1;
}

static bool names(X509_CRL *list, X509 *subject)
{
    X509_REVOKED *entry = NULL;
    return X509_CRL_get0_by_cert(list, &entry, subject) == 1; /* 2: removeFromCRL */
}

bool crls_same_scope(const X509_CRL *a, const X509_CRL *b)
{
    int at_a = X509_CRL_get_ext_by_NID(a, NID_issuing_distribution_point, -1);
    int at_b = X509_CRL_get_ext_by_NID(b, NID_issuing_distribution_point, -1);
    if (at_a < 0 || at_b < 0)
        return at_a < 0 && at_b < 0;
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_CRL_get_ext(a, at_a)),
                                 X509_EXTENSION_get_data(X509_CRL_get_ext(b, at_b))) == 0;
}

/* Does `other` tell everything that `delta` does, and what came after? By the numbers, which complete lists and deltas share (RFC 5280 5.2.3): a
 * complete list of the delta's number or a later one, or a later delta that changes the same complete list or an earlier one. Lists without numbers
 * outdo nothing. */
static bool outdoes(const X509_CRL *other, const X509_CRL *delta)
{
    AUTO_OPENSSL(number) ASN1_INTEGER *number = number_of(delta, NID_crl_number);
    AUTO_OPENSSL(number) ASN1_INTEGER *others = number_of(other, NID_crl_number);
    if (number == NULL || others == NULL || !crls_same_scope(other, delta))
        return false;
    if (!crl_is_delta(other))
        return ASN1_INTEGER_cmp(others, number) >= 0;
    AUTO_OPENSSL(number) ASN1_INTEGER *since = number_of(delta, NID_delta_crl);
    AUTO_OPENSSL(number) ASN1_INTEGER *others_since = number_of(other, NID_delta_crl);
    return since != NULL && others_since != NULL && ASN1_INTEGER_cmp(others, number) > 0 &&
           ASN1_INTEGER_cmp(others_since, since) <= 0;
}

static bool is_outdone(const STACK_OF(X509_CRL) * lists, const X509_CRL *delta, X509 *subject, X509 *issuer)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *other = sk_X509_CRL_value(lists, i);
        if (other != delta && outdoes(other, delta) && !names(other, subject) && is_of(other, issuer))
            return true;
    }
    return false;
}

bool deltas_revoke(const STACK_OF(X509_CRL) * lists, X509 *subject, X509 *issuer)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *list = sk_X509_CRL_value(lists, i);
        /* The signature last: it costs the most, and few lists name the certificate. */
        if (crl_is_delta(list) && names(list, subject) && is_of(list, issuer) &&
            !is_outdone(lists, list, subject, issuer))
            return true;
    }
    return false;
}
