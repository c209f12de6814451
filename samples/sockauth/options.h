/*
 * options.h: the command lines of both programs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_OPTIONS_H
#define SOCKAUTH_OPTIONS_H

#include "comm.h"

struct options {
    const char *package, *host, *port;
    const char *target; /* client: the server's SPN */
    const char *user;   /* client: DOMAIN\user, user@realm or user; NULL: whoever runs the program */
    const char *certificate,
        *authority;    /* Schannel: a PFX file to show, a PEM file that the peer's certificate comes from */
    const char *text;  /* client: what it sends */
    ULONG flags;       /* ISC_REQ_ or ASC_REQ_ */
    DWORD connections; /* server: how many to serve; 0: until it is stopped */
    DWORD idle;        /* server: seconds without a client until it ends; 0: never */
    DWORD patience;    /* seconds that a message may take */
    int family;        /* AF_UNSPEC, AF_INET, AF_INET6 */
    BOOL impersonate;  /* server */
};

/* ParseOptions fills in defaults and reads the command line; FALSE after telling what is wrong. */
BOOL ParseOptions(int argc, char **argv, BOOL client, struct options *options);
/* AskPassword takes SOCKAUTH_PASSWORD of the environment, or else a line that it asks for. */
BOOL AskPassword(char *password, size_t size);

#endif
