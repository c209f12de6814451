/*
 * NTLM servers whose clients a domain knows: the challenge is a member's, and with the session key that winbind brings everything is checked here as
 * ever: key exchange, MIC, channel bindings, target. The controller is tests/support/domain_world.c.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/lsa.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/status.h"
#include "crypto/ntlm_response.h"
#include "ntlm/messages.h"
#include "ntlm/response.h"
#include "support/domain_world.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define SEALED (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define BINDING "tls-server-end-point:right"
#define SECONDS 60
#define STEPS_MAX 5000

static int begin(void **state)
{
    (void)state;
    (void)domain_begin();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    domain_hang(false);
    domain_await_quiet();
    loop_cleanup();
    return 0;
}

static struct loop loop_of(const char *user, const char *domain)
{
    return (struct loop){.user = user, .domain = domain, .target = "HTTP/host.example.test", .client_flags = SEALED};
}

static void run_good(struct loop *loop)
{
    if (!loop_run(loop))
        fail_msg("client 0x%08x, server 0x%08x: %s", (unsigned)loop->client_status, (unsigned)loop->server_status,
                 OpenSspiLastErrorText());
}

static struct ntlm_challenge seen;
static uint8_t seen_bytes[LOOP_TOKEN_MAX];

/* Keeps what the server's challenge says. */
static void challenge_keep(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop;
    if (leg != 2)
        return;
    memcpy(seen_bytes, token, *len);
    assert_int_equal(ntlm_challenge_parse(slice_of(seen_bytes, *len), &seen), WIRE_OK);
}

static void assert_text(struct slice utf16, const char *expected)
{
    AUTO_FREE char *text = NULL;
    assert_int_equal(utf16le_to_text(utf16, &text), WIRE_OK);
    assert_string_equal(text, expected);
}

static void assert_challenge(const char *computer, const char *domain, const char *dns_domain, bool member)
{
    struct ntlm_av av;
    assert_int_equal(ntlm_av_parse(seen.target_info, &av), WIRE_OK);
    assert_text(av.value[NTLM_AV_NB_COMPUTER], computer);
    assert_text(av.value[NTLM_AV_NB_DOMAIN], domain);
    assert_text(av.value[NTLM_AV_DNS_DOMAIN], dns_domain);
    assert_text(av.value[NTLM_AV_DNS_COMPUTER], "host.example.test");
    assert_true(av.timestamp != 0);
    assert_text(seen.target_name, member ? domain : computer);
    assert_true(((seen.flags & NTLM_TARGET_TYPE_DOMAIN) != 0) == member);
    assert_true(((seen.flags & NTLM_TARGET_TYPE_SERVER) != 0) == !member);
}

static void test_whole_handshake(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    SecPkgContext_NamesA names;
    SecPkgContext_PasswordExpiry expiry;
    OPENSSPI_CLIENT_IDENTITY *identity;
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    loop.client_bindings = loop.server_bindings = BINDING;
    loop.client_bindings_len = loop.server_bindings_len = strlen(BINDING);
    loop.alter = challenge_keep;
    run_good(&loop);
    assert_challenge("SERVER", "FAKE", "fake.test", true);
    /* what went to the controller is this server's challenge and the client's whole response */
    assert_memory_equal(domain_seen.challenge, seen.challenge, 8);
    assert_true(domain_seen.nt_len > seen.target_info.len && domain_seen.lm_len == 0);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "there"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.server, &loop.client, "and back"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop.client, &loop.server, "signed"), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "FAKE\\Alice");
    FreeContextBuffer(names.sUserName);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_PASSWORD_EXPIRY, &expiry), SEC_E_OK);
    assert_int_equal(OpenSspiQueryClientIdentity(&loop.server, &identity), SEC_E_OK);
    assert_string_equal(identity->UserSid, "S-1-5-21-7-7-7-1000");
    assert_int_equal(identity->GroupCount, 3);
    assert_string_equal(identity->Groups[1].Sid, "S-1-5-21-7-7-7-2000");
    FreeContextBuffer(identity);
    loop_end(&loop);
}

