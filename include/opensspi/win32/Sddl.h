/* Sddl.h: another spelling of sddl.h. SPDX-License-Identifier: MIT */
#include "sddl.h"
