#include "access/thread_ids.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include <errno.h>
#include <linux/capability.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_setresuid32) /* 32-bit machines have two of each: the plain ones take 16-bit numbers */
#define CALL_SETRESUID SYS_setresuid32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETFSUID SYS_setfsuid32
#define CALL_SETFSGID SYS_setfsgid32
#else
#define CALL_SETRESUID SYS_setresuid
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETFSUID SYS_setfsuid
#define CALL_SETFSGID SYS_setfsgid
#endif

#define UNCHANGED (-1L)

static _Atomic(thread_ids_call *) hook;

void thread_ids_hook(thread_ids_call *call)
{
    atomic_store(&hook, call);
}

long thread_ids_syscall(long number, long first, long second, long third)
{
    return syscall(number, first, second, third);
}

static long call(long number, long first, long second, long third)
{
    thread_ids_call *other = atomic_load_explicit(&hook, memory_order_relaxed);
    return other != NULL ? other(number, first, second, third) : thread_ids_syscall(number, first, second, third);
}

void thread_ids_release(struct thread_ids *ids)
{
    mem_free(ids->groups);
    *ids = (struct thread_ids){0};
}

static bool capabilities_read(uint32_t effective[], uint32_t permitted[], uint32_t inheritable[])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[CAPABILITY_WORDS] = {{0}};
    require(call(SYS_capget, (long)&header, (long)data, 0) == 0, false);
    for (int i = 0; i < CAPABILITY_WORDS; i++) {
        effective[i] = data[i].effective;
        permitted[i] = data[i].permitted;
        inheritable[i] = data[i].inheritable;
    }
    return true;
}

/* Which capabilities are in effect; those that are permitted stay. */
static bool capabilities_set(const struct thread_ids *base, bool none)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[CAPABILITY_WORDS];
    for (int i = 0; i < CAPABILITY_WORDS; i++)
        data[i] =
            (struct __user_cap_data_struct){none ? 0 : base->effective[i], base->permitted[i], base->inheritable[i]};
    return call(SYS_capset, (long)&header, (long)data, 0) == 0;
}

SECURITY_STATUS thread_ids_read(struct thread_ids *ids)
{
    struct thread_ids read = {0};
    struct unix_ids thread = {0};
    uid_t real, effective, saved;
    require(getresuid(&real, &effective, &saved) == 0,
            cause_set(SEC_E_INTERNAL_ERROR, "getresuid: %s", strerror(errno)));
    require(capabilities_read(read.effective, read.permitted, read.inheritable),
            cause_set(SEC_E_INTERNAL_ERROR, "capget: %s", strerror(errno)));
    try(unix_ids_of_thread(&thread));
    read.uid = thread.uid;
    read.way_back = real == effective || saved == effective;
    read.has_root = real == 0 || effective == 0 || saved == 0;
    read.gid = thread.gid;
    read.groups = thread.groups;
    read.n_groups = thread.n_groups;
    *ids = read;
    return SEC_E_OK;
}

/* `groups` has each group once; the kernel keeps one that was set twice. */
static bool groups_are(const gid_t *groups, size_t n_groups)
{
    /* Read group by group into what is on the stack would not do for thousands: the kernel gives all or nothing. */
    gid_t few[64];
    int n = getgroups(0, NULL);
    require(n >= 0, false);
    if (n == 0)
        return n_groups == 0;
    gid_t *now = n <= (int)COUNT_OF(few)
                     ? few
                     : malloc((size_t)n * sizeof *now); /* not counted by tests: reverting must not depend on it */
    if (now == NULL)
        return false;
    size_t n_now = (size_t)n;
    bool same = getgroups(n, now) == n;
    if (same) {
        unix_groups_sort(now, &n_now);
        same = n_now == n_groups && memcmp(now, groups, n_groups * sizeof groups[0]) == 0;
    }
    if (now != few)
        free(now);
    return same;
}

/* What the kernel checks files by follows the effective ids, and is asked all the same: -1 changes nothing and tells. */
static bool ids_are(uid_t uid, gid_t gid)
{
    return geteuid() == uid && getegid() == gid && (uid_t)call(CALL_SETFSUID, UNCHANGED, 0, 0) == uid &&
           (gid_t)call(CALL_SETFSGID, UNCHANGED, 0, 0) == gid;
}

