/*
 * The Unix credentials of the calling thread alone. The kernel keeps them for each thread; glibc's setuid and its kin change all threads of a
 * process, so the system calls are made directly. Only the effective user and group, the supplementary groups and the effective capabilities
 * change: the real and the saved user stay, and with them the way back.
 */
#ifndef OPENSSPI_ACCESS_THREAD_IDS_H
#define OPENSSPI_ACCESS_THREAD_IDS_H

#include "access/unix_ids.h"
#include <sspi.h>

#define CAPABILITY_WORDS 2 /* _LINUX_CAPABILITY_VERSION_3 */

/* What a thread is, to the kernel. */
struct thread_ids {
    uid_t uid;     /* effective */
    bool way_back; /* the real or the saved user is the same: the kernel lets the thread return to it */
    bool has_root; /* one of the three is 0: leaving an effective 0 takes no capability that is permitted */
    gid_t gid;
    gid_t *groups; /* ascending; an array of mem_* */
    size_t n_groups;
    uint32_t effective[CAPABILITY_WORDS], permitted[CAPABILITY_WORDS], inheritable[CAPABILITY_WORDS];
};

/* Reads the calling thread's. Release it. SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR. */
SECURITY_STATUS thread_ids_read(struct thread_ids *ids);
void thread_ids_release(struct thread_ids *ids);

/*
 * Makes the thread, which is `base`, act as a client, with no capability in effect. Allocates nothing.
 * SEC_E_OK: everything was set and read back. SEC_E_NO_IMPERSONATION: it could not be, and the thread is `base` again; `unprivileged` tells that the
 * kernel forbade it. When a step fails and the way back does too, the process ends.
 */
SECURITY_STATUS thread_ids_take(const struct thread_ids *base, const struct unix_ids *client, bool *unprivileged);
/* Makes the thread `base` again, wherever it stands between. When the kernel refuses, the process ends: it would run on as somebody else. */
void thread_ids_restore(const struct thread_ids *base);

/* Ends the process at once, after a line to the trace and to standard error. */
_Noreturn void thread_ids_end_process(const char *why);

/* Tests only: stands in for the system call; NULL gives it back. Answers like syscall(2): -1 and errno. */
typedef long thread_ids_call(long number, long first, long second, long third);
void thread_ids_hook(thread_ids_call *call);
/* The call itself, for a hook that lets some through. */
long thread_ids_syscall(long number, long first, long second, long third);

#endif
