/*
 * wincrypt.h: the certificate functions that programs of SSPI need: certificate contexts, stores, PFX files, chains and whether to trust them, names,
 * and text forms of bytes. What else Windows' header of this name has (hashing and encrypting by CAPI, messages, enrolment) is not here.
 *
 * How they report: a function that returns BOOL, a pointer or a handle answers FALSE or NULL on failure and leaves a code in the thread's last error,
 * which OpenSspiLastError (sspi_ext.h) reads as GetLastError does on Windows; OpenSspiLastErrorText says it in words. Success leaves the last error
 * as it was. Every function may fail with ERROR_INVALID_PARAMETER or E_INVALIDARG for arguments that make no sense, such as handles of something else
 * or freed before (but where a CERT_CONTEXT is only read, a freed one is not told from one that the program laid together), and with E_OUTOFMEMORY;
 * that is not said again at each. A functions take and give UTF-8, W functions UTF-16. All may be called
 * from any thread.
 *
 * Where certificates come from and what differs from Windows: docs/certificates.md.
 *
 * Source: Microsoft, wincrypt.h reference.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_H
#define OPENSSPI_WINCRYPT_H
#define __WINCRYPT_H__

#include "wintypes.h"
#include "issperr.h"
#include "wincrypt_types.h"

#include "wincrypt/errors.h"
#include "wincrypt/info.h"
#include "wincrypt/certificates.h"
#include "wincrypt/properties.h"
#include "wincrypt/crls.h"
#include "wincrypt/stores.h"
#include "wincrypt/chains.h"
#include "wincrypt/text.h"
#include "wincrypt/decode.h"
#include "wincrypt/objects.h"

#endif
