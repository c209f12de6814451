/* specstrings.h: see sal.h. SPDX-License-Identifier: MIT */
#include "sal.h"
