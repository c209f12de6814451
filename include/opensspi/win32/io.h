/*
 * io.h: descriptors, by the names of Microsoft's C library. Source: Microsoft, low-level I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_IO_H
#define OPENSSPI_WIN32_IO_H

#include "crt.h"
#include <unistd.h>

#define _isatty isatty

#endif
