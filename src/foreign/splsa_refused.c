#include "foreign/splsa_authority.h"

/*
 * What the authority is asked for and does not have here: logon sessions with credentials of packages, an account database behind OpenSamUser,
 * tokens, threads and notifications of its own, memory shared with clients or encrypted while unused, handles of other processes.
 */

#pragma GCC diagnostic ignored "-Wunused-parameter"

static NTSTATUS NTAPI no_create_logon_session(PLUID LogonId)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_delete_logon_session(PLUID LogonId)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_add_credential(PLUID LogonId, ULONG AuthenticationPackage, PLSA_STRING PrimaryKeyValue,
                                        PLSA_STRING Credentials)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_get_credentials(PLUID LogonId, ULONG AuthenticationPackage, PULONG QueryContext,
                                         BOOLEAN RetrieveAllCredentials, PLSA_STRING PrimaryKeyValue,
                                         PULONG PrimaryKeyLength, PLSA_STRING Credentials)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_delete_credential(PLUID LogonId, ULONG AuthenticationPackage, PLSA_STRING PrimaryKeyValue)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_impersonate_client(void)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_unload_package(void)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_duplicate_handle(HANDLE SourceHandle, PHANDLE DestionationHandle)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_save_supplemental_credentials(PLUID LogonId, ULONG SupplementalCredSize,
                                                       PVOID SupplementalCreds, BOOLEAN Synchronous)
{
    return STATUS_NOT_SUPPORTED;
}

static HANDLE NTAPI no_create_thread(SEC_ATTRS SecurityAttributes, ULONG StackSize, SEC_THREAD_START StartFunction,
                                     PVOID ThreadParameter, ULONG CreationFlags, PULONG ThreadId)
{
    return NULL;
}

static HANDLE NTAPI no_register_notification(SEC_THREAD_START StartFunction, PVOID Parameter, ULONG NotificationType,
                                             ULONG NotificationClass, ULONG NotificationFlags, ULONG IntervalMinutes,
                                             HANDLE WaitEvent)
{
    return NULL;
}

