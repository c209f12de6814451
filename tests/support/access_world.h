/*
 * Accounts with Unix users, for tests of tokens and impersonation: a private directory that everybody may enter, an account database, and a
 * configuration that OPENSSPI_CONFIG points at. Accounts of domain EXAMPLE, password "Password1!":
 *
 *   alice   uid 61001, gid 61001, groups staff (gid 61050), audit (no gid); full name "Alice Example"
 *   bob     uid 61002, gid 61002, no groups
 *   mapless no Unix user
 *   rooted  uid 0, gid 0
 *   daemon  no Unix user but the one that every system has by this name
 */
#ifndef OPENSSPI_TESTS_ACCESS_WORLD_H
#define OPENSSPI_TESTS_ACCESS_WORLD_H

#include "support/ntlm_loop.h"

#define ALICE_UID 61001
#define BOB_UID 61002
#define STAFF_GID 61050

/* `extra` is appended to the configuration, [access] first; call again to change it. */
void access_configure(const char *extra);
void access_needs_root(void); /* a test that cannot run fails */
void access_cleanup(void);
/* The same for a group of tests: before it, before one that needs root, and after it. */
int access_setup(void **state);
int access_setup_root(void **state);
int access_teardown(void **state);
const char *access_directory(void);
/* Gives the process default credentials, those of EXAMPLE\rooted, until access_cleanup. */
void access_default_credentials(void);
/* Makes a file of this owner, group and mode with "text" in it; gives its path, which lives until the next call. */
const char *access_file(const char *name, unsigned uid, unsigned gid, unsigned mode);
/* Can the calling thread read it now? */
bool access_reads(const char *path);
/* The calling thread is the process: root with root's capabilities, impersonating nobody. */
void access_assert_root(void);
/* Are the calling thread's default credentials of this package those of `expected`? */
bool access_acts_as(const char *package, const char *expected);
/* The token of a server's context, and its level. */
HANDLE access_token(CtxtHandle *context);
int access_level(HANDLE token);
/* An NTLM context of this account with these client flags; fails the test when there is none. loop_end ends it. */
void access_connect(struct loop *loop, const char *user, ULONG client_flags);

#endif
