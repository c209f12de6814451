/* WinInet.h: another spelling of wininet.h. SPDX-License-Identifier: MIT */
#include "wininet.h"
