/*
 * What the daemon gives its clients, and what it does not: another client's things, somebody else's key, a key by another name, a handshake's other
 * side, names without their owner's word, files. The daemon's own code runs, over a loop in memory; each request that is refused stands beside one
 * that differs in the one thing and is answered.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/identity.h"
#include "core/registry.h"
#include "fuzz/lsad/daemon_world.h"
#include "fuzz/lsad/fake_loop.h"
#include "lsa/authority.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include "server.h"
#include <credssp.h>
#include <openssl/evp.h>
#include <schannel.h>
#include <sspi_ext.h>
#include <wincrypt.h>
#include <string.h>

#define SOMEBODY 1001 /* may be a server, and use the key */
#define STRANGER 1002
#define ALICE "P\0a\0s\0s\0w\0o\0r\0d\0001\0!"
#define ALICE_LEN 20

static struct server server;

static int begin(void **state)
{
    (void)state;
    daemon_world_configure(SOMEBODY);
    config_for_daemon();
    authority_embed();
    api_start();
    return seal_start() ? 0 : -1;
}

static int loop_open(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    server.limits = (struct limits){
        .connections = 32, .user_connections = 32, .user_contexts = 5, .user_credentials = 5, .workers = 4};
    return server_listen(&server, -1) ? 0 : -1;
}

static int end(void **state)
{
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids;
    (void)state;
    server_run(&server);
    assert_null(server.clients);
    loop_clear();
    assert_int_equal(sessions_list(0, &ids, &n_ids), SEC_E_OK);
    for (size_t i = 0; i < n_ids; i++)
        assert_int_equal(sessions_log_off(ids[i], 0), SEC_E_OK);
    return 0;
}

static struct writer request;
static enum lsa_operation asked;

static void request_begin(enum lsa_operation operation)
{
    asked = operation;
    request = writer_growing(256);
    lsa_head_write(&request, operation, false, 1);
}

/* The status of the reply, which stays until the next question of anybody's. */
static SECURITY_STATUS answer(struct wire *wire, struct lsa_message *reply)
{
    size_t before = wire->to_client.len;
    struct lsa_head head;
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    writer_release(&request);
    loop_deliver(wire, SIZE_MAX);
    do
        loop_turn();
    while (loop_work(0) || !loop_is_idle());
    struct reader reader = reader_of(slice_of(wire->to_client.data + before, wire->to_client.len - before));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(lsa_body_read(reader_rest(&reader), asked, true, reply), WIRE_OK);
    return (SECURITY_STATUS)(uint32_t)lsa_number(reply, LSA_STATUS);
}

/* A connection that says its client's name, or none. */
static struct wire *greeted(uid_t uid, struct slice client, uint8_t name[LSA_CLIENT_LEN])
{
    struct lsa_message reply;
    struct wire *wire = loop_connect(uid);
    assert_non_null(wire);
    request_begin(LSA_HELLO);
    if (client.len > 0)
        lsa_bytes_write(&request, LSA_CLIENT, client);
    assert_int_equal(answer(wire, &reply), SEC_E_OK);
    assert_int_equal(reply.field[LSA_CLIENT].len, LSA_CLIENT_LEN);
    if (name != NULL)
        memcpy(name, reply.field[LSA_CLIENT].data, LSA_CLIENT_LEN);
    return wire;
}

static struct wire *somebody(void)
{
    return greeted(SOMEBODY, slice_of("", 0), NULL);
}

static void identity_write(const char *user)
{
    lsa_number_write(&request, LSA_IDENTITY, LSA_HAS_PASSWORD);
    lsa_text_write(&request, LSA_USER, user);
    lsa_text_write(&request, LSA_DOMAIN, "EXAMPLE");
    lsa_bytes_write(&request, LSA_PASSWORD, slice_of(ALICE, ALICE_LEN));
}

static uint64_t acquire(struct wire *wire, uint64_t use)
{
    struct lsa_message reply;
    request_begin(LSA_ACQUIRE);
    lsa_text_write(&request, LSA_PACKAGE, "NTLM");
    lsa_number_write(&request, LSA_USE, use);
    if ((use & SECPKG_CRED_OUTBOUND) != 0)
        identity_write("alice");
    assert_int_equal(answer(wire, &reply), SEC_E_OK);
    return lsa_number(&reply, LSA_CREDENTIAL);
}

