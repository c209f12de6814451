/*
 * The daemon's loop over connections in memory (fuzz/lsad/fake_loop.h): whose turn it is, replies that nobody fetches, arrivals without memory,
 * shares.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/package.h"
#include "digest/question.h"
#include "fuzz/lsad/daemon_world.h"
#include "fuzz/lsad/fake_loop.h"
#include "kerberos/checksum.h"
#include "kerberos/user_to_user.h"
#include "lsa/authority.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include "negotiate/spnego.h"
#include "server.h"
#include <stdlib.h>
#include <string.h>

#define SOMEBODY 1001

extern const struct package digest_package;

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
    (void)state;
    server_run(&server);
    assert_int_equal(server.n_connections, 0);
    assert_null(server.users);
    assert_null(server.clients);
    loop_clear();
    return 0;
}

static void say(struct wire *wire, enum lsa_operation operation, uint32_t n_times)
{
    for (uint32_t i = 0; i < n_times; i++) {
        AUTO_WRITER struct writer request = writer_growing(16);
        lsa_head_write(&request, operation, false, i);
        assert_int_equal(lsa_body_end(&request), WIRE_OK);
        bytes_add(&wire->to_server, request.data, request.len);
    }
}

/* Whole replies so far. */
static unsigned count_replies(const struct wire *wire)
{
    struct reader reader = reader_of(slice_of(wire->to_client.data, wire->to_client.len));
    struct lsa_head head;
    struct slice body;
    unsigned n_replies = 0;
    while (lsa_head_read(&reader, &head) == WIRE_OK && reader_bytes(&reader, head.body_len, &body) == WIRE_OK)
        n_replies++;
    return n_replies;
}

static struct wire *greeted(uid_t uid)
{
    struct wire *wire = loop_connect(uid);
    assert_non_null(wire);
    say(wire, LSA_HELLO, 1);
    loop_deliver(wire, SIZE_MAX);
    return wire;
}

/* Who asks much has its turn, and then the others have theirs. */
static void test_turns(void **state)
{
    (void)state;
    struct wire *busy = greeted(SOMEBODY), *quick = greeted(SOMEBODY);
    say(busy, LSA_LIST_SESSIONS, 1000);
    say(quick, LSA_LIST_SESSIONS, 1);
    loop_deliver(busy, SIZE_MAX);
    assert_int_equal(count_replies(busy), 1 + TURN_FRAMES);
    assert_false(busy->reading);
    loop_deliver(quick, SIZE_MAX);
    assert_int_equal(count_replies(quick), 2);
    loop_turn();
    assert_int_equal(count_replies(busy), 1 + 2 * TURN_FRAMES);
    for (unsigned i = 0; i < 1000 / TURN_FRAMES; i++)
        loop_turn();
    assert_int_equal(count_replies(busy), 1001);
    assert_true(busy->reading);
    assert_true(loop_is_idle());
}

/* Whoever sends on a connection of another user's ends it; what root sends there is that user's. */
static void test_senders(void **state)
{
    (void)state;
    struct wire *given_up = greeted(0), *half = greeted(0), *lent = greeted(SOMEBODY), *ungreeted = loop_connect(0);
    given_up->sender = SOMEBODY;
    say(given_up, LSA_LIST_SESSIONS, 1);
    loop_deliver(given_up, SIZE_MAX);
    loop_turn();
    assert_int_equal(count_replies(given_up), 1);
    assert_null(given_up->pipe);
    say(half, LSA_LIST_SESSIONS, 1);
    loop_deliver(half, 5);
    half->sender = SOMEBODY;
    loop_deliver(half, SIZE_MAX);
    loop_turn();
    assert_int_equal(count_replies(half), 1);
    assert_null(half->pipe);
    lent->sender = 0;
    say(lent, LSA_LIST_SESSIONS, 1);
    loop_deliver(lent, SIZE_MAX);
    assert_int_equal(count_replies(lent), 2);
    ungreeted->sender = SOMEBODY;
    say(ungreeted, LSA_HELLO, 1);
    loop_deliver(ungreeted, SIZE_MAX);
    loop_turn();
    assert_int_equal(count_replies(ungreeted), 0);
    assert_null(ungreeted->pipe);
}

