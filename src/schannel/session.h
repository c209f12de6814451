/*
 * Messages of an established connection.
 */
#ifndef OPENSSPI_SCHANNEL_SESSION_H
#define OPENSSPI_SCHANNEL_SESSION_H

#include "core/package.h"

struct connection;

extern const struct package_session schannel_session_table;

/* Attributes of a connection whose lock is held (attributes.c). */
SECURITY_STATUS connection_query(struct connection *connection, uint32_t attribute, struct attribute *value);
SECURITY_STATUS connection_set(struct connection *connection, uint32_t attribute, const void *value, size_t len);

#endif
