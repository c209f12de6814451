/*
 * What a context's key is asked for, and what not: a client's has responses over requests of its own nonce, a server's has proofs and verdicts and
 * never a client's response; questions that are none.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "digest/nonce.h"
#include "digest/question.h"
#include "digest/session.h"
#include <string.h>

#define REALM "test@example"
#define BODY "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define CHECK 1
#define COUNT 2

static char nonce[NONCE_LEN + 1];
static struct digest_terms terms;

static int begin(void **state)
{
    (void)state;
    assert_true(nonce_make(REALM, true, nonce));
    terms.http = true;
    terms.scheme = digest_scheme_find(slice_of_text("SHA-256"));
    terms.qop = QOP_AUTH;
    memset(terms.key, 7, sizeof terms.key);
    assert_true(terms_set(&terms, TERM_NONCE, slice_of_text(nonce)) &&
                terms_set(&terms, TERM_CNONCE, slice_of_text("mine")) &&
                terms_set(&terms, TERM_REALM, slice_of_text(REALM)) &&
                terms_set(&terms, TERM_USERNAME, slice_of_text("alice")));
    return 0;
}

static int end(void **state)
{
    (void)state;
    terms_release(&terms);
    terms = (struct digest_terms){0};
    return 0;
}

struct asked {
    int bits;
    uint32_t nc;
    const char *method, *uri, *entity, *cnonce, *response;
};

/* As docs/lsa-protocol.md has it. */
static struct writer coded(const struct asked *asked)
{
    const char *texts[] = {asked->method, asked->uri, asked->entity, asked->cnonce, asked->response};
    struct writer writer = writer_growing(256);
    writer_u8(&writer, (uint8_t)asked->bits);
    writer_u32le(&writer, asked->nc);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = texts[i] != NULL ? texts[i] : "";
        writer_u32le(&writer, (uint32_t)strlen(text));
        writer_slice(&writer, slice_of_text(text));
    }
    return writer;
}

static SECURITY_STATUS answer_bytes(struct slice bytes, char hex[DIGEST_HEX_MAX])
{
    AUTO_WRITER struct writer kept = writer_growing(256), answer = writer_growing(64);
    digest_kept_write(&kept, &terms);
    SECURITY_STATUS status = digest_answer(writer_slice_of(&kept), bytes, &answer);
    assert_true(writer_finish(&answer) == WIRE_OK && answer.len < DIGEST_HEX_MAX);
    assert_true(status == SEC_E_OK || answer.len == 0);
    if (hex != NULL) {
        if (answer.len > 0)
            memcpy(hex, answer.data, answer.len);
        hex[answer.len] = '\0';
    }
    return status;
}

static SECURITY_STATUS answer(const struct asked *asked, char hex[DIGEST_HEX_MAX])
{
    AUTO_WRITER struct writer bytes = coded(asked);
    return answer_bytes(writer_slice_of(&bytes), hex);
}

static void response_of(const struct asked *asked, const char *cnonce, char hex[DIGEST_HEX_MAX])
{
    const struct digest_response_input input = {.algorithm = DIGEST_SHA256,
                                                .nonce = slice_of_text(nonce),
                                                .nc = slice_of_text("00000002"),
                                                .cnonce = slice_of_text(cnonce),
                                                .qop = slice_of_text(digest_qop_name(terms.qop)),
                                                .method = slice_of_text(asked->method),
                                                .uri = slice_of_text(asked->uri),
                                                .entity = slice_of_text(asked->entity)};
    assert_int_equal(asked->nc, 2);
    assert_true(digest_response(&input, terms.key, hex));
}

