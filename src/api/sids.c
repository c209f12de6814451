#include "api/win32.h"

#include "access/well_known.h"
#include "core/block.h"
#include "core/cause.h"
#include <string.h>
#include <win32/securitybaseapi.h>

/* Security identifiers in the memory of programs. */

#define ALLOCATED_SUBAUTHORITIES_MAX 8 /* what AllocateAndInitializeSid has parameters for */

static BOOL sid_header_put(void *room, const SID_IDENTIFIER_AUTHORITY *authority, BYTE count)
{
    SID *sid = room;
    sid->Revision = SID_REVISION;
    sid->SubAuthorityCount = count;
    sid->IdentifierAuthority = *authority;
    return TRUE;
}

BOOL WINAPI AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY pIdentifierAuthority, BYTE nSubAuthorityCount,
                                     DWORD nSubAuthority0, DWORD nSubAuthority1, DWORD nSubAuthority2,
                                     DWORD nSubAuthority3, DWORD nSubAuthority4, DWORD nSubAuthority5,
                                     DWORD nSubAuthority6, DWORD nSubAuthority7, PSID *pSid)
{
    const DWORD all[ALLOCATED_SUBAUTHORITIES_MAX] = {nSubAuthority0, nSubAuthority1, nSubAuthority2, nSubAuthority3,
                                                     nSubAuthority4, nSubAuthority5, nSubAuthority6, nSubAuthority7};
    cause_clear();
    if (nSubAuthorityCount > ALLOCATED_SUBAUTHORITIES_MAX || pIdentifierAuthority == NULL || pSid == NULL)
        return win32_answer(nSubAuthorityCount > ALLOCATED_SUBAUTHORITIES_MAX ? ERROR_INVALID_SID
                                                                              : ERROR_INVALID_PARAMETER);
    uint8_t *room = block_alloc(8 + 4 * (size_t)nSubAuthorityCount);
    if (room == NULL)
        return win32_answer(ERROR_NOT_ENOUGH_MEMORY);
    sid_header_put(room, pIdentifierAuthority, nSubAuthorityCount);
    memcpy(room + 8, all, 4 * (size_t)nSubAuthorityCount);
    *pSid = room;
    return TRUE;
}

PVOID WINAPI FreeSid(PSID pSid)
{
    cause_clear();
    return block_free(pSid) == SEC_E_OK ? NULL : pSid;
}

BOOL WINAPI InitializeSid(PSID Sid, PSID_IDENTIFIER_AUTHORITY pIdentifierAuthority, BYTE nSubAuthorityCount)
{
    cause_clear();
    if (Sid == NULL || pIdentifierAuthority == NULL || nSubAuthorityCount > SID_MAX_SUB_AUTHORITIES)
        return win32_answer(ERROR_INVALID_PARAMETER);
    return sid_header_put(Sid, pIdentifierAuthority, nSubAuthorityCount);
}

BOOL WINAPI CopySid(DWORD nDestinationSidLength, PSID pDestinationSid, PSID pSourceSid)
{
    struct sid sid;
    cause_clear();
    DWORD error = win32_sid_read(pSourceSid, &sid);
    if (error == ERROR_SUCCESS && pDestinationSid == NULL)
        error = ERROR_INVALID_PARAMETER;
    if (error == ERROR_SUCCESS && nDestinationSidLength < win32_sid_len(&sid))
        error = ERROR_INSUFFICIENT_BUFFER;
    if (error == ERROR_SUCCESS)
        win32_sid_put(&sid, pDestinationSid);
    return win32_answer(error);
}

static BOOL compare(PSID first, PSID second, bool (*equal)(const struct sid *a, const struct sid *b))
{
    struct sid a, b;
    cause_clear();
    if (win32_sid_read(first, &a) != ERROR_SUCCESS || win32_sid_read(second, &b) != ERROR_SUCCESS)
        return win32_answer(ERROR_INVALID_SID);
    return equal(&a, &b) ? TRUE : FALSE;
}

