/* Lm.h: another spelling of lm.h. SPDX-License-Identifier: MIT */
#include "lm.h"