static SECURITY_STATUS step(struct wire *wire, uint64_t credential, uint64_t context, uint64_t use, struct slice token,
                            struct lsa_message *reply)
{
    request_begin(LSA_STEP);
    lsa_number_write(&request, LSA_CREDENTIAL, credential);
    lsa_number_write(&request, LSA_CONTEXT, context);
    lsa_number_write(&request, LSA_USE, use);
    lsa_number_write(&request, LSA_FLAGS, 0);
    if (token.len > 0)
        lsa_bytes_write(&request, LSA_TOKEN, token);
    return answer(wire, reply);
}

/* Things are a client's: whoever does not know the whole name is another one. */
static void test_name_of_a_client(void **state)
{
    uint8_t name[LSA_CLIENT_LEN], other[LSA_CLIENT_LEN];
    struct lsa_message reply;
    (void)state;
    struct wire *first = greeted(SOMEBODY, slice_of("", 0), name);
    uint64_t credential = acquire(first, SECPKG_CRED_OUTBOUND);
    for (size_t i = 0; i <= LSA_CLIENT_LEN; i++) {
        if (i > 0)
            name[i - 1] ^= 1;
        struct wire *second = greeted(SOMEBODY, slice_of(name, sizeof name), other);
        assert_int_equal(memcmp(name, other, sizeof name) == 0, i == 0);
        request_begin(LSA_QUERY_CREDENTIAL);
        lsa_number_write(&request, LSA_CREDENTIAL, credential);
        lsa_number_write(&request, LSA_ATTRIBUTE, SECPKG_CRED_ATTR_NAMES);
        assert_int_equal(answer(second, &reply), i == 0 ? SEC_E_OK : SEC_E_INVALID_HANDLE);
        if (i > 0)
            name[i - 1] ^= 1;
        loop_hang_up(second);
        loop_deliver(second, SIZE_MAX);
        loop_turn();
    }
}

/* A credential serves the side that it was made for, and a handshake the side that began it. */
static void test_sides(void **state)
{
    struct lsa_message reply;
    (void)state;
    struct wire *wire = somebody();
    uint64_t outbound = acquire(wire, SECPKG_CRED_OUTBOUND), inbound = acquire(wire, SECPKG_CRED_INBOUND);
    assert_int_equal(step(wire, inbound, 0, SECPKG_CRED_OUTBOUND, slice_of("", 0), &reply), SEC_E_NO_CREDENTIALS);
    assert_int_equal(step(wire, outbound, 0, SECPKG_CRED_OUTBOUND, slice_of("", 0), &reply), SEC_I_CONTINUE_NEEDED);
    uint64_t client = lsa_number(&reply, LSA_CONTEXT);
    AUTO_WRITER struct writer negotiate = writer_growing(64);
    writer_slice(&negotiate, reply.field[LSA_TOKEN]);
    struct slice token = writer_slice_of(&negotiate);
    assert_int_equal(step(wire, outbound, 0, SECPKG_CRED_INBOUND, token, &reply), SEC_E_NO_CREDENTIALS);
    assert_int_equal(step(wire, outbound, client, SECPKG_CRED_INBOUND, token, &reply), SEC_E_INVALID_HANDLE);
    assert_int_equal(step(wire, inbound, 0, SECPKG_CRED_INBOUND, token, &reply), SEC_I_CONTINUE_NEEDED);
    uint64_t accepted = lsa_number(&reply, LSA_CONTEXT);
    assert_int_equal(step(wire, inbound, accepted, SECPKG_CRED_OUTBOUND, token, &reply), SEC_E_INVALID_HANDLE);
}

/* As long as the package's tokens are. */
static void test_long_token(void **state)
{
    static uint8_t zeros[1 << 16];
    struct lsa_message reply;
    (void)state;
    struct wire *wire = somebody();
    uint64_t inbound = acquire(wire, SECPKG_CRED_INBOUND);
    const size_t most = registry_find("NTLM")->info.max_token;
    assert_true(most < sizeof zeros);
    for (size_t len = most; len <= most + 1; len++) {
        assert_int_equal(step(wire, inbound, 0, SECPKG_CRED_INBOUND, slice_of(zeros, len), &reply),
                         SEC_E_INVALID_TOKEN);
        assert_int_equal(strncmp(lsa_text(&reply, LSA_CAUSE), "a token of ", 11) == 0, len > most);
    }
}

