/*
 * Which host a target names, and which hosts are the loopback, this computer, or in a list.
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
        {"HTTP/[::1/]", "[::1", false}, /* the bracket is of the instance */
        {"HTTP/[::1@]:80", "[::1", false},
        {"[::1]", "::1", true},
        {"[::1]:80", "::1", true},
        {"localhost", "localhost", true},
        {"localhost:80", "localhost", true},
        {"localhost@evil.test", "localhost@evil.test",
         false}, /* for GSS-API a service on another host, for Kerberos a user */
        {"localhost:80@evil.test", "localhost:80@evil.test", false},
        {"[::1]:80@evil.test", "[::1]:80@evil.test", false},
        {"/localhost", "localhost", true},
        /* The dot of the root makes no other host of one, whether a program writes it or not; it alone is the root. */
        {"HTTP/host.test.", "host.test", false},
        {"HTTP/host.test.:8080/name@REALM", "host.test", false},
        {"host.test.", "host.test", false},
        {"HTTP/host.test..", "host.test.", false},
        {"HTTP/.", ".", false},
        {"HTTP/localhost.", "localhost", true},
        {"HTTP/127.0.0.1.", "127.0.0.1", true},
        {"HTTP/[::1].", "[::1].", false}, /* no address */
        {"HTTP/[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", true},
        {"HTTP/::FFFF:7f00:1", "::FFFF:7f00:1", true},
        {"HTTP/[::ffff:128.0.0.1]", "::ffff:128.0.0.1", false},
        {"HTTP/[::127.0.0.1]", "::127.0.0.1", false}, /* IPv4-compatible, which nobody routes */
        {"HTTP/[::2]", "::2", false},
    };
    char host[TARGET_HOST_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        target_host(cases[i].target, host);
        if (strcmp(host, cases[i].host) != 0 || target_host_is_loopback(host) != cases[i].loopback)
            fail_msg("%s: %s", cases[i].target, host);
    }
}

static bool is_own(const char *target, const char *computer, const char *dns_computer)
{
    const struct config config = {.computer = (char *)(uintptr_t)computer,
                                  .dns_computer = (char *)(uintptr_t)dns_computer};
    char host[TARGET_HOST_SIZE];
    target_host(target, host);
    return target_host_is_own(&config, host);
}

static void test_own(void **state)
{
    static const struct {
        const char *host;
        bool own;
    } cases[] = {
        {"server.example.test", true},
        {"SERVER.example.TEST.", true},
        {"server", true},
        {"server.", true},
        {"NETBIOS", true},
        {"netbios.", true},
        {"server..", false},
        {".", false},
        {"server.example.test..", false},
        {"server.example.tes.", false},
        {"server.example.", false},
        {"", false},
        {"www.server.example.test.", false},
        {"erver.", false},
    };
    static const char *const dns_computers[] = {"server.example.test", "server.example.test."};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t k = 0; k < COUNT_OF(dns_computers); k++)
            if (is_own(cases[i].host, "netbios", dns_computers[k]) != cases[i].own)
                fail_msg("\"%s\" of %s", cases[i].host, dns_computers[k]);
}

