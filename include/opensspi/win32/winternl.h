/*
 * winternl.h: counted strings, and NTSTATUS as a system error code.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINTERNL_H
#define OPENSSPI_WIN32_WINTERNL_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

#ifndef NT_SUCCESS
#define NT_SUCCESS(Status) ((NTSTATUS)(Status) >= 0)
#endif
#ifndef NT_ERROR
#define NT_ERROR(Status) ((ULONG)(Status) >> 30 == 3)
#endif

/* RtlInitUnicodeString and RtlInitAnsiString count a text, which stays the caller's; at most 65532 bytes of wide text, 65534 of the
 * other. Source: Microsoft, winternl.h. */
VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
    OPENSSPI_WIN32_SYMBOL(RtlInitUnicodeString);
VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, LPCSTR SourceString)
    OPENSSPI_WIN32_SYMBOL(RtlInitAnsiString);
/* RtlNtStatusToDosError gives the system error code for a status of ntstatus.h; ERROR_MR_MID_NOT_FOUND for one that has none. */
ULONG NTAPI RtlNtStatusToDosError(NTSTATUS Status) OPENSSPI_WIN32_SYMBOL(RtlNtStatusToDosError);

OPENSSPI_END_DECLS

#endif