static void test_client_signs(void **state)
{
    const struct asked good = {0, 2, "GET", "/page", "", "another's", ""};
    static const struct asked bad[] = {
        {0, 2, "", "/page", "", "", ""},      {0, 2, "GET", "", "", "", ""},
        {0, 2, "GET:a", "/page", "", "", ""}, {0, 2, "GET", "/page", "nohex", "", ""},
        {4, 2, "GET", "/page", "", "", ""},   {COUNT, 2, "GET", "/page", "", "", ""},
    };
    char hex[DIGEST_HEX_MAX], expected[DIGEST_HEX_MAX];
    (void)state;
    terms.initiator = true;
    assert_int_equal(answer(&good, hex), SEC_E_OK);
    response_of(&good, "mine", expected); /* the client's nonce is the context's, whatever is said */
    assert_string_equal(hex, expected);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(answer(&bad[i], hex), SEC_E_INVALID_TOKEN);
    terms.qop = QOP_AUTH_INT;
    const struct asked body = {0, 2, "GET", "/page", BODY, "", ""};
    assert_int_equal(answer(&body, hex), SEC_E_OK);
    response_of(&body, "mine", expected);
    assert_string_equal(hex, expected);
    terms.qop = QOP_NONE;
    assert_int_equal(answer(&good, hex), SEC_E_INVALID_TOKEN);
}

static void test_client_judges(void **state)
{
    struct asked asked = {CHECK, 2, "", "/page", "", "", ""};
    char hex[DIGEST_HEX_MAX], none[DIGEST_HEX_MAX];
    (void)state;
    terms.initiator = true;
    response_of(&asked, "mine", hex);
    asked.response = hex;
    assert_int_equal(answer(&asked, none), SEC_E_OK);
    assert_string_equal(none, "");
    asked.nc = 3;
    assert_int_equal(answer(&asked, none), SEC_E_MESSAGE_ALTERED);
    asked.nc = 2;
    hex[63] ^= 1;
    assert_int_equal(answer(&asked, none), SEC_E_MESSAGE_ALTERED);
    hex[63] = '\0';
    assert_int_equal(answer(&asked, none), SEC_E_MESSAGE_ALTERED);
    asked.response = "";
    assert_int_equal(answer(&asked, none), SEC_E_MESSAGE_ALTERED);
    asked.response = hex;
    hex[63] = '\0';
    response_of(&asked, "mine", hex);
    assert_int_equal(answer(&asked, none), SEC_E_OK);
    asked.bits = CHECK | COUNT; /* the nonce is the server's */
    assert_int_equal(answer(&asked, none), SEC_E_INVALID_TOKEN);
    asked.bits = CHECK;
    asked.method = "GET"; /* what a client is to judge are proofs */
    assert_int_equal(answer(&asked, none), SEC_E_INVALID_TOKEN);
}

static void test_server_proves(void **state)
{
    struct asked asked = {0, 2, "", "/page", "", "theirs", ""};
    char hex[DIGEST_HEX_MAX], expected[DIGEST_HEX_MAX];
    (void)state;
    assert_int_equal(answer(&asked, hex), SEC_E_OK);
    response_of(&asked, "theirs", expected);
    assert_string_equal(hex, expected);
    asked.bits = COUNT; /* nothing is judged that could count */
    assert_int_equal(answer(&asked, hex), SEC_E_INVALID_TOKEN);
    asked.bits = 0;
    asked.method = "GET"; /* that would be a client's */
    assert_int_equal(answer(&asked, hex), SEC_E_INVALID_TOKEN);
    terms.qop = QOP_NONE;
    asked.method = "";
    assert_int_equal(answer(&asked, hex), SEC_E_OK);
}

