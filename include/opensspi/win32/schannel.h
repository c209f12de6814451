/*
 * schannel.h: Schannel, for callers whose variables are unsigned long. See ../schannel.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SCHANNEL_H
#define OPENSSPI_WIN32_SCHANNEL_H

#include "../schannel.h"
#include "ulong.h"

#ifndef OPENSSPI_WIN32_NO_ULONG
/* Lengths. */
#define SslGetDefaultIssuers(...) SslGetDefaultIssuers(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define SslGetServerIdentity(...) SslGetServerIdentity(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define SslGetExtensions(...) SslGetExtensions(OPENSSPI_ULONG_ARGUMENTS(6_5, __VA_ARGS__))
#endif

#endif
