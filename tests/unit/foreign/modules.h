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
/* Of a group of tests: an empty configuration there, which tests with one of their own do without; and all of it goes. */
int modules_set_up(void **state);
int modules_tear_down(void **state);

/* AddSecurityPackageA of the file; DeleteSecurityPackageA of it, which has to work; how many packages are listed. */
SECURITY_STATUS module_add(const char *path);
void module_drop(const char *path);
ULONG modules_listed(void);
/* Has the loaded module been given back all credentials and contexts that it made? */
void module_counts_check(const char *path);
/* Adds a fresh copy of case `name`, which has to be refused in these words, with the file's name, and leave nothing listed. The copy's path, static.
 * */
const char *module_refused(const char *name, const char *words);

/* A credential of package "Test" for both directions, and the first step of its client, whose token is looked at. */
SECURITY_STATUS module_acquire(CredHandle *credential, const char *principal);
SECURITY_STATUS module_initiate(CredHandle *credential, CtxtHandle *context, ULONG *attributes);

/* Case `name` added, with a credential and a client's context; and all of that given back. */
struct module_use {
    char path[600];
    CredHandle credential;
    CtxtHandle context;
};
void module_use_add(struct module_use *use, const char *name); /* the case alone */
void module_use_begin(struct module_use *use, const char *name);
void module_use_end(struct module_use *use);

/* Signing, sealing and SIZES are not supported for a context. */
void module_messages_missing(CtxtHandle *context);
/* Adds case `name`; its answer to acquiring has to become the one code or, where that is SEC_E_OK, that to the first step the other one, which leaves
 * no context. `words` have to be in the cause; NULL: any. */
void module_answers_check(const char *name, SECURITY_STATUS acquire, SECURITY_STATUS step, const char *words);
/* Eight threads: half of them sign on to case `name`, the others add the module and take it away. */
void module_threads_check(const char *name);

/* Do control tokens and attributes that are set reach the test modules' contexts, and their refusals the caller? */
bool module_is_controlled(CtxtHandle *context);

#endif
