#include "api/win32.h"

#include "access/impersonation.h"
#include "access/names.h"
#include "access/token_build.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include <secext.h>
#include <stdio.h>
#include <string.h>
#include <win32/winbase.h>

/* Names of accounts: LookupAccountSid and LookupAccountName, GetUserNameEx and its kin. */

/* Where the caller wants a name, its domain and its kind. */
struct name_out {
    bool wide;
    void *name;
    ULONG *n_name;
    void *domain;
    ULONG *n_domain;
    SID_NAME_USE *use;
};

/* Nothing is written unless all fits; then both lengths tell the room that is needed. LookupAccountName wants the domain alone. */
static DWORD name_put(const struct sid_name *found, const struct name_out *out)
{
    AUTO_WIN32_TEXT struct win32_text name = {0}, domain = {0};
    DWORD error = win32_text_make(found->domain, out->wide, &domain);
    if (error == ERROR_SUCCESS && out->n_name != NULL)
        error = win32_text_make(found->name, out->wide, &name);
    if (error != ERROR_SUCCESS)
        return error;
    bool fits = out->domain != NULL && domain.len < *out->n_domain &&
                (out->n_name == NULL || (out->name != NULL && name.len < *out->n_name));
    *out->n_domain = (ULONG)(domain.len + (fits ? 0 : 1));
    if (out->n_name != NULL)
        *out->n_name = (ULONG)(name.len + (fits ? 0 : 1));
    if (!fits)
        return ERROR_INSUFFICIENT_BUFFER;
    win32_text_copy(&domain, out->domain);
    if (out->n_name != NULL)
        win32_text_copy(&name, out->name);
    *out->use = (SID_NAME_USE)found->use;
    return ERROR_SUCCESS;
}

static DWORD system_check(const void *system, bool wide)
{
    bool empty = system == NULL || (wide ? *(const WCHAR *)system == 0 : *(const char *)system == 0);
    return empty ? ERROR_SUCCESS : ERROR_NOT_SUPPORTED; /* other computers are not asked */
}

static DWORD sid_look_up(const struct sid *sid, struct sid_name *found)
{
    AS_PROCESS_SCOPE;
    const struct config *config;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return win32_error_of(status);
    status = names_of_sid(config, sid, found);
    config_release(config);
    return win32_error_of(status);
}