/* What was sent before the daemon was there to be told of senders: a greeting, and nothing more. */
static void test_sent_before_the_daemon(void **state)
{
    (void)state;
    struct wire *early = loop_connect(SOMEBODY), *bold = loop_connect(SOMEBODY), *half = greeted(SOMEBODY);
    early->sender = bold->sender = NOT_TOLD;
    say(early, LSA_HELLO, 1);
    loop_deliver(early, SIZE_MAX);
    assert_int_equal(count_replies(early), 1);
    early->sender = SOMEBODY;
    say(early, LSA_LIST_SESSIONS, 1);
    loop_deliver(early, SIZE_MAX);
    assert_int_equal(count_replies(early), 2);
    say(bold, LSA_HELLO, 1);
    say(bold, LSA_LIST_SESSIONS, 1);
    loop_deliver(bold, SIZE_MAX);
    loop_turn();
    assert_int_equal(count_replies(bold), 1);
    assert_null(bold->pipe);
    half->sender = NOT_TOLD; /* nor the beginning of what a known one ends */
    say(half, LSA_LIST_SESSIONS, 1);
    loop_deliver(half, 5);
    half->sender = SOMEBODY;
    loop_deliver(half, SIZE_MAX);
    loop_turn();
    assert_int_equal(count_replies(half), 1);
    assert_null(half->pipe);
}

/* Half a request behind many whole ones waits for its rest, and a connection that ends in its turn is gone. */
static void test_turns_and_halves(void **state)
{
    (void)state;
    struct wire *busy = greeted(SOMEBODY), *gone = greeted(SOMEBODY);
    say(busy, LSA_LIST_SESSIONS, 21);
    busy->to_server.len -= 5;
    loop_deliver(busy, SIZE_MAX);
    for (int i = 0; i < 5; i++)
        loop_turn();
    assert_int_equal(count_replies(busy), 21);
    assert_true(busy->reading);
    busy->to_server.len += 5;
    loop_deliver(busy, SIZE_MAX);
    assert_int_equal(count_replies(busy), 22);
    say(gone, LSA_LIST_SESSIONS, 40);
    say(gone, LSA_HELLO, 1); /* a second one ends it */
    say(gone, LSA_LIST_SESSIONS, 40);
    loop_deliver(gone, SIZE_MAX);
    for (int i = 0; i < 6; i++)
        loop_turn();
    assert_int_equal(count_replies(gone), 41);
    assert_null(gone->pipe);
    assert_int_equal(server.n_connections, 1);
    assert_true(loop_is_idle());
}

/* Replies wait up to a bound; then nothing more is read, until they are fetched. None is lost. */
static void test_nobody_fetches(void **state)
{
    (void)state;
    struct wire *wire = greeted(SOMEBODY);
    wire->room = 0;
    say(wire, LSA_LIST_SESSIONS, 20000);
    for (int i = 0; i < 20000; i++) {
        loop_deliver(wire, SIZE_MAX);
        loop_turn();
    }
    const struct connection *connection = server.connections;
    assert_false(wire->reading);
    assert_in_range(connection->n_output, OUTPUT_MAX, OUTPUT_MAX + 4096);
    assert_true(wire->n_read <= (128 << 10));
    assert_int_equal(connection->n_counted, connection->n_output + connection->input.len);
    assert_int_equal(server.users->n_passing, connection->n_counted);
    while (count_replies(wire) < 20001) {
        unsigned before = count_replies(wire);
        for (int i = 0; i < 100; i++) {
            loop_room(wire, 4096);
            loop_deliver(wire, SIZE_MAX);
            loop_turn();
        }
        assert_true(count_replies(wire) > before);
    }
    assert_int_equal(server.users->n_passing, 0);
    assert_true(wire->reading);
}

