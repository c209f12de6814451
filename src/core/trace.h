/*
 * The trace: SSPI_TRACE=FILE (or "stderr") writes a line a step, with flags and sizes, never a secret; stderr: docs/configuration.md says when that
 * is a log instead. Off, it costs one relaxed load.
 */
#ifndef OPENSSPI_CORE_TRACE_H
#define OPENSSPI_CORE_TRACE_H

#include <stdbool.h>

extern _Atomic(int) trace_switch; /* -1: not looked at yet, 0 off, 1 on; guarded by nothing but itself */

bool trace_start(void);
void trace_write(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool trace_on(void)
{
    int state = trace_switch;
    return state > 0 || (state < 0 && trace_start());
}
#define TRACE(where, ...)                    \
    do {                                     \
        if (trace_on())                      \
            trace_write(where, __VA_ARGS__); \
    } while (0)

#endif
