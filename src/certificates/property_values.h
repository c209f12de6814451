/*
 * What properties are made of: values computed from the certificate, and the one structure with pointers.
 */
#ifndef OPENSSPI_CERTIFICATES_PROPERTY_VALUES_H
#define OPENSSPI_CERTIFICATES_PROPERTY_VALUES_H

#include "certificates/internal.h"

#define PROPERTY_MAX ((size_t)1 << 20) /* bytes of one property: names, hashes, a file's path */

/* Is this property the certificate's own, not to be set? */
bool property_is_computed(DWORD id);
/* Is it one of those that stand for the private key's handle? */
bool property_is_key(DWORD id);
/* A computed property, or the default of one that can be set, as a fresh block (mem_free). CRYPT_E_NOT_FOUND when there is none. */
SECURITY_STATUS property_compute(struct certificate *certificate, DWORD id, uint8_t **data, size_t *len);

/* A CRYPT_KEY_PROV_INFO as one block, what it points to behind it; size 0 when that is past all reason. */
size_t prov_info_size(const CRYPT_KEY_PROV_INFO *info);
void prov_info_pack(const CRYPT_KEY_PROV_INFO *info, void *to);

#endif