static DWORD account_of_sid(const void *system, PSID caller, const struct name_out *out)
{
    AUTO_SID_NAME struct sid_name found = {0};
    struct sid sid;
    if (out->n_name == NULL || out->n_domain == NULL || out->use == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = system_check(system, out->wide);
    if (error == ERROR_SUCCESS)
        error = win32_sid_read(caller, &sid);
    if (error == ERROR_SUCCESS)
        error = sid_look_up(&sid, &found);
    return error == ERROR_SUCCESS ? name_put(&found, out) : error;
}

BOOL WINAPI LookupAccountSidW(LPCWSTR lpSystemName, PSID Sid, LPWSTR Name, LPDWORD cchName, LPWSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse)
{
    cause_clear();
    return win32_answer(
        account_of_sid(lpSystemName, Sid,
                       &(struct name_out){true, Name, cchName, ReferencedDomainName, cchReferencedDomainName, peUse}));
}

BOOL WINAPI LookupAccountSidA(LPCSTR lpSystemName, PSID Sid, LPSTR Name, LPDWORD cchName, LPSTR ReferencedDomainName,
                              LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse)
{
    cause_clear();
    return win32_answer(
        account_of_sid(lpSystemName, Sid,
                       &(struct name_out){false, Name, cchName, ReferencedDomainName, cchReferencedDomainName, peUse}));
}

static DWORD name_look_up(const void *text, bool wide, struct sid *sid, struct sid_name *found)
{
    AS_PROCESS_SCOPE;
    AUTO_FREE char *name = NULL;
    const struct config *config;
    DWORD error = win32_text_read(text, wide, &name);
    if (error != ERROR_SUCCESS || name == NULL)
        return error != ERROR_SUCCESS ? error : ERROR_INVALID_PARAMETER;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return win32_error_of(status);
    status = names_to_sid(config, name, sid, found);
    config_release(config);
    return win32_error_of(status);
}

static DWORD sid_of_account(const void *system, const void *name, PSID room, DWORD *len, const struct name_out *out)
{
    AUTO_SID_NAME struct sid_name found = {0};
    struct sid sid = {0};
    if (len == NULL || out->n_domain == NULL || out->use == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = system_check(system, out->wide);
    if (error == ERROR_SUCCESS)
        error = name_look_up(name, out->wide, &sid, &found);
    if (error != ERROR_SUCCESS)
        return error;
    DWORD needed = win32_sid_len(&sid);
    bool fits = room != NULL && *len >= needed;
    *len = needed;
    if (!fits) /* the domain's room is told in the same call */
        return name_put(&found, &(struct name_out){out->wide, NULL, NULL, NULL, out->n_domain, out->use});
    error = name_put(&found, out);
    if (error == ERROR_SUCCESS)
        win32_sid_put(&sid, room);
    return error;
}

BOOL WINAPI LookupAccountNameW(LPCWSTR lpSystemName, LPCWSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPWSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse)
{
    cause_clear();
    return win32_answer(
        sid_of_account(lpSystemName, lpAccountName, Sid, cbSid,
                       &(struct name_out){true, NULL, NULL, ReferencedDomainName, cchReferencedDomainName, peUse}));
}

BOOL WINAPI LookupAccountNameA(LPCSTR lpSystemName, LPCSTR lpAccountName, PSID Sid, LPDWORD cbSid,
                               LPSTR ReferencedDomainName, LPDWORD cchReferencedDomainName, PSID_NAME_USE peUse)
{
    cause_clear();
    return win32_answer(
        sid_of_account(lpSystemName, lpAccountName, Sid, cbSid,
                       &(struct name_out){false, NULL, NULL, ReferencedDomainName, cchReferencedDomainName, peUse}));
}

/* secext.h tells of a domain that cannot be asked in words of its own. */
static DWORD directory_error(SECURITY_STATUS status)
{
    DWORD error = win32_error_of(status);
    return error == ERROR_NO_LOGON_SERVERS ? ERROR_NO_SUCH_DOMAIN : error;
}

/* secext.h: who, in which words. */
struct person {
    const char *domain, *account, *principal; /* principal: "user@REALM", or NULL */
};

static bool format_is_known(EXTENDED_NAME_FORMAT format)
{
    return format == NameFullyQualifiedDN || format == NameSamCompatible || format == NameDisplay ||
           (format >= NameUniqueId && format <= NameServicePrincipal) ||
           (format >= NameDnsDomain && format <= NameSurname);
}

static SECURITY_STATUS joined(const char *first, char between, const char *second, char **text)
{
    size_t len = strlen(first) + strlen(second) + 2;
    *text = mem_zalloc(len);
    require(*text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    snprintf(*text, len, "%s%c%s", first, between, second);
    return SEC_E_OK;
}

/* The DNS domain of an account: a Kerberos realm, or that of this computer's own domain. NULL: unknown. */
static const char *dns_of(const struct config *config, const struct person *person)
{
    const char *at = person->principal != NULL ? strrchr(person->principal, '@') : NULL;
    if (at != NULL)
        return at + 1;
    bool own = text_equal_fold(person->domain, config->domain) && !text_equal_fold(config->domain, config->computer);
    return own ? config->dns_domain : NULL;
}

/* NULL text: there is no name of this form. */
static SECURITY_STATUS person_name(const struct config *config, const struct person *person,
                                   EXTENDED_NAME_FORMAT format, char **text)
{
    const char *dns = dns_of(config, person);
    *text = NULL;
    switch (format) {
    case NameSamCompatible:
        return joined(person->domain, '\\', person->account, text);
    case NameDisplay:
        return names_full_name(config, person->domain, person->account, text);
    case NameUserPrincipal:
        if (person->principal != NULL) {
            *text = mem_strdup(person->principal);
            return *text != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
        }
        return dns != NULL ? joined(person->account, '@', dns, text) : SEC_E_OK;
    case NameDnsDomain:
        return dns != NULL ? joined(dns, '\\', person->account, text) : SEC_E_OK;
    default: /* what only a directory knows */
        return SEC_E_OK;
    }
}

static DWORD name_deliver(const char *text, bool wide, void *room, ULONG *n, DWORD small)
{
    if (text == NULL || *text == '\0')
        return ERROR_NONE_MAPPED;
    return win32_text_put(text, wide, room, n, small, small == ERROR_INSUFFICIENT_BUFFER);
}

/* A domain's own name for the client is winbind's to tell; else the package's word stands. */
static SECURITY_STATUS user_name(const struct config *config, const struct token *token, EXTENDED_NAME_FORMAT format,
                                 char **text)
{
    AUTO_SID_NAME struct sid_name found = {0};
    const struct token_facts *facts = token->facts;
    struct person person = {facts->domain != NULL ? facts->domain : "", facts->account, facts->principal};
    *text = NULL;
    require(person.account != NULL, SEC_E_OK);
    if (person.principal != NULL && format == NameSamCompatible) {
        SECURITY_STATUS status = names_of_sid(config, &facts->user, &found);
        require(status == SEC_E_OK || status == SEC_E_TARGET_UNKNOWN, status);
        if (status == SEC_E_OK) {
            person.domain = found.domain;
            person.account = found.name;
        }
        cause_clear();
    }
    return person_name(config, &person, format, text);
}

static DWORD user_name_get(EXTENDED_NAME_FORMAT format, bool wide, void *room, ULONG *n)
{
    AS_PROCESS_SCOPE;
    AUTO_TOKEN const struct token *token = token_retain(impersonation_current());
    AUTO_FREE char *text = NULL;
    const struct config *config;
    if (n != NULL && format == NameUnknown) /* as on Windows, and other than for a computer */
        return ERROR_NO_SUCH_USER;
    if (n == NULL || !format_is_known(format))
        return ERROR_INVALID_PARAMETER;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return directory_error(status);
    if (token == NULL)
        status = token_of_process(config, &token);
    if (status == SEC_E_OK)
        status = user_name(config, token, format, &text);
    config_release(config);
    return status == SEC_E_OK ? name_deliver(text, wide, room, n, ERROR_MORE_DATA) : directory_error(status);
}

BOOLEAN SEC_ENTRY GetUserNameExW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize)
{
    cause_clear();
    return win32_answer(user_name_get(NameFormat, true, lpNameBuffer, nSize)) ? TRUE : FALSE;
}

BOOLEAN SEC_ENTRY GetUserNameExA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize)
{
    cause_clear();
    return win32_answer(user_name_get(NameFormat, false, lpNameBuffer, nSize)) ? TRUE : FALSE;
}

/* A computer whose domain is itself is in none. */
static DWORD computer_name_of(const struct config *config, EXTENDED_NAME_FORMAT format, bool wide, void *room, ULONG *n)
{
    AUTO_FREE char *text = NULL;
    char account[64];
    if (text_equal_fold(config->domain, config->computer))
        return ERROR_CANT_ACCESS_DOMAIN_INFO;
    snprintf(account, sizeof account, "%.60s$", config->computer);
    const struct person person = {config->domain, account, NULL};
    SECURITY_STATUS status = SEC_E_OK;
    if (format == NameDisplay)
        text = mem_strdup(account);
    else if (format != NameUserPrincipal) /* computers have none as a rule, and a directory would have to say */
        status = person_name(config, &person, format, &text);
    return status == SEC_E_OK ? name_deliver(text, wide, room, n, ERROR_MORE_DATA) : directory_error(status);
}

static DWORD computer_name_get(EXTENDED_NAME_FORMAT format, bool wide, void *room, ULONG *n)
{
    AS_PROCESS_SCOPE;
    const struct config *config;
    if (n == NULL || !format_is_known(format))
        return ERROR_INVALID_PARAMETER;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return directory_error(status);
    ULONG none =
        0; /* without room whatever *n says; and then another error than that of too little (GetComputerObjectName's reference) */
    DWORD error = computer_name_of(config, format, wide, room, room != NULL ? n : &none);
    config_release(config);
    if (room != NULL || error != ERROR_MORE_DATA)
        return error;
    *n = none;
    return ERROR_INSUFFICIENT_BUFFER;
}

BOOLEAN SEC_ENTRY GetComputerObjectNameW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize)
{
    cause_clear();
    return win32_answer(computer_name_get(NameFormat, true, lpNameBuffer, nSize)) ? TRUE : FALSE;
}

