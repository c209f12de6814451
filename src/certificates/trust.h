/*
 * Is this chain to be trusted? Asked by CertGetCertificateChain and by the automatic validation of Schannel, answered in one place. Examining and
 * judging are two steps, as in Windows: the first collects every fault of every element, the second picks the one that counts, leaving out what the
 * caller says to ignore.
 */
#ifndef OPENSSPI_CERTIFICATES_TRUST_H
#define OPENSSPI_CERTIFICATES_TRUST_H

#include <sspi.h>
#include <stdbool.h>
#include <wincrypt.h>

/* How far revocation is checked; from CRLs in the given stores and the system store CA alone, nothing is fetched. */
enum trust_revocation {
    REVOCATION_NONE,
    REVOCATION_END,          /* the leaf */
    REVOCATION_EXCLUDE_ROOT, /* every certificate but the root */
    REVOCATION_CHAIN,        /* the root as well */
};

#define TRUST_CHAIN_MAX 16 /* longer chains are partial: no honest one comes near */
#define TRUST_USAGES_MAX 16

/* A zeroed question: any purpose, no revocation, now, the system's roots. */
struct trust_question {
    const char *usage[TRUST_USAGES_MAX]; /* object identifiers in dots, such as szOID_PKIX_KP_SERVER_AUTH */
    unsigned n_usages;
    bool any_usage; /* one of them is enough */
    enum trust_revocation revocation;
    int64_t at;       /* FILETIME of the moment that counts; 0: now */
    HCERTSTORE roots; /* the only roots that count; NULL: the system store ROOT */
    /* Stores with more intermediate certificates and CRLs, which are never trusted for being there; each may be NULL. */
    const HCERTSTORE *extra;
    unsigned n_extra;
};

/* What was found: CERT_TRUST_ bits (wincrypt.h) of each element and of them all. Zeroed it can be released. */
struct trust_verdict {
    void *chain;
    unsigned n_elements;
    unsigned first_root; /* this element and those above it are of the roots, and have their trust settings */
    CERT_TRUST_STATUS element[TRUST_CHAIN_MAX];
    CERT_TRUST_STATUS whole;
};
void trust_verdict_release(struct trust_verdict *verdict);
#define AUTO_VERDICT __attribute__((cleanup(trust_verdict_release)))

/* The fault that counts, by the order in which Windows reports, once the CERT_TRUST_ bits in `ignored` are left out: a CERT_E_, TRUST_E_ or CRYPT_E_
 * code, or SEC_E_OK. `element` (may be NULL) is the index of the element that has it, -1 when it is the chain's own. */
SECURITY_STATUS trust_judge(const struct trust_verdict *verdict, DWORD ignored, LONG *element);
/* Does the leaf bear this name? `name` is a DNS name or an IP address in text (RFC 6125 6.4: subjectAltName; the common name only when there is no
 * DNS name in it; a wildcard is the whole leftmost label). SEC_E_OK, CERT_E_CN_NO_MATCH. */
SECURITY_STATUS trust_name(const struct trust_verdict *verdict, const char *name);
/* What Schannel answers for the code of trust_judge or trust_name: SEC_E_CERT_EXPIRED, SEC_E_UNTRUSTED_ROOT, SEC_E_WRONG_PRINCIPAL,
 * SEC_E_CERT_WRONG_USAGE, CRYPT_E_REVOKED, CRYPT_E_NO_REVOCATION_CHECK, CRYPT_E_REVOCATION_OFFLINE; SEC_E_CERT_UNKNOWN for the rest. */
SECURITY_STATUS trust_sec_status(SECURITY_STATUS code);

#endif
