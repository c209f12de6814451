/* Strsafe.h: another spelling of strsafe.h. SPDX-License-Identifier: MIT */
#include "strsafe.h"
