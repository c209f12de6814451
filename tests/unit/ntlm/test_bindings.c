/*
 * Channel bindings and service bindings: every policy against every kind of client. The expectations are written down here a second time, from
 * docs and MS-NLMP 3.2.5.1.2, not taken from the code.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"
#include "support/wide.h"
#include <stdio.h>
#include <string.h>

#define TARGET "test/server.example.test"
#define RIGHT "tls-server-end-point:right"

enum sent { ABSENT, ZERO, EQUAL, OTHER };
static const char *const policies[] = {"never", "when-supported", "always"};

static struct duel duel;
static struct token negotiate, challenge, authenticate;

static void begin(const char *policy, const char *more)
{
    char text[256];
    snprintf(text, sizeof text, "lockout_threshold = 0\n[ntlm]\nchannel_bindings = %s\n%s", policy, more);
    loop_configure(text);
    duel = (struct duel){.target = TARGET};
    duel_begin(&duel);
    duel_freeze();
}

static void end(void)
{
    duel_end(&duel);
    duel_thaw();
}

/* The library's own client, or for ABSENT one that knows nothing of bindings. */
static SECURITY_STATUS attempt(enum sent sent, bool has_target)
{
    static const char *const data[] = {[ABSENT] = NULL, [ZERO] = NULL, [EQUAL] = RIGHT, [OTHER] = "tls-unique:other"};
    duel.client_bindings = data[sent];
    duel.target = has_target ? TARGET : NULL;
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    if (sent == ABSENT) {
        struct token more = {.len = 0}, pairs;
        if (has_target)
            craft_append_pair(&more, NTLM_AV_TARGET_NAME, "h\0/\0s\0e\0r\0v\0e\0r\0", 16);
        craft_pairs(&challenge, -1, token_slice(&more), &pairs);
        craft_authenticate(&(struct craft){.kind = CRAFT_V2, .pairs = token_slice(&pairs)}, &negotiate, &challenge,
                           &authenticate);
    }
    return duel_server(&duel, token_slice(&authenticate));
}

static SECURITY_STATUS expected(int policy, bool server_has, ULONG flags, enum sent sent, bool has_target)
{
    if (policy == 0)
        return SEC_E_OK;
    if (!server_has) /* nothing to compare with: "always" may not let that pass */
        return policy == 1 ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    if (sent == ABSENT)
        return policy == 1 && (flags & ASC_REQ_ALLOW_MISSING_BINDINGS) != 0 ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    if (sent == ZERO)
        return SEC_E_BAD_BINDINGS;
    if ((flags & ASC_REQ_PROXY_BINDINGS) != 0) /* the channel ends elsewhere; the service binding stands for it */
        return has_target ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    return sent == EQUAL ? SEC_E_OK : SEC_E_BAD_BINDINGS;
}

static void test_channel_bindings(void **state)
{
    static const ULONG flags[] = {0, ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_REQ_PROXY_BINDINGS,
                                  ASC_REQ_ALLOW_MISSING_BINDINGS | ASC_REQ_PROXY_BINDINGS};
    (void)state;
    for (int policy = 0; policy < 3; policy++) {
        begin(policies[policy], "");
        for (int i = 0; i < 4 * 2 * 4 * 2; i++) {
            enum sent sent = (enum sent)(i % 4);
            bool server_has = (i / 4 & 1) != 0, has_target = (i / 8 & 1) != 0;
            duel_restart(&duel);
            duel.server_flags = flags[i / 16];
            duel.server_bindings = server_has ? RIGHT : NULL;
            SECURITY_STATUS wanted = expected(policy, server_has, flags[i / 16], sent, has_target);
            SECURITY_STATUS status = attempt(sent, has_target);
            if (status != wanted)
                fail_msg("policy %s, server %s bindings, flags 0x%x, client sends %d, target %d: 0x%08x, not 0x%08x",
                         policies[policy], server_has ? "with" : "without", (unsigned)flags[i / 16], (int)sent,
                         has_target, (unsigned)status, (unsigned)wanted);
        }
        end();
    }
}

