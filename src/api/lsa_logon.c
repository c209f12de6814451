#include "api/lsa.h"

#include "access/impersonation.h"
#include "access/token_handle.h"
#include "api/api.h"
#include "api/luid.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/identity.h"
#include "core/trace.h"
#include "lsa/logon.h"
#include "lsa/logons.h"
#include <stdio.h>
#include <string.h>
#include <win32/winnt.h>

/* LsaLogonUser. */

#define TEXT_BYTES_MAX 2048 /* as for the identities of AcquireCredentialsHandle */

NTSTATUS lsa_bytes_read(const STRING *bytes, const void *block, size_t block_len, struct slice *given)
{
    uintptr_t start = (uintptr_t)block, at = (uintptr_t)bytes->Buffer;
    *given = (struct slice){0};
    if (bytes->Length == 0) {
        *given = slice_of("", 0);
        return STATUS_SUCCESS;
    }
    require(at != 0, STATUS_INVALID_PARAMETER);
    if (at < block_len) /* an offset; no program has memory that low */
        at += start;
    require(at >= start && at - start <= block_len && block_len - (at - start) >= bytes->Length,
            STATUS_INVALID_PARAMETER);
    *given = slice_of((const uint8_t *)block + (at - start), bytes->Length);
    return STATUS_SUCCESS;
}

NTSTATUS lsa_units_read(const UNICODE_STRING *text, const void *block, size_t block_len, struct slice *units)
{
    const STRING bytes = {.Length = text->Length, .Buffer = (void *)text->Buffer};
    require(text->Length % 2 == 0 && text->Length <= TEXT_BYTES_MAX, STATUS_INVALID_PARAMETER);
    return lsa_bytes_read(&bytes, block, block_len, units);
}

NTSTATUS lsa_text_read(const UNICODE_STRING *text, const void *block, size_t block_len, char **utf8)
{
    struct slice units;
    try(lsa_units_read(text, block, block_len, &units));
    return utf16le_to_text(units, utf8) == WIRE_OK ? STATUS_SUCCESS : lsa_status(SEC_E_INVALID_TOKEN);
}

/* The two packages' structures for a name and a password are one. */
_Static_assert(sizeof(KERB_INTERACTIVE_LOGON) == sizeof(MSV1_0_INTERACTIVE_LOGON) &&
                   offsetof(KERB_INTERACTIVE_LOGON, Password) == offsetof(MSV1_0_INTERACTIVE_LOGON, Password) &&
                   (int)KerbInteractiveLogon == (int)MsV1_0InteractiveLogon,
               "one reader for both");

static NTSTATUS password_read(const void *information, size_t len, struct identity *identity)
{
    MSV1_0_INTERACTIVE_LOGON logon;
    struct slice password = {0};
    require(len >= sizeof logon, STATUS_INVALID_PARAMETER);
    memcpy(&logon, information, sizeof logon);
    try(lsa_text_read(&logon.UserName, information, len, &identity->user));
    try(lsa_text_read(&logon.LogonDomainName, information, len, &identity->domain));
    try(lsa_units_read(&logon.Password, information, len, &password));
    identity->has_password = true;
    return password.len == 0 || secret_set(&identity->password, password.data, password.len) ? STATUS_SUCCESS
                                                                                             : STATUS_NO_MEMORY;
}

