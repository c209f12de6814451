/*
 * A private configuration with accounts, and a client and a server of NTLM in one process.
 */
#ifndef OPENSSPI_TESTS_NTLM_LOOP_H
#define OPENSSPI_TESTS_NTLM_LOOP_H

#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>

/* Makes a temporary directory with a configuration and a SAM file, and points OPENSSPI_CONFIG there. Accounts, all of domain EXAMPLE: alice
 * "Password1!" and bob "Other2?". `extra` is appended to the configuration; call again to change it. */
void loop_configure(const char *extra);
/* Removes the directory. */
void loop_cleanup(void);
int loop_teardown(void **state); /* the same, after a group of tests */
const char *loop_directory(void);

/* loop_configure with a section [lsa] that sends everything to a private daemon (lsa_daemon.h); `more` is further lines of that section, and sections
 * behind it. loop_daemon_start starts it, for processes of other users, too; loop_cleanup stops it. */
void loop_daemon_configure(const char *more);
void loop_daemon_start(void);
const char *loop_daemon_socket(void);

#define LOOP_TOKEN_MAX 4096

struct loop {
    /* set before loop_run, all optional */
    const char *package;                  /* "NTLM" */
    const char *user, *domain, *password; /* alice's where NULL */
    const char *target;
    ULONG client_flags, server_flags;
    const void *client_bindings, *server_bindings; /* application data of channel bindings */
    size_t client_bindings_len, server_bindings_len;
    /* changes a token on its way: leg 1 is the client's first, 2 the server's first, ... */
    void (*alter)(struct loop *loop, int leg, unsigned char *token, ULONG *len);
    void *alter_data;
    bool keep_credentials; /* use those that are there, and leave them */
    /* results */
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
    SECURITY_STATUS client_status, server_status;
    ULONG client_attributes, server_attributes;
    int legs;
};

/* Runs the handshake until both sides have ended or one failed. True when both answered SEC_E_OK. */
bool loop_run(struct loop *loop);
void loop_acquire(struct loop *loop);
void loop_end(struct loop *loop);

/* Signs or seals `text` on one context and opens it on the other, in place; the status of the first call that failed. */
SECURITY_STATUS loop_seal(CtxtHandle *from, CtxtHandle *to, const char *text);
SECURITY_STATUS loop_sign(CtxtHandle *from, CtxtHandle *to, const char *text);

#endif
