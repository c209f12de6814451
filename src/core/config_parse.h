/*
 * The configuration file's keys and how they are read (inih). docs/configuration.md lists them.
 */
#ifndef OPENSSPI_CORE_CONFIG_PARSE_H
#define OPENSSPI_CORE_CONFIG_PARSE_H

#include "base/slice.h"
#include "core/config.h"

/* Values that hold without a file; names and paths stay NULL. */
void config_defaults(struct config *config);
/* Frees what the struct owns. */
void config_clear(struct config *config);
enum config_source {
    CONFIG_SYSTEM, /* may be absent, but not closed to us */
    CONFIG_WANTED, /* must be there */
    CONFIG_USER,   /* may be absent, or behind a directory that is closed to us */
};

/* Lays a file over `config`. SEC_E_OK, or SEC_E_INTERNAL_ERROR with the cause "FILE:LINE: ...". */
SECURITY_STATUS config_parse_file(struct config *config, const char *path, enum config_source source);
/* The same from memory; `name` stands for the file in causes. For the file reader and for fuzzing. */
SECURITY_STATUS config_parse_text(struct config *config, const char *name, struct slice text);

#endif
