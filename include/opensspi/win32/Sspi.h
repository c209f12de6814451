/* Sspi.h: another spelling of sspi.h. SPDX-License-Identifier: MIT */
#include "sspi.h"
