/*
 * Who this computer is, as far as NTLM tells peers, and which target names mean it.
 */
#ifndef OPENSSPI_NTLM_HOST_H
#define OPENSSPI_NTLM_HOST_H

#include "core/config.h"
#include <stdint.h>

#define SINGLE_HOST_LEN 48

/* Single_Host_Data (MS-NLMP 2.2.2.2): a machine id that is the same for all processes of one machine (and container) until it boots again, and tells
 * nothing else about it. */
void ntlm_single_host(uint8_t data[SINGLE_HOST_LEN]);

/* Does this SPN or host name ("HTTP/web.example.test:80") mean this computer: one of its names, the loopback, or one of the configured targets? */
bool ntlm_target_is_local(const struct config *config, const char *target);
/* Is it one of the configured targets, or, when none are configured, one of this computer's own names? */
bool ntlm_target_is_accepted(const struct config *config, const char *target);

#endif