/* Bindings given with the first step or with the last are the same bindings. */
static void test_bindings_at_either_step(void **state)
{
    (void)state;
    begin("always", "");
    for (int early = 0; early < 2; early++) {
        duel_restart(&duel);
        duel.client_bindings = RIGHT;
        duel.server_bindings = early ? RIGHT : NULL;
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        duel.server_bindings = early ? NULL : RIGHT;
        assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    }
    end();
}

static void test_service_binding(void **state)
{
    static const struct {
        const char *target, *targets;
        bool accepted_if_always, accepted_if_supported;
    } cases[] = {
        {TARGET, "", true, true},
        {"http/other.example", "", false, true},
        {NULL, "", false, true},
        {TARGET, "targets = http/web.example, test/server.example.test\n", true, true},
        {TARGET, "targets = http/web.example\n", false, false},
        {"HTTP/WEB.example", "targets = http/web.example\n", true, true},
        {"http/web.example:8080", "targets = web.example\n", true, true},
        {NULL, "targets = http/web.example\n", false, true},
        {"http/web.example.evil", "targets = http/web.example, web.example\n", false, false},
    };
    char more[256];
    (void)state;
    for (size_t i = 0; i < 3 * sizeof cases / sizeof cases[0]; i++) {
        size_t policy = i % 3, at = i / 3;
        snprintf(more, sizeof more, "refuse_reflection = no\nservice_binding = %s\n%s", policies[policy],
                 cases[at].targets);
        begin("never", more);
        duel.target = cases[at].target;
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        bool accepted = policy == 0 || (policy == 1 && cases[at].accepted_if_supported) ||
                        (policy == 2 && cases[at].accepted_if_always);
        SECURITY_STATUS status = duel_server(&duel, token_slice(&authenticate));
        if (status != (accepted ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL))
            fail_msg("%s, target %s, %s: 0x%08x", policies[policy],
                     cases[at].target != NULL ? cases[at].target : "none", cases[at].targets, (unsigned)status);
        end();
    }
}

/* What the client meant is told to the server's program. */
static void test_target_is_told(void **state)
{
    SecPkgContext_ClientSpecifiedTarget target = {0};
    (void)state;
    begin("never", "");
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&duel.server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    assert_wide_equal(target.sTargetName, TARGET);
    assert_int_equal(FreeContextBuffer(target.sTargetName), SEC_E_OK);
    end();
}

/* MS-NLMP 2.2.2.1, MsvAvFlags: a client whose name of the service came from somewhere that is not to be trusted says so, and the server's word on it
 * does not count. */
static void test_unverified_target(void **state)
{
    struct ntlm_authenticate message;
    struct ntlm_client_challenge client;
    struct ntlm_av av;
    (void)state;
    begin("never", "");
    for (int unverified = 0; unverified < 2; unverified++) {
        duel_restart(&duel);
        duel.client_flags = unverified ? ISC_REQ_UNVERIFIED_TARGET_NAME : 0;
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        assert_int_equal(ntlm_authenticate_parse(token_slice(&authenticate), &message), WIRE_OK);
        struct slice blob = slice_of(message.nt_response.data + 16, message.nt_response.len - 16);
        assert_int_equal(ntlm_client_challenge_parse(blob, &client), WIRE_OK);
        assert_int_equal(ntlm_av_parse(client.pairs, &av), WIRE_OK);
        assert_int_equal(av.flags, NTLM_AV_FLAG_MIC | (unverified ? NTLM_AV_FLAG_UNVERIFIED_TARGET : 0));
        assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_bindings),  cmocka_unit_test(test_bindings_at_either_step),
        cmocka_unit_test(test_service_binding),   cmocka_unit_test(test_target_is_told),
        cmocka_unit_test(test_unverified_target),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
