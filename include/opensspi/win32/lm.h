/*
 * lm.h: names of the network management functions' types and numbers. The functions themselves are not there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_LM_H
#define OPENSSPI_WIN32_LM_H

#include "lmcons.h"

#endif