/* Names are told; passwords, tickets and whatever else a credential has are not, and no file is opened for anybody. */
static void test_attributes(void **state)
{
    static const struct {
        enum lsa_operation operation;
        uint32_t attribute;
        const char *why; /* NULL: the package is asked */
    } cases[] = {
        {LSA_QUERY_CREDENTIAL, SECPKG_CRED_ATTR_NAMES, NULL},
        {LSA_QUERY_CREDENTIAL, SECPKG_CRED_ATTR_CERT, "tells the names"},
        {LSA_QUERY_CREDENTIAL, SECPKG_CRED_ATTR_PAC_BYPASS, "tells the names"},
        {LSA_QUERY_CREDENTIAL, OPENSSPI_CRED_ATTR_CCACHE, "keeps these tickets"},
        {LSA_QUERY_CREDENTIAL, OPENSSPI_CRED_ATTR_TS_CREDENTIALS, "tells the names"},
        {LSA_SET_CREDENTIAL, OPENSSPI_CRED_ATTR_CCACHE, "opens no files"},
        {LSA_SET_CREDENTIAL, OPENSSPI_CRED_ATTR_KEYTAB, "opens no files"},
        {LSA_SET_CREDENTIAL, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, NULL},
    };
    struct lsa_message reply;
    (void)state;
    struct wire *wire = somebody();
    uint64_t credential = acquire(wire, SECPKG_CRED_OUTBOUND);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request_begin(cases[i].operation);
        lsa_number_write(&request, LSA_CREDENTIAL, credential);
        lsa_number_write(&request, LSA_ATTRIBUTE, cases[i].attribute);
        if (cases[i].operation == LSA_SET_CREDENTIAL)
            lsa_bytes_write(&request, LSA_VALUE, slice_of("FILE:/etc/passwd", 17));
        SECURITY_STATUS status = answer(wire, &reply);
        const char *cause = lsa_text(&reply, LSA_CAUSE) != NULL ? lsa_text(&reply, LSA_CAUSE) : "";
        if (cases[i].why != NULL && (status != SEC_E_UNSUPPORTED_FUNCTION || strstr(cause, cases[i].why) == NULL))
            fail_msg("case %zu: 0x%08x %s", i, (unsigned)status, cause);
        if (cases[i].why == NULL && (strstr(cause, "security authority") != NULL))
            fail_msg("case %zu: 0x%08x %s", i, (unsigned)status, cause);
    }
}

/* A key has a name and its users, and the signature is by the key that was asked about. */
static void test_keys(void **state)
{
    static const struct {
        uid_t uid;
        const char *name;
        SECURITY_STATUS expected;
    } cases[] = {{SOMEBODY, "web", SEC_E_OK},
                 {SOMEBODY, "we", NTE_BAD_KEYSET},
                 {SOMEBODY, "mail", NTE_BAD_KEYSET},
                 {STRANGER, "web", NTE_BAD_KEYSET}};
    struct lsa_message reply;
    uint8_t hash[32] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wire *wire = greeted(cases[i].uid, slice_of("", 0), NULL);
        request_begin(LSA_KEY);
        lsa_text_write(&request, LSA_KEY_NAME, cases[i].name);
        assert_int_equal(answer(wire, &reply), cases[i].expected);
        if (i == 0)
            assert_int_equal(
                EVP_Q_digest(NULL, "SHA256", NULL, reply.field[LSA_VALUE].data, reply.field[LSA_VALUE].len, hash, NULL),
                1);
        for (size_t byte = 0; byte <= sizeof hash; byte++) {
            if (byte > 0)
                hash[byte - 1] ^= 1;
            request_begin(LSA_SIGN);
            lsa_text_write(&request, LSA_KEY_NAME, cases[i].name);
            lsa_bytes_write(&request, LSA_KEY_HASH, slice_of(hash, sizeof hash));
            lsa_number_write(&request, LSA_SCHEME, 0x0403); /* ECDSA, P-256, SHA-256 */
            lsa_bytes_write(&request, LSA_TOKEN, slice_of(hash, sizeof hash));
            assert_int_equal(answer(wire, &reply), byte > 0 ? NTE_BAD_KEYSET : cases[i].expected);
            if (byte > 0)
                hash[byte - 1] ^= 1;
        }
    }
}

