/*
 * `ntlm_fallback = audit`: each use of NTLM writes its line, also without SPNEGO and where the server chose it.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/opensspi-audit-XXXXXX";

static bool traced(const char *line)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    return strstr(text, line) != NULL;
}

/* The server's configuration and the client's, a handshake, and the line; nothing was in the trace before. */
static void run(const char *client_package, const char *client, const char *server, const char *line, bool there)
{
    struct loop loop = {.package = client_package, .client_flags = ISC_REQ_INTEGRITY}, other = {.package = "Negotiate"};
    assert_int_equal(truncate(path, 0), 0);
    fake_reset();
    loop_configure(client);
    loop_acquire(&loop);
    FreeCredentialsHandle(&loop.server_credential);
    loop_configure(server);
    loop_acquire(&other);
    FreeCredentialsHandle(&other.client_credential);
    loop.server_credential = other.server_credential;
    loop.keep_credentials = true;
    assert_true(loop_run(&loop));
    loop.keep_credentials = false;
    loop_end(&loop);
    if (traced(line) != there)
        fail_msg("%s", line);
}

#define SECTION "[negotiate]\npackages = "

static void test_each_use(void **state)
{
    (void)state;
    for (int audit = 0; audit < 2; audit++) {
        const char *ntlm = audit ? SECTION "ntlm\nntlm_fallback = audit\n" : SECTION "ntlm\n";
        const char *both = audit ? SECTION "fake, ntlm\nntlm_fallback = audit\n" : SECTION "fake, ntlm\n";
        run("NTLM", ntlm, ntlm, "audit: NTLM without SPNEGO", audit);
        run("Negotiate", both, SECTION "ntlm\n", "audit: the server chose NTLM", audit);
        run("Negotiate", SECTION "ntlm\n", ntlm, "audit: the client offers", audit);
        run("Negotiate", ntlm, SECTION "ntlm\n", "audit: NTLM for", audit);
        run("Negotiate", both, both, "audit: ", false); /* that is Fake */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_use),
    };
    int file = mkstemp(path);
    if (file < 0 || setenv("SSPI_TRACE", path, 1) != 0)
        return 1;
    close(file);
    fake_register();
    int failed = cmocka_run_group_tests(tests, NULL, loop_teardown);
    unlink(path);
    return failed;
}
