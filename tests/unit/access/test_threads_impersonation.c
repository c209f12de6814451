/*
 * Many threads at once: each impersonates a client of its own, and all ask one context for its token. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/access_world.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <win32/winbase.h>

/* Many threads, each a client of its own, and now and then itself. */
struct worker {
    CtxtHandle *context;
    const char *own, *other;
    uid_t uid;
    bool wrong;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < 200 && !worker->wrong; i++) {
        worker->wrong |= ImpersonateSecurityContext(worker->context) != SEC_E_OK;
        worker->wrong |= geteuid() != worker->uid || !access_reads(worker->own) || access_reads(worker->other);
        worker->wrong |= RevertSecurityContext(worker->context) != SEC_E_OK;
        worker->wrong |= geteuid() != 0 || !access_reads(worker->other);
    }
    return NULL;
}

static void test_clients_of_threads(void **state)
{
    struct loop alice, bob;
    pthread_t threads[8];
    struct worker workers[8];
    char alices[128], bobs[128];
    (void)state;
    strcpy(alices, access_file("alices", ALICE_UID, ALICE_UID, 0600));
    strcpy(bobs, access_file("bobs", BOB_UID, BOB_UID, 0600));
    access_connect(&alice, "alice", 0);
    access_connect(&bob, "bob", 0);
    for (int i = 0; i < 8; i++) {
        workers[i] = i % 2 == 0 ? (struct worker){&alice.server, alices, bobs, ALICE_UID, false}
                                : (struct worker){&bob.server, bobs, alices, BOB_UID, false};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(workers[i].wrong);
    }
    assert_int_equal(geteuid(), 0);
    loop_end(&alice);
    loop_end(&bob);
}

struct asker {
    CtxtHandle *context;
    TOKEN_STATISTICS statistics;
    void *shown;
    bool wrong;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    SecPkgContext_AccessToken shown;
    for (int i = 0; i < 100; i++) {
        HANDLE token;
        DWORD len;
        if (QuerySecurityContextToken(asker->context, &token) != SEC_E_OK) {
            asker->wrong = true;
            return NULL;
        }
        asker->wrong |=
            !GetTokenInformation(token, TokenStatistics, &asker->statistics, sizeof asker->statistics, &len);
        asker->wrong |= !CloseHandle(token);
        asker->wrong |= QueryContextAttributesA(asker->context, SECPKG_ATTR_ACCESS_TOKEN, &shown) != SEC_E_OK;
        asker->shown = shown.AccessToken;
    }
    return NULL;
}

/* The token is made once, whoever comes first. */
static void test_one_token(void **state)
{
    struct loop loop;
    pthread_t threads[8];
    struct asker askers[8];
    (void)state;
    access_connect(&loop, "alice", 0);
    for (int i = 0; i < 8; i++) {
        askers[i] = (struct asker){.context = &loop.server};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(askers[i].wrong);
        assert_memory_equal(&askers[i].statistics.TokenId, &askers[0].statistics.TokenId, sizeof(LUID));
        assert_ptr_equal(askers[i].shown, askers[0].shown);
    }
    loop_end(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clients_of_threads), cmocka_unit_test(test_one_token)};
    return cmocka_run_group_tests(tests, access_setup_root, access_teardown);
}