/* MS-SFU: "ClientUpn" alone, or with the realm. The hours of an account no KDC says. */
static NTSTATUS s4u_read(const void *information, size_t len, struct identity *identity, bool *identify)
{
    KERB_S4U_LOGON logon;
    require(len >= sizeof logon, STATUS_INVALID_PARAMETER);
    memcpy(&logon, information, sizeof logon);
    require((logon.Flags & ~(ULONG)KERB_S4U_LOGON_FLAG_IDENTIFY) == 0, STATUS_NOT_SUPPORTED);
    *identify = logon.Flags != 0;
    AUTO_FREE char *name = NULL, *realm = NULL;
    try(lsa_text_read(&logon.ClientUpn, information, len, &name));
    try(lsa_text_read(&logon.ClientRealm, information, len, &realm));
    require(*name != '\0', STATUS_INVALID_PARAMETER);
    bool whole = *realm == '\0' || strchr(name, '@') != NULL;
    AUTO_WRITER struct writer full = writer_growing(strlen(name) + strlen(realm) + 2);
    writer_bytes(&full, name, strlen(name));
    if (!whole) {
        writer_u8(&full, '@');
        writer_bytes(&full, realm, strlen(realm));
    }
    writer_u8(&full, 0);
    require(writer_finish(&full) == WIRE_OK, STATUS_NO_MEMORY);
    identity->user = mem_dup(full.data, full.len - 1);
    return identity->user != NULL ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

struct logon {
    const struct package *package;
    struct identity identity;
    enum session_logon type;
    const TOKEN_SOURCE *source;
    bool trusted;  /* the connection is that of a logon process */
    bool identify; /* a token that says who somebody is, and no more, was asked for */
    bool wants_profile;
    uint64_t id;
    HANDLE token;
    void *profile;
    size_t profile_len;
};

static NTSTATUS information_read(const void *information, size_t len, struct logon *logon)
{
    const char *package = logon->package->info.name;
    struct identity *identity = &logon->identity;
    ULONG type;
    require(information != NULL && len >= sizeof type, STATUS_INVALID_PARAMETER);
    memcpy(&type, information, sizeof type);
    if (type == MsV1_0InteractiveLogon)
        return password_read(information, len, identity);
    if ((type == MsV1_0Lm20Logon || type == MsV1_0NetworkLogon) && text_equal_fold(package, "NTLM"))
        return lsa_response_read(information, len, identity);
    if (type == KerbS4ULogon && text_equal_fold(package, "Kerberos"))
        return s4u_read(information, len, identity, &logon->identify);
    return STATUS_BAD_VALIDATION_CLASS;
}

static bool type_of(SECURITY_LOGON_TYPE asked, enum session_logon *type)
{
    switch (asked) {
    case Interactive:
        *type = SESSION_INTERACTIVE;
        return true;
    case Network:
    case NetworkCleartext:
        *type = SESSION_NETWORK;
        return true;
    case NewCredentials:
        *type = SESSION_NEW_CREDENTIALS;
        return true;
    default:
        return false;
    }
}

/* "SubStatus" tells of a restriction of an account whose password was right (LsaLogonUser's reference). */
static NTSTATUS verdict(SECURITY_STATUS status, PNTSTATUS substatus)
{
    NTSTATUS told = lsa_status(status);
    bool restricted =
        told == STATUS_ACCOUNT_DISABLED || told == STATUS_PASSWORD_EXPIRED || told == STATUS_ACCOUNT_EXPIRED;
    if (substatus != NULL)
        *substatus = restricted ? told : STATUS_SUCCESS;
    return restricted ? STATUS_ACCOUNT_RESTRICTION : told;
}

/* By a service's word alone, which proves nothing of the user's. */
static bool is_s4u(const struct logon *logon)
{
    return identity_kind(&logon->identity) == IDENTITY_NAME;
}

/* Who passes a response on gets its session's key. Neither that nor a service's word leaves anything of the user's that a session could keep. */
static NTSTATUS kind_check(const struct logon *logon)
{
    bool response = logon->identity.proof_kind == IDENTITY_RESPONSE;
    require(!response || logon->trusted, STATUS_PRIVILEGE_NOT_HELD);
    require((!response && !is_s4u(logon)) || logon->type == SESSION_NETWORK, STATUS_INVALID_LOGON_TYPE);
    return STATUS_SUCCESS;
}

/* Interactive logons give primary tokens. Who acts on a service's word alone learns who somebody is; to be that somebody takes a logon process
 * (LsaLogonUser's reference, KERB_S4U_LOGON). New credentials make nobody else of the caller. */
static SECURITY_STATUS token_make(struct logon *logon, const struct config *config, struct logon_proof *proof)
{
    bool s4u = is_s4u(logon), acts = !s4u || (logon->trusted && !logon->identify);
    const struct logon_request wanted = {
        .config = config,
        .identity = &logon->identity,
        .logon = logon->type == SESSION_INTERACTIVE ? TOKEN_LOGON_INTERACTIVE : TOKEN_LOGON_NETWORK,
        .primary = logon->type == SESSION_INTERACTIVE,
        .level = acts ? SecurityImpersonation : SecurityIdentification,
    };
    if (s4u && acts) { /* what it may get in the user's name it gets with its own credential */
        const struct acquire_request service = {.config = config, .use = SECPKG_CRED_INBOUND};
        try(authority()->acquire(logon->package, &service, &proof->service));
    }
    const struct token *token;
    SecHandle handle;
    try(logon->type == SESSION_NEW_CREDENTIALS ? token_of_process(config, &token)
                                               : logon_token(&wanted, proof, &token));
    token_attribute(token, logon->id, logon->source != NULL ? logon->source->SourceName : NULL,
                    sizeof logon->source->SourceName);
    try(token_handle_create(token, TOKEN_ALL_ACCESS, &handle));
    logon->token = handle_pack(&handle);
    return SEC_E_OK;
}

static SECURITY_STATUS log_on(struct logon *logon)
{
    AS_PROCESS_SCOPE;
    const struct config *config;
    const struct identity *identity = &logon->identity;
    AUTO_PROOF struct logon_proof proof = {.keeps = logon->type == SESSION_INTERACTIVE};
    try(config_get(&config));
    SECURITY_STATUS status = logons_log_on(config, logon->package, identity, logon->type, &logon->id, &proof);
    if (status == SEC_E_OK) {
        if (logon->identity.proof_kind == IDENTITY_RESPONSE && logon->wants_profile)
            status = lsa_response_profile(writer_slice_of(&proof.record), &logon->profile, &logon->profile_len);
        if (status == SEC_E_OK)
            status = token_make(logon, config, &proof);
        if (status != SEC_E_OK) { /* nobody would know of the session */
            char cause[CAUSE_TEXT_MAX];
            snprintf(cause, sizeof cause, "%s", cause_text());
            (void)logons_log_off(config, logon->id);
            status = cause_set(status, "%s", cause);
        }
    }
    config_release(config);
    TRACE("logon", "%s\\%s by %s: 0x%08x", identity->domain != NULL ? identity->domain : "",
          identity->user != NULL ? identity->user : "", logon->package->info.name, (unsigned)status);
    return status;
}

NTSTATUS NTAPI LsaLogonUser(HANDLE LsaHandle, PLSA_STRING OriginName, SECURITY_LOGON_TYPE LogonType,
                            ULONG AuthenticationPackage, PVOID AuthenticationInformation,
                            ULONG AuthenticationInformationLength, PTOKEN_GROUPS LocalGroups,
                            PTOKEN_SOURCE SourceContext, PVOID *ProfileBuffer, PULONG ProfileBufferLength,
                            PLUID LogonId, PHANDLE Token, PQUOTA_LIMITS Quotas, PNTSTATUS SubStatus)
{
    struct logon logon = {.source = SourceContext, .wants_profile = ProfileBuffer != NULL};
    (void)OriginName;
    cause_clear();
    require(lsa_is_connected(LsaHandle, &logon.trusted), STATUS_INVALID_HANDLE);
    logon.package = lsa_package(AuthenticationPackage);
    require(logon.package != NULL, STATUS_NO_SUCH_PACKAGE);
    require(LogonId != NULL && Token != NULL, STATUS_INVALID_PARAMETER);
    require(LocalGroups == NULL, STATUS_NOT_SUPPORTED); /* docs/lsa.md: a token has the groups that its user has */
    require(type_of(LogonType, &logon.type), STATUS_NOT_SUPPORTED);
    NTSTATUS status = information_read(AuthenticationInformation, AuthenticationInformationLength, &logon);
    if (status == STATUS_SUCCESS)
        status = kind_check(&logon);
    if (status == STATUS_SUCCESS)
        status = verdict(log_on(&logon), SubStatus);
    identity_release(&logon.identity);
    if (status != STATUS_SUCCESS) {
        (void)block_free(logon.profile);
        return status;
    }
    *LogonId = luid_of(logon.id);
    *Token = logon.token;
    if (ProfileBuffer != NULL)
        *ProfileBuffer = logon.profile;
    if (ProfileBufferLength != NULL)
        *ProfileBufferLength = (ULONG)logon.profile_len;
    if (Quotas != NULL)
        *Quotas = (QUOTA_LIMITS){0};
    return STATUS_SUCCESS;
}
