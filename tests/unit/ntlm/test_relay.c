/*
 * What a relay tries: to shed channel bindings, the service binding and the MIC, or to pass with bindings that are not compared.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/status.h"
#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY)

static SECURITY_STATUS server_answers(const char *target, ULONG server_flags, const char *client_channel,
                                      const char *server_channel)
{
    struct loop loop = {.target = target, .client_flags = PROTECT, .server_flags = server_flags};
    loop.client_bindings = client_channel;
    loop.client_bindings_len = client_channel != NULL ? strlen(client_channel) : 0;
    loop.server_bindings = server_channel;
    loop.server_bindings_len = server_channel != NULL ? strlen(server_channel) : 0;
    (void)loop_run(&loop);
    SECURITY_STATUS status = loop.client_status < 0 ? loop.client_status : loop.server_status;
    loop_end(&loop);
    return status;
}

/* A host name that only begins like the loopback is not it. */
static void test_names_that_look_local(void **state)
{
    (void)state;
    loop_configure(NULL);
    assert_int_equal(server_answers("HTTP/127.evil.example", 0, NULL, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(server_answers("HTTP/localhost.evil.example", 0, NULL, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(server_answers("HTTP/[::1].evil.example", 0, NULL, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(server_answers("HTTP/127.0.0.1:8080", 0, NULL, NULL), SEC_E_OK);
    assert_int_equal(server_answers("HTTP/[::1]:8080", 0, NULL, NULL), SEC_E_OK);
    assert_int_equal(server_answers("HTTP/localhost", 0, NULL, NULL), SEC_E_OK);
    /* the loopback names every computer, so it binds to none */
    loop_configure("[ntlm]\nservice_binding = always\n");
    assert_int_equal(server_answers("HTTP/localhost", 0, NULL, NULL), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(server_answers("HTTP/server.example.test", 0, NULL, NULL), SEC_E_OK);
    assert_int_equal(server_answers("HTTP/server", 0, NULL, NULL), SEC_E_OK);
    assert_int_equal(server_answers(NULL, 0, NULL, NULL), SEC_E_WRONG_PRINCIPAL);
}

/* Where the channel ends at a proxy, the service binding stands for it. */
static void test_proxy_bindings_need_a_service_binding(void **state)
{
    (void)state;
    loop_configure("[ntlm]\nrefuse_reflection = no\n");
    assert_int_equal(server_answers("HTTP/server.example.test", ASC_REQ_PROXY_BINDINGS, "outer", "inner"), SEC_E_OK);
    assert_int_equal(server_answers("HTTP/evil.example", ASC_REQ_PROXY_BINDINGS, "outer", "inner"), SEC_E_BAD_BINDINGS);
    assert_int_equal(server_answers(NULL, ASC_REQ_PROXY_BINDINGS, "outer", "inner"), SEC_E_BAD_BINDINGS);
    assert_int_equal(server_answers("HTTP/server.example.test", 0, "outer", "inner"), SEC_E_BAD_BINDINGS);
}

static SEC_CHANNEL_BINDINGS_EX *extended_make(const char *data, ULONG *len)
{
    *len = (ULONG)(sizeof(SEC_CHANNEL_BINDINGS_EX) + strlen(data));
    SEC_CHANNEL_BINDINGS_EX *bindings = calloc(1, *len);
    assert_non_null(bindings);
    bindings->magicNumber = SEC_CHANNEL_BINDINGS_EX_MAGIC;
    bindings->cbHeaderLength = sizeof *bindings;
    bindings->cbStructureLength = *len;
    bindings->cbApplicationDataLength = (ULONG)strlen(data);
    bindings->dwApplicationDataOffset = sizeof *bindings;
    memcpy(bindings + 1, data, strlen(data));
    return bindings;
}

/* One side in the EX form, the other in the plain one: the data decides, not the form. */
static void test_extended_bindings(void **state)
{
    static const char *const channels[] = {"the same channel", "another channel!"};
    struct loop shared = {.client_flags = PROTECT};
    (void)state;
    loop_configure(NULL);
    loop_acquire(&shared);
    for (int i = 0; i < 2; i++) {
        unsigned char a[4096], b[4096];
        CtxtHandle client, server;
        ULONG attributes, len;
        SEC_CHANNEL_BINDINGS_EX *extended = extended_make("the same channel", &len);
        size_t plain_len = sizeof(SEC_CHANNEL_BINDINGS) + strlen(channels[i]);
        SEC_CHANNEL_BINDINGS *plain = calloc(1, plain_len);
        plain->cbApplicationDataLength = (ULONG)strlen(channels[i]);
        plain->dwApplicationDataOffset = sizeof *plain;
        memcpy(plain + 1, channels[i], strlen(channels[i]));
        SecBuffer in[2] = {{0, SECBUFFER_TOKEN, NULL}, {len, SECBUFFER_CHANNEL_BINDINGS, extended}},
                  out = {sizeof a, SECBUFFER_TOKEN, a};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, 1, &out};
        assert_int_equal(InitializeSecurityContextA(&shared.client_credential, NULL, NULL, PROTECT, 0, 0, &in_list, 0,
                                                    &client, &out_list, &attributes, NULL),
                         SEC_I_CONTINUE_NEEDED);
        in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
        in[1] = (SecBuffer){(ULONG)plain_len, SECBUFFER_CHANNEL_BINDINGS, plain};
        out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
        assert_int_equal(AcceptSecurityContext(&shared.server_credential, NULL, &in_list, 0, 0, &server, &out_list,
                                               &attributes, NULL),
                         SEC_I_CONTINUE_NEEDED);
        in_list.cBuffers = 1;
        in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, b};
        out = (SecBuffer){sizeof a, SECBUFFER_TOKEN, a};
        assert_int_equal(InitializeSecurityContextA(NULL, &client, NULL, PROTECT, 0, 0, &in_list, 0, NULL, &out_list,
                                                    &attributes, NULL),
                         SEC_E_OK);
        in[0] = (SecBuffer){out.cbBuffer, SECBUFFER_TOKEN, a};
        out = (SecBuffer){sizeof b, SECBUFFER_TOKEN, b};
        assert_int_equal(AcceptSecurityContext(NULL, &server, &in_list, 0, 0, NULL, &out_list, &attributes, NULL),
                         i == 0 ? SEC_E_OK : SEC_E_BAD_BINDINGS);
        DeleteSecurityContext(&client);
        DeleteSecurityContext(&server);
        free(extended);
        free(plain);
    }
    loop_end(&shared);
}

/* Without its pairs a challenge would draw a proof that carries no binding and no MIC. */
static void strip_target_info(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop, (void)len;
    if (leg == 2)
        token[22] &= 0x7f; /* NTLMSSP_NEGOTIATE_TARGET_INFO */
}

static void test_a_challenge_without_pairs(void **state)
{
    (void)state;
    loop_configure(NULL);
    struct loop loop = {.client_flags = PROTECT, .alter = strip_target_info};
    assert_false(loop_run(&loop));
    assert_int_equal(loop.client_status, SEC_E_LOGON_DENIED);
    loop_end(&loop);
    loop = (struct loop){.client_bindings = "channel", .client_bindings_len = 7, .alter = strip_target_info};
    assert_false(loop_run(&loop));
    assert_int_equal(loop.client_status, SEC_E_LOGON_DENIED);
    loop_end(&loop);
    /* NTLMv1 has no place for bindings either */
    loop_configure("[ntlm]\nallow_v1 = yes\n");
    for (int bound = 0; bound < 2; bound++) {
        loop = (struct loop){.alter = strip_target_info};
        if (bound) {
            loop.client_bindings = "channel";
            loop.client_bindings_len = 7;
        }
        (void)loop_run(&loop);
        assert_int_equal(loop.client_status, bound ? SEC_E_LOGON_DENIED : SEC_E_OK);
        loop_end(&loop);
    }
    loop_configure(NULL);
    /* with nothing to protect the client answers, but its proof still says where it was going */
    loop = (struct loop){.target = "HTTP/server.example.test", .alter = strip_target_info};
    assert_false(loop_run(&loop));
    assert_int_equal(loop.client_status, SEC_E_OK);
    assert_int_equal(loop.server_status, SEC_E_INVALID_TOKEN);
    loop_end(&loop);
}

/* The client's answer to a challenge that has lost these flags and this pair. */
static struct ntlm_authenticate answer_to(struct duel *duel, const char *configuration, uint32_t flags_lost, int pair)
{
    struct token negotiate, challenge, pairs, changed, authenticate;
    struct ntlm_challenge server;
    struct ntlm_authenticate sent;
    loop_configure(configuration);
    *duel = (struct duel){.client_flags = ISC_REQ_INTEGRITY};
    duel_begin(duel);
    duel_honest(duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    craft_pairs(&challenge, pair, slice_of("", 0), &pairs);
    if ((flags_lost & NTLM_TARGET_INFO) != 0)
        pairs.len = 0;
    craft_challenge(&challenge, server.flags & ~flags_lost, token_slice(&pairs), &changed);
    duel_restart(duel);
    assert_int_equal(duel_client(duel, slice_of("", 0)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(duel_client(duel, token_slice(&changed)), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_parse(token_slice(&duel->out), &sent), WIRE_OK);
    assert_int_equal(sent.lm_response.len, 24);
    return sent;
}

/* An LMv2 response carries no pairs, so that neither bindings nor a MIC hold it, and LM's older one gives the password away: whatever a server leaves
 * out, they are sent where allow_lm says so, and LMv2 never where the server told the time. */
static void test_lm_responses(void **state)
{
    static const uint8_t zeros[24];
    static const char *const allowed[] = {"[ntlm]\nallow_v1 = yes\n", "[ntlm]\nallow_v1 = yes\nallow_lm = yes\n"};
    struct duel duel;
    (void)state;
    for (int lm = 0; lm < 2; lm++) {
        struct ntlm_authenticate sent = answer_to(&duel, allowed[lm], 0, -1);
        assert_memory_equal(sent.lm_response.data, zeros, 24);
        duel_end(&duel);
        sent = answer_to(&duel, allowed[lm], 0, NTLM_AV_TIMESTAMP);
        assert_int_equal(memcmp(sent.lm_response.data, zeros, 24) != 0, lm);
        duel_end(&duel);
        sent = answer_to(&duel, allowed[lm], NTLM_TARGET_INFO | NTLM_EXTENDED_SESSION_SECURITY, -1);
        assert_int_equal(sent.nt_response.len, 24);
        assert_int_equal(memcmp(sent.lm_response.data, sent.nt_response.data, 24) != 0, lm);
        duel_end(&duel);
    }
}

static void test_streams_belong_to_decrypt(void **state)
{
    struct loop loop = {.client_flags = PROTECT};
    unsigned char token[16], data[4] = "abc", stream[32];
    (void)state;
    loop_configure(NULL);
    assert_true(loop_run(&loop));
    SecBuffer buffers[] = {
        {sizeof stream, SECBUFFER_STREAM, stream}, {16, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 3, buffers};
    assert_int_equal(EncryptMessage(&loop.client, 0, &list, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(MakeSignature(&loop.client, 0, &list, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(VerifySignature(&loop.client, &list, 0, NULL), SEC_E_INVALID_TOKEN);
    assert_ptr_equal(buffers[2].pvBuffer, data);
    assert_int_equal(buffers[2].cbBuffer, 4);
    loop_end(&loop);
}

static SECURITY_STATUS sign_on(struct loop loop)
{
    loop.client_flags = PROTECT;
    (void)loop_run(&loop);
    SECURITY_STATUS status = loop.client_status < 0 ? loop.client_status : loop.server_status;
    loop_end(&loop);
    return status;
}

static void alter_mic(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop, (void)len;
    if (leg == 3)
        token[72] ^= 1;
}

/* Without its key nobody can check the MIC: whoever takes the key out is no better than who alters it. */
static void drop_session_key(struct loop *loop, int leg, unsigned char *token, ULONG *len)
{
    (void)loop, (void)len;
    if (leg == 3)
        token[52] = token[53] = 0; /* EncryptedRandomSessionKeyLen */
}

/* Somebody guesses a password, and between his guesses passes on what its owner signs on with elsewhere: that is refused, and forgives no guess. */
static void relayed_between(const char *section, struct loop relayed, SECURITY_STATUS refused)
{
    const struct loop wrong = {.target = "HTTP/server", .password = "guess"}, right = {.target = "HTTP/server"};
    loop_cleanup(); /* with the count of the one before */
    loop_configure(section);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sign_on(wrong), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on(relayed), refused);
    assert_int_equal(sign_on(wrong), SEC_E_LOGON_DENIED);
    assert_int_equal(sign_on(right), STATUS_ACCOUNT_LOCKED_OUT);
}

static void test_what_is_relayed_forgives_nothing(void **state)
{
    const struct loop elsewhere = {.target = "http/evil.example"};
    const struct loop bound = {
        .client_bindings = "theirs", .client_bindings_len = 6, .server_bindings = "ours", .server_bindings_len = 4};
    (void)state;
    relayed_between("lockout_threshold = 3\n[ntlm]\nservice_binding = always\nrefuse_reflection = no\n", elsewhere,
                    SEC_E_WRONG_PRINCIPAL);
    relayed_between("lockout_threshold = 3\n", elsewhere, SEC_E_LOGON_DENIED);
    relayed_between("lockout_threshold = 3\n", bound, SEC_E_BAD_BINDINGS);
    relayed_between("lockout_threshold = 3\n", (struct loop){.alter = alter_mic}, SEC_E_MESSAGE_ALTERED);
    relayed_between("lockout_threshold = 3\n", (struct loop){.alter = drop_session_key}, SEC_E_INVALID_TOKEN);
    /* what is whole does */
    loop_cleanup();
    loop_configure("lockout_threshold = 3\n");
    for (int i = 0; i < 6; i++)
        assert_int_equal(sign_on((struct loop){.password = i % 3 < 2 ? "guess" : NULL}),
                         i % 3 < 2 ? SEC_E_LOGON_DENIED : SEC_E_OK);
}

static int teardown(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_look_local),
        cmocka_unit_test(test_proxy_bindings_need_a_service_binding),
        cmocka_unit_test(test_extended_bindings),
        cmocka_unit_test(test_a_challenge_without_pairs),
        cmocka_unit_test(test_lm_responses),
        cmocka_unit_test(test_streams_belong_to_decrypt),
        cmocka_unit_test(test_what_is_relayed_forgives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