static SECURITY_STATUS log_on(struct wire *wire, uint64_t has, struct slice proof)
{
    struct lsa_message reply;
    request_begin(LSA_LOGON);
    lsa_text_write(&request, LSA_PACKAGE, "NTLM");
    lsa_number_write(&request, LSA_LOGON_TYPE, 3);
    lsa_number_write(&request, LSA_FLAGS, LSA_WANTS_RECORD);
    lsa_number_write(&request, LSA_IDENTITY, has);
    lsa_text_write(&request, LSA_USER, "alice");
    lsa_text_write(&request, LSA_DOMAIN, "EXAMPLE");
    if (proof.len > 0)
        lsa_bytes_write(&request, LSA_PROOF, proof);
    return answer(wire, &reply);
}

/* Root alone passes responses on: whoever may be a server may not, though he may have others logged on by a challenge of his. */
static void test_responses_of_others(void **state)
{
    (void)state;
    struct wire *root = greeted(0, slice_of("", 0), NULL);
    const struct slice junk = slice_of("no response", 11);
    assert_int_equal(log_on(root, LSA_HAS_RESPONSE, junk), SEC_E_INVALID_TOKEN);
    assert_int_equal(log_on(somebody(), LSA_HAS_RESPONSE, junk), SEC_E_NO_CREDENTIALS);
    assert_int_equal(log_on(root, LSA_HAS_RESPONSE | LSA_HAS_PASSWORD, junk), SEC_E_INVALID_TOKEN);
}

/* A proof is of a password: who has none, or something else, is not proved. */
static void test_proof_of_what(void **state)
{
    static const struct {
        uint64_t has;
        SECURITY_STATUS expected;
    } cases[] = {{LSA_HAS_PASSWORD, SEC_E_OK},
                 {0, SEC_E_UNKNOWN_CREDENTIALS},
                 {LSA_HAS_KEYTAB, SEC_E_UNKNOWN_CREDENTIALS},
                 {LSA_HAS_RESPONSE, SEC_E_INVALID_TOKEN}}; /* which logons have alone */
    struct lsa_message reply;
    (void)state;
    struct wire *wire = somebody();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        request_begin(LSA_PROVE);
        lsa_text_write(&request, LSA_PACKAGE, "NTLM");
        lsa_number_write(&request, LSA_IDENTITY, cases[i].has);
        lsa_text_write(&request, LSA_USER, "alice");
        lsa_text_write(&request, LSA_DOMAIN, "EXAMPLE");
        lsa_bytes_write(&request, LSA_PASSWORD, slice_of(ALICE, ALICE_LEN));
        lsa_bytes_write(&request, LSA_PROOF, slice_of("\x05\x02", 2)); /* an empty keytab's file */
        assert_int_equal(answer(wire, &reply), cases[i].expected);
    }
}

/* Is a credential by a name alone had of a session, and not of what the daemon has for nobody? */
static bool session_lends(struct wire *wire, const char *user, const char *domain)
{
    struct lsa_message reply;
    request_begin(LSA_ACQUIRE);
    lsa_text_write(&request, LSA_PACKAGE, "NTLM");
    lsa_number_write(&request, LSA_USE, SECPKG_CRED_OUTBOUND);
    lsa_number_write(&request, LSA_IDENTITY, 0);
    lsa_text_write(&request, LSA_USER, user);
    lsa_text_write(&request, LSA_DOMAIN, domain);
    SECURITY_STATUS status = answer(wire, &reply);
    return status == SEC_E_OK && lsa_number(&reply, LSA_NOT_HERE) == 0;
}

/* A logon session lends its credentials to who names its user or nobody, never for another name. */
static void test_names_of_a_session(void **state)
{
    struct lsa_message reply;
    (void)state;
    struct wire *wire = somebody();
    request_begin(LSA_LOGON);
    lsa_text_write(&request, LSA_PACKAGE, "NTLM");
    lsa_number_write(&request, LSA_LOGON_TYPE, 2);
    lsa_number_write(&request, LSA_FLAGS, 0);
    identity_write("alice");
    assert_int_equal(answer(wire, &reply), SEC_E_OK);
    assert_true(session_lends(wire, "", ""));
    assert_true(session_lends(wire, "Alice", ""));
    assert_true(session_lends(wire, "alice", "example"));
    assert_false(session_lends(wire, "bob", "EXAMPLE"));
    assert_false(session_lends(wire, "alice", "OTHER"));
    assert_false(session_lends(greeted(STRANGER, slice_of("", 0), NULL), "alice", "EXAMPLE"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, loop_open, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_name_of_a_client),
        TEST(test_sides),
        TEST(test_long_token),
        TEST(test_attributes),
        TEST(test_keys),
        TEST(test_responses_of_others),
        TEST(test_proof_of_what),
        TEST(test_names_of_a_session),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
