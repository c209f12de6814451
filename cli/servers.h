/*
 * What servers of this computer would find: for `sspi creds` and `sspi doctor`.
 */
#ifndef OPENSSPI_CLI_SERVERS_H
#define OPENSSPI_CLI_SERVERS_H

#include "cli.h"

struct config;

struct keytab_look {
    bool good; /* it can be read, and has keys */
    char name[1024], cause[512];
    char content[512]; /* "host/server.example.test@REALM 2, 3; ..." */
};
/* The keytab of the configuration, else libkrb5's; not there without the Kerberos package. */
void keytab_look(const struct config *config, struct keytab_look *found);

struct server_look {
    bool good;
    char text[1024]; /* "ready: ..." or what is missing */
};
/* What a server of the package could take clients by, with the default credentials that it has got; false: there is nothing to look for. */
bool server_look(const char *package, struct server_look *found);

#endif