static void test_listed(void **state)
{
    static const char *const items[] = {"web.example.test",      "absolute.example.test.",
                                        "HTTP/one.example.test", "HTTP/two.example.test.",
                                        "HTTP/[2001:db8::1]:80", "ldap/three.example.test:389/name@REALM"};
    struct config_list list = {.n_items = COUNT_OF(items)};
    static const struct {
        const char *target;
        bool listed;
    } cases[] = {
        {"HTTP/web.example.test", true},
        {"cifs/WEB.example.test.", true},
        {"web.example.test.:80", true},
        {"HTTP/absolute.example.test", true},
        {"HTTP/absolute.example.test.", true},
        {"http/one.example.test", true},
        {"HTTP/one.example.test.", true},
        {"cifs/one.example.test", false},
        {"cifs/one.example.test.", false},
        {"HTTP/two.example.test", true},
        {"HTTP/two.example.test.", true},
        {"ldap/three.example.test:389/name@REALM", true},
        {"ldap/three.example.test.:389/name@REALM", true},
        {"ldap/three.example.test.:390/name@REALM", false},
        {"ldap/three.example.test.:389/other@REALM", false},
        {"ldap/three.example.test.:389/name@OTHER", false},
        {"HTTP/[2001:db8::1]:80", true},
        {"HTTP/[2001:db8::1].:80", false}, /* no address */
        {"HTTP/web.example.test..", false},
        {"HTTP/www.web.example.test.", false},
        {"HTTP/.", false},
        {"HTTP/", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(items); i++)
        list.item[i] = (char *)(uintptr_t)items[i];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char host[TARGET_HOST_SIZE];
        target_host(cases[i].target, host);
        if (target_is_listed(&list, cases[i].target, host) != cases[i].listed)
            fail_msg("\"%s\"", cases[i].target);
    }
    list.n_items = 0;
    assert_false(target_is_listed(&list, "HTTP/web.example.test", "web.example.test"));
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

static bool part_is(struct slice part, const char *text, const char *whole)
{
    const char *data = (const char *)part.data;
    return slice_equal(part, slice_of_text(text)) && data >= whole && data + part.len <= whole + strlen(whole);
}

static void test_parts(void **state)
{
    static const struct {
        const char *target, *service, *host, *port, *instance, *realm;
        bool has_host;
    } cases[] = {
        {"", "", "", "", "", "", false},
        {"host", "", "host", "", "", "", true},
        {"host:80", "", "host", "80", "", "", true},
        {"HTTP/host", "HTTP", "host", "", "", "", true},
        {"MSSQLSvc/db.test:1433/one@REALM", "MSSQLSvc", "db.test", "1433", "one", "REALM", true},
        {"ldap/dc.test/example.test", "ldap", "dc.test", "", "example.test", "", true},
        {"ldap/dc.test/one/two", "ldap", "dc.test", "", "one/two", "", true},
        /* Empty parts. */
        {"/", "", "", "", "", "", false},
        {"//", "", "", "", "", "", false},
        {"/host", "", "host", "", "", "", true},
        {"HTTP/", "HTTP", "", "", "", "", false},
        {"HTTP//one", "HTTP", "", "", "one", "", false},
        {"HTTP/:80", "HTTP", "", "80", "", "", false},
        {"HTTP/:", "HTTP", "", "", "", "", false},
        {"HTTP/host:", "HTTP", "host", "", "", "", true},
        {"HTTP/host/", "HTTP", "host", "", "", "", true},
        {"HTTP/host@", "HTTP", "host", "", "", "", true},
        {"HTTP/host:/@", "HTTP", "host", "", "", "", true},
        {"HTTP/@REALM", "HTTP", "", "", "", "REALM", false},
        {":80", "", "", "80", "", "", false},
        /* The realm: from the first "@" behind a slash on, as libkrb5 reads it; without a slash it reads a service and its host, or a user. */
        {"HTTP/host@REALM", "HTTP", "host", "", "", "REALM", true},
        {"HTTP/host:80@REALM", "HTTP", "host", "80", "", "REALM", true},
        {"HTTP/host@ONE@TWO", "HTTP", "host", "", "", "ONE@TWO", true},
        {"HTTP/host@good.test/one", "HTTP", "host", "", "", "good.test/one", true},
        {"HTTP/host@REALM:80", "HTTP", "host", "", "", "REALM:80", true},
        {"HTTP/host/one@REALM", "HTTP", "host", "", "one", "REALM", true},
        {"a@b/host", "a@b", "host", "", "", "", true},
        {"HTTP@host", "", "HTTP@host", "", "", "", true},
        {"user@REALM:80", "", "user@REALM:80", "", "", "", true},
        {"host:80@REALM", "", "host:80@REALM", "", "", "", true},
        {"[::1]:80@REALM", "", "[::1]:80@REALM", "", "", "", false},
        {"@", "", "@", "", "", "", true},
        /* Addresses. */
        {"HTTP/[::1]", "HTTP", "::1", "", "", "", true},
        {"HTTP/[::1]:80/one@REALM", "HTTP", "::1", "80", "one", "REALM", true},
        {"HTTP/[::1]@REALM", "HTTP", "::1", "", "", "REALM", true},
        {"HTTP/[::1]:", "HTTP", "::1", "", "", "", true},
        {"HTTP/[::1]:80:90", "HTTP", "::1", "80:90", "", "", true},
        {"[::1]:80", "", "::1", "80", "", "", true},
        {"HTTP/::1", "HTTP", "::1", "", "", "", true},
        {"HTTP/2001:db8::1/one", "HTTP", "2001:db8::1", "", "one", "", true},
        {"HTTP/[host]:80", "HTTP", "host", "80", "", "", true},
        /* No address: nothing is passed over, and nobody's host. */
        {"HTTP/[::1].evil.example", "HTTP", "[::1].evil.example", "", "", "", false},
        {"HTTP/[::1]evil:80", "HTTP", "[::1]evil:80", "", "", "", false},
        {"HTTP/[::1]]:80", "HTTP", "[::1]]:80", "", "", "", false},
        {"HTTP/[[::1]]", "HTTP", "[[::1]]", "", "", "", false},
        {"HTTP/[[::1]:80", "HTTP", "[::1", "80", "", "", false},
        {"HTTP/[", "HTTP", "[", "", "", "", false},
        {"HTTP/[:80", "HTTP", "[:80", "", "", "", false},
        {"HTTP/[]", "HTTP", "", "", "", "", false},
        {"HTTP/[]:80", "HTTP", "", "80", "", "", false},
        {"HTTP/[::1/]", "HTTP", "[::1", "", "]", "", false},
        {"HTTP/[::1@]:80", "HTTP", "[::1", "", "", "]:80", false},
        {"HTTP/.:80", "HTTP", ".", "80", "", "", false},
        {"HTTP/host.", "HTTP", "host.", "", "", "", true},
        {"HTTP/]", "HTTP", "]", "", "", "", true},
        {"HTTP/host]:80", "HTTP", "host]", "80", "", "", true},
        {"[/host", "[", "host", "", "", "", true},
        /* UTF-8, and what Kerberos would read as escapes: no delimiter is hidden by them. */
        {"HTTP/h\xc3\xb6st.test:80", "HTTP", "h\xc3\xb6st.test", "80", "", "", true},
        {"HTTP/host\xef\xbc\x9a"
         "80/\xe2\x82\xac@R\xc3\x89",
         "HTTP",
         "host\xef\xbc\x9a"
         "80",
         "", "\xe2\x82\xac", "R\xc3\x89", true},
        {"HTTP/evil\\/good.test", "HTTP", "evil\\", "", "good.test", "", true},
        {"HTTP/evil\\@good.test", "HTTP", "evil\\", "", "", "good.test", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *whole = cases[i].target;
        struct target target = target_parse(whole);
        if (!part_is(target.service, cases[i].service, whole) || !part_is(target.host, cases[i].host, whole) ||
            !part_is(target.port, cases[i].port, whole) || !part_is(target.instance, cases[i].instance, whole) ||
            !part_is(target.realm, cases[i].realm, whole) || target_has_host(&target) != cases[i].has_host)
            fail_msg("\"%s\": host \"%.*s\", port \"%.*s\", instance \"%.*s\", realm \"%.*s\"", whole,
                     (int)target.host.len, (const char *)target.host.data, (int)target.port.len,
                     (const char *)target.port.data, (int)target.instance.len, (const char *)target.instance.data,
                     (int)target.realm.len, (const char *)target.realm.data);
    }
}

/* No part is cut, however long; one of many delimiters takes no longer than its length. */
static void test_parts_long(void **state)
{
    static char text[1 << 20];
    (void)state;
    memset(text, 'h', sizeof text - 1);
    struct target target = target_parse(text);
    assert_int_equal(target.host.len, sizeof text - 1);
    text[10] = '/';
    text[sizeof text - 11] = '@';
    target = target_parse(text);
    assert_int_equal(target.service.len, 10);
    assert_int_equal(target.host.len, sizeof text - 11 - 11);
    assert_int_equal(target.realm.len, 9);
    for (const char *delimiter = "/:@[]"; *delimiter != '\0'; delimiter++) {
        memset(text, *delimiter, sizeof text - 1);
        target = target_parse(text);
        assert_true(target.service.len + target.host.len + target.port.len + target.instance.len + target.realm.len <
                    sizeof text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hosts),  cmocka_unit_test(test_own),
                                       cmocka_unit_test(test_listed), cmocka_unit_test(test_long),
                                       cmocka_unit_test(test_parts),  cmocka_unit_test(test_parts_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
