/*
 * process.h: threads, by Microsoft's C library's names.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_PROCESS_H
#define OPENSSPI_WIN32_PROCESS_H

#include "windows.h"
#include <stdint.h>
#include <unistd.h>

OPENSSPI_BEGIN_DECLS

/* _beginthreadex is CreateThread; the handle is to be closed. 0 on failure. _endthreadex is ExitThread. Source: Microsoft, _beginthreadex. */
uintptr_t opensspi_beginthreadex(void *security, unsigned stack_size, unsigned (*start_address)(void *), void *arglist,
                                 unsigned initflag, unsigned *thrdaddr);
/* _beginthread starts a thread whose handle closes itself at its end. (uintptr_t)-1 with errno on failure: EINVAL, EAGAIN. _endthread ends it. */
uintptr_t opensspi_beginthread(void (*start_address)(void *), unsigned stack_size, void *arglist);
#define _beginthread opensspi_beginthread
#define _endthread() ExitThread(0)
#define _beginthreadex opensspi_beginthreadex
#define _endthreadex ExitThread
#define _getpid getpid

OPENSSPI_END_DECLS

#endif
