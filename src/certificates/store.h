/*
 * Stores as the exported functions handle them, without OpenSSL. Handles that are not, or no longer, ours give E_INVALIDARG.
 */
#ifndef OPENSSPI_CERTIFICATES_STORE_H
#define OPENSSPI_CERTIFICATES_STORE_H

#include "base/slice.h"
#include <sspi.h>
#include <stdbool.h>
#include <wincrypt.h>

/* Each opens a store with one user. Codes: CertOpenStore. */
SECURITY_STATUS store_open_memory(HCERTSTORE *handle);
SECURITY_STATUS store_open_file(const char *path, HCERTSTORE *handle);
SECURITY_STATUS store_open_pkcs7(struct slice der, HCERTSTORE *handle);
SECURITY_STATUS store_open_system(const char *name, bool machine, HCERTSTORE *handle);
SECURITY_STATUS store_open_pfx(struct slice pfx, const char *password, DWORD flags, HCERTSTORE *handle);
bool pfx_is(struct slice pfx);
SECURITY_STATUS pfx_password_check(struct slice pfx, const char *password);
/* For a store that was just opened: enumerations have archived certificates as well. */
void store_enumerate_archived(HCERTSTORE handle);
/* No changes from now on. */
SECURITY_STATUS store_make_read_only(HCERTSTORE handle);
/* CertCloseStore: CRYPT_E_PENDING_CLOSE. */
SECURITY_STATUS store_close(HCERTSTORE handle, DWORD flags);

/* CertAdd…ToStore; `added` may be NULL. CRYPT_E_EXISTS, E_ACCESSDENIED. */
SECURITY_STATUS store_certificate_add(HCERTSTORE handle, PCCERT_CONTEXT context, DWORD disposition,
                                      PCCERT_CONTEXT *added);
SECURITY_STATUS store_crl_add(HCERTSTORE handle, PCCRL_CONTEXT context, DWORD disposition, PCCRL_CONTEXT *added);
/* Take a context out of its store; the context itself stays the caller's to free. */
SECURITY_STATUS store_certificate_delete(PCCERT_CONTEXT context);
SECURITY_STATUS store_crl_delete(PCCRL_CONTEXT context);

/* What is sought: CERT_FIND_ type, flags and what pvFindPara points to. */
struct store_search {
    DWORD type, flags;
    const void *what;
};
/* The first that fits after `previous` (NULL: from the start), which is not freed here. CRYPT_E_NOT_FOUND. */
SECURITY_STATUS store_certificate_find(HCERTSTORE handle, const struct store_search *search, PCCERT_CONTEXT previous,
                                       PCCERT_CONTEXT *found);
SECURITY_STATUS store_crl_next(HCERTSTORE handle, PCCRL_CONTEXT previous, PCCRL_CONTEXT *found);
/* CertGetIssuerCertificateFromStore. */
SECURITY_STATUS store_issuer_find(HCERTSTORE handle, PCCERT_CONTEXT subject, PCCERT_CONTEXT previous, DWORD *flags,
                                  PCCERT_CONTEXT *found);

#endif
