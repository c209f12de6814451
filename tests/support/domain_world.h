/*
 * A domain FAKE (fake.test) behind tests/libraries/fake_wbclient.c, of which this computer is the member SERVER. Its controller knows alice with
 * "Password1!", RID 1000, and computes as a controller does; a user named "nt-C0000234" gets that NT status.
 */
#ifndef OPENSSPI_TESTS_DOMAIN_WORLD_H
#define OPENSSPI_TESTS_DOMAIN_WORLD_H

#include "accounts/accounts.h"
#include "libraries/fake_wbclient.h"

#define DOMAIN_TIME UINT64_C(4000000000) /* of Unix, in 2096: when alice's password has to be changed */

/* What the controller was last asked. */
struct domain_seen {
    unsigned n_logons;
    char user[512], domain[512], workstation[512];
    uint8_t challenge[8];
    uint8_t nt[1024];
    uint32_t nt_len, lm_len, flags, parameters, level;
};

/* A fresh copy of the library, which knows nothing of what went before, in loop_directory(); its path, which lives until the next call. */
const char *domain_begin(void);
const char *domain_library(void);
/* The library's state, to be looked at and changed in between; the second where it is locked already. */
struct fake_wbclient *domain_lock(void);
struct fake_wbclient *domain_lock_held(void);
void domain_unlock(void);
void domain_hang(bool hangs);
/* Until so many questions hang; fails the test after a minute. */
void domain_await_hanging(unsigned n);
/* Until nothing is asked any more. */
void domain_await_quiet(void);

/* Domains whose alice the controller knows: S-1-5-21-number-number-number. */
#define DOMAIN_WORLD 5
extern const struct domain_world {
    const char *name, *dns;
    uint32_t number;
} domain_world[DOMAIN_WORLD];

extern struct domain_seen domain_seen;
/* Changes the controller's answers to right passwords, or NULL. */
extern void (*domain_alter)(struct fake_answer *answer);
/* The controller itself. */
void domain_controller(const struct wbcAuthUserParams *asked, struct fake_answer *answer);

/* The configuration of a server with these stores ("sam" is that of ntlm_loop.h); `extra` is appended in [ntlm]. */
void domain_configure(const char *stores, unsigned seconds, const char *extra);

#endif
