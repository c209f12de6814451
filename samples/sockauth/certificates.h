/*
 * certificates.h: the certificate that a side shows, and the check of the one that its peer shows.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_CERTIFICATES_H
#define SOCKAUTH_CERTIFICATES_H

#include "comm.h"
#include <wincrypt.h>

struct certificates {
    HCERTSTORE store;    /* of the PFX file */
    PCCERT_CONTEXT own;  /* with its key; NULL: none */
    PCCERT_CONTEXT root; /* the authority; NULL: those that this machine trusts */
};

/* Reads a PFX file and an authority's PEM file; either may be NULL. The password of the PFX is asked for. FALSE after telling what is wrong. */
BOOL CertificatesOpen(struct certificates *certificates, const char *pfx_file, const char *root_file);
void CertificatesClose(struct certificates *certificates);

/* Is this the certificate of the server `name` (NULL: of a client), from the authority? Tells what is wrong with it. */
BOOL CertificateCheck(const struct certificates *certificates, PCCERT_CONTEXT peer, const char *name);

#endif