/* A write that fails at once ends its connection, and no other. */
static void test_write_fails(void **state)
{
    (void)state;
    struct wire *wire = greeted(SOMEBODY), *other = greeted(SOMEBODY);
    wire->room = 3;
    loop_write_fails = true;
    say(wire, LSA_LIST_SESSIONS, 2);
    loop_deliver(wire, SIZE_MAX);
    loop_write_fails = false;
    loop_turn();
    assert_null(wire->pipe);
    say(other, LSA_LIST_SESSIONS, 1);
    loop_deliver(other, SIZE_MAX);
    assert_int_equal(count_replies(other), 2);
}

/* Somebody came, and there was no memory: later there is. */
static void test_arrival_without_memory(void **state)
{
    (void)state;
    loop_fault = 1;
    struct wire *wire = loop_connect(SOMEBODY);
    assert_non_null(wire);
    assert_false(wire->accepted);
    monotonic_pass(1); /* a clock that is never the same: who comes in a turn of the timer's is not overdue in it */
    loop_tick();
    monotonic_pass(0);
    assert_true(wire->accepted);
    assert_true(wire->reading);
    say(wire, LSA_HELLO, 1);
    loop_deliver(wire, SIZE_MAX);
    assert_int_equal(count_replies(wire), 1);
}

/* ---- who waits for a KDC does not do it in the loop ---- */

static uint64_t acquire_inbound(struct wire *wire, const char *package, const char *password)
{
    AUTO_WRITER struct writer request = writer_growing(256);
    struct lsa_head head;
    struct lsa_message reply;
    size_t before = wire->to_client.len;
    lsa_head_write(&request, LSA_ACQUIRE, false, 1);
    lsa_text_write(&request, LSA_PACKAGE, package);
    lsa_number_write(&request, LSA_USE, SECPKG_CRED_INBOUND);
    if (password != NULL) {
        lsa_number_write(&request, LSA_IDENTITY, LSA_HAS_PASSWORD);
        lsa_text_write(&request, LSA_USER, "server");
        lsa_text_write(&request, LSA_DOMAIN, "EXAMPLE.TEST");
        lsa_bytes_write(&request, LSA_PASSWORD, slice_of(password, 8));
    }
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_deliver(wire, SIZE_MAX);
    while (loop_work(0))
        ;
    struct reader reader = reader_of(slice_of(wire->to_client.data + before, wire->to_client.len - before));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(lsa_body_read(reader_rest(&reader), LSA_ACQUIRE, true, &reply), WIRE_OK);
    assert_int_equal(lsa_number(&reply, LSA_STATUS), SEC_E_OK);
    return lsa_number(&reply, LSA_CREDENTIAL);
}

/* Is a server's first step with this token answered at once? */
static bool answers_at_once(struct wire *wire, uint64_t credential, struct slice token)
{
    AUTO_WRITER struct writer request = writer_growing(256);
    unsigned before = count_replies(wire);
    lsa_head_write(&request, LSA_STEP, false, 1);
    lsa_number_write(&request, LSA_CREDENTIAL, credential);
    lsa_number_write(&request, LSA_CONTEXT, 0);
    lsa_number_write(&request, LSA_USE, SECPKG_CRED_INBOUND);
    lsa_number_write(&request, LSA_FLAGS, 0);
    lsa_bytes_write(&request, LSA_TOKEN, token);
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_deliver(wire, SIZE_MAX);
    bool at_once = count_replies(wire) > before;
    while (loop_work(0))
        ;
    assert_int_equal(count_replies(wire), before + 1);
    loop_turn();
    return at_once;
}

