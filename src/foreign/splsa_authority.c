#include "foreign/splsa_authority.h"

#include "base/memory.h"
#include "core/status.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* The functions of the authority that work here: memory, the client's memory, which is this process's, and who calls. */

static _Thread_local unsigned call_depth;
static _Thread_local ULONG call_number;
static atomic_uint n_calls;

void splsa_call_enter(void)
{
    call_number = atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed) + 1;
    call_depth++;
}

void splsa_call_leave(void)
{
    call_depth--;
}

LUID splsa_logon_id(void)
{
    static const LUID system = {0x3e7, 0}; /* SYSTEM_LUID */
    uid_t user = geteuid();
    return user == 0 ? system : (LUID){user, 1};
}

void splsa_heap_free(void *block)
{
    mem_free(block);
}

static PVOID NTAPI heap_alloc(ULONG len)
{
    return mem_zalloc(len);
}

static PVOID NTAPI private_alloc(SIZE_T len)
{
    return mem_zalloc(len);
}

static VOID NTAPI heap_free(PVOID block)
{
    mem_free(block);
}

static NTSTATUS NTAPI client_alloc(PLSA_CLIENT_REQUEST request, ULONG len, PVOID *address)
{
    (void)request;
    if (address == NULL)
        return STATUS_INVALID_PARAMETER;
    *address = mem_zalloc(len);
    return *address != NULL ? 0 : STATUS_NO_MEMORY;
}

static NTSTATUS NTAPI client_free(PLSA_CLIENT_REQUEST request, PVOID address)
{
    (void)request;
    mem_free(address);
    return 0;
}

static NTSTATUS copy(ULONG len, void *to, const void *from)
{
    if (len == 0)
        return 0;
    if (to == NULL || from == NULL)
        return STATUS_INVALID_PARAMETER;
    memmove(to, from, len);
    return 0;
}

static NTSTATUS NTAPI client_write(PLSA_CLIENT_REQUEST request, ULONG len, PVOID address, PVOID data)
{
    (void)request;
    return copy(len, address, data);
}

static NTSTATUS NTAPI client_read(PLSA_CLIENT_REQUEST request, ULONG len, PVOID data, PVOID address)
{
    (void)request;
    return copy(len, data, address);
}

static NTSTATUS NTAPI buffer_map(PSecBuffer input, PSecBuffer output)
{
    if (input == NULL || output == NULL)
        return STATUS_INVALID_PARAMETER;
    *output = *input;
    output->BufferType &= ~(ULONG)SECBUFFER_UNMAPPED;
    return 0;
}

static NTSTATUS NTAPI client_info(PSECPKG_CLIENT_INFO info)
{
    if (info == NULL)
        return STATUS_INVALID_PARAMETER;
    *info = (SECPKG_CLIENT_INFO){
        .LogonId = splsa_logon_id(),
        .ProcessID = (ULONG)getpid(),
        .ThreadID = (ULONG)gettid(),
        .HasTcbPrivilege = geteuid() == 0,
        .ImpersonationLevel = SecurityImpersonation,
    };
    return 0;
}

static BOOLEAN NTAPI call_info(PSECPKG_CALL_INFO info)
{
    if (info == NULL || call_depth == 0)
        return FALSE;
    *info = (SECPKG_CALL_INFO){
        .ProcessId = (ULONG)getpid(),
        .ThreadId = (ULONG)gettid(),
        .Attributes = SECPKG_CALL_IN_PROC | (call_depth > 1 ? SECPKG_CALL_RECURSIVE : 0U) |
                      (geteuid() == 0 ? SECPKG_CALL_IS_TCB : 0U),
        .CallCount = call_number,
    };
    return TRUE;
}

static NTSTATUS NTAPI no_callback(ULONG id, PLSA_CALLBACK_FUNCTION callback)
{
    (void)id, (void)callback;
    return STATUS_NOT_SUPPORTED;
}

static LSA_SECPKG_FUNCTION_TABLE functions;

static void functions_make(void)
{
    functions = splsa_refusals;
    functions.AllocateLsaHeap = heap_alloc;
    functions.FreeLsaHeap = heap_free;
    functions.AllocateClientBuffer = client_alloc;
    functions.FreeClientBuffer = client_free;
    functions.CopyToClientBuffer = client_write;
    functions.CopyFromClientBuffer = client_read;
    functions.GetClientInfo = client_info;
    functions.MapBuffer = buffer_map;
    functions.FreeReturnBuffer = heap_free;
    functions.GetCallInfo = call_info;
    functions.AllocatePrivateHeap = private_alloc;
    functions.FreePrivateHeap = heap_free;
}

PLSA_SECPKG_FUNCTION_TABLE splsa_functions(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, functions_make);
    return &functions;
}

PSECPKG_DLL_FUNCTIONS splsa_dll_functions(void)
{
    static SECPKG_DLL_FUNCTIONS dll = {heap_alloc, heap_free, no_callback};
    return &dll;
}
