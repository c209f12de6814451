/* winnls.h: see stringapiset.h. SPDX-License-Identifier: MIT */
#include "stringapiset.h"
