/* A plug-in that has libopensspi-win32 inside, with libopensspi (test_unload.c). */
#include <windows.h>

/* Takes a mutex in this thread and gives it back. */
__attribute__((visibility("default"))) int plugin_use(void);
int plugin_use(void)
{
    HANDLE mutex = CreateMutex(NULL, FALSE, NULL);
    int good = mutex != NULL && WaitForSingleObject(mutex, 0) == WAIT_OBJECT_0 && ReleaseMutex(mutex);
    return good && CloseHandle(mutex);
}
