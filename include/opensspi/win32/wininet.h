/*
 * wininet.h: the flags of certificate checks that Windows has here (SSL_EXTRA_CERT_CHAIN_POLICY_PARA of wincrypt.h), and nothing else of WinINet.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WININET_H
#define OPENSSPI_WIN32_WININET_H

#include "wincrypt.h"

#endif
