/*
 * Requests that nobody had to think of: of each kind that the protocol's table has (lsa/protocol.h), each field absent, empty, too short, too long,
 * at and over its limit, twice, with each bit the other way round and alone, and pairs of such fields; and kinds out of their order. Each is
 * answered by a status or ends its connection, as the protocol says; another user is answered meanwhile; and nothing stays that no reply told of.
 * The daemon's own code runs, over a loop in memory.
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
#include "core/package.h"
#include "digest/question.h"
#include "fuzz/lsad/daemon_world.h"
#include "fuzz/lsad/fake_loop.h"
#include "fuzz/lsad/request_cases.h"
#include "lsa/authority.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include "server.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define SOMEBODY 1001 /* may be a server, and use the key */
#define WITNESS 1002

extern const struct package digest_package;

static struct server server;
static struct writer sealed, delegated, token; /* for SOMEBODY */
static uint8_t key_hash[32];

/* What an honest request of each kind gets. A kind that is not here fails: nobody has thought of it. */
static const struct expected {
    bool is_known, is_silent;
    SECURITY_STATUS status;
} expected[LSA_OPERATIONS] = {
    [LSA_HELLO] = {.is_known = true},
    [LSA_ACQUIRE] = {.is_known = true},
    [LSA_RELEASE] = {.is_known = true, .is_silent = true},
    [LSA_STEP] = {.is_known = true, .status = SEC_I_CONTINUE_NEEDED},
    [LSA_ABANDON] = {.is_known = true, .is_silent = true},
    [LSA_COMPLETE] = {.is_known = true, .status = SEC_E_UNSUPPORTED_FUNCTION},
    [LSA_QUERY_CREDENTIAL] = {.is_known = true},
    [LSA_SET_CREDENTIAL] = {.is_known = true, .status = SEC_E_UNSUPPORTED_FUNCTION},
    [LSA_QUERY_CONTEXT] = {.is_known = true},
    /* the accounts are in a file that programs do not write */
    [LSA_CHANGE_PASSWORD] = {.is_known = true, .status = SEC_E_UNSUPPORTED_FUNCTION},
    [LSA_ACQUIRE_DELEGATED] = {.is_known = true},
    [LSA_ACQUIRE_S4U] = {.is_known = true, .status = SEC_E_UNSUPPORTED_FUNCTION},
    [LSA_LOGON] = {.is_known = true},
    [LSA_LOGOFF] = {.is_known = true},
    [LSA_LIST_SESSIONS] = {.is_known = true},
    [LSA_DESCRIBE_SESSION] = {.is_known = true},
    [LSA_PROVE] = {.is_known = true},
    [LSA_TICKETS] = {.is_known = true},
    [LSA_WRAP] = {.is_known = true},
    [LSA_KEY] = {.is_known = true},
    [LSA_SIGN] = {.is_known = true},
    [LSA_ASK] = {.is_known = true, .status = SEC_E_MESSAGE_ALTERED},
};

/* ---- one connection ---- */

struct end {
    struct wire *wire;
    size_t heard;
};

static void say(struct end *end, struct slice bytes)
{
    bytes_add(&end->wire->to_server, bytes.data, bytes.len);
    while (end->wire->reading && end->wire->n_read < end->wire->to_server.len)
        loop_deliver(end->wire, SIZE_MAX);
}

static void settle(void)
{
    do
        loop_turn();
    while (loop_work(0) || !loop_is_idle());
}

/* The next reply; false: there is none. */
static bool hear(struct end *end, enum lsa_operation operation, struct lsa_message *reply)
{
    struct reader reader = reader_of(slice_of(end->wire->to_client.data, end->wire->to_client.len));
    struct lsa_head head;
    struct slice body;
    assert_int_equal(reader_skip(&reader, end->heard), WIRE_OK);
    if (reader_left(&reader) == 0)
        return false;
    assert_int_equal(lsa_head_read(&reader, &head), WIRE_OK);
    assert_int_equal(reader_bytes(&reader, head.body_len, &body), WIRE_OK);
    assert_true(head.reply);
    assert_int_equal(head.operation, operation);
    assert_int_equal(lsa_body_read(body, operation, true, reply), WIRE_OK);
    end->heard += LSA_HEAD_LEN + head.body_len;
    return true;
}

