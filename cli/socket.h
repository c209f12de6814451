/*
 * Connections of `sspi connect` and `sspi listen`. All give what enum cli_exit has, and have said what failed.
 */
#ifndef OPENSSPI_CLI_SOCKET_H
#define OPENSSPI_CLI_SOCKET_H

#include <stdint.h>

/* HOST:PORT, [ADDRESS]:PORT, or PORT alone where a default host is given (else NULL). */
int socket_address(const char *text, const char *default_host, char host[256], char port[32]);
int socket_dial(const char *host, const char *port, int64_t seconds, int *socket_out);
int socket_listen(const char *host, const char *port, int *listener);
/* The first who comes; `seconds` 0: however late. */
int socket_accept(int listener, int64_t seconds, int *socket_out);

#endif
