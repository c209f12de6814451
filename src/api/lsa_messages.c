#include "api/lsa.h"

#include "api/api.h"
#include "api/luid.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "lsa/logons.h"
#include <stdio.h>
#include <string.h>

/* What LsaCallAuthenticationPackage is asked. */

NTSTATUS lsa_answer_make(const struct lsa_call *call, size_t len)
{
    *call->answer = block_alloc_secret(len);
    *call->answer_len = len;
    return *call->answer != NULL ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

_Static_assert(sizeof(KERB_CHANGEPASSWORD_REQUEST) == sizeof(MSV1_0_CHANGEPASSWORD_REQUEST) &&
                   offsetof(KERB_CHANGEPASSWORD_REQUEST, NewPassword) ==
                       offsetof(MSV1_0_CHANGEPASSWORD_REQUEST, NewPassword),
               "one reader for both");

static NTSTATUS change_password(const struct lsa_call *call)
{
    MSV1_0_CHANGEPASSWORD_REQUEST request;
    AUTO_FREE char *domain = NULL, *user = NULL;
    struct slice old_password = {0}, new_password = {0};
    require(call->len >= sizeof request, STATUS_INVALID_PARAMETER);
    memcpy(&request, call->message, sizeof request);
    try(lsa_text_read(&request.DomainName, call->message, call->len, &domain));
    try(lsa_text_read(&request.AccountName, call->message, call->len, &user));
    try(lsa_units_read(&request.OldPassword, call->message, call->len, &old_password));
    try(lsa_units_read(&request.NewPassword, call->message, call->len, &new_password));
    require(*user != '\0', STATUS_INVALID_PARAMETER);
    const struct password_change change = {.config = call->config,
                                           .domain = *domain != '\0' ? domain : NULL,
                                           .user = user,
                                           .old_password = old_password,
                                           .new_password = new_password};
    SECURITY_STATUS changed = api_password_change(call->package, &change);
    require(changed != SEC_E_LOGON_DENIED, STATUS_WRONG_PASSWORD);
    require(changed == SEC_E_OK, lsa_status(changed));
    if (!text_equal_fold(call->package->info.name, "NTLM"))
        return STATUS_SUCCESS;
    MSV1_0_CHANGEPASSWORD_RESPONSE response = {.MessageType = request.MessageType};
    try(lsa_answer_make(call, sizeof response));
    memcpy(*call->answer, &response, sizeof response);
    return STATUS_SUCCESS;
}

static NTSTATUS told_find(const struct lsa_call *call, const LUID *luid, struct logon_told *told)
{
    return lsa_status(logons_describe(call->config, luid_number(luid), told)); /* 0: the caller's own, as on Windows */
}

static NTSTATUS caller_name(const struct lsa_call *call)
{
    NEGOTIATE_CALLER_NAME_REQUEST request;
    AUTO_TOLD struct logon_told told = {0};
    AUTO_FREE uint16_t *units = NULL;
    size_t n_units, len;
    require(call->len >= sizeof request, STATUS_INVALID_PARAMETER);
    memcpy(&request, call->message, sizeof request);
    try(told_find(call, &request.LogonId, &told));
    len = strlen(told.domain) + 1 + strlen(told.user) + 1;
    AUTO_FREE char *name = mem_zalloc(len);
    require(name != NULL, STATUS_NO_MEMORY);
    (void)snprintf(name, len, "%s%s%s", told.domain, *told.domain != '\0' ? "\\" : "", told.user);
    require(utf16_from_text(name, &units, &n_units) == WIRE_OK, STATUS_NO_MEMORY);
    try(lsa_answer_make(call, sizeof(NEGOTIATE_CALLER_NAME_RESPONSE) + (n_units + 1) * 2));
    NEGOTIATE_CALLER_NAME_RESPONSE *response = *call->answer;
    response->MessageType = request.MessageType;
    response->CallerName = (PWSTR)(response + 1);
    memcpy(response + 1, units, (n_units + 1) * 2);
    return STATUS_SUCCESS;
}

/* What each package that Negotiate may choose is called first in its lists: an object identifier with tag and length. */
static NTSTATUS package_prefixes(const struct lsa_call *call)
{
    const struct package *found[2] = {lsa_package(1), lsa_package(2)};
    size_t n_found = 0;
    for (size_t i = 0; i < COUNT_OF(found); i++)
        if (found[i] != NULL)
            found[n_found++] = found[i];
    try(lsa_answer_make(call, sizeof(NEGOTIATE_PACKAGE_PREFIXES) + n_found * sizeof(NEGOTIATE_PACKAGE_PREFIX)));
    NEGOTIATE_PACKAGE_PREFIXES *head = *call->answer;
    *head = (NEGOTIATE_PACKAGE_PREFIXES){
        .MessageType = NegEnumPackagePrefixes, .PrefixCount = (ULONG)n_found, .Offset = sizeof *head};
    NEGOTIATE_PACKAGE_PREFIX *prefix = (NEGOTIATE_PACKAGE_PREFIX *)(head + 1);
    for (size_t i = 0; i < n_found; i++) {
        struct slice oid = found[i]->info.mech.oid[0];
        prefix[i].PackageId = found[i] == lsa_package(1) ? 1 : 2;
        if (oid.len + 2 > NEGOTIATE_MAX_PREFIX)
            continue;
        prefix[i].Prefix[0] = 0x06;
        prefix[i].Prefix[1] = (UCHAR)oid.len;
        memcpy(prefix[i].Prefix + 2, oid.data, oid.len);
        prefix[i].PrefixLen = oid.len + 2;
    }
    return STATUS_SUCCESS;
}

static const struct {
    const char *package;
    ULONG type;
    NTSTATUS (*run)(const struct lsa_call *call);
} calls[] = {
    {"Negotiate", NegEnumPackagePrefixes, package_prefixes},
    {"Negotiate", NegGetCallerName, caller_name},
    {"Kerberos", KerbChangePasswordMessage, change_password},
    {"NTLM", MsV1_0ChangePassword, change_password},
    {"NTLM", MsV1_0ChangeCachedPassword, change_password},
    {"Kerberos", KerbQueryTicketCacheMessage, lsa_tickets_query},
    {"Kerberos", KerbQueryTicketCacheExMessage, lsa_tickets_query},
    {"Kerberos", KerbQueryTicketCacheEx2Message, lsa_tickets_query},
    {"Kerberos", KerbQueryTicketCacheEx3Message, lsa_tickets_query},
    {"Kerberos", KerbPurgeTicketCacheMessage, lsa_tickets_purge},
    {"Kerberos", KerbPurgeTicketCacheExMessage, lsa_tickets_purge_ex},
    {"Kerberos", KerbRetrieveTicketMessage, lsa_tickets_retrieve_granting},
    {"Kerberos", KerbRetrieveEncodedTicketMessage, lsa_tickets_retrieve},
};

NTSTATUS lsa_message(const struct package *package, const void *message, size_t len, void **answer, size_t *answer_len)
{
    ULONG type;
    struct lsa_call call = {
        .package = package, .message = message, .len = len, .answer = answer, .answer_len = answer_len};
    memcpy(&type, message, sizeof type);
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        if (calls[i].type != type || !text_equal_fold(calls[i].package, package->info.name))
            continue;
        SECURITY_STATUS status = lsa_config_get(&call.config);
        require(status == SEC_E_OK, lsa_status(status));
        NTSTATUS answered = calls[i].run(&call);
        config_release(call.config);
        if (answered != STATUS_SUCCESS) {
            (void)block_free(*answer);
            *answer = NULL;
            *answer_len = 0;
        }
        return answered;
    }
    return STATUS_NOT_SUPPORTED;
}