static SECURITY_STATUS status_of(const struct lsa_message *reply)
{
    return (SECURITY_STATUS)(uint32_t)lsa_number(reply, LSA_STATUS);
}

static struct end greeted(uid_t uid, struct lsa_message *reply)
{
    struct end end = {.wire = loop_connect(uid)};
    AUTO_WRITER struct writer hello = writer_growing(16);
    assert_non_null(end.wire);
    lsa_head_write(&hello, LSA_HELLO, false, 1);
    assert_int_equal(lsa_body_end(&hello), WIRE_OK);
    say(&end, writer_slice_of(&hello));
    assert_true(hear(&end, LSA_HELLO, reply));
    return end;
}

static void ask_case(struct end *end, const struct request_case *asked, const struct request_world *world)
{
    AUTO_WRITER struct writer request = writer_growing(512);
    if (!request_write(&request, asked, world, 7))
        fail_msg("nobody has said what request %d has in one of its fields", (int)asked->operation);
    say(end, writer_slice_of(&request));
}

/* An honest request that succeeds. */
static struct lsa_message ask(struct end *end, enum lsa_operation operation, const struct request_world *world)
{
    struct lsa_message reply;
    ask_case(end, &(struct request_case){.operation = operation}, world);
    settle();
    assert_true(hear(end, operation, &reply));
    assert_true(status_of(&reply) >= 0);
    return reply;
}

/* ---- a daemon for each case ---- */

struct scene {
    struct end witness, asker;
    uint8_t client[LSA_CLIENT_LEN];
    struct request_world world;
};

static void digest_seal(void)
{
    struct digest_terms terms = {.http = true, .qop = QOP_AUTH, .initiator = false};
    AUTO_WRITER struct writer kept = writer_growing(256);
    terms.scheme = digest_scheme_find(slice_of_text("SHA-256"));
    memcpy(terms.key, "Password1!", 10);
    assert_true(
        terms_set(&terms, TERM_NONCE, slice_of_text("n")) && terms_set(&terms, TERM_CNONCE, slice_of_text("c")) &&
        terms_set(&terms, TERM_REALM, slice_of_text("r")) && terms_set(&terms, TERM_USERNAME, slice_of_text("u")));
    digest_kept_write(&kept, &terms);
    sealed = writer_growing(256);
    seal_for(SOMEBODY);
    assert_int_equal(seal_write(&digest_package, writer_slice_of(&kept), &sealed), SEC_E_OK);
    terms_release(&terms);
}

static void scene_open(struct scene *scene)
{
    struct lsa_message reply;
    memset(&server, 0, sizeof server);
    server.limits = (struct limits){
        .connections = 32, .user_connections = 32, .user_contexts = 5, .user_credentials = 5, .workers = 4};
    assert_true(server_listen(&server, -1));
    *scene = (struct scene){.witness = greeted(WITNESS, &reply)};
    scene->asker = greeted(SOMEBODY, &reply);
    memcpy(scene->client, reply.field[LSA_CLIENT].data, sizeof scene->client);
    scene->world = (struct request_world){.client = slice_of(scene->client, sizeof scene->client),
                                          .token = writer_slice_of(&token),
                                          .sealed = writer_slice_of(&sealed),
                                          .delegated = writer_slice_of(&delegated),
                                          .key_hash = slice_of(key_hash, sizeof key_hash)};
}

static void sessions_end(void)
{
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids;
    assert_int_equal(sessions_list(0, &ids, &n_ids), SEC_E_OK);
    for (size_t i = 0; i < n_ids; i++)
        assert_int_equal(sessions_log_off(ids[i], 0), SEC_E_OK);
}

