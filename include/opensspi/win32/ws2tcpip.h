/*
 * ws2tcpip.h: addresses and names, which are the system's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WS2TCPIP_H
#define OPENSSPI_WIN32_WS2TCPIP_H

#include "winsock2.h"

typedef struct addrinfo ADDRINFO, *PADDRINFO, *LPADDRINFO, ADDRINFOA, *PADDRINFOA;
typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#define gai_strerrorA gai_strerror
#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo
#define InetPtonA inet_pton
#define InetNtopA inet_ntop

#endif
