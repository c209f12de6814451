/*
 * Which host a target names, and which hosts are the loopback.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/target.h"
#include <string.h>

static void test_hosts(void **state)
{
    static const struct {
        const char *target, *host;
        bool loopback;
    } cases[] = {
        {"host.test", "host.test", false},
        {"HTTP/host.test", "host.test", false},
        {"HTTP/host.test:8080", "host.test", false},
        {"HTTP/host.test:8080/name", "host.test", false},
        {"HTTP/host.test@REALM", "host.test", false},
        {"HTTP/", "", false},
        {"", "", false},
        {"HTTP/localhost", "localhost", true},
        {"HTTP/LocalHost:80", "LocalHost", true},
        {"HTTP/localhost.evil.test", "localhost.evil.test", false},
        {"HTTP/127.255.255.255", "127.255.255.255", true},
        {"HTTP/127.0.0.1:80", "127.0.0.1", true},
        {"HTTP/127.1", "127.1", false},
        {"HTTP/127.0.0.1.evil.test", "127.0.0.1.evil.test", false},
        {"HTTP/::1", "::1", true},
        {"HTTP/[::1]", "::1", true},
        {"HTTP/[::1]:80", "::1", true},
        {"HTTP/[::1]:80/name", "::1", true},
        {"HTTP/[2001:db8::1]:80", "2001:db8::1", false},
        {"HTTP/[::1].evil.test", "[::1].evil.test", false}, /* what follows an address is not passed over */
        {"HTTP/[::1]evil", "[::1]evil", false},
        {"HTTP/[::1", "[::1", false},
        {"HTTP/[]", "", false},
    };
    char host[TARGET_HOST_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        target_host(cases[i].target, host);
        if (strcmp(host, cases[i].host) != 0 || target_host_is_loopback(host) != cases[i].loopback)
            fail_msg("%s: %s", cases[i].target, host);
    }
}

/* What is too long to be a host's name is cut, and stays within its room. */
static void test_long(void **state)
{
    char target[2 * TARGET_HOST_SIZE], host[TARGET_HOST_SIZE + 1];
    (void)state;
    for (size_t len = TARGET_HOST_SIZE - 2; len <= TARGET_HOST_SIZE + 1; len++) {
        memset(target, 'h', len);
        target[len] = '\0';
        memset(host, '#', sizeof host);
        target_host(target, host);
        assert_int_equal(strlen(host), len < TARGET_HOST_SIZE ? len : TARGET_HOST_SIZE - 1);
        assert_int_equal(host[TARGET_HOST_SIZE], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hosts), cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
