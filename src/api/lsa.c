#include "api/lsa.h"

#include "access/impersonation.h"
#include "api/api.h"
#include "api/luid.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/registry.h"
#include "lsa/logons.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Connections to the authority, and logon sessions. A connection says nothing that the daemon would not ask the kernel: it is a number to be given
 * back. */

#define CONNECTIONS_MAX 4096 /* a process that has more forgets to end them */
#define PROCESS_NAME_MAX 127
#define PACKAGE_NAME_MAX 127

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the three below */
static uint16_t serial[CONNECTIONS_MAX];                 /* odd: in use */
static bool of_logon_process[CONNECTIONS_MAX];
static unsigned first_free;

FORK_GUARD(lock, FORK_RANK_LSA)

static HANDLE handle_of(unsigned index)
{
    return (HANDLE)(uintptr_t)((((uintptr_t)serial[index] << 16) | (index + 1)) << 2); /* a multiple of 4, never 0 */
}

static bool handle_index(HANDLE handle, unsigned *index)
{
    uintptr_t value = (uintptr_t)handle;
    uintptr_t low = (value >> 2 & 0xffff) - 1;
    require((value & 3) == 0 && low < CONNECTIONS_MAX && (serial[low] & 1) != 0 && handle_of((unsigned)low) == handle,
            false);
    *index = (unsigned)low;
    return true;
}

static NTSTATUS connect_to(PHANDLE handle, bool trusted)
{
    unsigned index;
    require(handle != NULL, STATUS_INVALID_PARAMETER);
    api_start();
    pthread_mutex_lock(&lock);
    for (index = first_free; index < CONNECTIONS_MAX && (serial[index] & 1) != 0; index++)
        ;
    if (index < CONNECTIONS_MAX) {
        serial[index]++;
        of_logon_process[index] = trusted;
        first_free = index + 1;
        *handle = handle_of(index);
    }
    pthread_mutex_unlock(&lock);
    return index < CONNECTIONS_MAX ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

bool lsa_is_connected(HANDLE handle, bool *trusted)
{
    unsigned index;
    pthread_mutex_lock(&lock);
    bool found = handle_index(handle, &index);
    if (found && trusted != NULL)
        *trusted = of_logon_process[index];
    pthread_mutex_unlock(&lock);
    return found;
}

NTSTATUS NTAPI LsaConnectUntrusted(PHANDLE LsaHandle)
{
    cause_clear();
    return connect_to(LsaHandle, false);
}

NTSTATUS NTAPI LsaRegisterLogonProcess(PLSA_STRING LogonProcessName, PHANDLE LsaHandle,
                                       PLSA_OPERATIONAL_MODE SecurityMode)
{
    cause_clear();
    require(LogonProcessName != NULL && LogonProcessName->Length > 0 && LogonProcessName->Buffer != NULL,
            STATUS_INVALID_PARAMETER);
    require(LogonProcessName->Length <= PROCESS_NAME_MAX, STATUS_NAME_TOO_LONG);
    require(geteuid() == 0, STATUS_PORT_CONNECTION_REFUSED); /* what SeTcbPrivilege is on Windows */
    NTSTATUS status = connect_to(LsaHandle, true);
    if (status == STATUS_SUCCESS && SecurityMode != NULL)
        *SecurityMode = LSA_MODE_PASSWORD_PROTECTED | LSA_MODE_INDIVIDUAL_ACCOUNTS;
    return status;
}

NTSTATUS NTAPI LsaDeregisterLogonProcess(HANDLE LsaHandle)
{
    unsigned index;
    cause_clear();
    pthread_mutex_lock(&lock);
    bool found = handle_index(LsaHandle, &index);
    if (found) {
        serial[index]++;
        if (index < first_free)
            first_free = index;
    }
    pthread_mutex_unlock(&lock);
    return found ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

NTSTATUS lsa_status(SECURITY_STATUS status)
{
    static const struct {
        SECURITY_STATUS from;
        NTSTATUS to;
    } table[] = {
        {SEC_E_OK, STATUS_SUCCESS},
        {SEC_E_LOGON_DENIED, STATUS_LOGON_FAILURE},
        {SEC_E_NO_AUTHENTICATING_AUTHORITY, STATUS_NO_LOGON_SERVERS},
        {SEC_E_INSUFFICIENT_MEMORY, STATUS_NO_MEMORY},
        {SEC_E_UNSUPPORTED_FUNCTION, STATUS_NOT_SUPPORTED},
        {SEC_E_INVALID_HANDLE, STATUS_NO_SUCH_LOGON_SESSION},
        {SEC_E_UNKNOWN_CREDENTIALS, STATUS_LOGON_FAILURE},
        {SEC_E_WRONG_PRINCIPAL, STATUS_LOGON_FAILURE}, /* a response that was meant for another service */
        {SEC_E_NO_CREDENTIALS, STATUS_ACCESS_DENIED},
        {SEC_E_NO_IMPERSONATION, STATUS_NONE_MAPPED}, /* who logged on is nobody here: neither a SID nor a Unix user */
        {SEC_E_TIME_SKEW, STATUS_TIME_DIFFERENCE_AT_DC},
        {SEC_E_INVALID_TOKEN, STATUS_INVALID_PARAMETER},
        {SEC_E_INVALID_PARAMETER, STATUS_INVALID_PARAMETER},
        {SEC_E_SECPKG_NOT_FOUND, STATUS_NO_SUCH_PACKAGE},
        {SEC_E_TARGET_UNKNOWN,
         STATUS_NO_TRUST_SAM_ACCOUNT}, /* no account at the KDC has that service, or is this computer's */
        {SEC_E_KDC_UNKNOWN_ETYPE, STATUS_KDC_UNKNOWN_ETYPE},
        {SEC_E_INTERNAL_ERROR, STATUS_INTERNAL_ERROR},
    };
    status = cause_answer(status);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].from == status)
            return table[i].to;
    uint32_t kind = (uint32_t)status >> 16; /* an NTSTATUS, or a reason that none of them tells */
    return kind == 0xc000 || kind == 0x8009 ? (NTSTATUS)status : STATUS_INTERNAL_ERROR;
}

