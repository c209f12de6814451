/*
 * What a credential allows, in libssl's terms: protocols, ciphers, strengths.
 */
#ifndef OPENSSPI_SCHANNEL_POLICY_H
#define OPENSSPI_SCHANNEL_POLICY_H

#include "base/result.h"
#include "schannel/credential.h"

/* SCHANNEL_CRED and SCH_CREDENTIALS in one form. */
struct tls_request {
    DWORD format;
    DWORD n_certificates;
    PCCERT_CONTEXT *certificates;
    HCERTSTORE roots;
    DWORD n_mappers;
    DWORD n_algorithms;
    const ALG_ID *algorithms;
    DWORD protocols;
    bool older; /* SCHANNEL_CRED: without a word on protocols it does not mean TLS 1.3 */
    DWORD min_strength, max_strength;
    DWORD lifespan_ms;
    DWORD flags;
    DWORD n_parameters;
    const void *parameters; /* TLS_PARAMETERS */
};

/* Decides protocols and datagram of `credential` (server and config set) by the request and the configuration, and examines the request's parameters.
 * SEC_E_ALGORITHM_MISMATCH; SEC_E_UNSUPPORTED_FUNCTION for a wish that cannot be honoured; SEC_E_UNKNOWN_CREDENTIALS for damaged parameters. */
SECURITY_STATUS policy_protocols(struct tls_credential *credential, const struct tls_request *request);
/* Sets versions, ciphers and options of credential->ctx, and what the credential tells about them. SEC_E_ALGORITHM_MISMATCH when nothing is left;
 * SEC_E_INTERNAL_ERROR when OpenSSL has none of the configuration's ciphers; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS policy_apply(struct tls_credential *credential, const struct tls_request *request);
/* What a session of `credential` was admitted by: protocols, suites, strengths, kinds of signatures and key exchange, whom it trusts and how it
 * validates, with the security level of chains, whether clients must have certificates. Servers that resume one another's sessions agree in it. The
 * system's roots are not in it. SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR. */
SECURITY_STATUS policy_digest(const struct tls_credential *credential, uint8_t digest[SESSION_POLICY_LEN]);

#endif
