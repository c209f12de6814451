/*
 * Numbers of logon sessions and tokens as LUIDs.
 */
#ifndef OPENSSPI_API_LUID_H
#define OPENSSPI_API_LUID_H

#include <wintypes.h>

static inline LUID luid_of(uint64_t number)
{
    return (LUID){.LowPart = (DWORD)number, .HighPart = (LONG)(uint32_t)(number >> 32)};
}

static inline uint64_t luid_number(const LUID *luid)
{
    return (uint64_t)(uint32_t)luid->HighPart << 32 | luid->LowPart;
}

#endif
