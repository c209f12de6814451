/*
 * The CREDSSP package (MS-CSSP): TLS through Schannel, a handshake of Negotiate inside, the server's TLS key bound to it, and then the client's
 * credentials.
 */
#ifndef OPENSSPI_CREDSSP_PACKAGE_H
#define OPENSSPI_CREDSSP_PACKAGE_H

#include "core/package.h"

extern const struct package credssp_package;
/* TSSSP: the same without TLS. Its tokens are the TSRequests themselves, for a channel of the program's own, whose server's certificate the program
 * shows. */
extern const struct package tsssp_package;

#endif
