/*
 * CredSSP against peers that alter, repeat, reorder or leave out: each is refused, and nothing is handed to a server that has not proved its key.
 * build: all
 */
#include "credssp/binding.h"
#include "support/credssp_duel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sspi_ext.h>

static struct bytes sealed;

/* The honest client refuses with this, and has sent nothing more. */
static void client_refuses(struct credssp_duel *duel, const struct ts_request *request, SECURITY_STATUS expected)
{
    assert_int_equal(credssp_duel_send(duel, request), expected);
    assert_int_equal(duel->text.len, 0);
    assert_int_equal(side_step(&duel->honest), SEC_E_OUT_OF_SEQUENCE);
    credssp_duel_end(duel);
}

static struct credssp_duel *server_played(void)
{
    struct credssp_duel *duel = credssp_duel_begin(false);
    credssp_duel_authenticate(duel, 6);
    assert_non_null(duel->request.pub_key_auth.data);
    assert_null(duel->request.auth_info.data);
    return duel;
}

static void test_server_honest(void **state)
{
    (void)state;
    struct credssp_duel *duel = server_played();
    credssp_duel_binding(duel, true, 6, &sealed);
    struct ts_request request = {.version = 6, .pub_key_auth = bytes_slice(&sealed)};
    assert_int_equal(credssp_duel_send(duel, &request), SEC_E_OK);
    assert_non_null(duel->request.auth_info.data);
    credssp_duel_end(duel);
}

