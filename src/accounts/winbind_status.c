#include "accounts/winbind_status.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/status.h"

#define NT_ACCESS_DENIED 0xC0000022u

/* NT statuses by number; those that are in no list are refusals of this account. */
static const struct {
    uint32_t nt_status;
    SECURITY_STATUS status;
    const char *cause;
} known[] = {
    {0xC000006A, SEC_E_LOGON_DENIED, "wrong password"},
    {0xC0000064, SEC_E_LOGON_DENIED, "no such account"},
    {0xC000006D, SEC_E_LOGON_DENIED, "wrong name or password"},
    {0xC000006E, SEC_E_LOGON_DENIED, "the account's restrictions do not allow this logon"},
    {0xC000006F, SEC_E_LOGON_DENIED, "the account may not log on at this hour"},
    {0xC0000070, SEC_E_LOGON_DENIED, "the account may not log on from that workstation"},
    {0xC000015B, SEC_E_LOGON_DENIED, "the account may not log on in this way"},
    {0xC0000413, SEC_E_LOGON_DENIED, "selective authentication keeps the account away from this computer"},
    {0xC0000418, SEC_E_LOGON_DENIED, "the domain blocks NTLM"},
    {0xC00000DF, SEC_E_LOGON_DENIED, "no such domain"},
    {0xC0000198, SEC_E_LOGON_DENIED, "accounts of trusts between domains may not log on"},
    {0xC0000199, SEC_E_LOGON_DENIED, "accounts of workstations may not log on"},
    {0xC000019A, SEC_E_LOGON_DENIED, "accounts of controllers may not log on"},
    {0xC000006B, SEC_E_LOGON_DENIED, "the domain takes no such password"},
    {0xC000006C, SEC_E_LOGON_DENIED, "the new password does not meet the domain's policy, or is changed too soon"},
    {0xC0000072, STATUS_ACCOUNT_DISABLED, "the account is disabled"},
    {0xC0000193, STATUS_ACCOUNT_EXPIRED, "the account has expired"},
    {0xC0000071, STATUS_PASSWORD_EXPIRED, "the password has expired"},
    {0xC0000224, STATUS_PASSWORD_MUST_CHANGE, "the password must be changed first"},
    {0xC0000234, STATUS_ACCOUNT_LOCKED_OUT, "the account is locked out"},
    {0xC0000017, SEC_E_INSUFFICIENT_MEMORY, "winbind has no memory"},
    {0xC000009A, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller has no resources"},
    {0xC000005E, SEC_E_NO_AUTHENTICATING_AUTHORITY, "no controller of the domain answers"},
    {0xC0000233, SEC_E_NO_AUTHENTICATING_AUTHORITY, "no controller of the domain is found"},
    {0xC00000DA, SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbind cannot learn about the domain"},
    {0xC000018A, SEC_E_NO_AUTHENTICATING_AUTHORITY, "this computer has no secret for the domain: join it again"},
    {0xC000018B, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the domain has no account for this computer: join it again"},
    {0xC000018C, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the trust with the domain does not hold"},
    {0xC000018D, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the trust between this computer and its domain does not hold"},
    {0xC000019B, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the trust with the domain is not consistent"},
    {0xC0000192, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller's logon service does not run"},
    {0xC00000DC, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller is not in a state to answer"},
    {0xC00000DD, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the domain is not in a state to answer"},
    {0xC00000B5, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller did not answer winbind in time"},
    {0xC0000001, SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbind failed without a reason"},
    {0xC0000002, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller cannot do that"},
    {0xC000000D, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller found the question wrong"},
    {0xC00000E5, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller failed"},
    {0xC000020C, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the connection to the controller broke"},
    {0xC000020D, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller reset the connection"},
    {0xC0000203, SEC_E_NO_AUTHENTICATING_AUTHORITY, "winbind's session with the controller is gone"},
    {0xC0000236, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller refuses connections"},
    {0xC000023C, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller's network is out of reach"},
    {0xC000023D, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller is out of reach"},
    {0xC00000BE, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller's address is not found"},
    {0xC0000388, SEC_E_NO_AUTHENTICATING_AUTHORITY,
     "winbind's channel to the controller is not as safe as it has to be"},
    {0xC00000C4, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller answered with nonsense"},
    {0xC00000C9, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the controller's connection was taken away"},
    {0xC000014B, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the connection to the controller broke"},
    {0xC00000B0, SEC_E_NO_AUTHENTICATING_AUTHORITY, "the connection to the controller was cut"},
};

SECURITY_STATUS winbind_status_of_failure(int error, const struct wbc_failure *failure, const char *domain)
{
    uint32_t nt_status = failure != NULL ? failure->nt_status : 0;
    if ((error != WBC_AUTH_ERROR && error != WBC_PASSWORD_CHANGE_FAILED) || nt_status == 0)
        return wbclient_failed(error);
    if (nt_status == NT_ACCESS_DENIED)
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "%s; or the domain refuses this computer",
                         WBCLIENT_UNPRIVILEGED);
    const char *name = failure->nt_text != NULL ? failure->nt_text : "no word for it";
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (known[i].nt_status == nt_status)
            return cause_set(known[i].status, "domain %.64s: %s (%.64s)", domain, known[i].cause, name);
    if (nt_status >> 16 == 0xC002) /* of RPC */
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "domain %.64s: the call to the controller failed (%.64s)",
                         domain, name);
    return cause_set(SEC_E_LOGON_DENIED, "domain %.64s: the controller refuses (%.64s, 0x%08x)", domain, name,
                     (unsigned)nt_status);
}
