/*
 * WDigest through the daemon: what stands for a user's password in his realm does not reach the server that he signs on to.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/utf16.h"
#include "crypto/http_digest.h"
#include "crypto/ntlm_response.h"
#include "support/digest_loop.h"
#include "support/lsa_daemon.h"
#include "support/memory_search.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "erin"
#define PASSWORD "Another-password-9"

static struct digest_side server;
static char socket_path[160];
static const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/page"};
static const struct digest_call get = {.flags = DIGEST_HTTP, .method = "GET", .target = "/page"};

static void configure(const char *algorithm, bool daemon)
{
    char extra[512] = "";
    size_t len = (size_t)snprintf(extra, sizeof extra, "algorithms = %s\n", algorithm);
    if (daemon)
        snprintf(extra + len, sizeof extra - len, "[lsa]\nmode = daemon\nsocket = %s\n", socket_path);
    digest_configure(extra);
}

/* In another process, so that nothing of it stays in this one: `work` writes `len` bytes. */
static void elsewhere(void (*work)(void *to, size_t len, const void *from), const void *from, void *to, size_t len)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static char bytes[8192];
        work(bytes, len, from);
        _exit(write(ends[1], bytes, len) == (ssize_t)len ? 0 : 1);
    }
    close(ends[1]);
    for (size_t at = 0; at < len;) {
        ssize_t n = read(ends[0], (char *)to + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* An account whose hashes were never in this process: the others' were made here. */
static void account_make(void *to, size_t len, const void *from)
{
    static const char *const names[] = {DIGEST_REALM};
    const struct digest_realms realms = {names, 1, "EXAMPLE"};
    struct account_admin *admin = NULL;
    struct writer utf16 = writer_growing(64);
    struct key16 hash;
    (void)to, (void)len;
    if (account_admin_open(from, false, &admin) != SEC_E_OK || utf16le_write(&utf16, PASSWORD) != WIRE_OK)
        _exit(4);
    account_admin_digest(admin, &realms);
    ntlm_nt_hash(writer_slice_of(&utf16), &hash);
    const struct account_spec spec = {.name = USER,
                                      .domain = "EXAMPLE",
                                      .nt_hash = &hash,
                                      .password = writer_slice_of(&utf16),
                                      .expires = FILETIME_NEVER,
                                      .uid = -1,
                                      .gid = -1};
    if (account_admin_add(admin, &spec) != SEC_E_OK)
        _exit(5);
    account_admin_close(admin);
}

static int begin(void **state)
{
    char done;
    (void)state;
    digest_configure(NULL); /* makes the directory */
    elsewhere(account_make, digest_database(), &done, 1);
    snprintf(socket_path, sizeof socket_path, "%.*s/lsa.sock",
             (int)(strrchr(digest_database(), '/') - digest_database()), digest_database());
    configure("SHA-256", true);
    lsa_daemon_start(socket_path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    digest_side_end(&server);
    lsa_daemon_stop();
    digest_cleanup();
    return 0;
}

static void secret_make(void *to, size_t len, const void *from)
{
    uint8_t secret[DIGEST_LEN_MAX] = {0}, *bytes = to;
    if (!digest_secret(*(const enum digest_algorithm *)from, slice_of_text(USER), slice_of_text(DIGEST_REALM),
                       slice_of_text(PASSWORD), secret))
        _exit(2);
    for (size_t i = 0; i < len; i++)
        bytes[i] = secret[i] ^ MEMORY_DISGUISE;
}

static void answer_make(void *to, size_t len, const void *from)
{
    struct digest_side client = {0};
    digest_client(&client, USER, NULL, PASSWORD);
    if (digest_initiate_step(&client, &get, from) != SEC_E_OK)
        _exit(3);
    memcpy(to, client.token, len < sizeof client.token ? len : sizeof client.token);
}

static void sign_on(void)
{
    char answer[DIGEST_TOKEN + 1];
    digest_side_end(&server);
    digest_server(&server);
    assert_true(server.has_credential);
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    elsewhere(answer_make, server.token, answer, sizeof answer);
    assert_int_equal(digest_accept_step(&server, &got, answer), SEC_E_OK);
    assert_non_null(strstr(server.token, "rspauth"));
}

static void test_no_key(void **state)
{
    static const struct {
        const char *name;
        enum digest_algorithm algorithm;
    } cases[] = {{"MD5", DIGEST_MD5}, {"SHA-256", DIGEST_SHA256}, {"SHA-512-256", DIGEST_SHA512_256}};
    (void)state;
    uint8_t needle[DIGEST_LEN_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = digest_len(cases[i].algorithm);
        char token[DIGEST_TOKEN + 1];
        SecBuffer packed = {0};
        CtxtHandle moved = {0};
        char name[] = "WDigest";
        elsewhere(secret_make, &cases[i].algorithm, needle, len);
        configure(cases[i].name, true);
        sign_on();
        SecPkgContext_NamesA names = {0};
        assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
        assert_string_equal(names.sUserName, "EXAMPLE\\" USER);
        FreeContextBuffer(names.sUserName);
        assert_int_equal(digest_sign(&server, "", "", "", token), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(digest_verify(&server, "GET", "/page", "", "username=\"alice\""), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(ExportSecurityContext(&server.context, 0, &packed, NULL), SEC_E_OK);
        assert_int_equal(ImportSecurityContextA(name, &packed, NULL, &moved), SEC_E_OK);
        assert_int_equal(DeleteSecurityContext(&moved), SEC_E_OK);
        FreeContextBuffer(packed.pvBuffer);
        assert_false(memory_holds(needle, len));
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = digest_len(cases[i].algorithm);
        char token[DIGEST_TOKEN + 1];
        elsewhere(secret_make, &cases[i].algorithm, needle, len);
        configure(cases[i].name, false); /* within one process it is there, or the search proves nothing */
        sign_on();
        assert_true(memory_holds(needle, len));
        assert_int_equal(digest_sign(&server, "", "", "", token), SEC_E_OK);
        digest_side_end(&server);
    }
}

/* With "-sess" there is a key of the session, which is nobody's password. */
static void test_session_key(void **state)
{
    char token[DIGEST_TOKEN + 1];
    SecPkgContext_SessionKey key = {0};
    (void)state;
    configure("SHA-256-sess", true);
    sign_on();
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
    assert_int_equal(key.SessionKeyLength, 32);
    FreeContextBuffer(key.SessionKey);
    assert_int_equal(digest_sign(&server, "", "", "", token), SEC_E_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_key), cmocka_unit_test(test_session_key)};
    return cmocka_run_group_tests(tests, begin, end);
}