static bool capabilities_are(const struct thread_ids *base, bool none)
{
    uint32_t effective[CAPABILITY_WORDS], permitted[CAPABILITY_WORDS], inheritable[CAPABILITY_WORDS];
    require(capabilities_read(effective, permitted, inheritable), false);
    for (int i = 0; i < CAPABILITY_WORDS; i++)
        require(effective[i] == (none ? 0 : base->effective[i]), false);
    return true;
}

static const char *take(const struct thread_ids *base, const struct unix_ids *client)
{
    /* Root without a trace of it in the other two would be gone for good; and whoever came to uid 0 by capabilities alone loses them with it
     * (capabilities(7)). */
    if (base->uid != client->uid && (!base->way_back || (client->uid == 0 && !base->has_root))) {
        errno = EPERM;
        return "there would be no way back";
    }
    /* Groups first and the user last: without the user's rights the groups could not be changed any more. */
    if (!groups_are(client->groups, client->n_groups) &&
        call(CALL_SETGROUPS, (long)client->n_groups, (long)client->groups, 0) != 0)
        return "setgroups";
    if (base->gid != client->gid && call(CALL_SETRESGID, UNCHANGED, (long)client->gid, UNCHANGED) != 0)
        return "setresgid";
    if (base->uid != client->uid && call(CALL_SETRESUID, UNCHANGED, (long)client->uid, UNCHANGED) != 0)
        return "setresuid";
    if (!capabilities_set(base, true)) /* a process with CAP_DAC_OVERRIDE and no root would keep it */
        return "capset";
    errno = 0;
    if (!ids_are(client->uid, client->gid) || !groups_are(client->groups, client->n_groups) ||
        !capabilities_are(base, true))
        return "the check afterwards";
    return NULL;
}

SECURITY_STATUS thread_ids_take(const struct thread_ids *base, const struct unix_ids *client, bool *unprivileged)
{
    const char *failed = client->n_groups <= UNIX_GROUPS_MAX ? take(base, client) : "the number of groups";
    *unprivileged = false;
    if (failed == NULL)
        return SEC_E_OK;
    int error = errno;
    thread_ids_restore(base);
    *unprivileged = error == EPERM;
    return cause_set(SEC_E_NO_IMPERSONATION, "this thread cannot become uid %lu, gid %lu: %s: %s",
                     (unsigned long)client->uid, (unsigned long)client->gid, failed,
                     error != 0 ? strerror(error) : "the kernel did otherwise");
}

static const char *restore(const struct thread_ids *base)
{
    /* A thread that did not get far in taking, or never had the right, has nothing to give back. */
    if (!capabilities_are(base, false) && !capabilities_set(base, false))
        return "capset";
    if (geteuid() != base->uid && call(CALL_SETRESUID, UNCHANGED, (long)base->uid, UNCHANGED) != 0)
        return "setresuid";
    if (base->uid != 0 && !capabilities_are(base, false) &&
        !capabilities_set(base, false)) /* leaving uid 0 put all out of effect, and groups need theirs */
        return "capset";
    if (getegid() != base->gid && call(CALL_SETRESGID, UNCHANGED, (long)base->gid, UNCHANGED) != 0)
        return "setresgid";
    if (!groups_are(base->groups, base->n_groups) &&
        call(CALL_SETGROUPS, (long)base->n_groups, (long)base->groups, 0) != 0)
        return "setgroups";
    if (!capabilities_are(base, false) &&
        !capabilities_set(base, false)) /* becoming root put all permitted ones into effect */
        return "capset";
    if (!ids_are(base->uid, base->gid) || !groups_are(base->groups, base->n_groups) || !capabilities_are(base, false))
        return "the check afterwards";
    return NULL;
}

void thread_ids_restore(const struct thread_ids *base)
{
    const char *failed = restore(base);
    if (failed != NULL)
        thread_ids_end_process(failed);
}

void thread_ids_end_process(const char *why)
{
    static const char first[] = "OpenSSPI: a thread cannot be given its own user back (",
                      last[] = "): the process ends\n";
    TRACE("access", "a thread cannot be given its own user back (%s): the process ends", why);
    ssize_t written = write(STDERR_FILENO, first, sizeof first - 1);
    written += write(STDERR_FILENO, why, strlen(why));
    written += write(STDERR_FILENO, last, sizeof last - 1);
    (void)written;
    abort();
}
