/*
 * Environment variables, which any thread may set and read here as on Windows; the C library's functions know no lock.
 */
#ifndef OPENSSPI_WIN32_ENVIRONMENT_H
#define OPENSSPI_WIN32_ENVIRONMENT_H

#include <stdbool.h>

/* The value, fresh, for text_wipe: programs keep passwords in them. NULL: there is none, and *is_set is false; or no memory. `name` may be NULL. */
char *environment_copy(const char *name, bool *is_set);
/* NULL takes the variable away. 0, or errno; ENOENT where there was none to take. */
int environment_set(const char *name, const char *value);

#endif