static void logon_soon_over(struct fake_answer *answer)
{
    answer->user.user_flags = 0x920;
    answer->user.logoff_time = 4100000000;
    answer->user.kickoff_time = 4000000000;
}

/* What the domain says of the logon, also in a context that was handed on. */
static void test_logon(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    SecPkgContext_UserFlags flags;
    SecPkgContext_LogoffTime logoff;
    SecBuffer packed = {0};
    CtxtHandle copy;
    char package[] = "NTLM";
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    domain_alter = logon_soon_over;
    run_good(&loop);
    domain_alter = NULL;
    assert_int_equal(ExportSecurityContext(&loop.server, 0, &packed, NULL), SEC_E_OK);
    assert_int_equal(ImportSecurityContextA(package, &packed, NULL, &copy), SEC_E_OK);
    FreeContextBuffer(packed.pvBuffer);
    CtxtHandle *contexts[] = {&loop.server, &copy};
    for (size_t i = 0; i < COUNT_OF(contexts); i++) {
        assert_int_equal(QueryContextAttributesA(contexts[i], SECPKG_ATTR_USER_FLAGS, &flags), SEC_E_OK);
        assert_int_equal(flags.UserFlags, 0x920);
        assert_int_equal(QueryContextAttributesA(contexts[i], SECPKG_ATTR_LOGOFF_TIME, &logoff), SEC_E_OK);
        assert_true(logoff.tsLogoffTime.QuadPart == filetime_from_unix(4000000000));
    }
    DeleteSecurityContext(&copy);
    loop_end(&loop);
}

/* The same of a response that another server passes on (LsaLogonUser), in the profile that it gets. */
static void test_logon_passed_on(void **state)
{
    static const uint8_t challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct ntlm_client_challenge client = {.challenge = {8, 7, 6, 5, 4, 3, 2, 1}, .pairs = {NULL, 0}};
    struct ntlm_client_challenge now = client;
    AUTO_WRITER struct writer response = writer_growing(64), proof = writer_growing(64), record = writer_growing(512);
    AUTO_IDENTITY struct identity identity = {.proof_kind = IDENTITY_RESPONSE};
    AUTO_SECRET struct secret password = {0};
    struct key16 hash;
    struct hmac_md5_key key;
    uint8_t code[16];
    const struct config *config;
    void *profile = NULL;
    size_t len = 0;
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    domain_alter = logon_soon_over;
    now.timestamp = (uint64_t)filetime_now();
    writer_zeros(&response, 16);
    ntlm_client_challenge_write(&response, &now);
    assert_int_equal(utf16le_secret(&password, "Password1!"), WIRE_OK);
    ntlm_nt_hash(secret_slice(&password), &hash);
    assert_int_equal(ntlm_v2_key(&hash, "alice", "FAKE", &key), WIRE_OK);
    ntlm_v2_proof(&key, challenge, slice_of(response.data + 16, response.len - 16), code);
    writer_patch_bytes(&response, 0, code, sizeof code);
    identity_response_write(&proof, &(struct identity_response){
                                        .challenge = challenge, .nt = writer_slice_of(&response), .workstation = "WS"});
    identity.user = mem_strdup("alice");
    identity.domain = mem_strdup("FAKE");
    assert_true(secret_set(&identity.proof, proof.data, proof.len));
    assert_int_equal(config_get(&config), SEC_E_OK);
    assert_int_equal(ntlm_prove_response(config, &identity, &record), SEC_E_OK);
    config_release(config);
    domain_alter = NULL;
    assert_int_equal(lsa_response_profile(writer_slice_of(&record), &profile, &len), SEC_E_OK);
    const MSV1_0_LM20_LOGON_PROFILE *told = profile;
    assert_int_equal(told->UserFlags, 0x920);
    assert_true(told->LogoffTime.QuadPart == filetime_from_unix(4000000000));
    assert_true(told->KickOffTime.QuadPart == filetime_from_unix(4000000000));
    FreeContextBuffer(profile);
}

