/*
 * Modules for tests: copied into a private directory, where nothing but the test's own wish makes them unsafe.
 */
#ifndef OPENSSPI_TESTS_MODULES_H
#define OPENSSPI_TESTS_MODULES_H

#include <sspi.h>
#include <stdbool.h>

/* The path of a fresh copy of tests/modules' case `name`, or of the samples "sharedkey" and "sharedkey_lsa"; static, good until the next call. */
const char *module_copy(const char *name);
const char *module_directory(void);
void modules_cleanup(void);

/* Do control tokens and attributes that are set reach the test modules' contexts, and their refusals the caller? */
bool module_is_controlled(CtxtHandle *context);

#endif
