/* Windows.h: another spelling of windows.h. SPDX-License-Identifier: MIT */
#include "windows.h"
