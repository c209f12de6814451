/* minwindef.h: see windef.h. SPDX-License-Identifier: MIT */
#include "windef.h"
