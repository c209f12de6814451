/* Security descriptors as programs build them, with pointers. Microsoft, InitializeSecurityDescriptor and its like. */
#include <winbase.h>

#include <stdbool.h>

/* What the setters change; NULL, with the last error set, for another. */
static SECURITY_DESCRIPTOR *absolute(PSECURITY_DESCRIPTOR given)
{
    SECURITY_DESCRIPTOR *descriptor = given;
    DWORD error = descriptor == NULL                                     ? ERROR_INVALID_PARAMETER
                  : descriptor->Revision != SECURITY_DESCRIPTOR_REVISION ? ERROR_UNKNOWN_REVISION
                  : (descriptor->Control & SE_SELF_RELATIVE) != 0        ? ERROR_INVALID_SECURITY_DESCR
                                                                         : ERROR_SUCCESS;
    if (error == ERROR_SUCCESS)
        return descriptor;
    SetLastError(error);
    return NULL;
}

static void control(SECURITY_DESCRIPTOR *descriptor, bool on, unsigned bit)
{
    unsigned bits = descriptor->Control & ~bit;
    descriptor->Control = (SECURITY_DESCRIPTOR_CONTROL)(on ? bits | bit : bits);
}

BOOL InitializeSecurityDescriptor(PSECURITY_DESCRIPTOR pSecurityDescriptor, DWORD dwRevision)
{
    if (pSecurityDescriptor == NULL || dwRevision != SECURITY_DESCRIPTOR_REVISION) {
        SetLastError(pSecurityDescriptor == NULL ? ERROR_INVALID_PARAMETER : ERROR_UNKNOWN_REVISION);
        return FALSE;
    }
    *(SECURITY_DESCRIPTOR *)pSecurityDescriptor = (SECURITY_DESCRIPTOR){.Revision = SECURITY_DESCRIPTOR_REVISION};
    return TRUE;
}

BOOL SetSecurityDescriptorDacl(PSECURITY_DESCRIPTOR pSecurityDescriptor, BOOL bDaclPresent, PACL pDacl,
                               BOOL bDaclDefaulted)
{
    SECURITY_DESCRIPTOR *descriptor = absolute(pSecurityDescriptor);
    if (descriptor == NULL)
        return FALSE;
    control(descriptor, bDaclPresent, SE_DACL_PRESENT);
    control(descriptor, bDaclPresent && bDaclDefaulted, SE_DACL_DEFAULTED);
    descriptor->Dacl = bDaclPresent ? pDacl : NULL;
    return TRUE;
}

static BOOL set_sid(PSECURITY_DESCRIPTOR given, PSID sid, BOOL defaulted, bool owner)
{
    SECURITY_DESCRIPTOR *descriptor = absolute(given);
    if (descriptor == NULL)
        return FALSE;
    if (sid != NULL && !IsValidSid(sid)) {
        SetLastError(ERROR_INVALID_SID);
        return FALSE;
    }
    control(descriptor, defaulted, owner ? SE_OWNER_DEFAULTED : SE_GROUP_DEFAULTED);
    *(owner ? &descriptor->Owner : &descriptor->Group) = sid;
    return TRUE;
}

BOOL SetSecurityDescriptorOwner(PSECURITY_DESCRIPTOR pSecurityDescriptor, PSID pOwner, BOOL bOwnerDefaulted)
{
    return set_sid(pSecurityDescriptor, pOwner, bOwnerDefaulted, true);
}

BOOL SetSecurityDescriptorGroup(PSECURITY_DESCRIPTOR pSecurityDescriptor, PSID pGroup, BOOL bGroupDefaulted)
{
    return set_sid(pSecurityDescriptor, pGroup, bGroupDefaulted, false);
}
