/* NTSecAPI.h: another spelling of ntsecapi.h. SPDX-License-Identifier: MIT */
#include "ntsecapi.h"
