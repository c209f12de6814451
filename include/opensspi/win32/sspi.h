/*
 * sspi.h: the Security Support Provider Interface, for callers whose variables are unsigned long. See ../sspi.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SSPI_H
#define OPENSSPI_WIN32_SSPI_H

#include "../sspi.h"
#include "../secext.h"
#include "securitybaseapi.h"
#include "ulong.h"

#endif
