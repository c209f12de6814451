/*
 * In every test with emulated instructions: it fails where it did not come by them, for then it has shown nothing of what is written in them.
 */
#include "crypto/processor.h"

#include <stdio.h>
#include <unistd.h>

unsigned emulated_taken;

static pid_t test;

__attribute__((constructor)) static void begin(void)
{
    test = getpid();
}

__attribute__((destructor)) static void end(void)
{
    if (getpid() != test || !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("sse4.1"))
        return;
    processor_lacks(0);
    if (processor_has(PROCESSOR_AES | PROCESSOR_SHA) && __atomic_load_n(&emulated_taken, __ATOMIC_RELAXED) > 0)
        return;
    fflush(NULL);
    fputs("the emulated instructions were not run\n", stderr);
    _exit(1);
}