BOOLEAN SEC_ENTRY GetComputerObjectNameA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize)
{
    cause_clear();
    return win32_answer(computer_name_get(NameFormat, false, lpNameBuffer, nSize)) ? TRUE : FALSE;
}

/* Does the name have the form that the caller says? NameUnknown is any that can be read here. */
static bool form_fits(const char *name, EXTENDED_NAME_FORMAT format)
{
    switch (format) {
    case NameUnknown:
        return true;
    case NameSamCompatible:
    case NameDnsDomain:
        return strchr(name, '\\') != NULL;
    case NameUserPrincipal:
        return strchr(name, '@') != NULL && strchr(name, '\\') == NULL;
    default:
        return false;
    }
}

static SECURITY_STATUS translate(const struct config *config, const char *name, EXTENDED_NAME_FORMAT format,
                                 EXTENDED_NAME_FORMAT wanted, char **text)
{
    AUTO_SID_NAME struct sid_name found = {0};
    struct sid sid;
    *text = NULL;
    require(form_fits(name, format), SEC_E_OK);
    try(names_to_sid(config, name, &sid, &found));
    const struct person person = {found.domain, found.name, NULL};
    return person_name(config, &person, wanted, text);
}

struct translation {
    const void *name;
    EXTENDED_NAME_FORMAT format, wanted;
    bool wide;
    void *room;
    ULONG *n;
};

