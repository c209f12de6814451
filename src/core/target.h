/*
 * Names that clients give to a service, and whether they mean this computer: "service/host:port/name", or a bare host name. Case does not count.
 */
#ifndef OPENSSPI_CORE_TARGET_H
#define OPENSSPI_CORE_TARGET_H

#include "core/config.h"

#define TARGET_HOST_SIZE 256

/* The host part, cut where it is too long to be one. */
void target_host(const char *target, char host[TARGET_HOST_SIZE]);
/* Does the list have the target, or its host? */
bool target_is_listed(const struct config_list *list, const char *target, const char *host);
/* "localhost", 127.0.0.0/8, ::1. */
bool target_host_is_loopback(const char *host);
/* One of this computer's names? */
bool target_host_is_own(const struct config *config, const char *host);

#endif
