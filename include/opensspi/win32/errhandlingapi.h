/*
 * errhandlingapi.h: the code of the thread's last failure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_ERRHANDLINGAPI_H
#define OPENSSPI_WIN32_ERRHANDLINGAPI_H

#include "../sspi_ext.h"

/* The name GetLastError is left to whoever has a whole Windows behind it: see handleapi.h. */
#ifndef GetLastError
#define GetLastError OpenSspiLastError
#endif

#endif
