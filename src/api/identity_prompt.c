#include "api/api.h"

#include "api/identity.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/prompt.h"
#include "core/status.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <win32/wincred.h>

/* Failures that other credentials, or the same typed rightly, may mend. A locked or disabled account is none of them. */
static const ULONG mended_by_prompting[] = {
    ERROR_ACCESS_DENIED,
    ERROR_INVALID_PASSWORD,
    ERROR_DOWNGRADE_DETECTED,
    ERROR_NO_SUCH_LOGON_SESSION,
    ERROR_NO_SUCH_USER,
    ERROR_WRONG_PASSWORD,
    ERROR_ILL_FORMED_PASSWORD,
    ERROR_LOGON_FAILURE,
    ERROR_INVALID_LOGON_HOURS,
    ERROR_INVALID_WORKSTATION,
    ERROR_PASSWORD_EXPIRED,
    ERROR_PASSWORD_MUST_CHANGE,
    (ULONG)SEC_E_LOGON_DENIED,
    (ULONG)SEC_E_NO_CREDENTIALS,
    (ULONG)SEC_E_UNKNOWN_CREDENTIALS,
    (ULONG)SEC_E_INCOMPLETE_CREDENTIALS,
    (ULONG)SEC_E_DOWNGRADE_DETECTED,
    (ULONG)SEC_E_SMARTCARD_LOGON_REQUIRED,
    (ULONG)STATUS_PASSWORD_EXPIRED,
    (ULONG)STATUS_PASSWORD_MUST_CHANGE,
    (ULONG)STATUS_ACCESS_DENIED,
    (ULONG)STATUS_NO_SUCH_LOGON_SESSION,
    (ULONG)STATUS_NO_SUCH_USER,
    (ULONG)STATUS_WRONG_PASSWORD,
    (ULONG)STATUS_ILL_FORMED_PASSWORD,
    (ULONG)STATUS_LOGON_FAILURE,
    (ULONG)STATUS_INVALID_LOGON_HOURS,
    (ULONG)STATUS_INVALID_WORKSTATION,
    (ULONG)STATUS_DOWNGRADE_DETECTED,
};

BOOLEAN SEC_ENTRY SspiIsPromptingNeeded(ULONG ErrorOrNtStatus)
{
    for (size_t i = 0; i < COUNT_OF(mended_by_prompting); i++)
        if (mended_by_prompting[i] == ErrorOrNtStatus)
            return TRUE;
    return FALSE;
}

struct prompt_call {
    char *target, *package, *message; /* owned */
    ULONG error;
    void *input;
};

static void prompt_call_release(struct prompt_call *call)
{
    mem_free(call->target);
    mem_free(call->package);
    mem_free(call->message);
}
#define AUTO_PROMPT_CALL __attribute__((cleanup(prompt_call_release)))

static SECURITY_STATUS text_read(const void *text, bool wide, char **utf8)
{
    return wide ? api_text_from_w(text, utf8) : api_text_from_a(text, utf8);
}

/* CREDUI_INFOA and W have one layout. */
static SECURITY_STATUS texts_read(struct prompt_call *call, const void *target, const void *package,
                                  const CREDUI_INFOW *info, bool wide)
{
    require(info == NULL || info->cbSize == sizeof *info,
            cause_set(SEC_E_INVALID_PARAMETER, "CREDUI_INFO has %zu bytes", sizeof *info));
    try(text_read(target, wide, &call->target));
    try(text_read(package, wide, &call->package));
    return text_read(info != NULL ? info->pszMessageText : NULL, wide, &call->message);
}

/* Why the user is asked, and the caller's words. */
static void message_make(const struct prompt_call *call, char message[400])
{
    const char *name = OpenSspiStatusName((SECURITY_STATUS)call->error);
    char why[96] = "";
    if (call->error != 0 && *name != '\0')
        snprintf(why, sizeof why, "Signing on failed (%s). ", name);
    else if (call->error != 0)
        snprintf(why, sizeof why, "Signing on failed (error %u). ", (unsigned)call->error);
    snprintf(message, 400, "%s%.280s", why, call->message != NULL ? call->message : "");
}

