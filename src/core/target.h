/*
 * Names that clients give to a service, and whether they mean this computer: "service/host:port/name", or a bare host name. Case does not count.
 */
#ifndef OPENSSPI_CORE_TARGET_H
#define OPENSSPI_CORE_TARGET_H

#include "base/slice.h"
#include "core/config.h"

#define TARGET_HOST_SIZE 256

/* "service/host:port/instance@REALM" in its parts, which are of the text, and empty where they are not there. A text without a slash is a host, with
 * or without a port; with an "@" all of it is the host: what GSS-API and Kerberos make of "name@other" is no host of that name.
 * Nothing escapes a delimiter. */
struct target {
    struct slice service;
    /* An address in brackets is without them. Brackets that do not end where the host does hold no address: all of it is the host, the port too. */
    struct slice host;
    /* All that is behind the colon that follows brackets; behind the host's only colon where there are none, for a bare IPv6 address has several. */
    struct slice port;
    struct slice instance; /* from the second slash */
    struct slice realm;    /* from the first "@" behind the first slash, as for libkrb5 */
};

struct target target_parse(const char *text);
/* A name or an address; not the root of all names, nor brackets that hold no address. */
bool target_has_host(const struct target *target);

/* The host as a text, without the dot of the root behind it, cut where it is too long to be one. What the functions below take. */
void target_host(const char *target, char host[TARGET_HOST_SIZE]);
/* Does the list have the target, or its host, each with a dot behind the host or without? */
bool target_is_listed(const struct config_list *list, const char *target, const char *host);
/* "localhost", 127.0.0.0/8, the same within IPv6 (::ffff:127.0.0.1), ::1. */
bool target_host_is_loopback(const char *host);
/* One of this computer's names? */
bool target_host_is_own(const struct config *config, const char *host);

#endif
