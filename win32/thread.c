#include "exit_code.h"
#include "objects.h"

#include <errno.h>
#include <process.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local struct object *current;

/* However the thread ends. */
static void ended(void *argument)
{
    struct object *thread = argument;
    pthread_mutex_lock(&objects_lock);
    objects_abandon(); /* before anybody hears of the end */
    thread->signalled = true;
    waits_settle();
    object_put(thread);
    pthread_mutex_unlock(&objects_lock);
}

static void *run(void *argument)
{
    struct object *thread = argument;
    pthread_mutex_lock(&objects_lock);
    thread->id = GetCurrentThreadId();
    pthread_cond_broadcast(&objects_changed);
    while (!thread->started)
        pthread_cond_wait(&objects_changed, &objects_lock);
    pthread_mutex_unlock(&objects_lock);
    current = thread;
    pthread_cleanup_push(ended, thread);
    DWORD code = thread->start(thread->parameter);
    pthread_mutex_lock(&objects_lock);
    thread->exit_code = code;
    pthread_mutex_unlock(&objects_lock);
    pthread_cleanup_pop(1);
    return NULL;
}

static bool thread_begin(struct object *thread, SIZE_T stack)
{
    pthread_attr_t attributes;
    pthread_t id;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    bool good = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0;
    /* What is less than the system's least is no wish that counts. */
    size_t page = (size_t)sysconf(_SC_PAGESIZE), least = (size_t)sysconf(_SC_THREAD_STACK_MIN) + 16 * page;
    if (good && stack > least)
        good = stack < SIZE_MAX - page && pthread_attr_setstacksize(&attributes, (stack + page - 1) / page * page) == 0;
    good = good && pthread_create(&id, &attributes, run, thread) == 0;
    pthread_attr_destroy(&attributes);
    return good;
}

HANDLE CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize, LPTHREAD_START_ROUTINE lpStartAddress,
                    LPVOID lpParameter, DWORD dwCreationFlags, LPDWORD lpThreadId)
{
    (void)lpThreadAttributes;
    if (lpStartAddress == NULL ||
        (dwCreationFlags & ~(DWORD)(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION)) != 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    struct object *thread = object_new(OBJECT_THREAD);
    if (thread == NULL)
        return NULL;
    thread->start = lpStartAddress;
    thread->parameter = lpParameter;
    thread->exit_code = STILL_ACTIVE;
    thread->references = 3; /* the handle's, the thread's own, and ours */
    HANDLE handle = object_publish(thread);
    if (handle != NULL && !thread_begin(thread, dwStackSize)) {
        object_close(handle);
        handle = NULL;
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    pthread_mutex_lock(&objects_lock);
    if (handle == NULL) {
        object_put(thread); /* it will never run */
    } else {
        int before; /* who is cancelled here would leave the lock taken; the wait is short */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
        while (thread->id == 0)
            pthread_cond_wait(&objects_changed, &objects_lock);
        pthread_setcancelstate(before, NULL);
        if (lpThreadId != NULL)
            *lpThreadId = thread->id;
        thread->started = (dwCreationFlags & CREATE_SUSPENDED) == 0;
        pthread_cond_broadcast(&objects_changed);
    }
    object_put(thread);
    pthread_mutex_unlock(&objects_lock);
    return handle;
}

DWORD ResumeThread(HANDLE hThread)
{
    DWORD result = (DWORD)-1;
    pthread_mutex_lock(&objects_lock);
    struct object *thread = object_get(hThread);
    if (thread != NULL && thread->kind == OBJECT_THREAD) {
        result = thread->started ? 0 : 1;
        thread->started = true;
        pthread_cond_broadcast(&objects_changed);
    }
    if (thread != NULL)
        object_put(thread);
    pthread_mutex_unlock(&objects_lock);
    if (result == (DWORD)-1)
        SetLastError(ERROR_INVALID_HANDLE);
    return result;
}

VOID ExitThread(DWORD dwExitCode)
{
    if (current != NULL) {
        pthread_mutex_lock(&objects_lock);
        current->exit_code = dwExitCode;
        pthread_mutex_unlock(&objects_lock);
    }
    pthread_exit(NULL);
}

BOOL GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
{
    pthread_mutex_lock(&objects_lock);
    struct object *thread = object_get(hThread);
    BOOL good = thread != NULL && thread->kind == OBJECT_THREAD && lpExitCode != NULL;
    if (good)
        *lpExitCode = thread->signalled ? thread->exit_code : STILL_ACTIVE;
    if (thread != NULL)
        object_put(thread);
    pthread_mutex_unlock(&objects_lock);
    if (!good)
        SetLastError(ERROR_INVALID_HANDLE);
    return good;
}

DWORD GetCurrentProcessId(VOID)
{
    return (DWORD)getpid();
}

DWORD GetCurrentThreadId(VOID)
{
    return (DWORD)syscall(SYS_gettid);
}

VOID ExitProcess(UINT uExitCode)
{
    exit(exit_code_of(uExitCode));
}

/* A routine of _beginthreadex and its argument, until the thread has them. */
struct routine {
    unsigned (*start)(void *);
    void *argument;
};

static DWORD run_routine(LPVOID parameter)
{
    struct routine routine = *(struct routine *)parameter;
    free(parameter);
    return routine.start(routine.argument);
}

uintptr_t opensspi_beginthreadex(void *security, unsigned stack_size, unsigned (*start_address)(void *), void *arglist,
                                 unsigned initflag, unsigned *thrdaddr)
{
    struct routine *routine = start_address == NULL ? NULL : malloc(sizeof *routine);
    if (routine == NULL)
        return 0;
    *routine = (struct routine){start_address, arglist};
    HANDLE handle = CreateThread(security, stack_size, run_routine, routine, initflag, thrdaddr);
    if (handle == NULL)
        free(routine);
    return (uintptr_t)handle;
}

/* One of _beginthread, and its own handle. */
struct unattended {
    void (*start)(void *);
    void *argument;
    HANDLE own;
};

static void unattended_ended(void *own)
{
    (void)object_close(own);
}

static DWORD run_unattended(LPVOID parameter)
{
    struct unattended routine = *(struct unattended *)parameter;
    free(parameter);
    pthread_cleanup_push(unattended_ended, routine.own);
    routine.start(routine.argument);
    pthread_cleanup_pop(1);
    return 0;
}

uintptr_t opensspi_beginthread(void (*start_address)(void *), unsigned stack_size, void *arglist)
{
    struct unattended *routine = start_address == NULL ? NULL : malloc(sizeof *routine);
    errno = start_address == NULL ? EINVAL : EAGAIN;
    if (routine == NULL)
        return (uintptr_t)-1;
    *routine = (struct unattended){start_address, arglist, NULL};
    HANDLE handle = CreateThread(NULL, stack_size, run_unattended, routine, CREATE_SUSPENDED, NULL);
    if (handle == NULL) {
        free(routine);
        return (uintptr_t)-1;
    }
    routine->own = handle;
    (void)ResumeThread(handle);
    return (uintptr_t)handle;
}
