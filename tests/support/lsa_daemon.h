/*
 * A private LSA daemon: build/opensspi-lsad, under the configuration that OPENSSPI_CONFIG names at the start.
 */
#ifndef OPENSSPI_TESTS_LSA_DAEMON_H
#define OPENSSPI_TESTS_LSA_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

/* Does this run of a test ask for a daemon (OPENSSPI_TEST_LSAD=program; empty: this build's)? The loops then start one, and their configuration has
 * `mode` in [lsa]. */
bool lsa_daemon_wanted(void);
/* For the configuration of a loop in this directory: the section [lsa], or "" when no daemon is wanted. OPENSSPI_TEST_LSA_MODE says which mode
 * (daemon). */
const char *lsa_daemon_section(const char *directory);
/* Starts the daemon of lsa_daemon_section, if one is wanted and none runs. */
void lsa_daemon_ensure(void);
/* Starts the program, waits until `socket` answers; it ends with the calling process at the latest. Asserts. */
void lsa_daemon_start(const char *socket);
void lsa_daemon_stop(void);
void lsa_daemon_kill(void); /* at once, as a crash would */
pid_t lsa_daemon_pid(void); /* 0: none */

#endif
