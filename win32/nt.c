/* Counted strings, and NTSTATUS as a system error code. */
#include "crt.h"

#include <limits.h>
#include <ntsecapi.h>
#include <winternl.h>

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t len = SourceString == NULL ? 0 : opensspi_wcslen(SourceString) * sizeof(WCHAR);
    if (len > USHRT_MAX - 3)
        len = USHRT_MAX - 3; /* with its NUL it still counts */
    DestinationString->Length = (USHORT)len;
    DestinationString->MaximumLength = (USHORT)(SourceString == NULL ? 0 : len + sizeof(WCHAR));
    DestinationString->Buffer = (PWSTR)(uintptr_t)SourceString;
}

VOID RtlInitAnsiString(PANSI_STRING DestinationString, LPCSTR SourceString)
{
    size_t len = SourceString == NULL ? 0 : strnlen(SourceString, USHRT_MAX - 1);
    DestinationString->Length = (USHORT)len;
    DestinationString->MaximumLength = (USHORT)(SourceString == NULL ? 0 : len + 1);
    DestinationString->Buffer = (PCHAR)(uintptr_t)SourceString;
}

/* libopensspi's table: there is one (src/api/lsa_errors.c). */
ULONG RtlNtStatusToDosError(NTSTATUS Status)
{
    return LsaNtStatusToWinError(Status);
}