/* Every flag that changes keys, with the controller's key. */
static void test_kinds_of_keys(void **state)
{
    static const ULONG flags[] = {0, ISC_REQ_INTEGRITY, SEALED, ISC_REQ_IDENTIFY | SEALED};
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        struct loop loop = loop_of("alice@fake.test", "");
        loop.client_flags = flags[i];
        run_good(&loop);
        if ((flags[i] & ISC_REQ_INTEGRITY) != 0)
            assert_int_equal(loop_sign(&loop.server, &loop.client, "text"), SEC_E_OK);
        loop_end(&loop);
    }
    /* Datagrams: the client chooses first. */
    struct loop loop = loop_of("alice", "FAKE");
    loop.client_flags = SEALED | ISC_REQ_DATAGRAM;
    loop.server_flags = ASC_REQ_DATAGRAM;
    run_good(&loop);
    loop_end(&loop);
}

static int altered_leg;
static size_t altered_at;

static void flip(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop;
    if (leg == altered_leg && altered_at < *len)
        token[altered_at] ^= 1;
}

/* The MIC is verified with the key that the controller gave: flags of each message, and the MIC itself. */
static void test_alterations(void **state)
{
    static const struct {
        int leg;
        size_t at;
    } places[] = {{1, 14}, {1, 15}, {3, NTLM_MIC_OFFSET}, {3, NTLM_MIC_OFFSET + 15}, {3, 64}};
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct loop loop = loop_of("alice", "FAKE");
        loop.alter = flip;
        altered_leg = places[i].leg;
        altered_at = places[i].at;
        assert_false(loop_run(&loop));
        if (loop.server_status != SEC_E_MESSAGE_ALTERED)
            fail_msg("leg %d, byte %zu: 0x%08x", altered_leg, altered_at, (unsigned)loop.server_status);
        assert_int_equal(domain_seen.n_logons, i + 1); /* the password was right, and it was asked */
        loop_end(&loop);
    }
}

static void key_wrong(struct fake_answer *answer)
{
    answer->user.user_session_key[0] ^= 1;
}

/* A controller whose key is another than the client's lets nobody in. */
static void test_wrong_key(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    domain_alter = key_wrong;
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_MESSAGE_ALTERED);
    loop_end(&loop);
}

static void test_bindings_and_targets(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    (void)state;
    domain_configure("winbind:", SECONDS, "service_binding = always\nrefuse_reflection = no\n");
    loop.client_bindings = "tls-server-end-point:other";
    loop.client_bindings_len = strlen("tls-server-end-point:other");
    loop.server_bindings = BINDING;
    loop.server_bindings_len = strlen(BINDING);
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_BAD_BINDINGS);
    loop_end(&loop);
    loop = loop_of("alice", "FAKE");
    loop.target = "HTTP/elsewhere.example.test";
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_WRONG_PRINCIPAL);
    loop_end(&loop);
    loop = loop_of("alice", "FAKE");
    run_good(&loop);
    loop_end(&loop);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *user, *password;
        SECURITY_STATUS status;
    } cases[] = {
        {"alice", "wrong", SEC_E_LOGON_DENIED},
        {"nobody", NULL, SEC_E_LOGON_DENIED},
        {"nt-C0000234", NULL, STATUS_ACCOUNT_LOCKED_OUT},
        {"nt-C0000072", NULL, STATUS_ACCOUNT_DISABLED},
        {"nt-C0000224", NULL, STATUS_PASSWORD_MUST_CHANGE},
        {"nt-C000005E", NULL, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    };
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    for (int negotiate = 0; negotiate < 2; negotiate++)
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            struct loop loop = loop_of(cases[i].user, "FAKE");
            loop.package = negotiate == 1 ? "Negotiate" : "NTLM";
            loop.password = cases[i].password;
            assert_false(loop_run(&loop));
            if (loop.server_status != cases[i].status || OpenSspiLastErrorText()[0] == '\0')
                fail_msg("%s: 0x%08x, %s", cases[i].user, (unsigned)loop.server_status, OpenSspiLastErrorText());
            loop_end(&loop);
        }
}

