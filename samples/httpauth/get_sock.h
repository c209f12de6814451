/* SPDX-License-Identifier: MIT */
/* get_sock.h: a document from a server that asks who wants it. */
#ifndef HTTPAUTH_GET_SOCK_H
#define HTTPAUTH_GET_SOCK_H

#include "httpauth.h"
#include <stdbool.h>
#include <stdio.h>

struct request {
    char host[256], port[8], path[2048];
    bool tls, ipv6_literal;
    const char *authority; /* PEM file of who may sign the server's certificate; NULL for the system's */
    bool any_certificate;  /* the server's is not verified; the sign-on is bound to it all the same */
    bool unbound;          /* the sign-on is bound to no channel */
    bool verbose;
    unsigned patience; /* seconds */
};

/* HttpGetSocket gets the document and writes it to `to`, signing on by what the options name when the server asks for it. The server's answer
 * decides: true for a document (2xx) from a server that proved who it is where the package has that. What went wrong is told on stderr. */
bool HttpGetSocket(const struct request *request, const struct auth_options *options, FILE *to);

#endif