/* What was typed, with "DOMAIN\user" taken apart. */
static SECURITY_STATUS answer_parts(const struct identity *answer, struct identity_parts *parts)
{
    const char *slash = strchr(answer->user, '\\');
    bool has_domain = answer->domain != NULL && *answer->domain != '\0';
    bool split = slash != NULL && !has_domain;
    mem_free(parts->user);
    mem_free(parts->domain);
    parts->user = mem_strdup(split ? slash + 1 : answer->user);
    parts->domain = has_domain ? mem_strdup(answer->domain) : NULL;
    if (split)
        parts->domain = mem_dup(answer->user, (size_t)(slash - answer->user));
    parts->flags &= ~(uint32_t)IDENTITY_PASSWORD_FORMS;
    require(parts->user != NULL && (parts->domain != NULL || !(has_domain || split)), SEC_E_INSUFFICIENT_MEMORY);
    return identity_pack_password(secret_slice(&answer->password), &parts->packed);
}

static SECURITY_STATUS prompt_run(const struct prompt_call *call, void **identity, bool *declined)
{
    AUTO_PARTS struct identity_parts parts = {0};
    AUTO_IDENTITY struct identity answer = {0};
    char message[400];
    if (call->package != NULL) {
        const struct package *package;
        try(api_package_find(call->package, &package));
        require(package->info.takes_identity || package->info.process_bound,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no use for a password", package->info.name));
    }
    if (call->input != NULL)
        try(identity_parts_read(call->input, &parts));
    message_make(call, message);
    const struct config *config;
    try(config_get(&config));
    bool named = parts.user != NULL && *parts.user != '\0';
    const struct prompt prompt = {
        .askpass = config->askpass,
        .target = call->target,
        .user = named ? parts.user : NULL,
        .domain = named ? parts.domain : NULL,
        .message = message,
    };
    SECURITY_STATUS status = prompt_ask(&prompt, &answer, declined);
    config_release(config);
    try(status);
    try(answer_parts(&answer, &parts));
    return identity_parts_write(&parts, identity);
}

static ULONG prompt_for(struct prompt_call *call, const void *target, const void *package, const void *info, bool wide,
                        void **identity, int *save, ULONG flags)
{
    cause_clear();
    if (identity == NULL || (flags & ~(ULONG)SSPIPFC_VALID_FLAGS) != 0)
        return ERROR_INVALID_PARAMETER;
    SECURITY_STATUS status = texts_read(call, target, package, info, wide);
    if (status != SEC_E_OK)
        return status == SEC_E_INSUFFICIENT_MEMORY ? (ULONG)status : ERROR_INVALID_PARAMETER;
    void *made = NULL;
    bool declined = false;
    status = prompt_run(call, &made, &declined);
    if (status == SEC_E_INVALID_PARAMETER)
        return ERROR_INVALID_PARAMETER;
    if (status == SEC_E_NO_CREDENTIALS)
        return declined ? ERROR_CANCELLED : (ULONG)SEC_E_UNSUPPORTED_FUNCTION;
    if (status != SEC_E_OK)
        return (ULONG)status;
    *identity = made;
    if (save != NULL && (flags & SSPIPFC_CREDPROV_DO_NOT_SAVE) == 0)
        *save = FALSE; /* there is no credential manager that could keep them */
    return 0;
}

ULONG SEC_ENTRY SspiPromptForCredentialsW(PCWSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCWSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags)
{
    AUTO_PROMPT_CALL struct prompt_call call = {.error = dwAuthError, .input = pInputAuthIdentity};
    return prompt_for(&call, pszTargetName, pszPackage, pUiInfo, true, ppAuthIdentity, pfSave, dwFlags);
}

ULONG SEC_ENTRY SspiPromptForCredentialsA(PCSTR pszTargetName, PVOID pUiInfo, ULONG dwAuthError, PCSTR pszPackage,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE pInputAuthIdentity,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity, int *pfSave, ULONG dwFlags)
{
    AUTO_PROMPT_CALL struct prompt_call call = {.error = dwAuthError, .input = pInputAuthIdentity};
    return prompt_for(&call, pszTargetName, pszPackage, pUiInfo, false, ppAuthIdentity, pfSave, dwFlags);
}
