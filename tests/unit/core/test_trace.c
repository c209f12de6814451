/*
 * The trace of whole handshakes tells the steps and none of the secrets, in no form.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/trace.h"
#include "support/ntlm_loop.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static char trace_path[] = "/tmp/opensspi-trace-XXXXXX";
static uint8_t *trace;
static size_t trace_len;

static void trace_load(void)
{
    struct stat status;
    int fd = open(trace_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    free(trace);
    trace_len = (size_t)status.st_size;
    trace = malloc(trace_len + 1);
    assert_non_null(trace);
    assert_int_equal(read(fd, trace, trace_len), trace_len);
    trace[trace_len] = '\0';
    close(fd);
}

static void refuse(const char *what, const void *bytes, size_t len)
{
    if (memmem(trace, trace_len, bytes, len) != NULL)
        fail_msg("the trace holds %s", what);
}

/* Raw, in hexadecimal of both cases, and in pieces of eight bytes of either. */
static void refuse_secret(const char *what, const uint8_t *secret, size_t len)
{
    char hex[3];
    for (size_t at = 0; at < len; at += 8) {
        size_t piece_len = len - at < 8 ? len - at : 8;
        char lower[17] = "", upper[17] = "", spaced[32] = "";
        if (piece_len < 6 && at > 0)
            break;
        refuse(what, secret + at, piece_len);
        for (size_t i = 0; i < piece_len; i++) {
            snprintf(hex, sizeof hex, "%02x", secret[at + i]);
            strcat(lower, hex);
            strcat(strcat(spaced, hex), i + 1 < piece_len ? " " : "");
        }
        for (size_t i = 0; i <= strlen(lower); i++)
            upper[i] = (char)toupper((unsigned char)lower[i]);
        refuse(what, lower, strlen(lower));
        refuse(what, upper, strlen(upper));
        refuse(what, spaced, strlen(spaced));
    }
}

static void refuse_text(const char *what, const char *text)
{
    uint8_t wide[64];
    size_t len = strlen(text);
    assert_true(2 * len <= sizeof wide);
    for (size_t i = 0; i < len; i++) {
        wide[2 * i] = (uint8_t)text[i];
        wide[2 * i + 1] = 0;
    }
    refuse_secret(what, (const uint8_t *)text, len);
    refuse_secret(what, wide, 2 * len);
}

static void refuse_session_key(CtxtHandle *context)
{
    SecPkgContext_SessionKey key;
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
    assert_int_equal(key.SessionKeyLength, 16);
    refuse_secret("a session key", key.SessionKey, key.SessionKeyLength);
    FreeContextBuffer(key.SessionKey);
}

static void test_handshakes(void **state)
{
    static const uint8_t alice[16] = {0x7f, 0xac, 0xdc, 0x49, 0x8e, 0xd1, 0x68, 0x0c,
                                      0x4f, 0xd1, 0x44, 0x83, 0x19, 0xa8, 0xc0, 0x4f};
    struct loop loop = {.client_flags = PROTECT,
                        .target = "host/server.example.test",
                        .client_bindings = "channel",
                        .client_bindings_len = 7,
                        .server_bindings = "channel",
                        .server_bindings_len = 7};
    struct loop wrong = {.client_flags = PROTECT, .password = "Wrong4Secret"};
    struct loop stranger = {.client_flags = PROTECT, .user = "nobody", .password = "Secret5Stranger"};
    SecBuffer packed = {0};
    CtxtHandle moved = {0};
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(loop_seal(&loop.client, &loop.server, "Secret6Message"), SEC_E_OK);
    assert_int_equal(ExportSecurityContext(&loop.server, 0, &packed, NULL), SEC_E_OK);
    assert_int_equal(ImportSecurityContextA((char *)(uintptr_t) "NTLM", &packed, NULL, &moved), SEC_E_OK);
    assert_false(loop_run(&wrong));
    assert_false(loop_run(&stranger));
    trace_load();
    assert_non_null(memmem(trace, trace_len, "alice", 5)); /* it does tell */
    assert_non_null(memmem(trace, trace_len, "host/server.example.test", 24));
    refuse_text("the right password", "Password1!");
    refuse_text("a wrong password", "Wrong4Secret");
    refuse_text("a stranger's password", "Secret5Stranger");
    refuse_text("a message", "Secret6Message");
    refuse_secret("an NT hash", alice, sizeof alice);
    refuse_session_key(&loop.client);
    FreeContextBuffer(packed.pvBuffer);
    DeleteSecurityContext(&moved);
    loop_end(&loop);
    loop_end(&wrong);
    loop_end(&stranger);
}