static void test_server_judges(void **state)
{
    struct asked asked = {CHECK, 2, "GET", "/page", "", "theirs", ""};
    char hex[DIGEST_HEX_MAX];
    (void)state;
    response_of(&asked, "theirs", hex);
    asked.response = hex;
    for (int i = 0; i < 2; i++) /* counts nothing */
        assert_int_equal(answer(&asked, NULL), SEC_E_OK);
    asked.bits = CHECK | COUNT;
    asked.method = "PUT"; /* wrong ones count nothing either */
    assert_int_equal(answer(&asked, NULL), SEC_E_MESSAGE_ALTERED);
    asked.method = "GET:";
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
    asked.method = "";
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
    asked.method = "GET";
    assert_int_equal(answer(&asked, NULL), SEC_E_OK);
    assert_int_equal(answer(&asked, NULL), SEC_E_OUT_OF_SEQUENCE);
    steady_fix(steady_now() + 601 * FILETIME_SECOND);
    assert_int_equal(answer(&asked, NULL), SEC_E_CONTEXT_EXPIRED);
    steady_fix(0);
    nonce[NONCE_LEN - 1] ^= 1; /* another process's */
    assert_true(terms_set(&terms, TERM_NONCE, slice_of_text(nonce)));
    response_of(&asked, "theirs", hex);
    assert_int_equal(answer(&asked, NULL), SEC_E_CONTEXT_EXPIRED);
    terms.qop = QOP_NONE;
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
}

static void test_malformed(void **state)
{
    const struct asked asked = {0, 2, "", "/page", "", "theirs", ""};
    AUTO_WRITER struct writer bytes = coded(&asked), kept = writer_growing(256), out = writer_growing(64);
    (void)state;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(answer_bytes(slice_of(bytes.data, len), NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(answer_bytes(writer_slice_of(&bytes), NULL), SEC_E_OK);
    digest_kept_write(&kept, &terms);
    for (size_t len = 0; len < kept.len; len++)
        assert_int_equal(digest_answer(slice_of(kept.data, len), writer_slice_of(&bytes), &out), SEC_E_INVALID_TOKEN);
    writer_u8(&kept, 0);
    assert_int_equal(digest_answer(writer_slice_of(&kept), writer_slice_of(&bytes), &out), SEC_E_INVALID_TOKEN);
    writer_u8(&bytes, 0);
    assert_int_equal(answer_bytes(writer_slice_of(&bytes), NULL), SEC_E_INVALID_TOKEN);
    assert_int_equal(out.len, 0);
}

/* Not of SASL, and not of terms whose key is elsewhere. */
static void test_other_terms(void **state)
{
    const struct asked asked = {0, 2, "", "/page", "", "theirs", ""};
    (void)state;
    terms.asks = terms.keyless = true;
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
    terms.keyless = false;
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
    terms.asks = false;
    assert_int_equal(answer(&asked, NULL), SEC_E_OK);
    terms.http = false;
    terms.scheme = digest_scheme_find(slice_of_text("MD5-sess"));
    assert_int_equal(answer(&asked, NULL), SEC_E_INVALID_TOKEN);
}

/* Of a session record too: another version's is not taken for a damaged one. */
static void test_versions(void **state)
{
    AUTO_WRITER struct writer own = writer_growing(256);
    void *session = NULL;
    (void)state;
    digest_session_seed_write(&own, &terms, slice_of("", 0));
    assert_int_equal(own.data[0], TERMS_VERSION);
    assert_int_equal(digest_session_table.open(writer_slice_of(&own), 0, false, &session), SEC_E_OK);
    digest_session_table.close(session);
    for (unsigned version = 0; version < 256; version++) {
        if (version == TERMS_VERSION)
            continue;
        own.data[0] = (uint8_t)version;
        session = NULL;
        cause_clear();
        assert_int_equal(digest_session_table.open(writer_slice_of(&own), 0, false, &session), SEC_E_INVALID_TOKEN);
        assert_null(session);
        assert_non_null(strstr(cause_text(), "version"));
    }
    cause_clear();
    assert_int_equal(digest_session_table.open(slice_of("", 0), 0, false, &session), SEC_E_INVALID_TOKEN);
    assert_non_null(strstr(cause_text(), "damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_client_signs, begin, end),
        cmocka_unit_test_setup_teardown(test_client_judges, begin, end),
        cmocka_unit_test_setup_teardown(test_server_proves, begin, end),
        cmocka_unit_test_setup_teardown(test_server_judges, begin, end),
        cmocka_unit_test_setup_teardown(test_malformed, begin, end),
        cmocka_unit_test_setup_teardown(test_other_terms, begin, end),
        cmocka_unit_test_setup_teardown(test_versions, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