/* Negotiate signs its list with the session that the controller's key made. */
static void test_negotiate(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    (void)state;
    domain_configure("sam, winbind:", SECONDS, NULL);
    loop.package = "Negotiate";
    run_good(&loop);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed"), SEC_E_OK);
    assert_int_equal(domain_seen.n_logons, 1);
    loop_end(&loop);
}

/* Winbind is dead: local accounts are as they were, under names from the configuration. */
static void test_local_accounts_without_winbind(void **state)
{
    (void)state;
    domain_lock()->details_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    domain_unlock();
    domain_configure("sam, winbind:", SECONDS, NULL);
    struct loop loop = loop_of("alice", "EXAMPLE");
    loop.alter = challenge_keep;
    run_good(&loop);
    assert_challenge("HOST", "HOST", "example.test", false);
    loop_end(&loop);
    loop = loop_of("alice", "FAKE");
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(OpenSspiLastErrorText(), "winbind"));
    loop_end(&loop);
}

/* It hangs: one acquisition waits for it, no handshake of a local account does. */
static void test_local_accounts_beside_a_hanging_winbind(void **state)
{
    (void)state;
    domain_hang(true);
    domain_configure("sam, winbind:", 1, NULL);
    for (int i = 0; i < 3; i++) {
        struct loop loop = loop_of("alice", "EXAMPLE");
        loop.alter = challenge_keep;
        run_good(&loop);
        assert_challenge("HOST", "HOST", "example.test", false);
        loop_end(&loop);
    }
    assert_int_equal(domain_lock()->n_hanging, 1);
    domain_unlock();
}

static void ends_soon(struct fake_answer *answer)
{
    answer->user.kickoff_time = DOMAIN_TIME;
}

static void test_logon_ends(void **state)
{
    struct loop loop = loop_of("alice", "FAKE");
    SecPkgContext_Lifespan lifespan;
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    for (int ends = 0; ends < 2; ends++) {
        domain_alter = ends ? ends_soon : NULL;
        run_good(&loop);
        assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
        assert_true(lifespan.tsExpiry.QuadPart == (ends ? filetime_from_unix((time_t)DOMAIN_TIME) : FILETIME_NEVER));
        loop_end(&loop);
    }
}

/* Memory runs out at every place of a handshake. */
static void test_no_memory(void **state)
{
    (void)state;
    domain_configure("winbind:", SECONDS, NULL);
    struct loop loop = loop_of("alice", "FAKE");
    run_good(&loop); /* the domain's names are known now */
    loop_end(&loop);
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long n_steps = 1;; n_steps++) {
            loop = loop_of("alice", "FAKE");
            loop_acquire(&loop);
            loop.keep_credentials = true;
            mem_fault_set(n_steps, sticky == 1);
            bool good = loop_run(&loop);
            unsigned long n_allocated = mem_fault_count();
            mem_fault_set(0, false);
            SECURITY_STATUS status = loop.client_status < 0 ? loop.client_status : loop.server_status;
            if (!good && (n_allocated < n_steps || status != SEC_E_INSUFFICIENT_MEMORY))
                fail_msg("allocation %lu: 0x%08x %s", n_steps, (unsigned)status, OpenSspiLastErrorText());
            loop.keep_credentials = false;
            loop_end(&loop);
            if (n_allocated < n_steps) {
                assert_true(good);
                assert_true(n_steps > 20);
                break;
            }
            assert_true(n_steps < STEPS_MAX);
        }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_whole_handshake),
        TEST(test_logon),
        TEST(test_logon_passed_on),
        TEST(test_kinds_of_keys),
        TEST(test_alterations),
        TEST(test_wrong_key),
        TEST(test_bindings_and_targets),
        TEST(test_refusals),
        TEST(test_negotiate),
        TEST(test_local_accounts_without_winbind),
        TEST(test_local_accounts_beside_a_hanging_winbind),
        TEST(test_logon_ends),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
