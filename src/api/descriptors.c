#include "api/win32.h"

#include "access/access_check.h"
#include "access/sddl.h"
#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include <string.h>
#include <win32/sddl.h>
#include <win32/securitybaseapi.h>

/* SIDs and security descriptors as text, and access checks. */

static DWORD sid_to_string(PSID caller, bool wide, void **text)
{
    struct sid sid;
    char written[SID_TEXT_MAX];
    if (text == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = win32_sid_read(caller, &sid);
    if (error != ERROR_SUCCESS)
        return error;
    sid_to_text(&sid, written);
    return win32_text_block(written, wide, text);
}

BOOL WINAPI ConvertSidToStringSidW(PSID Sid, LPWSTR *StringSid)
{
    cause_clear();
    return win32_answer(sid_to_string(Sid, true, (void **)StringSid));
}

BOOL WINAPI ConvertSidToStringSidA(PSID Sid, LPSTR *StringSid)
{
    cause_clear();
    return win32_answer(sid_to_string(Sid, false, (void **)StringSid));
}

static DWORD string_to_sid(const void *text, bool wide, PSID *sid)
{
    AUTO_FREE char *utf8 = NULL;
    struct sid read;
    if (text == NULL || sid == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = win32_text_read(text, wide, &utf8);
    if (error != ERROR_SUCCESS)
        return error == ERROR_INVALID_PARAMETER ? ERROR_INVALID_SID : error;
    if (sddl_sid_from_text(utf8, &read) != WIRE_OK)
        return ERROR_INVALID_SID;
    void *block = block_alloc(win32_sid_len(&read));
    if (block == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    win32_sid_put(&read, block);
    *sid = block;
    return ERROR_SUCCESS;
}

BOOL WINAPI ConvertStringSidToSidW(LPCWSTR StringSid, PSID *Sid)
{
    cause_clear();
    return win32_answer(string_to_sid(StringSid, true, Sid));
}

BOOL WINAPI ConvertStringSidToSidA(LPCSTR StringSid, PSID *Sid)
{
    cause_clear();
    return win32_answer(string_to_sid(StringSid, false, Sid));
}

static DWORD error_of_problem(enum sddl_problem problem)
{
    switch (problem) {
    case SDDL_OK:
        return ERROR_SUCCESS;
    case SDDL_SID:
        return ERROR_INVALID_SID;
    case SDDL_ACL:
        return ERROR_INVALID_ACL;
    case SDDL_SYNTAX:
    case SDDL_TOO_LONG:
        break;
    }
    return ERROR_INVALID_PARAMETER;
}

static DWORD string_to_descriptor(const void *text, bool wide, DWORD revision, PSECURITY_DESCRIPTOR *descriptor,
                                  ULONG *size)
{
    AUTO_FREE char *utf8 = NULL;
    AUTO_WRITER struct writer writer = writer_growing(512);
    if (text == NULL || descriptor == NULL)
        return ERROR_INVALID_PARAMETER;
    if (revision != SDDL_REVISION_1)
        return ERROR_UNKNOWN_REVISION;
    DWORD error = win32_text_read(text, wide, &utf8);
    if (error == ERROR_SUCCESS)
        error = error_of_problem(sddl_parse(utf8, &writer));
    if (error != ERROR_SUCCESS)
        return error;
    void *block = writer_finish(&writer) == WIRE_OK ? block_alloc(writer.len) : NULL;
    if (block == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    memcpy(block, writer.data, writer.len);
    *descriptor = block;
    if (size != NULL)
        *size = (ULONG)writer.len;
    return ERROR_SUCCESS;
}

BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorW(LPCWSTR StringSecurityDescriptor,
                                                                 DWORD StringSDRevision,
                                                                 PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                                                 PULONG SecurityDescriptorSize)
{
    cause_clear();
    return win32_answer(string_to_descriptor(StringSecurityDescriptor, true, StringSDRevision, SecurityDescriptor,
                                             SecurityDescriptorSize));
}

BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorA(LPCSTR StringSecurityDescriptor,
                                                                 DWORD StringSDRevision,
                                                                 PSECURITY_DESCRIPTOR *SecurityDescriptor,
                                                                 PULONG SecurityDescriptorSize)
{
    cause_clear();
    return win32_answer(string_to_descriptor(StringSecurityDescriptor, false, StringSDRevision, SecurityDescriptor,
                                             SecurityDescriptorSize));
}

static DWORD descriptor_to_string(PSECURITY_DESCRIPTOR caller, DWORD revision, SECURITY_INFORMATION parts, bool wide,
                                  void **text, ULONG *len)
{
    struct descriptor descriptor;
    AUTO_WRITER struct writer writer = writer_growing(256);
    if (text == NULL)
        return ERROR_INVALID_PARAMETER;
    if (revision != SDDL_REVISION_1)
        return ERROR_UNKNOWN_REVISION;
    if (descriptor_of_memory(caller, &descriptor) != WIRE_OK)
        return ERROR_INVALID_SECURITY_DESCR;
    DWORD error = error_of_problem(sddl_format(&descriptor, parts, &writer));
    if (error != ERROR_SUCCESS)
        return error;
    writer_u8(&writer, 0);
    if (writer_finish(&writer) != WIRE_OK)
        return ERROR_NOT_ENOUGH_MEMORY;
    error = win32_text_block((const char *)writer.data, wide, text);
    if (error == ERROR_SUCCESS && len != NULL)
        *len = (ULONG)writer.len; /* ASCII: one character a byte in both forms */
    return error;
}

BOOL WINAPI ConvertSecurityDescriptorToStringSecurityDescriptorW(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                                                 DWORD RequestedStringSDRevision,
                                                                 SECURITY_INFORMATION SecurityInformation,
                                                                 LPWSTR *StringSecurityDescriptor,
                                                                 PULONG StringSecurityDescriptorLen)
{
    cause_clear();
    return win32_answer(descriptor_to_string(SecurityDescriptor, RequestedStringSDRevision, SecurityInformation, true,
                                             (void **)StringSecurityDescriptor, StringSecurityDescriptorLen));
}

BOOL WINAPI ConvertSecurityDescriptorToStringSecurityDescriptorA(PSECURITY_DESCRIPTOR SecurityDescriptor,
                                                                 DWORD RequestedStringSDRevision,
                                                                 SECURITY_INFORMATION SecurityInformation,
                                                                 LPSTR *StringSecurityDescriptor,
                                                                 PULONG StringSecurityDescriptorLen)
{
    cause_clear();
    return win32_answer(descriptor_to_string(SecurityDescriptor, RequestedStringSDRevision, SecurityInformation, false,
                                             (void **)StringSecurityDescriptor, StringSecurityDescriptorLen));
}

BOOL WINAPI IsValidSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor)
{
    struct descriptor descriptor;
    return descriptor_of_memory(pSecurityDescriptor, &descriptor) == WIRE_OK ? TRUE : FALSE;
}

DWORD WINAPI GetSecurityDescriptorLength(PSECURITY_DESCRIPTOR pSecurityDescriptor)
{
    struct descriptor descriptor;
    if (descriptor_of_memory(pSecurityDescriptor, &descriptor) != WIRE_OK)
        return 0;
    bool relative = (descriptor.control & DESCRIPTOR_SELF_RELATIVE) != 0;
    return (DWORD)(descriptor_len(&descriptor) +
                   (relative ? 0 : sizeof(SECURITY_DESCRIPTOR) - sizeof(SECURITY_DESCRIPTOR_RELATIVE)));
}

VOID WINAPI MapGenericMask(PDWORD AccessMask, PGENERIC_MAPPING GenericMapping)
{
    const struct access_mapping mapping = {GenericMapping->GenericRead, GenericMapping->GenericWrite,
                                           GenericMapping->GenericExecute, GenericMapping->GenericAll};
    *AccessMask = access_map_generic(*AccessMask, &mapping);
}

/* The privileges that the check made use of: none. The room has to be that of one, as on Windows; there NULL with a length, or without any, is
 * ERROR_NOACCESS, too. */
static DWORD privileges_put(PRIVILEGE_SET *set, DWORD *len)
{
    if (len == NULL || (set == NULL && *len != 0))
        return ERROR_NOACCESS;
    if (*len < sizeof *set) {
        *len = sizeof *set;
        return ERROR_INSUFFICIENT_BUFFER;
    }
    set->PrivilegeCount = 0;
    set->Control = 0;
    return ERROR_SUCCESS;
}

static DWORD check_prepare(PSECURITY_DESCRIPTOR caller, const struct token *token, DWORD desired,
                           struct descriptor *descriptor)
{
    if (token->primary)
        return ERROR_NO_IMPERSONATION_TOKEN;
    if (token->level < SecurityIdentification)
        return ERROR_BAD_IMPERSONATION_LEVEL;
    if ((desired & ACCESS_GENERIC) != 0)
        return ERROR_GENERIC_NOT_MAPPED;
    if (descriptor_of_memory(caller, descriptor) != WIRE_OK || !descriptor->has_owner || !descriptor->has_group)
        return ERROR_INVALID_SECURITY_DESCR;
    return ERROR_SUCCESS;
}

BOOL WINAPI AccessCheck(PSECURITY_DESCRIPTOR pSecurityDescriptor, HANDLE ClientToken, DWORD DesiredAccess,
                        PGENERIC_MAPPING GenericMapping, PPRIVILEGE_SET PrivilegeSet, LPDWORD PrivilegeSetLength,
                        LPDWORD GrantedAccess, LPBOOL AccessStatus)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    struct descriptor descriptor;
    const struct token *token;
    uint32_t granted;
    cause_clear();
    if (GenericMapping == NULL || GrantedAccess == NULL || AccessStatus == NULL)
        return win32_answer(ERROR_INVALID_PARAMETER);
    DWORD error = win32_token_get(ClientToken, TOKEN_QUERY, &ref, &token);
    if (error == ERROR_SUCCESS)
        error = check_prepare(pSecurityDescriptor, token, DesiredAccess, &descriptor);
    if (error == ERROR_SUCCESS)
        error = privileges_put(PrivilegeSet, PrivilegeSetLength);
    if (error != ERROR_SUCCESS)
        return win32_answer(error);
    const struct access_mapping mapping = {GenericMapping->GenericRead, GenericMapping->GenericWrite,
                                           GenericMapping->GenericExecute, GenericMapping->GenericAll};
    enum access_verdict verdict = access_check(&descriptor, token, DesiredAccess, &mapping, &granted);
    *GrantedAccess = granted;
    *AccessStatus = verdict == ACCESS_GRANTED ? TRUE : FALSE;
    if (verdict != ACCESS_GRANTED)
        (void)win32_answer(verdict == ACCESS_NEEDS_PRIVILEGE ? ERROR_PRIVILEGE_NOT_HELD : ERROR_ACCESS_DENIED);
    return TRUE;
}