/* The other user is answered; when the asker has gone, nothing of it is left. */
static void scene_close(struct scene *scene)
{
    struct lsa_message reply;
    loop_hang_up(scene->asker.wire);
    loop_deliver(scene->asker.wire, SIZE_MAX);
    settle();
    ask(&scene->witness, LSA_LIST_SESSIONS, &scene->world);
    assert_false(hear(&scene->witness, LSA_LIST_SESSIONS, &reply));
    assert_int_equal(server.n_connections, 1);
    assert_int_equal(server.n_contexts + server.n_credentials + server.n_kept + server.n_passing, 0);
    server_run(&server);
    assert_null(server.users);
    assert_null(server.clients);
    loop_clear();
    sessions_end();
    cause_clear();
}

/* A credential of both uses, with which a client and a server begin. */
static void credential_get(struct end *end, struct request_world *world)
{
    const struct request_case both = {.operation = LSA_ACQUIRE, .changed = {{LSA_USE, REQUEST_BIT}}}; /* 2 becomes 3 */
    struct lsa_message reply;
    ask_case(end, &both, world);
    settle();
    assert_true(hear(end, LSA_ACQUIRE, &reply));
    assert_int_equal(status_of(&reply), SEC_E_OK);
    world->credential = lsa_number(&reply, LSA_CREDENTIAL);
}

static bool names(enum lsa_operation operation, unsigned field)
{
    return lsa_field_place(operation, false, field) != LSA_MAY_NOT;
}

/* What an honest request of that kind names is there. */
static void things_get(struct end *end, enum lsa_operation operation, struct request_world *world)
{
    struct lsa_message reply;
    if (names(operation, LSA_CREDENTIAL) || names(operation, LSA_CONTEXT))
        credential_get(end, world);
    if (names(operation, LSA_CONTEXT) && operation != LSA_STEP) {
        reply = ask(end, LSA_STEP, world);
        world->context = lsa_number(&reply, LSA_CONTEXT);
    }
    if (names(operation, LSA_LOGON_SESSION)) {
        reply = ask(end, LSA_LOGON, world);
        world->session = lsa_number(&reply, LSA_LOGON_SESSION);
    }
}

/* ---- what is got before all: a client's token, what a proof left, the key's hash ---- */

static void keep(struct writer *writer, struct slice bytes)
{
    *writer = writer_growing(bytes.len + 1);
    writer_slice(writer, bytes);
}

static void client_token(struct end *end, const struct request_world *world)
{
    struct lsa_message reply;
    AUTO_WRITER struct writer request = writer_growing(64);
    lsa_head_write(&request, LSA_STEP, false, 7);
    lsa_number_write(&request, LSA_CREDENTIAL, world->credential);
    lsa_number_write(&request, LSA_CONTEXT, 0);
    lsa_number_write(&request, LSA_USE, SECPKG_CRED_OUTBOUND);
    lsa_number_write(&request, LSA_FLAGS, 0);
    assert_int_equal(lsa_body_end(&request), WIRE_OK);
    say(end, writer_slice_of(&request));
    settle();
    assert_true(hear(end, LSA_STEP, &reply));
    assert_int_equal(status_of(&reply), SEC_I_CONTINUE_NEEDED);
    keep(&token, reply.field[LSA_TOKEN]);
}

static int begin(void **state)
{
    struct scene scene;
    (void)state;
    daemon_world_configure(SOMEBODY);
    config_for_daemon();
    authority_embed();
    api_start();
    if (!seal_start())
        return -1;
    digest_seal();
    scene_open(&scene);
    credential_get(&scene.asker, &scene.world);
    client_token(&scene.asker, &scene.world);
    struct lsa_message reply = ask(&scene.asker, LSA_PROVE, &scene.world);
    keep(&delegated, reply.field[LSA_DELEGATED]);
    reply = ask(&scene.asker, LSA_KEY, &scene.world);
    EVP_Q_digest(NULL, "SHA256", NULL, reply.field[LSA_VALUE].data, reply.field[LSA_VALUE].len, key_hash, NULL);
    scene_close(&scene);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    writer_release(&sealed);
    writer_release(&delegated);
    writer_release(&token);
    return 0;
}

/* ---- cases ---- */

static const char *case_text(const struct request_case *asked)
{
    static char text[120];
    snprintf(text, sizeof text, "request %d, field %u change %d, field %u change %d", (int)asked->operation,
             asked->changed[0].field, (int)asked->changed[0].change, asked->changed[1].field,
             (int)asked->changed[1].change);
    return text;
}

