/* WinCrypt.h: another spelling of wincrypt.h. SPDX-License-Identifier: MIT */
#include "wincrypt.h"