/* Windows' names for the packages here; by number as they stand in this list. */
static const char *const package_names[] = {"Negotiate", "Kerberos", "NTLM"};

const struct package *lsa_package(ULONG number)
{
    return number < COUNT_OF(package_names) ? registry_find(package_names[number]) : NULL;
}

NTSTATUS NTAPI LsaLookupAuthenticationPackage(HANDLE LsaHandle, PLSA_STRING PackageName, PULONG AuthenticationPackage)
{
    cause_clear();
    require(lsa_is_connected(LsaHandle, NULL), STATUS_INVALID_HANDLE);
    require(PackageName != NULL && PackageName->Buffer != NULL && AuthenticationPackage != NULL,
            STATUS_INVALID_PARAMETER);
    require(PackageName->Length <= PACKAGE_NAME_MAX, STATUS_NAME_TOO_LONG);
    AUTO_FREE char *name = mem_dup(PackageName->Buffer, PackageName->Length);
    require(name != NULL, STATUS_NO_MEMORY);
    const char *wanted = text_equal_fold(name, MSV1_0_PACKAGE_NAME) ? "NTLM" : name;
    for (ULONG number = 0; number < COUNT_OF(package_names); number++)
        if (text_equal_fold(wanted, package_names[number]) && lsa_package(number) != NULL) {
            *AuthenticationPackage = number;
            return STATUS_SUCCESS;
        }
    return STATUS_NO_SUCH_PACKAGE;
}