#define EXPECT(condition, asked)                                      \
    do {                                                              \
        if (!(condition))                                             \
            fail_msg("%s: not so: %s", case_text(asked), #condition); \
    } while (0)

static bool changes(const struct request_case *asked, unsigned field, enum request_change change)
{
    return (asked->changed[0].field == field && asked->changed[0].change == change) ||
           (asked->changed[1].field == field && asked->changed[1].change == change);
}

/* Refusals that follow from the case alone. */
static void refusal_check(const struct request_case *asked, SECURITY_STATUS status)
{
    for (size_t i = 0; i < COUNT_OF(asked->changed); i++)
        if (asked->changed[i].change == REQUEST_OVER_LIMIT && asked->changed[i].field != 0)
            EXPECT(status < 0, asked);
    if (!names(asked->operation, LSA_IDENTITY))
        return;
    /* An identity says that it has what it has not: bits 1 and 2 are a hash and a keytab, whose honest password and proof are none. */
    const bool is_hash =
        changes(asked, LSA_IDENTITY, REQUEST_BIT + 1) || changes(asked, LSA_IDENTITY, REQUEST_ONLY + 1);
    const bool no_password = changes(asked, LSA_PASSWORD, REQUEST_ABSENT) &&
                             !changes(asked, LSA_IDENTITY, REQUEST_ABSENT) &&
                             !changes(asked, LSA_IDENTITY, REQUEST_ZERO) && !changes(asked, LSA_IDENTITY, REQUEST_BIT);
    if (is_hash ||
        no_password) /* a long name of a package, or what is too long to be looked at, may be refused first */
        EXPECT(status == SEC_E_INVALID_TOKEN || status == SEC_E_SECPKG_NOT_FOUND || status == SEC_E_INSUFFICIENT_MEMORY,
               asked);
}

static void answer_check(const struct scene *scene, const struct request_case *asked, const struct lsa_message *reply,
                         unsigned n_before)
{
    SECURITY_STATUS status = status_of(reply);
    unsigned n_made = 0, n_now = server.n_credentials + server.n_contexts;
    /* SEC_E_ and NTE_ codes: none of another facility's, and nobody's "it failed". */
    EXPECT(status >= 0 || ((uint32_t)status >> 16 == 0x8009 && status != SEC_E_INTERNAL_ERROR), asked);
    if (status >= 0) {
        n_made += lsa_has(reply, LSA_CREDENTIAL) ? 1 : 0;
        n_made += lsa_number(reply, LSA_CONTEXT) != 0 && asked->operation == LSA_STEP ? 1 : 0;
    }
    EXPECT(n_now <= n_before + n_made, asked);
    EXPECT(scene->asker.wire->pipe != NULL, asked);
    refusal_check(asked, status);
}

static void case_run(const struct request_case *asked)
{
    struct scene scene;
    struct lsa_message reply;
    const bool is_hello = asked->operation == LSA_HELLO, is_malformed = request_is_malformed(asked);
    const struct expected *kind = &expected[asked->operation];
    scene_open(&scene);
    things_get(&scene.asker, asked->operation, &scene.world);
    struct end fresh = {.wire = is_hello ? loop_connect(SOMEBODY) : scene.asker.wire, .heard = scene.asker.heard};
    struct end *end = is_hello ? &fresh : &scene.asker;
    fresh.heard = is_hello ? 0 : fresh.heard;
    unsigned n_before = server.n_credentials + server.n_contexts;
    ask_case(end, asked, &scene.world);
    if (end->wire->pipe != NULL) /* others are answered while it waits */
        ask(&scene.witness, LSA_LIST_SESSIONS, &scene.world);
    settle();
    bool answered = hear(end, asked->operation, &reply);
    EXPECT(answered == !(is_malformed || kind->is_silent), asked);
    EXPECT((end->wire->pipe == NULL) == is_malformed, asked);
    if (answered) {
        answer_check(&scene, asked, &reply, n_before);
        if (asked->changed[0].field == 0)
            EXPECT(status_of(&reply) == kind->status, asked);
        EXPECT(!hear(end, asked->operation, &reply), asked);
    }
    if (is_hello) {
        loop_hang_up(fresh.wire);
        loop_deliver(fresh.wire, SIZE_MAX);
    }
    scene_close(&scene);
}

static void test_honest(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO; operation < LSA_OPERATIONS; operation++) {
        if (!expected[operation].is_known)
            fail_msg("nobody has said what request %u gets", operation);
        case_run(&(struct request_case){.operation = (enum lsa_operation)operation});
    }
}

