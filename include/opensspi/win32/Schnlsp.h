/* Schnlsp.h: another spelling of schnlsp.h. SPDX-License-Identifier: MIT */
#include "schnlsp.h"