NTSTATUS NTAPI LsaFreeReturnBuffer(PVOID Buffer)
{
    cause_clear();
    return block_free(Buffer) == SEC_E_OK ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI LsaCallAuthenticationPackage(HANDLE LsaHandle, ULONG AuthenticationPackage, PVOID ProtocolSubmitBuffer,
                                            ULONG SubmitBufferLength, PVOID *ProtocolReturnBuffer,
                                            PULONG ReturnBufferLength, PNTSTATUS ProtocolStatus)
{
    void *answer = NULL;
    size_t answer_len = 0;
    cause_clear();
    require(lsa_is_connected(LsaHandle, NULL), STATUS_INVALID_HANDLE);
    const struct package *package = lsa_package(AuthenticationPackage);
    require(package != NULL, STATUS_NO_SUCH_PACKAGE);
    require(ProtocolSubmitBuffer != NULL && SubmitBufferLength >= sizeof(ULONG), STATUS_INVALID_PARAMETER);
    NTSTATUS status = lsa_message(package, ProtocolSubmitBuffer, SubmitBufferLength, &answer, &answer_len);
    if (ProtocolReturnBuffer != NULL)
        *ProtocolReturnBuffer = answer;
    else
        (void)block_free(answer);
    if (ReturnBufferLength != NULL)
        *ReturnBufferLength = ProtocolReturnBuffer != NULL ? (ULONG)answer_len : 0;
    if (ProtocolStatus != NULL)
        *ProtocolStatus = status;
    return STATUS_SUCCESS;
}

SECURITY_STATUS lsa_config_get(const struct config **config)
{
    AS_PROCESS_SCOPE; /* what the configuration says does not depend on whom a thread impersonates; whose sessions are meant does */
    return config_get(config);
}

NTSTATUS NTAPI LsaEnumerateLogonSessions(PULONG LogonSessionCount, PLUID *LogonSessionList)
{
    const struct config *config;
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids = 0;
    cause_clear();
    require(LogonSessionCount != NULL && LogonSessionList != NULL, STATUS_INVALID_PARAMETER);
    api_start();
    uint64_t own = 0;
    SECURITY_STATUS status = lsa_config_get(&config);
    if (status == SEC_E_OK) {
        status = logons_list(config, &ids, &n_ids);
        if (status == SEC_E_OK)
            status = logons_own(config, &own);
        config_release(config);
    }
    require(status == SEC_E_OK, lsa_status(status));
    LUID *list = block_alloc((n_ids + 1) * sizeof *list);
    require(list != NULL, STATUS_NO_MEMORY);
    for (size_t i = 0; i < n_ids; i++)
        list[i] = luid_of(ids[i]);
    if (own != 0)
        list[n_ids++] = luid_of(own);
    *LogonSessionCount = (ULONG)n_ids;
    *LogonSessionList = list;
    return STATUS_SUCCESS;
}

bool lsa_string_put(UNICODE_STRING *string, const char *text, uint16_t **at)
{
    AUTO_FREE uint16_t *units = NULL;
    size_t n_units;
    require(utf16_from_text(text, &units, &n_units) == WIRE_OK && n_units * 2 + 2 <= UINT16_MAX, false);
    string->Length = (USHORT)(n_units * 2);
    string->MaximumLength = (USHORT)(n_units * 2 + 2);
    string->Buffer = (PWSTR)*at;
    memcpy(*at, units, n_units * 2 + 2);
    *at += n_units + 1;
    return true;
}

static NTSTATUS told_put(const struct logon_told *told, PSECURITY_LOGON_SESSION_DATA *data)
{
    size_t text = utf16le_len(told->user) + utf16le_len(told->domain) + utf16le_len(told->package) + 6;
    SECURITY_LOGON_SESSION_DATA *block = block_alloc(sizeof *block + text);
    require(block != NULL, STATUS_NO_MEMORY);
    uint16_t *at = (uint16_t *)(block + 1);
    block->Size = sizeof *block;
    block->LogonId = luid_of(told->id);
    block->LogonType = told->type;
    block->LogonTime.QuadPart = told->time;
    block->LogoffTime.QuadPart = block->KickOffTime.QuadPart = block->PasswordMustChange.QuadPart = INT64_MAX;
    if (!lsa_string_put(&block->UserName, told->user, &at) || !lsa_string_put(&block->LogonDomain, told->domain, &at) ||
        !lsa_string_put(&block->AuthenticationPackage, told->package, &at)) {
        (void)block_free(block);
        return STATUS_NO_MEMORY;
    }
    *data = block;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LsaGetLogonSessionData(PLUID LogonId, PSECURITY_LOGON_SESSION_DATA *ppLogonSessionData)
{
    const struct config *config;
    AUTO_TOLD struct logon_told told = {0};
    cause_clear();
    require(LogonId != NULL && ppLogonSessionData != NULL, STATUS_INVALID_PARAMETER);
    require(luid_number(LogonId) != 0, STATUS_NO_SUCH_LOGON_SESSION);
    api_start();
    SECURITY_STATUS status = lsa_config_get(&config);
    if (status == SEC_E_OK) {
        status = logons_describe(config, luid_number(LogonId), &told);
        config_release(config);
    }
    return status == SEC_E_OK ? told_put(&told, ppLogonSessionData) : lsa_status(status);
}