/* Each kind, each field that it has or must not have, and a number of none. */
static void test_each_field(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO; operation < LSA_OPERATIONS; operation++)
        for (unsigned field = 1; field <= LSA_FIELDS; field++)
            for (unsigned change = 0; change < REQUEST_CHANGES; change++) {
                struct request_case asked = {.operation = (enum lsa_operation)operation,
                                             .changed = {{field, (enum request_change)change}}};
                if (request_change_applies(asked.operation, field, asked.changed[0].change))
                    case_run(&asked);
            }
}

/* Two fields that do not fit each other, each of which may do by itself: bits that say what the bytes do not hold. */
static bool fills_body(unsigned field, enum request_change change)
{
    return change == REQUEST_AT_LIMIT && limits_field_max((enum lsa_field)field) == 0;
}

static void pairs_run(enum lsa_operation operation, unsigned first, unsigned second)
{
    for (unsigned one = REQUEST_ABSENT; one < REQUEST_BIT + 5; one++)
        for (unsigned other = REQUEST_ABSENT; other < REQUEST_BIT + 5; other++) {
            struct request_case asked = {
                .operation = operation,
                .changed = {{first, (enum request_change)one}, {second, (enum request_change)other}}};
            if (request_change_applies(operation, first, asked.changed[0].change) &&
                request_change_applies(operation, second, asked.changed[1].change) && !request_is_malformed(&asked) &&
                !fills_body(first, asked.changed[0].change) && !fills_body(second, asked.changed[1].change))
                case_run(&asked);
        }
}

static void test_pairs(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO; operation < LSA_OPERATIONS; operation++)
        for (unsigned first = 1; first < LSA_FIELDS; first++)
            for (unsigned second = first + 1; second < LSA_FIELDS; second++)
                pairs_run((enum lsa_operation)operation, first, second);
}

/* ---- out of their order ---- */

/* Nothing is answered, and the connection ends. */
static void must_end(struct end *end, const struct request_case *asked)
{
    struct lsa_message reply;
    settle();
    EXPECT(end->wire->pipe == NULL, asked);
    EXPECT(!hear(end, asked->operation, &reply), asked);
}

static void test_before_the_greeting(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO + 1; operation < LSA_OPERATIONS; operation++) {
        const struct request_case asked = {.operation = (enum lsa_operation)operation};
        struct scene scene;
        scene_open(&scene);
        struct end end = {.wire = loop_connect(SOMEBODY)};
        ask_case(&end, &asked, &scene.world);
        must_end(&end, &asked);
        scene_close(&scene);
    }
}

/* Heads: replies' kinds, numbers of no kind, bits that are reserved. A body of a kind's own. */
static void head_run(unsigned operation, uint8_t flags)
{
    struct request_case asked = {
        .operation = operation >= LSA_HELLO && operation < LSA_OPERATIONS ? (enum lsa_operation)operation : LSA_KEY};
    AUTO_WRITER struct writer request = writer_growing(512);
    struct scene scene;
    scene_open(&scene);
    things_get(&scene.asker, asked.operation, &scene.world);
    assert_true(request_write(&request, &asked, &scene.world, 7));
    request.data[6] = (uint8_t)operation;
    request.data[7] = flags;
    say(&scene.asker, writer_slice_of(&request));
    must_end(&scene.asker, &asked);
    scene_close(&scene);
}

static void test_heads(void **state)
{
    (void)state;
    for (unsigned operation = 0; operation < 256; operation++) {
        if (operation < LSA_HELLO || operation >= LSA_OPERATIONS)
            head_run(operation, 0);
        head_run(operation, 0x80);
        head_run(operation, 0x01);
    }
    head_run(LSA_HELLO, 0); /* a second greeting */
}

