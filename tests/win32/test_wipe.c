/* What the scanfs and printfs have read or written is nowhere in memory that they gave back: it may be a password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <windows.h>

/* Sanitizers have a free of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_FREE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OWN_FREE 0
#endif
#endif
#ifndef OWN_FREE
#define OWN_FREE 1
#endif

#define LEN 480 /* so that the room for it has to grow */

static volatile int watching, n_freed, n_left;
static char mark[9], wide_mark[18];

#if OWN_FREE
extern void __libc_free(void *block); /* glibc's own */

__attribute__((visibility("default"))) void free(void *block)
{
    if (block != NULL && watching) {
        size_t n = malloc_usable_size(block);
        n_freed++;
        if (memmem(block, n, mark, 8) != NULL || memmem(block, n, wide_mark, 16) != NULL)
            n_left++;
    }
    __libc_free(block);
}
#endif

static char secret[LEN + 1], to[2 * LEN];
static WCHAR wide_secret[LEN + 1], wide_to[2 * LEN];

static void mark_be(const char *text)
{
    memcpy(mark, text, 8);
    for (size_t i = 0; i < 8; i++) {
        wide_mark[2 * i] = text[i];
        wide_mark[2 * i + 1] = 0;
    }
    for (size_t i = 0; i < LEN; i++) {
        secret[i] = text[i % 8];
        wide_secret[i] = (WCHAR)text[i % 8];
    }
}

static void begin(void)
{
    n_freed = n_left = 0;
    watching = 1;
}

static void end(int n_at_least)
{
    watching = 0;
    assert_true(n_freed >= n_at_least);
    assert_int_equal(n_left, 0);
}

static void test_watched(void **state)
{
    (void)state;
    mark_be("Pa55word");
    char *volatile block = malloc(LEN + 1);
    memcpy(block, secret, sizeof secret);
    void (*volatile give_back)(void *) = free; /* the compiler knows nothing of it, and leaves what is written before */
    begin();
    give_back(block);
    watching = 0;
    assert_int_equal(n_left, 1); /* such a thing is seen */
}

static void test_scan(void **state)
{
    (void)state;
    mark_be("Pa55word");
    begin();
    assert_int_equal(sscanf(secret, "%599s", to), 1);
    assert_int_equal(sscanf_s(secret, "%s", to, (unsigned)sizeof to), 1);
    assert_int_equal(sscanf(secret, "%599ls", wide_to), 1);
    assert_int_equal(sscanf(secret, "%599[A-Za-z0-9]", to), 1);
    assert_int_equal(sscanf(secret, "%*s"), 0);
    assert_int_equal(swscanf(wide_secret, L"%599ls", wide_to), 1);
    end(4);
}

static void test_scan_real(void **state)
{
    double value;
    float small;
    (void)state;
    mark_be("31415926");
    begin();
    assert_int_equal(sscanf(secret, "%lf", &value), 1);
    assert_int_equal(sscanf(secret, "%60e", &small), 1);
    assert_int_equal(swscanf(wide_secret, L"%lf", &value), 1);
    assert_int_equal(sscanf(secret, "%*f%n", &(int){0}), 0);
    end(4);
}

static void test_print(void **state)
{
    (void)state;
    mark_be("Pa55word");
    FILE *file = fopen("/dev/null", "w");
    assert_non_null(file);
    assert_int_equal(setvbuf(file, NULL, _IONBF, 0), 0);
    begin();
    assert_int_equal(sprintf(to, "%s", secret), LEN);
    assert_int_equal(sprintf(to, "%ls", wide_secret), LEN);
    assert_int_equal(fprintf(file, "%s", secret), LEN);
    assert_int_equal(fwprintf(file, L"%ls", wide_secret), LEN);
    end(2);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watched),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_scan_real),
        cmocka_unit_test(test_print),
    };
    return OWN_FREE ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