static void test_kdc_is_not_waited_for(void **state)
{
    (void)state;
    static const uint8_t kerberos_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
    const struct slice oid = slice_of(kerberos_oid, sizeof kerberos_oid);
    const struct krb_tgt_request nobody = {0};
    AUTO_WRITER struct writer request = writer_growing(64), asks = writer_growing(64), list = writer_growing(64),
                              first = writer_growing(64), token = writer_growing(1024), wrapped = writer_growing(1024);
    krb_tgt_request_write(&request, &nobody);
    krb_token_write(&asks, KRB_USER, TOKEN_TGT_REQ, writer_slice_of(&request));
    daemon_world_token(&token, 1);
    spnego_mech_list_write(&list, &oid, 1);
    spnego_init_write(&first, writer_slice_of(&list), writer_slice_of(&asks));
    spnego_init_write(&wrapped, writer_slice_of(&list), writer_slice_of(&token));
    struct wire *wire = greeted(0);
    uint64_t keytab = acquire_inbound(wire, "Kerberos", NULL), negotiate = acquire_inbound(wire, "Negotiate", NULL),
             password = acquire_inbound(wire, "Kerberos", "p\0a\0s\0s");
    assert_false(answers_at_once(wire, keytab, writer_slice_of(&token))); /* the keytab is to be read: a file */
    assert_true(answers_at_once(wire, keytab, writer_slice_of(&token)));
    assert_false(answers_at_once(wire, negotiate, writer_slice_of(&wrapped)));
    assert_true(answers_at_once(wire, negotiate, writer_slice_of(&wrapped)));
    assert_true(answers_at_once(wire, keytab, slice_of("nonsense", 8)));
    assert_false(answers_at_once(wire, keytab, writer_slice_of(&asks))); /* for the server's own ticket */
    assert_false(answers_at_once(wire, negotiate, writer_slice_of(&first)));
    assert_false(answers_at_once(wire, negotiate, writer_slice_of(&asks)));
    assert_false(answers_at_once(wire, password, writer_slice_of(&token))); /* for the salt of its keys */
}