BOOL WINAPI EqualSid(PSID pSid1, PSID pSid2)
{
    return compare(pSid1, pSid2, sid_equal);
}

BOOL WINAPI EqualPrefixSid(PSID pSid1, PSID pSid2)
{
    return compare(pSid1, pSid2, sid_equal_prefix);
}

BOOL WINAPI IsValidSid(PSID pSid)
{
    struct sid sid;
    return win32_sid_read(pSid, &sid) == ERROR_SUCCESS ? TRUE : FALSE;
}

DWORD WINAPI GetLengthSid(PSID pSid)
{
    struct sid sid;
    return win32_sid_read(pSid, &sid) == ERROR_SUCCESS ? win32_sid_len(&sid) : 0;
}

DWORD WINAPI GetSidLengthRequired(UCHAR nSubAuthorityCount)
{
    return 8 + 4 * (DWORD)nSubAuthorityCount;
}

/* The SID itself when it is valid; else NULL and the last error. */
static SID *valid(PSID caller)
{
    struct sid sid;
    cause_clear();
    return win32_answer(win32_sid_read(caller, &sid)) ? caller : NULL;
}

PSID_IDENTIFIER_AUTHORITY WINAPI GetSidIdentifierAuthority(PSID pSid)
{
    SID *sid = valid(pSid);
    return sid != NULL ? &sid->IdentifierAuthority : NULL;
}

PDWORD WINAPI GetSidSubAuthority(PSID pSid, DWORD nSubAuthority)
{
    SID *sid = valid(pSid);
    if (sid == NULL)
        return NULL;
    return win32_answer(nSubAuthority < sid->SubAuthorityCount ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER)
               ? &sid->SubAuthority[nSubAuthority]
               : NULL;
}

PUCHAR WINAPI GetSidSubAuthorityCount(PSID pSid)
{
    SID *sid = valid(pSid);
    return sid != NULL ? &sid->SubAuthorityCount : NULL;
}

static DWORD well_known_make(WELL_KNOWN_SID_TYPE type, PSID domain, struct sid *sid)
{
    const struct well_known *known = well_known_of_type((int)type);
    if (known == NULL)
        return ERROR_INVALID_PARAMETER;
    *sid = known->sid;
    if (known->rid == 0)
        return ERROR_SUCCESS;
    if (domain == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = win32_sid_read(domain, sid);
    if (error == ERROR_SUCCESS && sid_append(sid, known->rid) != WIRE_OK)
        error = ERROR_INVALID_SID;
    return error;
}

static DWORD well_known_put(WELL_KNOWN_SID_TYPE type, PSID domain, PSID room, DWORD *len)
{
    struct sid sid;
    if (len == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = well_known_make(type, domain, &sid);
    if (error != ERROR_SUCCESS)
        return error;
    DWORD needed = win32_sid_len(&sid), had = *len;
    *len = needed;
    if (room == NULL || had < needed)
        return ERROR_INSUFFICIENT_BUFFER;
    win32_sid_put(&sid, room);
    return ERROR_SUCCESS;
}

BOOL WINAPI CreateWellKnownSid(WELL_KNOWN_SID_TYPE WellKnownSidType, PSID DomainSid, PSID pSid, DWORD *cbSid)
{
    cause_clear();
    return win32_answer(well_known_put(WellKnownSidType, DomainSid, pSid, cbSid));
}

BOOL WINAPI IsWellKnownSid(PSID pSid, WELL_KNOWN_SID_TYPE WellKnownSidType)
{
    const struct well_known *known = well_known_of_type((int)WellKnownSidType);
    struct sid sid, domain;
    if (known == NULL || win32_sid_read(pSid, &sid) != ERROR_SUCCESS)
        return FALSE;
    if (known->rid == 0)
        return sid_equal(&sid, &known->sid) ? TRUE : FALSE;
    return sid_domain(&sid, &domain) == WIRE_OK && sid.subauthority[sid.n_subauthorities - 1] == known->rid ? TRUE
                                                                                                            : FALSE;
}
