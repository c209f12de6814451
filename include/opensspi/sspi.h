/*
 * sspi.h: the Security Support Provider Interface.
 *
 * Names, values, signatures and structure layouts are those of 64-bit Windows; see wintypes.h for the width
 * of the types. Under UNICODE the name without a letter is the W form, otherwise the A form. A functions take
 * and give UTF-8, W functions UTF-16.
 *
 * All functions may be called from any thread. A context can encrypt in one thread while it decrypts in
 * another; two threads must not take the same context through its handshake at once. On failure outputs are
 * untouched, unless a function says otherwise.
 *
 * Source: Microsoft SSPI reference; Windows headers as documented there.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_H
#define OPENSSPI_SSPI_H
#define __SSPI_H__

#include "wintypes.h"
#include "issperr.h"

#include "sspi/base.h"
#include "sspi/packages.h"
#include "sspi/buffers.h"
#include "sspi/credentials.h"
#include "sspi/context.h"
#include "sspi/messages.h"
#include "sspi/attributes.h"
#include "sspi/table.h"
#include "sspi/identity.h"
#include "sspi/sasl.h"

#endif
