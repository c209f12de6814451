/* Ws2tcpip.h: another spelling of ws2tcpip.h. SPDX-License-Identifier: MIT */
#include "ws2tcpip.h"
