/* Issperr.h: another spelling of issperr.h. SPDX-License-Identifier: MIT */
#include "../issperr.h"
