/* Security.h: another spelling of security.h. SPDX-License-Identifier: MIT */
#include "security.h"
