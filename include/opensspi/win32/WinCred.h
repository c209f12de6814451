/* WinCred.h: another spelling of wincred.h. SPDX-License-Identifier: MIT */
#include "wincred.h"
