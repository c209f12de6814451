/* schnlsp.h: Schannel under its older name. SPDX-License-Identifier: MIT */
#ifndef OPENSSPI_WIN32_SCHNLSP_H
#define OPENSSPI_WIN32_SCHNLSP_H

#include "schannel.h"

#endif
