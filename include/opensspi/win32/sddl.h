/*
 * sddl.h: security identifiers and security descriptors as text ([MS-DTYP] 2.4.2.1 and 2.5.1).
 *
 * What they hand out is freed with LocalFree (winbase.h). A functions take and give UTF-8. FALSE: see GetLastError.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SDDL_H
#define OPENSSPI_WIN32_SDDL_H

#include "winnt.h"

OPENSSPI_BEGIN_DECLS

#define SDDL_REVISION_1 1
#define SDDL_REVISION SDDL_REVISION_1

/* ConvertSidToStringSid gives "S-1-5-...". ERROR_INVALID_SID. */
BOOL WINAPI ConvertSidToStringSidW(PSID Sid, LPWSTR *StringSid);
BOOL WINAPI ConvertSidToStringSidA(PSID Sid, LPSTR *StringSid);
#define ConvertSidToStringSid OPENSSPI_AW(ConvertSidToStringSid)

/* ConvertStringSidToSid reads that, or a two-letter alias such as "BA". ERROR_INVALID_SID; also for aliases of a domain, such as "DA", for which
 * domain is meant nothing says. */
BOOL WINAPI ConvertStringSidToSidW(LPCWSTR StringSid, PSID *Sid);
BOOL WINAPI ConvertStringSidToSidA(LPCSTR StringSid, PSID *Sid);
#define ConvertStringSidToSid OPENSSPI_AW(ConvertStringSidToSid)

/*
 * ConvertStringSecurityDescriptorToSecurityDescriptor reads "O:BAG:BAD:(A;;GA;;;WD)" into a self-relative descriptor.
 *
 * StringSDRevision        SDDL_REVISION_1; else ERROR_UNKNOWN_REVISION.
 * SecurityDescriptorSize  its length; may be NULL.
 *
 * ERROR_INVALID_ACL for a list that cannot be read, conditional entries among them; ERROR_INVALID_SID; ERROR_INVALID_PARAMETER.
 */
BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorW(LPCWSTR StringSecurityDescriptor,
                                                                 DWORD StringSDRevision,
                                                                 PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                                                 PULONG SecurityDescriptorSize);
BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorA(LPCSTR StringSecurityDescriptor,
                                                                 DWORD StringSDRevision,
                                                                 PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                                                 PULONG SecurityDescriptorSize);
#define ConvertStringSecurityDescriptorToSecurityDescriptor \
    OPENSSPI_AW(ConvertStringSecurityDescriptorToSecurityDescriptor)

/*
 * ConvertSecurityDescriptorToStringSecurityDescriptor writes the parts that SecurityInformation names.
 *
 * StringSecurityDescriptorLen  characters with the terminator; may be NULL.
 *
 * ERROR_UNKNOWN_REVISION, ERROR_INVALID_SECURITY_DESCR, ERROR_INVALID_ACL for a kind of entry that has no text here.
 */
BOOL WINAPI ConvertSecurityDescriptorToStringSecurityDescriptorW(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                                                 DWORD RequestedStringSDRevision,
                                                                 SECURITY_INFORMATION SecurityInformation,
                                                                 LPWSTR *StringSecurityDescriptor,
                                                                 PULONG StringSecurityDescriptorLen);
BOOL WINAPI ConvertSecurityDescriptorToStringSecurityDescriptorA(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                                                 DWORD RequestedStringSDRevision,
                                                                 SECURITY_INFORMATION SecurityInformation,
                                                                 LPSTR *StringSecurityDescriptor,
                                                                 PULONG StringSecurityDescriptorLen);
#define ConvertSecurityDescriptorToStringSecurityDescriptor \
    OPENSSPI_AW(ConvertSecurityDescriptorToStringSecurityDescriptor)

OPENSSPI_END_DECLS

#if defined(OPENSSPI_WIN32) && !defined(OPENSSPI_WIN32_NO_ULONG)
/* Lengths, in programs of opensspi-win32: see ulong.h. */
#include "ulong.h"
#define ConvertStringSecurityDescriptorToSecurityDescriptorA(...) \
    ConvertStringSecurityDescriptorToSecurityDescriptorA(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define ConvertStringSecurityDescriptorToSecurityDescriptorW(...) \
    ConvertStringSecurityDescriptorToSecurityDescriptorW(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define ConvertSecurityDescriptorToStringSecurityDescriptorA(...) \
    ConvertSecurityDescriptorToStringSecurityDescriptorA(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#define ConvertSecurityDescriptorToStringSecurityDescriptorW(...) \
    ConvertSecurityDescriptorToStringSecurityDescriptorW(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#endif

#endif
