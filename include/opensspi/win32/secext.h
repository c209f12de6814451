/*
 * secext.h: names of users and computers, for callers whose variables are unsigned long. See ../secext.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SECEXT_H
#define OPENSSPI_WIN32_SECEXT_H

#include "sspi.h"

#endif
