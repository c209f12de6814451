/* WinSock2.h: another spelling of winsock2.h. SPDX-License-Identifier: MIT */
#include "winsock2.h"
