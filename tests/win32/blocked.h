/* Whether threads of this process have come to where they wait, as the kernel sees them. */
#ifndef TESTS_WIN32_BLOCKED_H
#define TESTS_WIN32_BLOCKED_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <windows.h>

#define BLOCKED_LOOKS 5000

/* How often the thread has slept so far; -1 while it does not. */
static long blocked_sleeps(DWORD id)
{
    char path[64], line[256];
    bool sleeps = false;
    long n = -1;
    snprintf(path, sizeof path, "/proc/self/task/%u/status", (unsigned)id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        sleeps |= strncmp(line, "State:\tS", 8) == 0;
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
            n = strtol(line + 24, NULL, 10);
    }
    fclose(file);
    return sleeps ? n : -1;
}

/* All of them sleep, and none has run between three looks: no lock can be theirs, then, nor be what they wait for. */
static bool all_blocked(const DWORD *ids, size_t n)
{
    long sum = -1;
    unsigned same = 0;
    for (unsigned look = 0; look < BLOCKED_LOOKS && same < 3; look++) {
        long now = 0;
        for (size_t i = 0; i < n && now >= 0; i++) {
            long sleeps = blocked_sleeps(ids[i]);
            now = sleeps < 0 ? -1 : now + sleeps;
        }
        same = now >= 0 && now == sum ? same + 1 : 0;
        sum = now;
        usleep(2000);
    }
    return same == 3;
}

#endif