/* What came behind `before`; a connection that was ended says that there was no memory. */
static SECURITY_STATUS replied(const struct wire *wire, size_t before, enum lsa_operation operation)
{
    struct lsa_head head;
    struct lsa_message reply;
    if (wire->to_client.len == before) {
        assert_null(wire->pipe);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    struct reader reader = reader_of(slice_of(wire->to_client.data + before, wire->to_client.len - before));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(lsa_body_read(reader_rest(&reader), operation, true, &reply), WIRE_OK);
    return (SECURITY_STATUS)(uint32_t)lsa_number(&reply, LSA_STATUS);
}

/* What one request is answered, as the loop takes it in or as a worker does it the nth allocation failing (0: none). */
static SECURITY_STATUS ask_short_of_memory(bool step, bool at_work, unsigned long nth)
{
    static unsigned number = 1000;
    AUTO_WRITER struct writer request = writer_growing(256), token = writer_growing(1024);
    struct wire *wire = greeted(0);
    uint64_t credential = step ? acquire_inbound(wire, "Kerberos", NULL) : 0;
    size_t before = wire->to_client.len;
    lsa_head_write(&request, step ? LSA_STEP : LSA_ACQUIRE, false, 2);
    lsa_number_write(&request, LSA_USE, SECPKG_CRED_INBOUND);
    if (step) {
        daemon_world_token(&token, number++); /* no replay of the one before */
        lsa_number_write(&request, LSA_CREDENTIAL, credential);
        lsa_number_write(&request, LSA_CONTEXT, 0);
        lsa_number_write(&request, LSA_FLAGS, 0);
        lsa_bytes_write(&request, LSA_TOKEN, writer_slice_of(&token));
    } else
        lsa_text_write(&request, LSA_PACKAGE, "Negotiate");
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_fault = at_work ? 0 : nth;
    loop_deliver(wire, SIZE_MAX);
    do
        loop_fault = at_work ? nth : 0;
    while (loop_work(0));
    loop_fault = 0;
    loop_turn();
    return replied(wire, before, step ? LSA_STEP : LSA_ACQUIRE);
}

/* The request fails and nothing else does: what its connection, user and client had is gone with them (see end), and the same request is done the
 * next time. */
static void test_requests_without_memory(void **state)
{
    for (int step = 0; step < 2; step++) {
        unsigned n_failed = 0, n_in_turn = 0;
        for (unsigned long nth = 1; n_in_turn < 20; nth++) { /* so many in turn that do not matter: there are no more */
            assert_true(nth < 2000);
            SECURITY_STATUS first = ask_short_of_memory(step != 0, false, nth),
                            second = ask_short_of_memory(step != 0, true, nth);
            assert_true(first == SEC_E_OK || first == SEC_E_INSUFFICIENT_MEMORY);
            assert_true(second == SEC_E_OK || second == SEC_E_INSUFFICIENT_MEMORY);
            n_failed += (first != SEC_E_OK ? 1u : 0u) + (second != SEC_E_OK ? 1u : 0u);
            n_in_turn = first == SEC_E_OK && second == SEC_E_OK ? n_in_turn + 1 : 0;
            assert_int_equal(ask_short_of_memory(step != 0, false, 0), SEC_E_OK);
            (void)end(state);
            (void)loop_open(state);
        }
        assert_true(n_failed > 10);
    }
}

/* A server's context of WDigest over HTTP, whose key the daemon keeps, and its question for a proof. */
static void question_make(struct writer *sealed, struct writer *asked)
{
    static const char *const texts[] = {"", "/page", "", "theirs", ""};
    AUTO_WRITER struct writer kept = writer_growing(256);
    struct digest_terms terms = {.http = true, .scheme = digest_scheme_find(slice_of_text("SHA-256")), .qop = QOP_AUTH};
    assert_true(terms_set(&terms, TERM_NONCE, slice_of_text("nonce")) &&
                terms_set(&terms, TERM_REALM, slice_of_text("realm")) &&
                terms_set(&terms, TERM_USERNAME, slice_of_text("alice")));
    digest_kept_write(&kept, &terms);
    terms_release(&terms);
    seal_for(0);
    assert_int_equal(seal_write(&digest_package, writer_slice_of(&kept), sealed), SEC_E_OK);
    writer_u8(asked, 0);
    writer_u32le(asked, 2);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        writer_u32le(asked, (uint32_t)strlen(texts[i]));
        writer_slice(asked, slice_of_text(texts[i]));
    }
}

static SECURITY_STATUS question_answered(struct slice sealed, struct slice asked, unsigned long nth)
{
    AUTO_WRITER struct writer request = writer_growing(1024);
    struct wire *wire = greeted(0);
    size_t before = wire->to_client.len;
    lsa_head_write(&request, LSA_ASK, false, 2);
    lsa_text_write(&request, LSA_PACKAGE, "WDigest");
    lsa_bytes_write(&request, LSA_DELEGATED, sealed);
    lsa_bytes_write(&request, LSA_TOKEN, asked);
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_fault = nth;
    loop_deliver(wire, SIZE_MAX);
    loop_fault = 0;
    loop_turn();
    return replied(wire, before, LSA_ASK);
}

/* No memory is no reason to begin the context anew. */
static void test_questions_without_memory(void **state)
{
    AUTO_WRITER struct writer sealed = writer_growing(256), asked = writer_growing(64);
    unsigned n_failed = 0, n_in_turn = 0;
    question_make(&sealed, &asked);
    for (unsigned long nth = 1; n_in_turn < 20; nth++) {
        assert_true(nth < 2000);
        SECURITY_STATUS status = question_answered(writer_slice_of(&sealed), writer_slice_of(&asked), nth);
        assert_true(status == SEC_E_OK || status == SEC_E_INSUFFICIENT_MEMORY);
        n_failed += status != SEC_E_OK ? 1u : 0u;
        n_in_turn = status == SEC_E_OK ? n_in_turn + 1 : 0;
        (void)end(state);
        (void)loop_open(state);
    }
    assert_true(n_failed > 5);
}