static NTSTATUS NTAPI no_cancel_notification(HANDLE NotifyHandle)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_create_token(PLUID LogonId, PTOKEN_SOURCE TokenSource, SECURITY_LOGON_TYPE LogonType,
                                      SECURITY_IMPERSONATION_LEVEL ImpersonationLevel,
                                      LSA_TOKEN_INFORMATION_TYPE TokenInformationType, PVOID TokenInformation,
                                      PTOKEN_GROUPS TokenGroups, PUNICODE_STRING AccountName,
                                      PUNICODE_STRING AuthorityName, PUNICODE_STRING Workstation,
                                      PUNICODE_STRING ProfilePath, PHANDLE Token, PNTSTATUS SubStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static VOID NTAPI no_audit_logon(NTSTATUS Status, NTSTATUS SubStatus, PUNICODE_STRING AccountName,
                                 PUNICODE_STRING AuthenticatingAuthority, PUNICODE_STRING WorkstationName, PSID UserSid,
                                 SECURITY_LOGON_TYPE LogonType, PTOKEN_SOURCE TokenSource, PLUID LogonId)
{
}

static NTSTATUS NTAPI no_call_package(PUNICODE_STRING AuthenticationPackage, PVOID ProtocolSubmitBuffer,
                                      ULONG SubmitBufferLength, PVOID *ProtocolReturnBuffer, PULONG ReturnBufferLength,
                                      PNTSTATUS ProtocolStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_call_package_ex(PUNICODE_STRING AuthenticationPackage, PVOID ClientBufferBase,
                                         PVOID ProtocolSubmitBuffer, ULONG SubmitBufferLength,
                                         PVOID *ProtocolReturnBuffer, PULONG ReturnBufferLength,
                                         PNTSTATUS ProtocolStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static PVOID NTAPI no_create_shared_memory(ULONG MaxSize, ULONG InitialSize)
{
    return NULL;
}

static PVOID NTAPI no_allocate_shared_memory(PVOID SharedMem, ULONG Size)
{
    return NULL;
}

static VOID NTAPI no_free_shared_memory(PVOID SharedMem, PVOID Memory) {}

static BOOLEAN NTAPI no_delete_shared_memory(PVOID SharedMem)
{
    return FALSE;
}

static NTSTATUS NTAPI no_open_sam_user(PSECURITY_STRING Name, SECPKG_NAME_TYPE NameType, PSECURITY_STRING Prefix,
                                       BOOLEAN AllowGuest, ULONG Reserved, PVOID *UserHandle)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_get_user_credentials(PVOID UserHandle, PVOID *PrimaryCreds, PULONG PrimaryCredsSize,
                                              PVOID *SupplementalCreds, PULONG SupplementalCredsSize)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_get_user_auth_data(PVOID UserHandle, PUCHAR *UserAuthData, PULONG UserAuthDataSize)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_close_sam_user(PVOID UserHandle)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_convert_auth_data_to_token(PVOID UserAuthData, ULONG UserAuthDataSize,
                                                    SECURITY_IMPERSONATION_LEVEL ImpersonationLevel,
                                                    PTOKEN_SOURCE TokenSource, SECURITY_LOGON_TYPE LogonType,
                                                    PUNICODE_STRING AuthorityName, PHANDLE Token, PLUID LogonId,
                                                    PUNICODE_STRING AccountName, PNTSTATUS SubStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_client_callback(PCHAR Callback, ULONG_PTR Argument1, ULONG_PTR Argument2, PSecBuffer Input,
                                         PSecBuffer Output)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_update_credentials(PSECPKG_PRIMARY_CRED PrimaryCredentials,
                                            PSECPKG_SUPPLEMENTAL_CRED_ARRAY Credentials)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_get_auth_data_for_user(PSECURITY_STRING Name, SECPKG_NAME_TYPE NameType,
                                                PSECURITY_STRING Prefix, PUCHAR *UserAuthData, PULONG UserAuthDataSize,
                                                PUNICODE_STRING UserFlatName)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_crack_single_name(ULONG FormatOffered, BOOLEAN PerformAtGC, PUNICODE_STRING NameInput,
                                           PUNICODE_STRING Prefix, ULONG RequestedFormat, PUNICODE_STRING CrackedName,
                                           PUNICODE_STRING DnsDomainName, PULONG SubStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_audit_account_logon(ULONG AuditId, BOOLEAN Success, PUNICODE_STRING Source,
                                             PUNICODE_STRING ClientName, PUNICODE_STRING MappedName, NTSTATUS Status)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_call_package_passthrough(PUNICODE_STRING AuthenticationPackage, PVOID ClientBufferBase,
                                                  PVOID ProtocolSubmitBuffer, ULONG SubmitBufferLength,
                                                  PVOID *ProtocolReturnBuffer, PULONG ReturnBufferLength,
                                                  PNTSTATUS ProtocolStatus)
{
    return STATUS_NOT_SUPPORTED;
}

static VOID NTAPI no_protection(PVOID Buffer, ULONG BufferSize) {}

static NTSTATUS NTAPI no_open_token_by_logon_id(PLUID LogonId, HANDLE *RetTokenHandle)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_expand_auth_data_for_domain(PUCHAR UserAuthData, ULONG UserAuthDataSize, PVOID Reserved,
                                                     PUCHAR *ExpandedAuthData, PULONG ExpandedAuthDataSize)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI no_create_token_ex(PLUID LogonId, PTOKEN_SOURCE TokenSource, SECURITY_LOGON_TYPE LogonType,
                                         SECURITY_IMPERSONATION_LEVEL ImpersonationLevel,
                                         LSA_TOKEN_INFORMATION_TYPE TokenInformationType, PVOID TokenInformation,
                                         PTOKEN_GROUPS TokenGroups, PUNICODE_STRING Workstation,
                                         PUNICODE_STRING ProfilePath, PVOID SessionInformation,
                                         SECPKG_SESSIONINFO_TYPE SessionInformationType, PHANDLE Token,
                                         PNTSTATUS SubStatus)
{
    return STATUS_NOT_SUPPORTED;
}

const LSA_SECPKG_FUNCTION_TABLE splsa_refusals = {
    .CreateLogonSession = no_create_logon_session,
    .DeleteLogonSession = no_delete_logon_session,
    .AddCredential = no_add_credential,
    .GetCredentials = no_get_credentials,
    .DeleteCredential = no_delete_credential,
    .ImpersonateClient = no_impersonate_client,
    .UnloadPackage = no_unload_package,
    .DuplicateHandle = no_duplicate_handle,
    .SaveSupplementalCredentials = no_save_supplemental_credentials,
    .CreateThread = no_create_thread,
    .RegisterNotification = no_register_notification,
    .CancelNotification = no_cancel_notification,
    .CreateToken = no_create_token,
    .AuditLogon = no_audit_logon,
    .CallPackage = no_call_package,
    .CallPackageEx = no_call_package_ex,
    .CreateSharedMemory = no_create_shared_memory,
    .AllocateSharedMemory = no_allocate_shared_memory,
    .FreeSharedMemory = no_free_shared_memory,
    .DeleteSharedMemory = no_delete_shared_memory,
    .OpenSamUser = no_open_sam_user,
    .GetUserCredentials = no_get_user_credentials,
    .GetUserAuthData = no_get_user_auth_data,
    .CloseSamUser = no_close_sam_user,
    .ConvertAuthDataToToken = no_convert_auth_data_to_token,
    .ClientCallback = no_client_callback,
    .UpdateCredentials = no_update_credentials,
    .GetAuthDataForUser = no_get_auth_data_for_user,
    .CrackSingleName = no_crack_single_name,
    .AuditAccountLogon = no_audit_account_logon,
    .CallPackagePassthrough = no_call_package_passthrough,
    .DummyFunction1 = no_protection,
    .DummyFunction2 = no_protection,
    .DummyFunction3 = no_protection,
    .LsaProtectMemory = no_protection,
    .LsaUnprotectMemory = no_protection,
    .OpenTokenByLogonId = no_open_token_by_logon_id,
    .ExpandAuthDataForDomain = no_expand_auth_data_for_domain,
    .CreateTokenEx = no_create_token_ex,
    .DummyFunction4 = no_protection,
};