/* What another process has, or what was given back: no reply but that there is no such thing; the thing stays as it is. */
static void stranger_run(enum lsa_operation operation, bool same_user)
{
    const struct request_case asked = {.operation = operation};
    struct lsa_message reply;
    struct scene scene;
    scene_open(&scene);
    things_get(&scene.asker, operation, &scene.world);
    if (operation == LSA_STEP)
        scene.world.context = 0;
    struct end other = greeted(same_user ? SOMEBODY : WITNESS, &reply);
    unsigned n_before = server.n_credentials + server.n_contexts;
    ask_case(&other, &asked, &scene.world);
    settle();
    EXPECT(hear(&other, operation, &reply) == !expected[operation].is_silent, &asked);
    if (!expected[operation].is_silent)
        EXPECT(status_of(&reply) == SEC_E_INVALID_HANDLE, &asked);
    EXPECT(server.n_credentials + server.n_contexts == n_before, &asked);
    loop_hang_up(other.wire);
    loop_deliver(other.wire, SIZE_MAX);
    scene_close(&scene);
}

static void freed_run(enum lsa_operation operation)
{
    const struct request_case asked = {.operation = operation};
    struct lsa_message reply;
    struct scene scene;
    scene_open(&scene);
    things_get(&scene.asker, operation, &scene.world);
    struct end *end = &scene.asker;
    if (scene.world.context != 0)
        ask_case(end, &(struct request_case){.operation = LSA_ABANDON}, &scene.world);
    if (scene.world.credential != 0)
        ask_case(end, &(struct request_case){.operation = LSA_RELEASE}, &scene.world);
    settle();
    EXPECT(server.n_credentials + server.n_contexts == 0, &asked);
    ask_case(end, &asked, &scene.world);
    settle();
    EXPECT(hear(end, operation, &reply) == !expected[operation].is_silent, &asked);
    if (!expected[operation].is_silent)
        EXPECT(status_of(&reply) == SEC_E_INVALID_HANDLE, &asked);
    EXPECT(server.n_credentials + server.n_contexts == 0, &asked);
    scene_close(&scene);
}

static void test_handles(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO; operation < LSA_OPERATIONS; operation++)
        if (names((enum lsa_operation)operation, LSA_CREDENTIAL) || names((enum lsa_operation)operation, LSA_CONTEXT)) {
            stranger_run((enum lsa_operation)operation, true);
            stranger_run((enum lsa_operation)operation, false);
            freed_run((enum lsa_operation)operation);
        }
}

/* The same once more, sent together: each has its answer, and nothing is there that none told of. */
static void test_twice(void **state)
{
    (void)state;
    for (unsigned operation = LSA_HELLO + 1; operation < LSA_OPERATIONS; operation++) {
        const struct request_case asked = {.operation = (enum lsa_operation)operation};
        struct lsa_message reply;
        struct scene scene;
        unsigned n_made = 0;
        scene_open(&scene);
        things_get(&scene.asker, asked.operation, &scene.world);
        unsigned n_before = server.n_credentials + server.n_contexts;
        ask_case(&scene.asker, &asked, &scene.world);
        ask_case(&scene.asker, &asked, &scene.world);
        settle();
        say(&scene.asker, slice_of("", 0)); /* what was not read while the first was a worker's */
        settle();
        for (int i = 0; i < 2 && !expected[operation].is_silent; i++) {
            EXPECT(hear(&scene.asker, asked.operation, &reply), &asked);
            n_made += lsa_has(&reply, LSA_CREDENTIAL) || lsa_number(&reply, LSA_CONTEXT) != 0 ? 1 : 0;
        }
        EXPECT(!hear(&scene.asker, asked.operation, &reply), &asked);
        EXPECT(server.n_credentials + server.n_contexts <= n_before + n_made, &asked);
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest), cmocka_unit_test(test_each_field),
        cmocka_unit_test(test_pairs),  cmocka_unit_test(test_before_the_greeting),
        cmocka_unit_test(test_heads),  cmocka_unit_test(test_handles),
        cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