/* Contexts that are established go on while the configuration is broken, and what is new does not. */
static void test_broken_configuration(void **state)
{
    AUTO_WRITER struct writer sealed = writer_growing(256), asked = writer_growing(64);
    (void)state;
    question_make(&sealed, &asked);
    AUTO_FREE char *path = mem_strdup(getenv("OPENSSPI_CONFIG"));
    assert_non_null(path);
    setenv("OPENSSPI_CONFIG", "/nowhere/opensspi.conf", 1);
    SECURITY_STATUS answered = question_answered(writer_slice_of(&sealed), writer_slice_of(&asked), 0),
                    acquired = ask_short_of_memory(false, false, 0);
    setenv("OPENSSPI_CONFIG", path, 1);
    assert_int_equal(answered, SEC_E_OK);
    assert_true(acquired < 0);
    assert_int_equal(ask_short_of_memory(false, false, 0), SEC_E_OK);
}

/* Asks for what a worker does. */
static void work_ask(struct wire *wire)
{
    AUTO_WRITER struct writer request = writer_growing(64);
    lsa_head_write(&request, LSA_CHANGE_PASSWORD, false, 1);
    lsa_text_write(&request, LSA_PACKAGE, "NTLM");
    lsa_text_write(&request, LSA_USER, "nobody");
    lsa_bytes_write(&request, LSA_PASSWORD, slice_of("a\0", 2));
    lsa_bytes_write(&request, LSA_NEW_PASSWORD, slice_of("b\0", 2));
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_deliver(wire, SIZE_MAX);
}

static SECURITY_STATUS logon_status(struct wire *wire, const char *user, uint64_t has)
{
    AUTO_WRITER struct writer request = writer_growing(64);
    struct lsa_head head;
    struct lsa_message reply;
    size_t before = wire->to_client.len;
    lsa_head_write(&request, LSA_LOGON, false, 1);
    lsa_text_write(&request, LSA_PACKAGE, "Kerberos");
    lsa_number_write(&request, LSA_LOGON_TYPE, SESSION_NETWORK);
    lsa_number_write(&request, LSA_IDENTITY, has);
    lsa_text_write(&request, LSA_USER, user);
    if (has == LSA_HAS_KEYTAB)
        lsa_bytes_write(&request, LSA_PROOF, slice_of("\5\2", 2));
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    bytes_add(&wire->to_server, request.data, request.len);
    loop_deliver(wire, SIZE_MAX);
    while (loop_work(0))
        ;
    struct reader reader = reader_of(slice_of(wire->to_client.data + before, wire->to_client.len - before));
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(lsa_body_read(reader_rest(&reader), LSA_LOGON, true, &reply), WIRE_OK);
    return (SECURITY_STATUS)(uint32_t)lsa_number(&reply, LSA_STATUS);
}

