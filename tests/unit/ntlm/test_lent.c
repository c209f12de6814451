/*
 * NTLM with the login that a logon session lent: as long as that session is.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cause.h"
#include "core/lease.h"
#include "ntlm/credential.h"
#include "ntlm/handshake.h"
#include "ntlm/package.h"
#include <string.h>

static const struct config *config;

static SECURITY_STATUS begun(void *credential)
{
    const struct step_in in = {.target = "host/server"};
    struct step_out out = {.token = writer_growing(64), .record = writer_growing(64)};
    void *handshake = NULL;
    SECURITY_STATUS status = ntlm_package.authority->initiate(credential, &handshake, &in, &out);
    if (handshake != NULL)
        ntlm_package.authority->abandon(handshake);
    writer_release(&out.token);
    writer_release(&out.record);
    return status;
}

static void *acquire(struct lease *lease, const struct identity *session, const struct identity *given)
{
    const struct acquire_request request = {.config = config,
                                            .use = SECPKG_CRED_OUTBOUND,
                                            .identity = given,
                                            .session_identity = session,
                                            .session_lease = lease};
    void *credential = NULL;
    int64_t expiry;
    assert_int_equal(ntlm_acquire(&request, &credential, &expiry), SEC_E_OK);
    return credential;
}

static void test_a_session_ends(void **state)
{
    static char user[] = "alice", domain[] = "EXAMPLE";
    static uint8_t password[] = {'p', 0, 'w', 0};
    const struct identity identity = {
        .user = user, .domain = domain, .password = {password, sizeof password}, .has_password = true};
    struct lease *lease = lease_new(NULL);
    (void)state;
    void *lent = acquire(lease, &identity, NULL), *own = acquire(lease, &identity, &identity);
    assert_int_equal(begun(lent), SEC_I_CONTINUE_NEEDED);
    lease_purge(lease); /* tickets are no matter of NTLM's */
    assert_int_equal(begun(lent), SEC_I_CONTINUE_NEEDED);
    lease_end(lease);
    lease_put(lease);
    cause_clear();
    assert_int_equal(begun(lent), SEC_E_NO_CREDENTIALS);
    assert_non_null(strstr(cause_text(), "the logon session"));
    assert_int_equal(begun(own), SEC_I_CONTINUE_NEEDED); /* the program's own password */
    ntlm_release(lent);
    ntlm_release(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_session_ends)};
    if (config_get(&config) != SEC_E_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    config_release(config);
    return failed;
}
