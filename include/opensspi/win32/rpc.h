/*
 * rpc.h: names of RPC's types. There is no RPC: its functions are not there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_RPC_H
#define OPENSSPI_WIN32_RPC_H

#include "rpcdce.h"

#endif
