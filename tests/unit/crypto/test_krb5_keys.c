/*
 * What deriving keys leaves behind: nothing of them, on the stack or anywhere else. Their values are tested in test_krb5_crypto.c; here, that they do
 * not depend on the processor's instructions, so that derivations are run where the search means nothing.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/secret.h"
#include "crypto/krb5_crypto.h"
#include "crypto/processor.h"
#include "support/memory_search.h"

#include <pthread.h>
#include <string.h>

#define STACK_LEN ((size_t)256 << 10)

/* The test's own, so that it is still there, and as it was, when its thread has ended. */
static _Alignas(4096) uint8_t stack[STACK_LEN];

struct derivation {
    const struct krb_profile *profile;
    uint8_t disguised[3][KRB_KEY_MAX];
    size_t lens[3];
    bool keeps; /* forgets to wipe: what the search must find */
    bool done;
};

static void *derive(void *argument)
{
    static const enum krb_derived kinds[3] = {KRB_CHECKSUM_KEY, KRB_ENCRYPTION_KEY, KRB_INTEGRITY_KEY};
    struct derivation *derivation = argument;
    const struct krb_profile *profile = derivation->profile;
    struct krb_base base;
    uint8_t key[KRB_KEY_MAX];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 29 + 7);
    derivation->done = krb_base_init(&base, profile, key);
    for (size_t k = 0; k < 3; k++) {
        derivation->lens[k] = kinds[k] == KRB_ENCRYPTION_KEY ? profile->key_len : profile->mac_key_len;
        derivation->done = derivation->done && krb_derive(&base, 22, kinds[k], key);
        for (size_t i = 0; i < derivation->lens[k]; i++)
            derivation->disguised[k][i] = key[i] ^ MEMORY_DISGUISE;
    }
    if (!derivation->keeps)
        secret_wipe(key, sizeof key);
    krb_base_release(&base);
    return NULL;
}

static void derive_in_thread(struct derivation *derivation)
{
    pthread_attr_t attributes;
    pthread_t thread;
    memset(stack, 0, sizeof stack);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
    assert_int_equal(pthread_create(&thread, &attributes, derive, derivation), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_true(derivation->done);
}

static const int32_t enctypes[] = {KRB_AES128_SHA1, KRB_AES256_SHA1, KRB_AES128_SHA256, KRB_AES256_SHA384};

static struct derivation derived(int32_t enctype, unsigned lacking)
{
    struct derivation derivation = {.profile = krb_profile_find(enctype)};
    processor_lacks(lacking);
    derive_in_thread(&derivation);
    processor_lacks(0);
    return derivation;
}

static void every_processor_derives_the_same(void **state)
{
    (void)state;
    for (size_t e = 0; e < COUNT_OF(enctypes); e++) {
        struct derivation with = derived(enctypes[e], 0), without = derived(enctypes[e], PROCESSOR_AES | PROCESSOR_SHA);
        for (size_t k = 0; k < 3; k++) {
            assert_true(with.lens[k] >= 8);
            assert_memory_equal(with.disguised[k], without.disguised[k], with.lens[k]);
        }
        assert_memory_not_equal(with.disguised[0], with.disguised[2], with.lens[0]);
    }
}

/* Holds for what an optimizing compiler makes: without, copies that live in registers otherwise are on the stack, and sanitizers have stacks of their
 * own. */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void nothing_stays(unsigned lacking)
{
    for (size_t e = 0; e < COUNT_OF(enctypes); e++) {
        struct derivation derivation = derived(enctypes[e], lacking);
        for (size_t k = 0; k < 3; k++) /* each block of it alone is a find too */
            for (size_t at = 0; at + 8 <= derivation.lens[k]; at += 16)
                assert_false(memory_holds(derivation.disguised[k] + at, derivation.lens[k] - at < 16 ? 8 : 16));
    }
}

static void derived_keys_leave_nothing(void **state)
{
    (void)state;
    nothing_stays(0);
    nothing_stays(PROCESSOR_AES | PROCESSOR_SHA);
}

static void the_search_finds_what_is_kept(void **state)
{
    struct derivation derivation = {.profile = krb_profile_find(KRB_AES128_SHA1), .keeps = true};
    (void)state;
    derive_in_thread(&derivation);
    assert_true(memory_holds(derivation.disguised[2], derivation.lens[2]));
}

#define SEARCHES cmocka_unit_test(derived_keys_leave_nothing), cmocka_unit_test(the_search_finds_what_is_kept),
#else
#define SEARCHES
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_processor_derives_the_same), SEARCHES};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
