/*
 * Chains for callers: CertGetCertificateChain, CertVerifyCertificateChainPolicy and chain engines, without OpenSSL.
 */
#ifndef OPENSSPI_CERTIFICATES_CHAIN_H
#define OPENSSPI_CERTIFICATES_CHAIN_H

#include "certificates/trust.h"

/* Codes as the exported functions; SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS chain_engine_create(const CERT_CHAIN_ENGINE_CONFIG *config, HCERTCHAINENGINE *engine);
SECURITY_STATUS chain_get(HCERTCHAINENGINE engine, PCCERT_CONTEXT context, int64_t at, HCERTSTORE extra,
                          const CERT_CHAIN_PARA *parameters, DWORD flags, PCCERT_CHAIN_CONTEXT *chain);
/* The next certificate after that of `previous` (NULL: the first), which is not freed here. CRYPT_E_NOT_FOUND. */
SECURITY_STATUS chain_find(HCERTSTORE store, DWORD flags, const CERT_CHAIN_FIND_BY_ISSUER_PARA *wanted,
                           PCCERT_CHAIN_CONTEXT previous, PCCERT_CHAIN_CONTEXT *chain);
/* `server_name` is the UTF-8 of the extra parameters' name, or NULL. */
SECURITY_STATUS chain_policy(LPCSTR policy, PCCERT_CHAIN_CONTEXT chain, const CERT_CHAIN_POLICY_PARA *parameters,
                             const char *server_name, CERT_CHAIN_POLICY_STATUS *status);

#endif