static void test_server_replays(void **state)
{
    (void)state;
    struct credssp_duel *duel = server_played();
    sealed.len = duel->request.pub_key_auth.len;
    memcpy(sealed.data, duel->request.pub_key_auth.data, sealed.len);
    struct ts_request request = {.version = 6, .pub_key_auth = bytes_slice(&sealed)};
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    /* Sealed anew by the server, but the client's own words. */
    duel = server_played();
    credssp_duel_binding(duel, false, 6, &sealed);
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

static void test_server_nonce(void **state)
{
    (void)state;
    struct credssp_duel *duel = server_played();
    duel->nonce.data[7] ^= 1;
    credssp_duel_binding(duel, true, 6, &sealed);
    struct ts_request request = {.version = 6, .pub_key_auth = bytes_slice(&sealed)};
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

static void test_server_key(void **state)
{
    (void)state;
    struct credssp_duel *duel = server_played();
    duel->key.data[duel->key.len - 1] ^= 1;
    credssp_duel_binding(duel, true, 6, &sealed);
    struct ts_request request = {.version = 6, .pub_key_auth = bytes_slice(&sealed)};
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    duel = server_played();
    credssp_duel_binding(duel, true, 6, &sealed);
    sealed.data[sealed.len - 1] ^= 1; /* on its way */
    request.pub_key_auth = bytes_slice(&sealed);
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    for (size_t i = 0; i < 32; i += 31) { /* nearly right */
        AUTO_SECRET struct secret text = {0};
        duel = server_played();
        assert_int_equal(binding_text(BINDING_SERVER, 6, duel->nonce.data, bytes_slice(&duel->key), &text), SEC_E_OK);
        assert_int_equal(text.len, 32);
        text.data[i] ^= 1;
        credssp_duel_seal(duel, text.data, text.len, &sealed);
        request.pub_key_auth = bytes_slice(&sealed);
        client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    }
}

static void test_server_old_form(void **state)
{
    (void)state;
    struct credssp_duel *duel = server_played();
    credssp_duel_binding(duel, true, 4, &sealed); /* the key and one, under a version that binds by hashes */
    struct ts_request request = {.version = 6, .pub_key_auth = bytes_slice(&sealed)};
    client_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

static void test_server_version(void **state)
{
    (void)state;
    static const struct {
        uint32_t version;
        SECURITY_STATUS expected;
    } cases[] = {{4, SEC_E_UNSUPPORTED_FUNCTION},
                 {2, SEC_E_UNSUPPORTED_FUNCTION},
                 {1, SEC_E_INVALID_TOKEN},
                 {0, SEC_E_INVALID_TOKEN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) { /* from the first answer on */
        struct credssp_duel *duel = credssp_duel_begin(false);
        credssp_duel_nego(duel);
        struct ts_request request = {.version = cases[i].version, .nego_token = bytes_slice(&duel->token)};
        client_refuses(duel, &request, cases[i].expected);
    }
    struct credssp_duel *duel = server_played(); /* 6 before, 5 now */
    credssp_duel_binding(duel, true, 6, &sealed);
    struct ts_request request = {.version = 5, .pub_key_auth = bytes_slice(&sealed)};
    client_refuses(duel, &request, SEC_E_INVALID_TOKEN);
}

static void test_server_version_higher(void **state)
{
    (void)state;
    struct credssp_duel *duel = credssp_duel_begin(false);
    credssp_duel_authenticate(duel, 77); /* counts as the highest that is known here (MS-CSSP 2.2.1) */
    credssp_duel_binding(duel, true, 6, &sealed);
    struct ts_request request = {.version = 77, .pub_key_auth = bytes_slice(&sealed)};
    assert_int_equal(credssp_duel_send(duel, &request), SEC_E_OK);
    assert_int_equal(duel->request.version, 6);
    credssp_duel_end(duel);
}

static void test_server_leaves_out(void **state)
{
    (void)state;
    struct ts_request nothing = {.version = 6};
    client_refuses(server_played(), &nothing, SEC_E_INVALID_TOKEN);
    struct ts_request token = {.version = 6, .nego_token = slice_of("again", 5)};
    client_refuses(server_played(), &token, SEC_E_INVALID_TOKEN);
    struct ts_request credentials = {.version = 6, .auth_info = slice_of("again", 5)};
    client_refuses(server_played(), &credentials, SEC_E_INVALID_TOKEN);
    struct ts_request empty = {.version = 6, .pub_key_auth = slice_of("", 0)};
    client_refuses(server_played(), &empty, SEC_E_INVALID_TOKEN);
    /* The proof comes before the client has spoken. */
    struct credssp_duel *duel = credssp_duel_begin(false);
    credssp_duel_nego(duel);
    struct ts_request early = {
        .version = 6, .nego_token = bytes_slice(&duel->token), .pub_key_auth = slice_of("early", 5)};
    client_refuses(duel, &early, SEC_E_INVALID_TOKEN);
}

static void test_server_error(void **state)
{
    (void)state;
    static const struct {
        uint32_t error;
        SECURITY_STATUS expected;
    } cases[] = {
        {0xC000006D, SEC_E_LOGON_DENIED},          {0xC0000234, (SECURITY_STATUS)0xC0000234},
        {0xC0000072, (SECURITY_STATUS)0xC0000072}, {0x8009030C, SEC_E_LOGON_DENIED},
        {0xC00700EA, SEC_E_LOGON_DENIED},          {1, SEC_E_LOGON_DENIED},
        {0x80090318, SEC_E_LOGON_DENIED}, /* SEC_E_INCOMPLETE_MESSAGE: the context must not wait for more */
        {0x80090321, SEC_E_LOGON_DENIED},          {0x80090304, SEC_E_LOGON_DENIED},
        {0xC00000BB, SEC_E_UNSUPPORTED_FUNCTION}, /* the version */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ts_request request = {.version = 6, .has_error = true, .error = cases[i].error};
        client_refuses(credssp_duel_begin(false), &request, cases[i].expected);
        client_refuses(server_played(), &request, cases[i].expected);
    }
}

static void test_garbage(void **state)
{
    (void)state;
    static const unsigned char long_one[] = {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, indefinite[] = {0x30, 0x80, 0, 0},
                               two[] = {0x30, 0x00, 0x30}, no_version[] = {0x30, 0x00};
    static const struct {
        const unsigned char *data;
        size_t len;
    } cases[] = {{long_one, sizeof long_one},
                 {indefinite, sizeof indefinite},
                 {two, sizeof two},
                 {no_version, sizeof no_version},
                 {(const unsigned char *)"GET /", 5}};
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        struct credssp_duel *duel = credssp_duel_begin(i % 2 != 0); /* by a server, by a client */
        assert_int_equal(credssp_duel_send_raw(duel, cases[i / 2].data, cases[i / 2].len), SEC_E_INVALID_TOKEN);
        assert_int_equal(side_step(&duel->honest), SEC_E_OUT_OF_SEQUENCE);
        credssp_duel_end(duel);
    }
}

/* A step without input wants more, and changes nothing. */
static void test_nothing_came(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        struct credssp_duel *duel = credssp_duel_begin(client != 0);
        assert_int_equal(side_step(&duel->honest), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(duel->honest.missing, 5);
        credssp_duel_authenticate(duel, 6);
        assert_int_equal(side_step(&duel->honest), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(side_step(&duel->honest), SEC_E_INCOMPLETE_MESSAGE);
        credssp_duel_end(duel);
    }
}

/* The honest server refuses, and tells so. */
static void server_refuses(struct credssp_duel *duel, const struct ts_request *request, SECURITY_STATUS expected)
{
    duel->honest.flags |= ASC_REQ_EXTENDED_ERROR;
    assert_int_equal(credssp_duel_send(duel, request), expected);
    if (request->version == 6 || request->version == 5) { /* 5 where 6 was agreed on */
        assert_true(duel->request.has_error);
        assert_int_equal(duel->request.error, 0xC000006D);
    } else if (request->version == 3 || request->version == 4) { /* below min_version (MS-CSSP 3.1.5, step 4) */
        assert_true(duel->request.has_error);
        assert_int_equal(duel->request.error, 0xC00000BB);
    } else
        assert_int_equal(duel->text.len, 0); /* 2 has no errorCode */
    assert_null(duel->request.pub_key_auth.data);
    credssp_duel_end(duel);
}

static struct credssp_duel *client_played(void)
{
    struct credssp_duel *duel = credssp_duel_begin(true);
    credssp_duel_authenticate(duel, 6);
    duel->nonce.len = TS_NONCE_LEN;
    memset(duel->nonce.data, 0x5a, TS_NONCE_LEN);
    return duel;
}

static struct ts_request bound(struct credssp_duel *duel)
{
    credssp_duel_binding(duel, false, 6, &sealed);
    return (struct ts_request){.version = 6, .pub_key_auth = bytes_slice(&sealed), .nonce = bytes_slice(&duel->nonce)};
}

static struct credssp_duel *client_proved(void)
{
    struct credssp_duel *duel = client_played();
    struct ts_request request = bound(duel);
    assert_int_equal(credssp_duel_send(duel, &request), SEC_I_CONTINUE_NEEDED);
    assert_non_null(duel->request.pub_key_auth.data);
    return duel;
}

static SECURITY_STATUS hand_over(struct credssp_duel *duel, const struct ts_credentials *credentials)
{
    AUTO_WRITER struct writer bytes = writer_growing(512);
    ts_credentials_write(&bytes, credentials);
    assert_int_equal(writer_finish(&bytes), WIRE_OK);
    credssp_duel_seal(duel, bytes.data, bytes.len, &sealed);
    struct ts_request request = {.version = 6, .auth_info = bytes_slice(&sealed)};
    return credssp_duel_send(duel, &request);
}

#define W(TEXT) slice_of(u"" TEXT, sizeof u"" TEXT - 2)

static void test_client_honest(void **state)
{
    (void)state;
    struct credssp_duel *duel = client_proved();
    struct ts_credentials credentials = {
        .type = TS_PASSWORD, .domain = W("D"), .user = W("user"), .password = W("secret")};
    assert_int_equal(hand_over(duel, &credentials), SEC_E_OK);
    credssp_duel_end(duel);
}

/* Inside, a client without confidentiality: the server ends where that is known, before anything is sealed or signed. */
static void test_client_signs_alone(void **state)
{
    struct credssp_duel *duel = credssp_duel_begin(true);
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    (void)state;
    duel->signs_alone = true;
    while (status == SEC_I_CONTINUE_NEEDED && !duel->nego_done) {
        credssp_duel_nego(duel);
        struct ts_request request = {.version = 6, .nego_token = bytes_slice(&duel->token)};
        status = credssp_duel_send(duel, &request);
    }
    assert_int_equal(status, SEC_E_UNSUPPORTED_FUNCTION);
    credssp_duel_end(duel);
}

static void test_client_altered(void **state)
{
    (void)state;
    struct credssp_duel *duel = client_played();
    struct ts_request request = bound(duel);
    duel->nonce.data[0] ^= 1;
    server_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    duel = client_played();
    duel->key.data[0] ^= 1;
    request = bound(duel);
    server_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
    duel = client_played();
    request = bound(duel);
    request.nonce = (struct slice){0};
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
    duel = client_played();
    credssp_duel_binding(duel, true, 6, &sealed); /* the server's words */
    request =
        (struct ts_request){.version = 6, .pub_key_auth = bytes_slice(&sealed), .nonce = bytes_slice(&duel->nonce)};
    server_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

static void test_client_version(void **state)
{
    (void)state;
    struct credssp_duel *duel;
    struct ts_request request;
    for (uint32_t version = 2; version <= 4; version++) {
        duel = credssp_duel_begin(true);
        credssp_duel_nego(duel);
        request = (struct ts_request){.version = version, .nego_token = bytes_slice(&duel->token)};
        server_refuses(duel, &request, SEC_E_UNSUPPORTED_FUNCTION);
    }
    duel = client_played();
    request = bound(duel);
    request.version = 5;
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
}

static void test_client_hurries(void **state)
{
    (void)state;
    struct credssp_duel *duel = client_played(); /* credentials before the server has proved its key */
    credssp_duel_seal(duel, "x", 1, &sealed);
    struct ts_request request = {.version = 6, .auth_info = bytes_slice(&sealed)};
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
    duel = client_played();
    request = bound(duel);
    request.auth_info = slice_of("x", 1);
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
    duel = credssp_duel_begin(true); /* a key before there are keys to seal with */
    credssp_duel_nego(duel);
    request =
        (struct ts_request){.version = 6, .nego_token = bytes_slice(&duel->token), .pub_key_auth = slice_of("x", 1)};
    server_refuses(duel, &request, SEC_E_OUT_OF_SEQUENCE);
    duel = client_proved(); /* its proof once more instead of credentials */
    request = bound(duel);
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
    duel = client_proved(); /* and as credentials */
    request = bound(duel);
    request = (struct ts_request){.version = 6, .auth_info = request.pub_key_auth};
    server_refuses(duel, &request, SEC_E_INVALID_TOKEN);
}

static void test_client_credentials(void **state)
{
    (void)state;
    struct ts_credentials odd = {.type = TS_PASSWORD, .domain = W(""), .user = slice_of("abc", 3), .password = W("x")};
    struct credssp_duel *duel = client_proved();
    assert_int_equal(hand_over(duel, &odd), SEC_E_INVALID_TOKEN);
    credssp_duel_end(duel);
    odd.user = slice_of("\x00\xd8", 2); /* half a character */
    duel = client_proved();
    assert_int_equal(hand_over(duel, &odd), SEC_E_INVALID_TOKEN);
    credssp_duel_end(duel);
    duel = client_proved(); /* altered on its way */
    credssp_duel_seal(duel, "x", 1, &sealed);
    sealed.data[sealed.len - 1] ^= 1;
    struct ts_request request = {.version = 6, .auth_info = bytes_slice(&sealed)};
    server_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

static void test_client_kinds(void **state)
{
    (void)state;
    SecPkgContext_ClientCreds creds;
    struct ts_credentials card = {.type = TS_SMART_CARD,
                                  .pin = W("1234"),
                                  .key_spec = 1,
                                  .container = W("key"),
                                  .csp = W("provider"),
                                  .user_hint = W("alice")};
    struct credssp_duel *duel = client_proved();
    assert_int_equal(hand_over(duel, &card), SEC_E_OK);
    CtxtHandle *context = &duel->honest.context;
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_CREDS, &creds), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_CREDS_2, &creds), SEC_E_OK);
    assert_int_equal(creds.AuthBuffer[0], 13); /* KerbCertificateLogon */
    FreeContextBuffer(creds.AuthBuffer);
    assert_int_equal(QueryContextAttributesA(context, OPENSSPI_ATTR_TS_CREDENTIALS, &creds), SEC_E_OK);
    struct ts_credentials read;
    assert_int_equal(ts_credentials_parse(slice_of(creds.AuthBuffer, creds.AuthBufferLen), &read), WIRE_OK);
    assert_int_equal(read.type, TS_SMART_CARD);
    FreeContextBuffer(creds.AuthBuffer);
    credssp_duel_end(duel);

    struct ts_credentials guard = {.type = TS_REMOTE_GUARD, .logon = {W("Kerberos"), slice_of("ticket", 6)}};
    duel = client_proved();
    context = &duel->honest.context;
    assert_int_equal(hand_over(duel, &guard), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_CREDS_2, &creds), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(context, OPENSSPI_ATTR_TS_CREDENTIALS, &creds), SEC_E_OK);
    FreeContextBuffer(creds.AuthBuffer);
    credssp_duel_end(duel);
}

/* The nonce is the one that was proved; another one afterwards is somebody else's message. */
static void test_client_nonce_changes(void **state)
{
    (void)state;
    struct credssp_duel *duel = client_proved();
    struct ts_credentials credentials = {
        .type = TS_PASSWORD, .domain = W("D"), .user = W("user"), .password = W("secret")};
    AUTO_WRITER struct writer bytes = writer_growing(512);
    ts_credentials_write(&bytes, &credentials);
    assert_int_equal(writer_finish(&bytes), WIRE_OK);
    credssp_duel_seal(duel, bytes.data, bytes.len, &sealed);
    duel->nonce.data[TS_NONCE_LEN - 1] ^= 1;
    struct ts_request request = {.version = 6, .auth_info = bytes_slice(&sealed), .nonce = bytes_slice(&duel->nonce)};
    server_refuses(duel, &request, SEC_E_MESSAGE_ALTERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_honest),         cmocka_unit_test(test_server_replays),
        cmocka_unit_test(test_server_nonce),          cmocka_unit_test(test_server_key),
        cmocka_unit_test(test_server_old_form),       cmocka_unit_test(test_server_version),
        cmocka_unit_test(test_server_version_higher), cmocka_unit_test(test_server_leaves_out),
        cmocka_unit_test(test_server_error),          cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_client_honest),         cmocka_unit_test(test_client_altered),
        cmocka_unit_test(test_client_signs_alone),    cmocka_unit_test(test_client_version),
        cmocka_unit_test(test_client_hurries),        cmocka_unit_test(test_client_credentials),
        cmocka_unit_test(test_client_kinds),          cmocka_unit_test(test_nothing_came),
        cmocka_unit_test(test_client_nonce_changes),
    };
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