/* Names from a peer cannot forge lines or drive a terminal, and long ones do not run on. */
static void test_lines(void **state)
{
    char user[1500];
    (void)state;
    struct loop forger = {.client_flags = PROTECT, .user = "eve\n[1] forged: line\x1b[31m", .password = "x"};
    assert_false(loop_run(&forger));
    loop_end(&forger);
    memset(user, 'u', sizeof user - 1);
    user[sizeof user - 1] = '\0';
    trace_write("test", "%s", user);
    trace_load();
    assert_true(trace_len > 0 && trace[trace_len - 1] == '\n');
    size_t start = 0;
    for (size_t i = 0; i < trace_len; i++) {
        assert_true(trace[i] == '\n' || (trace[i] >= 0x20 && trace[i] != 0x7f));
        if (trace[i] != '\n')
            continue;
        assert_true(i - start < 1024);
        assert_int_equal(trace[start], '[');
        assert_int_equal(strtol((char *)trace + start + 1, NULL, 10), getpid()); /* this test has one thread */
        start = i + 1;
    }
    struct stat status;
    assert_int_equal(stat(trace_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static int trace_descriptor(void)
{
    struct stat of_path, of_fd;
    assert_int_equal(stat(trace_path, &of_path), 0);
    for (int fd = 0; fd < 256; fd++)
        if (fstat(fd, &of_fd) == 0 && of_fd.st_ino == of_path.st_ino && of_fd.st_dev == of_path.st_dev)
            return fd;
    fail_msg("the trace is not open");
    return -1;
}

static char own_path[] = "/tmp/opensspi-own-XXXXXX";

/* As daemons do: descriptors that nobody here opened are closed, and the program's own file gets the number. */
static void descriptor_take(void)
{
    int traced = trace_descriptor(), own = mkstemp(own_path);
    assert_true(traced > STDERR_FILENO && own >= 0);
    assert_int_equal(dup2(own, traced), traced);
    close(own);
}

static size_t own_len(void)
{
    struct stat status;
    assert_int_equal(stat(own_path, &status), 0);
    assert_int_equal(unlink(own_path), 0);
    strcpy(own_path + strlen(own_path) - 6, "XXXXXX");
    return (size_t)status.st_size;
}

static void test_descriptor_that_is_taken(void **state)
{
    (void)state;
    descriptor_take();
    trace_write("test", "after %s", "the first");
    assert_int_equal(own_len(), 0);
    trace_load(); /* the same file, opened again */
    assert_non_null(memmem(trace, trace_len, "after the first", 15));
    assert_true(trace_on());
    close(trace_descriptor());
    trace_write("test", "after %s", "the second");
    trace_load();
    assert_non_null(memmem(trace, trace_len, "after the second", 16));
}

/* Another file of that name, or none, is not the one that was meant: then it is over. */
static void test_descriptor_and_file_are_taken(void **state)
{
    struct stat status;
    char other[sizeof trace_path + 2];
    (void)state;
    descriptor_take();
    snprintf(other, sizeof other, "%s.x", trace_path);
    assert_int_equal(rename(trace_path, other), 0);
    FILE *file = fopen(trace_path, "w");
    assert_non_null(file);
    fclose(file);
    trace_write("test", "after %s", "the third");
    assert_int_equal(own_len(), 0);
    assert_int_equal(stat(trace_path, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_false(trace_on());
    assert_int_equal(unlink(other), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_handshakes), cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_descriptor_that_is_taken),
                                       cmocka_unit_test(test_descriptor_and_file_are_taken)};
    int fd = mkstemp(trace_path);
    if (fd < 0)
        return 1;
    close(fd);
    unlink(trace_path);                  /* the library makes it, 0600 */
    setenv("SSPI_TRACE", trace_path, 1); /* read once, at the first step */
    loop_configure("lockout_threshold = 0\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    unlink(trace_path);
    free(trace);
    return failed;
}
