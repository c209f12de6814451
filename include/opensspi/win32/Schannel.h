/* Schannel.h: another spelling of schannel.h. SPDX-License-Identifier: MIT */
#include "schannel.h"
