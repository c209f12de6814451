/*
 * The configuration file's keys and how they are read (inih). docs/configuration.md lists them.
 */
#ifndef OPENSSPI_CORE_CONFIG_PARSE_H
#define OPENSSPI_CORE_CONFIG_PARSE_H

#include "base/slice.h"
#include "core/config.h"
#include <sys/types.h>

/* Values that hold without a file; names and paths stay NULL. */
void config_defaults(struct config *config);
/* Frees what the struct owns. */
void config_clear(struct config *config);

enum config_source {
    CONFIG_SYSTEM, /* may be absent, but not closed to us */
    CONFIG_WANTED, /* must be there */
    CONFIG_USER,   /* may be absent, behind a directory that is closed to us, or somebody else's */
};

/* Is a file of this owner passed over? A CONFIG_USER file is that is neither `user`'s nor root's: a service that runs with somebody else's HOME is
 * not configured by them. */
bool config_is_foreign(enum config_source source, uid_t owner, uid_t user);
/* Lays a file over `config`, unless it is foreign to `user`. SEC_E_OK; SEC_E_INTERNAL_ERROR with the cause "FILE:LINE: ...";
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS config_parse_file(struct config *config, const char *path, enum config_source source, uid_t user);
/* The same from memory; `name` stands for the file in causes. For the file reader and for fuzzing. */
SECURITY_STATUS config_parse_text(struct config *config, const char *name, struct slice text);

#endif
