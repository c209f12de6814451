#include "server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PR_SET_VMA_NAME 0x53564d41 /* how glibc names its memory; linux/prctl.h has it since 5.17 */

/* What the daemon gives up before it says a word to anybody: root, core dumps, being looked at by a debugger, new privileges, and all system calls
 * but those it needs. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(OPENSSPI_VALGRIND)
#define SANITIZED 1 /* a tool looks at its own process, in ways that these forbid */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static bool limits_set(void)
{
    const struct rlimit none = {0, 0};
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    return setrlimit(RLIMIT_CORE, &none) == 0;
}

/* Everything, present and to come: secrets are in too many of a program's places. Only without a limit, since with one later allocations would fail.
 * */
static bool memory_lock(void)
{
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit now;
    if (geteuid() == 0)
        (void)setrlimit(RLIMIT_MEMLOCK, &all);
    return !SANITIZED && getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur == RLIM_INFINITY &&
           mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

static bool user_become(const char *name)
{
    const struct passwd *user = getpwnam(name); /* before there are threads */
    if (user == NULL) {
        log_line("\"user\" in [lsa]: there is no user \"%s\"", name);
        return false;
    }
    if (initgroups(name, user->pw_gid) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
        log_line("cannot become user \"%s\": %s", name, strerror(errno));
        return false;
    }
    return setuid(0) != 0 || user->pw_uid == 0; /* no way back */
}

/* Files for stores, keytabs and configuration, sockets for KDCs and name services, threads, memory, time; others only with the arguments below. No
 * program is started. */
static const int allowed[] = {
    SCMP_SYS(accept4),
    SCMP_SYS(access),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(bind),
    SCMP_SYS(brk),
    SCMP_SYS(chdir),
    SCMP_SYS(chmod),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(connect),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fallocate),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(fchown),
    SCMP_SYS(fcntl),
    SCMP_SYS(fdatasync),
    SCMP_SYS(flock),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(futex),
    SCMP_SYS(futex_waitv),
    SCMP_SYS(getcpu),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getgroups),
    SCMP_SYS(getpeername),
    SCMP_SYS(getpgrp),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getresgid),
    SCMP_SYS(getresuid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(getxattr),
    SCMP_SYS(listen),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(mremap),
    SCMP_SYS(msync),
    SCMP_SYS(munlock),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(pselect6),
    SCMP_SYS(pwrite64),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_yield),
    SCMP_SYS(select),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(sysinfo),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(umask),
    SCMP_SYS(uname),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(utimensat),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};
/* Nothing honest comes near these: they end the process. */
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kexec_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(bpf),
    SCMP_SYS(mount),
    SCMP_SYS(setuid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
};

#if defined(__s390__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define CLONE_SPACES \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define WRITE_AND_EXEC (PROT_WRITE | PROT_EXEC)
#define IS(number, value)                                                    \
    {                                                                        \
        .arg = (number), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value) \
    }
#define MASKED(number, mask, value)                                                                                  \
    {                                                                                                                \
        .arg = (number), .op = SCMP_CMP_MASKED_EQ, .datum_a = (scmp_datum_t)(mask), .datum_b = (scmp_datum_t)(value) \
    }

/* Allowed with this argument. */
struct rule {
    int call;
    struct scmp_arg_cmp argument;
};

static bool rules_of_arguments_add(scmp_filter_ctx filter)
{
    const struct rule rules[] = {
        /* threads, and no processes; what clone3 wants is in memory, where no filter sees it: glibc then takes clone */
        {SCMP_SYS(clone), MASKED(CLONE_FLAGS, CLONE_THREAD | CLONE_SPACES, CLONE_THREAD)},
        {SCMP_SYS(socket), IS(0, AF_UNIX)},
        {SCMP_SYS(socket), IS(0, AF_INET)},
        {SCMP_SYS(socket), IS(0, AF_INET6)},
        {SCMP_SYS(socketpair), IS(0, AF_UNIX)},
        {SCMP_SYS(prctl), IS(0, PR_SET_NAME)},
        {SCMP_SYS(prctl), IS(0, PR_GET_NAME)},
        {SCMP_SYS(prctl), IS(0, PR_GET_DUMPABLE)},
        {SCMP_SYS(prctl), IS(0, PR_SET_VMA_NAME)},
        {SCMP_SYS(ioctl), IS(1, FIONBIO)},
        {SCMP_SYS(ioctl), IS(1, FIONREAD)},
        {SCMP_SYS(ioctl), IS(1, FIOCLEX)},
        {SCMP_SYS(ioctl), IS(1, TCGETS)},
        /* libraries may be loaded (name services, winbind, PKINIT), but no mapping is both writable and executable, or made executable later */
        {SCMP_SYS(mmap), MASKED(2, WRITE_AND_EXEC, 0)},
        {SCMP_SYS(mmap), MASKED(2, WRITE_AND_EXEC, PROT_WRITE)},
        {SCMP_SYS(mmap), MASKED(2, WRITE_AND_EXEC, PROT_EXEC)},
        {SCMP_SYS(mprotect), MASKED(2, PROT_EXEC, 0)},
        {SCMP_SYS(prlimit64), IS(2, 0)},     /* told, not set */
        {SCMP_SYS(tgkill), IS(0, getpid())}, /* abort */
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, rules[i].call, 1, rules[i].argument) != 0)
            return false;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool rules_add(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) /* negative: this architecture has no such call */
        if (allowed[i] >= 0 && seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0) != 0)
            return false;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        if (deadly[i] >= 0 && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0) != 0)
            return false;
    return rules_of_arguments_add(filter);
}

static bool calls_restrict(void)
{
    if (SANITIZED)
        return true;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return false;
    bool loaded =
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 && rules_add(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return loaded;
}

bool sandbox_enter(const char *user, bool *memory_is_locked)
{
    if (!limits_set())
        return false;
    *memory_is_locked = memory_lock();
    if (user != NULL && geteuid() == 0 && !user_become(user))
        return false;
    if (user != NULL && !*memory_is_locked)
        *memory_is_locked = memory_lock();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)) {
        log_line("cannot give up privileges: %s", strerror(errno));
        return false;
    }
    if (!calls_restrict()) {
        log_line("cannot restrict system calls");
        return false;
    }
    return true;
}
