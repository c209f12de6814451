/* SecExt.h: another spelling of secext.h. SPDX-License-Identifier: MIT */
#include "secext.h"
