/*
 * The session half of NTLM: keys, cipher states and sequence numbers of one established context.
 */
#ifndef OPENSSPI_NTLM_SESSION_H
#define OPENSSPI_NTLM_SESSION_H

#include "core/package.h"

#define NTLM_SIGNATURE_LEN 16

extern const struct package_session ntlm_session_table;

/* SIZES and KEY_INFO, which depend on the flags alone; also asked while the handshake runs. */
SECURITY_STATUS ntlm_attribute(uint32_t flags, uint32_t attribute, struct attribute *value);

#endif
