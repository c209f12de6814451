/*
 * security.h: SSPI as a whole, for callers whose variables are unsigned long. See ../security.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SECURITY_H
#define OPENSSPI_WIN32_SECURITY_H

#include "../security.h"
#include "sspi.h"

#endif
