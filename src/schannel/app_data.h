/*
 * What programs keep with TLS sessions (SECPKG_ATTR_APP_DATA): bytes by the session's identity, which resumed connections share. A table a
 * credential, of bounded size: the oldest gives way. Lock: one for all tables.
 */
#ifndef OPENSSPI_SCHANNEL_APP_DATA_H
#define OPENSSPI_SCHANNEL_APP_DATA_H

#include "base/secret.h"
#include <stdbool.h>
#include <stdint.h>

#define APP_DATA_MAX 4096         /* bytes of one session */
#define APP_DATA_SESSIONS_MAX 512 /* with data, of one credential: two megabytes at most */
#define SESSION_IDENTITY_LEN \
    16 /* by chance: servers that share the keys of their tickets must not take one another's sessions for their own */

struct app_data_entry;

/* Zeroed but for the lifespan it is an empty one. */
struct app_data {
    struct app_data_entry *entry; /* a ring, made when it is first needed; `first` is the oldest */
    unsigned first, n_entries;
    int64_t lifespan; /* FILETIME units */
};

void app_data_release(struct app_data *table);
/* Keeps a copy, in place of what the session had. False when there is no memory. */
bool app_data_put(struct app_data *table, const uint8_t identity[SESSION_IDENTITY_LEN], struct slice data);
/* What the session has becomes `data`; false, and `data` untouched, where it has none (any more), or there is no memory. */
bool app_data_get(struct app_data *table, const uint8_t identity[SESSION_IDENTITY_LEN], struct secret *data);

#endif
