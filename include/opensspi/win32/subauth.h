/*
 * subauth.h: counted strings and statuses, which programs include this header for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SUBAUTH_H
#define OPENSSPI_WIN32_SUBAUTH_H

#include "winnt.h"
#include "ntstatus.h"

#endif
