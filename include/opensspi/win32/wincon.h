/*
 * wincon.h: the console.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINCON_H
#define OPENSSPI_WIN32_WINCON_H

#include "consoleapi.h"
#include "consoleapi2.h"

#endif
