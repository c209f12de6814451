/*
 * What the tests of the store that asks a domain share, beside tests/support/domain_world.h.
 */
#ifndef OPENSSPI_TESTS_WINBIND_TEST_H
#define OPENSSPI_TESTS_WINBIND_TEST_H

#include "accounts_test.h"

#include "access/winbind_domains.h"
#include "accounts/store.h"
#include "base/memory.h"
#include "core/late.h"
#include "support/domain_world.h"
#include "support/ntlm_loop.h"
#include <pthread.h>

#define SECONDS 60 /* a bound that no answer comes near */
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, finish)

static char sam_store[112];

static UNUSED_FUNCTION int begin(void **state)
{
    (void)state;
    (void)domain_begin();
    cause_clear();
    snprintf(sam_store, sizeof sam_store, "sam:%s/sam", loop_directory());
    return 0;
}

static UNUSED_FUNCTION int finish(void **state)
{
    (void)state;
    domain_hang(false);
    domain_await_quiet();
    loop_cleanup();
    return 0;
}

/* The stores in this order, "sam" standing for that of ntlm_loop.h; this computer's own accounts are HOST's. */
static UNUSED_FUNCTION struct accounts *open_stores(const char *const *names, size_t n_names, unsigned seconds)
{
    char library[160];
    const char *real[4];
    struct accounts *accounts = NULL;
    snprintf(library, sizeof library, "%s", domain_library());
    struct account_policy policy = {.winbind_library = library, .winbind_seconds = seconds};
    for (size_t i = 0; i < n_names; i++)
        real[i] = strcmp(names[i], "sam") == 0 ? sam_store : names[i];
    assert_int_equal(accounts_open(real, n_names, "HOST", &policy, &accounts), SEC_E_OK);
    memset(library, 'x', sizeof library); /* nothing may point there any more */
    return accounts;
}

static UNUSED_FUNCTION struct accounts *open_one(const char *name, unsigned seconds)
{
    return open_stores(&name, 1, seconds);
}

static UNUSED_FUNCTION void trust_put(size_t at, const char *name, const char *dns, uint32_t flags, uint32_t type)
{
    struct fake_wbclient *fake = domain_lock();
    fake->trusts[at] = (struct wbcDomainInfo){.short_name = (char *)(uintptr_t)name,
                                              .dns_name = (char *)(uintptr_t)dns,
                                              .trust_flags = flags,
                                              .trust_type = type};
    if (fake->n_trusts <= at)
        fake->n_trusts = at + 1;
    domain_unlock();
}

static UNUSED_FUNCTION void trust_sid_put(size_t at, uint32_t number)
{
    domain_lock()->trusts[at].sid = (struct wbcDomainSid){1, 4, {0, 0, 0, 0, 0, 5}, {21, number, number, number}};
    domain_unlock();
}

/* FAKE is 7, FRIEND 8, this computer 9; OLD's SID is not told. */
static UNUSED_FUNCTION void trusts_put(void)
{
    trust_put(0, "BUILTIN", NULL, 0, WBC_DOMINFO_TRUSTTYPE_LOCAL);
    trust_put(1, "SERVER", NULL, 0, WBC_DOMINFO_TRUSTTYPE_LOCAL);
    trust_put(2, "FAKE", "FAKE.TEST", WBC_DOMINFO_TRUST_OUTGOING, WBC_DOMINFO_TRUSTTYPE_WKSTA);
    trust_put(3, "FRIEND", "friend.test", WBC_DOMINFO_TRUST_OUTGOING | WBC_DOMINFO_TRUST_INCOMING,
              WBC_DOMINFO_TRUSTTYPE_FOREST);
    trust_put(4, "ADMIRER", "admirer.test", WBC_DOMINFO_TRUST_INCOMING, WBC_DOMINFO_TRUSTTYPE_EXTERNAL);
    trust_put(5, "OLD", NULL, WBC_DOMINFO_TRUST_OUTGOING, WBC_DOMINFO_TRUSTTYPE_EXTERNAL);
    trust_sid_put(1, 9);
    trust_sid_put(2, 7);
    trust_sid_put(3, 8);
    domain_lock()->trusts[0].sid = (struct wbcDomainSid){1, 1, {0, 0, 0, 0, 0, 5}, {32}};
    domain_unlock();
}

/* A controller that changes alice's password, or refuses it so. */
static UNUSED_FUNCTION uint32_t change_refusal;

static UNUSED_FUNCTION void change(const struct wbcChangePasswordParams *asked, struct fake_answer *answer)
{
    bool right = asked->level == WBC_CHANGE_PASSWORD_LEVEL_PLAIN && strcmp(asked->account_name, "FAKE+alice") == 0 &&
                 strcmp(asked->old_password.plaintext, "Password1!") == 0 &&
                 strcmp(asked->new_password.plaintext, "Other2?") == 0;
    answer->failure.nt_status = right ? change_refusal : 0xC000006A;
    if (answer->failure.nt_status != 0)
        answer->error = WBC_ERR_PWD_CHANGE_FAILED;
}

#endif