/* A server's word is taken for a name alone: not where something else proves it, nor where nobody is named. As within a process. */
static void test_logons_on_a_servers_word(void **state)
{
    (void)state;
    struct wire *server_of = greeted(SOMEBODY), *other = greeted(SOMEBODY + 1);
    assert_int_equal(logon_status(server_of, "alice", LSA_HAS_KEYTAB), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(logon_status(server_of, NULL, LSA_HAS_KEYTAB), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(logon_status(server_of, "", 0), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(logon_status(server_of, NULL, 0), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(logon_status(other, "alice", 0), SEC_E_NO_CREDENTIALS); /* who may not be a server */
}

/* Of sixteen workers a user has at most half, users who have some fourteen, all users fifteen, and root the last. */
static void test_workers(void **state)
{
    (void)state;
    struct wire *waiting[30];
    server.limits.workers = 16;
    for (int i = 0; i < 10; i++)
        work_ask(waiting[i] = greeted(SOMEBODY));
    assert_int_equal(server.n_running, 8);
    for (int i = 10; i < 20; i++)
        work_ask(waiting[i] = greeted(SOMEBODY + 1));
    assert_int_equal(server.n_running, 14);
    work_ask(waiting[20] = greeted(SOMEBODY + 2));
    assert_int_equal(server.n_running, 15);
    work_ask(waiting[21] = greeted(SOMEBODY + 3));
    assert_int_equal(server.n_running, 15);
    work_ask(waiting[22] = greeted(0));
    work_ask(waiting[23] = greeted(0));
    assert_int_equal(server.n_running, 16);
    assert_int_equal(server.n_waiting, 2 + 4 + 1 + 1);
    while (loop_work(3)) /* in some order */
        ;
    assert_int_equal(server.n_running + server.n_waiting, 0);
    for (int i = 0; i < 24; i++)
        assert_int_equal(count_replies(waiting[i]), 2);
}

/* Users who always have something waiting, as many as there are workers for such: one who was there before them has its turn all the same. */
static void test_worker_turns(void **state)
{
    (void)state;
    struct wire *oldest, *others[3][2];
    unsigned n_asked[3][2];
    server.limits.workers = 4;
    oldest = greeted(SOMEBODY);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 2; j++) {
            work_ask(others[i][j] = greeted(SOMEBODY + 1 + i));
            n_asked[i][j] = 2; /* with the greeting */
        }
    work_ask(oldest);
    for (unsigned round = 0; round < 30 && count_replies(oldest) < 2; round++) {
        assert_true(loop_work(round));
        for (unsigned i = 0; i < 3; i++)
            for (unsigned j = 0; j < 2; j++)
                if (count_replies(others[i][j]) == n_asked[i][j]) {
                    work_ask(others[i][j]);
                    n_asked[i][j]++;
                }
    }
    assert_int_equal(count_replies(oldest), 2);
    while (loop_work(0))
        ;
}

static unsigned greet_many(uid_t uid, unsigned most)
{
    unsigned n_greeted = 0;
    for (unsigned i = 0; i < most; i++) {
        struct wire *wire = loop_connect(uid);
        assert_non_null(wire);
        if (wire->reading)
            n_greeted++;
        loop_turn();
    }
    return n_greeted;
}

/* Of 32 connections the last eighth is for those who have little, half of that for root. */
static void test_shares(void **state)
{
    (void)state;
    assert_int_equal(greet_many(SOMEBODY, 30), 28);
    assert_int_equal(greet_many(SOMEBODY + 1, 3), 2);
    assert_int_equal(greet_many(SOMEBODY + 2, 1), 0);
    assert_int_equal(greet_many(0, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_turns, loop_open, end),
        cmocka_unit_test_setup_teardown(test_turns_and_halves, loop_open, end),
        cmocka_unit_test_setup_teardown(test_senders, loop_open, end),
        cmocka_unit_test_setup_teardown(test_sent_before_the_daemon, loop_open, end),
        cmocka_unit_test_setup_teardown(test_nobody_fetches, loop_open, end),
        cmocka_unit_test_setup_teardown(test_write_fails, loop_open, end),
        cmocka_unit_test_setup_teardown(test_arrival_without_memory, loop_open, end),
        cmocka_unit_test_setup_teardown(test_kdc_is_not_waited_for, loop_open, end),
        cmocka_unit_test_setup_teardown(test_requests_without_memory, loop_open, end),
        cmocka_unit_test_setup_teardown(test_questions_without_memory, loop_open, end),
        cmocka_unit_test_setup_teardown(test_broken_configuration, loop_open, end),
        cmocka_unit_test_setup_teardown(test_logons_on_a_servers_word, loop_open, end),
        cmocka_unit_test_setup_teardown(test_workers, loop_open, end),
        cmocka_unit_test_setup_teardown(test_worker_turns, loop_open, end),
        cmocka_unit_test_setup_teardown(test_shares, loop_open, end),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