static DWORD name_translate(const struct translation *call)
{
    AS_PROCESS_SCOPE;
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *text = NULL;
    const struct config *config;
    if (call->n == NULL || call->name == NULL || !format_is_known(call->wanted) ||
        (call->format != NameUnknown && !format_is_known(call->format)))
        return ERROR_INVALID_PARAMETER;
    DWORD error = win32_text_read(call->name, call->wide, &name);
    if (error != ERROR_SUCCESS)
        return error;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return directory_error(status);
    status = translate(config, name, call->format, call->wanted, &text);
    config_release(config);
    if (status != SEC_E_OK)
        return directory_error(status);
    bool asks = call->room == NULL && *call->n == 0; /* for the size, which succeeds here */
    error = name_deliver(text, call->wide, call->room, call->n, ERROR_INSUFFICIENT_BUFFER);
    return asks && error == ERROR_INSUFFICIENT_BUFFER ? ERROR_SUCCESS : error;
}

BOOLEAN SEC_ENTRY TranslateNameW(LPCWSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPWSTR lpTranslatedName, PULONG nSize)
{
    cause_clear();
    return win32_answer(name_translate(&(struct translation){lpAccountName, AccountNameFormat, DesiredNameFormat, true,
                                                             lpTranslatedName, nSize}))
               ? TRUE
               : FALSE;
}

BOOLEAN SEC_ENTRY TranslateNameA(LPCSTR lpAccountName, EXTENDED_NAME_FORMAT AccountNameFormat,
                                 EXTENDED_NAME_FORMAT DesiredNameFormat, LPSTR lpTranslatedName, PULONG nSize)
{
    cause_clear();
    return win32_answer(name_translate(&(struct translation){lpAccountName, AccountNameFormat, DesiredNameFormat, false,
                                                             lpTranslatedName, nSize}))
               ? TRUE
               : FALSE;
}
