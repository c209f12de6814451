/*
 * Whole requests to the daemon: its own loop code over connections in memory (lsad/fake_loop.h), several users, workers that finish in any order,
 * replies that nobody fetches, connections that end at any moment, memory that is not there. An input is a list of such events. Every request is
 * answered in its turn or the connection ends; nobody gets what is another user's; what is counted is what is there, and bounded; nothing is left
 * behind.
 */
#include "api/api.h"
#include "base/memory.h"
#include "core/cause.h"
#include "digest/question.h"
#include "fuzz/lsad/daemon_world.h"
#include "fuzz/lsad/fake_loop.h"
#include "fuzz/lsad/request_cases.h"
#include "fuzz/world.h"
#include "lsa/authority.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include "server.h"

#include <stdio.h>
#include <openssl/evp.h>
#include <string.h>

#define OWN_MAX 128
#define FIRST_UID 1001 /* may be a server; 1002 and 1003 may not */
#define PENDING_MAX 4096

static struct server server;
static const uid_t uids[] = {0, FIRST_UID, FIRST_UID + 1, FIRST_UID + 2};
#define N_UIDS (sizeof uids / sizeof *uids)

/* What was told about a process, which may have several connections. */
struct side {
    uid_t uid;
    uint8_t name[LSA_CLIENT_LEN];
    uint64_t credentials[OWN_MAX], contexts[OWN_MAX];
    size_t n_credentials, n_contexts;
};

struct asked {
    uint8_t operation;
    uint16_t version;
    uint32_t sequence;
    size_t body, body_len; /* in what was sent */
};

/* A connection. */
struct peer {
    struct wire *wire;
    struct side *side; /* NULL before the greeting */
    size_t parsed;     /* of what was sent */
    size_t heard;      /* of what was received */
    struct asked asked[PENDING_MAX];
    size_t n_asked;
    bool stray; /* other users' words, or the password as such, were sent here: they may come back */
};

static struct peer peers[WIRES_MAX];
static size_t n_peers;
static struct side sides[WIRES_MAX];
static size_t n_sides;
static struct {
    uint64_t id;
    uid_t owner;
} sessions[1024];
static size_t n_sessions;
static struct bytes last_token;
static struct writer
    sealed[N_UIDS];          /* for each user a key of WDigest's that stayed here: a client's, a server's in turn */
static uint8_t key_hash[32]; /* of the public half of the key that the daemon told of last */
static const char password[] = "P\0a\0s\0s\0w\0o\0r\0d\0001\0!\0";
#define NT_HASH_LEN 16
static const uint8_t password_hash[NT_HASH_LEN] = {0x7f, 0xac, 0xdc, 0x49, 0x8e, 0xd1, 0x68, 0x0c,
                                                   0x4f, 0xd1, 0x44, 0x83, 0x19, 0xa8, 0xc0, 0x4f};
static uint32_t sequence;

extern const struct package digest_package;

/* As if the user had signed on before. */
static void sealed_make(size_t user)
{
    struct digest_terms terms = {.http = true, .qop = QOP_AUTH, .initiator = user % 2 == 0};
    AUTO_WRITER struct writer kept = writer_growing(256);
    terms.scheme = digest_scheme_find(slice_of_text("SHA-256"));
    memcpy(terms.key, "Password1!", 10);
    MUST(terms_set(&terms, TERM_NONCE, slice_of_text("n")) && terms_set(&terms, TERM_CNONCE, slice_of_text("c")) &&
         terms_set(&terms, TERM_REALM, slice_of_text("r")) && terms_set(&terms, TERM_USERNAME, slice_of_text("u")));
    digest_kept_write(&kept, &terms);
    sealed[user] = writer_growing(256);
    seal_for(uids[user]);
    MUST(seal_write(&digest_package, writer_slice_of(&kept), &sealed[user]) == SEC_E_OK);
    terms_release(&terms);
}

static void start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    daemon_world_configure(FIRST_UID);
    config_for_daemon();
    authority_embed();
    api_start();
    MUST(seal_start());
    for (size_t i = 0; i < N_UIDS; i++)
        sealed_make(i);
}

static const char *mark_of(uid_t uid)
{
    static char text[N_UIDS][16];
    size_t i = 0;
    while (uids[i] != uid)
        i++;
    snprintf(text[i], sizeof text[i], "mark-%u", (unsigned)uid);
    return text[i];
}

static struct slice bytes_from(const struct bytes *bytes, size_t at)
{
    return at < bytes->len ? slice_of(bytes->data + at, bytes->len - at) : slice_of("", 0);
}

static bool holds(struct slice bytes, const char *text)
{
    return bytes.len >= strlen(text) && memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static bool is_own(const uint64_t *ids, size_t n_ids, uint64_t id)
{
    for (size_t i = 0; i < n_ids; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static bool may_see(uint64_t session, uid_t uid)
{
    const struct logon_session *found;
    for (size_t i = 0; i < n_sessions; i++)
        if (sessions[i].id == session)
            return uid == 0 || sessions[i].owner == uid;
    /* whoever made it has not heard of it yet */
    if (sessions_find(session, 0, &found) != SEC_E_OK)
        return false;
    uid_t owner = found->owner;
    sessions_put(found);
    return uid == 0 || owner == uid;
}

/* ---- replies ---- */

static void own_add(uint64_t *ids, size_t *n_ids, uint64_t id)
{
    MUST(id != 0);
    if (*n_ids < OWN_MAX && !is_own(ids, *n_ids, id))
        ids[(*n_ids)++] = id;
}

static struct side *side_of(uid_t uid, struct slice name)
{
    MUST(name.len == LSA_CLIENT_LEN);
    for (size_t i = 0; i < n_sides; i++)
        if (memcmp(sides[i].name, name.data, name.len) == 0)
            return &sides[i];
    MUST(n_sides < WIRES_MAX);
    struct side *side = &sides[n_sides++];
    *side = (struct side){.uid = uid};
    memcpy(side->name, name.data, name.len);
    return side;
}

static void session_ids_check(struct slice list, uid_t uid)
{
    struct reader reader = reader_of(list);
    uint64_t id;
    while (reader_u64le(&reader, &id) == WIRE_OK)
        MUST(may_see(id, uid));
    MUST(reader_left(&reader) == 0);
}

/* Another connection of this process may have made what nobody has heard of yet; numbers are easily guessed. */
static bool waits_elsewhere(const struct peer *peer)
{
    for (size_t i = 0; i < n_peers; i++)
        if (&peers[i] != peer && peers[i].side == peer->side && peers[i].n_asked > 0)
            return true;
    return false;
}

/* What a request names is its client's, or it failed. */
static void objects_check(const struct peer *peer, const struct lsa_message *request, SECURITY_STATUS status,
                          uint8_t operation)
{
    const struct side *side = peer->side;
    if (waits_elsewhere(peer))
        return;
    uint64_t credential = lsa_number(request, LSA_CREDENTIAL), context = lsa_number(request, LSA_CONTEXT);
    if (lsa_has(request, LSA_CREDENTIAL) && (operation != LSA_STEP || context == 0) && side->n_credentials < OWN_MAX)
        MUST(status < 0 || is_own(side->credentials, side->n_credentials, credential));
    if (context != 0 && side->n_contexts < OWN_MAX)
        MUST(status < 0 || is_own(side->contexts, side->n_contexts, context));
}

static void answer_check(struct peer *peer, const struct asked *asked, const struct lsa_message *reply)
{
    struct lsa_message request;
    uid_t uid = peer->wire->uid;
    SECURITY_STATUS status = (SECURITY_STATUS)(uint32_t)lsa_number(reply, LSA_STATUS);
    MUST(lsa_body_read(slice_of(peer->wire->to_server.data + asked->body, asked->body_len),
                       (enum lsa_operation)asked->operation, false, &request) == WIRE_OK);
    if (status < 0)
        return;
    if (asked->operation == LSA_HELLO) {
        peer->side = side_of(uid, reply->field[LSA_CLIENT]);
        MUST(peer->side->uid == uid);
        return;
    }
    struct side *side = peer->side;
    MUST(side != NULL);
    objects_check(peer, &request, status, asked->operation);
    if (lsa_has(reply, LSA_CREDENTIAL))
        own_add(side->credentials, &side->n_credentials, lsa_number(reply, LSA_CREDENTIAL));
    if (lsa_number(reply, LSA_CONTEXT) != 0)
        own_add(side->contexts, &side->n_contexts, lsa_number(reply, LSA_CONTEXT));
    if (asked->operation == LSA_ACQUIRE && (lsa_number(&request, LSA_USE) & SECPKG_CRED_INBOUND) != 0)
        MUST(uid == 0 || uid == FIRST_UID);
    if (asked->operation == LSA_LOGON) {
        sessions[n_sessions].id = lsa_number(reply, LSA_LOGON_SESSION);
        sessions[n_sessions].owner = uid;
        n_sessions += n_sessions < COUNT_OF(sessions) - 1 ? 1 : 0;
    }
    if (asked->operation == LSA_LIST_SESSIONS)
        session_ids_check(reply->field[LSA_LOGON_SESSIONS], uid);
    if (asked->operation == LSA_DESCRIBE_SESSION)
        MUST(uid == 0 || (lsa_number(reply, LSA_OWNER) == uid && may_see(lsa_number(reply, LSA_LOGON_SESSION), uid)));
    if (asked->operation == LSA_LOGOFF && lsa_number(&request, LSA_LOGON_SESSION) != 0)
        MUST(may_see(lsa_number(&request, LSA_LOGON_SESSION), uid));
    if (asked->operation == LSA_KEY && lsa_has(reply, LSA_VALUE))
        EVP_Q_digest(NULL, "SHA256", NULL, reply->field[LSA_VALUE].data, reply->field[LSA_VALUE].len, key_hash, NULL);
    if (asked->operation == LSA_ASK) /* of what was sealed for this user, as it was sealed */
        for (size_t i = 0; i < N_UIDS; i++)
            MUST(slice_equal(request.field[LSA_DELEGATED], writer_slice_of(&sealed[i])) == (uids[i] == uid));
    if (lsa_has(reply, LSA_TOKEN)) {
        last_token.len = 0;
        bytes_add(&last_token, reply->field[LSA_TOKEN].data, reply->field[LSA_TOKEN].len);
    }
}

static void hear(struct peer *peer)
{
    for (;;) {
        struct reader reader = reader_of(bytes_from(&peer->wire->to_client, peer->heard));
        struct lsa_head head;
        struct lsa_message reply;
        struct slice body;
        enum wire_result result = lsa_head_read(&reader, &head);
        MUST(result != WIRE_BAD);
        if (result != WIRE_OK || reader_bytes(&reader, head.body_len, &body) != WIRE_OK)
            return;
        peer->heard += LSA_HEAD_LEN + head.body_len;
        MUST(head.reply && head.version == LSA_PROTOCOL_VERSION);
        if (peer->heard == LSA_HEAD_LEN + head.body_len && peer->wire->n_read == 0)
            return; /* there are too many connections: told before anything is read */
        MUST(peer->n_asked > 0 && peer->asked[0].operation == head.operation &&
             peer->asked[0].sequence == head.sequence);
        struct asked asked = peer->asked[0];
        memmove(peer->asked, peer->asked + 1, --peer->n_asked * sizeof asked);
        if (asked.version != LSA_PROTOCOL_VERSION)
            continue; /* words about the version, whatever the operation */
        MUST(lsa_body_read(body, (enum lsa_operation)head.operation, true, &reply) == WIRE_OK);
        MUST(peer->stray || (!holds(body, "Password1!") && memmem(body.data, body.len, password, 20) == NULL));
        if (peer->wire->uid != 0 && !peer->stray)
            for (size_t i = 0; i < N_UIDS; i++)
                MUST(uids[i] == peer->wire->uid || !holds(body, mark_of(uids[i])));
        answer_check(peer, &asked, &reply);
    }
}

/* ---- requests ---- */

/* Notes whole frames that were sent, which want a reply. */
static void sent_note(struct peer *peer)
{
    const struct bytes *sent = &peer->wire->to_server;
    for (;;) {
        struct reader reader = reader_of(bytes_from(sent, peer->parsed));
        struct lsa_head head;
        if (lsa_head_read(&reader, &head) != WIRE_OK || reader_left(&reader) < head.body_len)
            return;
        size_t body = peer->parsed + LSA_HEAD_LEN;
        peer->parsed = body + head.body_len;
        bool wants =
            head.version != LSA_PROTOCOL_VERSION || (head.operation != LSA_RELEASE && head.operation != LSA_ABANDON);
        if (wants && !head.reply && peer->n_asked < PENDING_MAX)
            peer->asked[peer->n_asked++] =
                (struct asked){head.operation, head.version, head.sequence, body, head.body_len};
    }
}

static void send_bytes(struct peer *peer, struct slice bytes)
{
    if (peer->wire->hung_up || peer->n_asked >= PENDING_MAX - 64 || peer->wire->to_server.len > (4u << 20))
        return;
    bytes_add(&peer->wire->to_server, bytes.data, bytes.len);
    for (size_t i = 0; i < N_UIDS; i++)
        peer->stray = peer->stray || (uids[i] != peer->wire->uid && holds(bytes, mark_of(uids[i])));
    peer->stray = peer->stray || holds(bytes, "assword");
    sent_note(peer);
}

static uint64_t number_choose(struct reader *input, const struct peer *peer, enum lsa_field field)
{
    const struct side *side = peer->side != NULL ? peer->side : &sides[0];
    const struct side *other = &sides[world_u8(input) % WIRES_MAX];
    uint8_t how = world_u8(input);
    if (how % 8 == 7)
        side = other;
    if (how % 8 == 6)
        return world_u16(input);
    switch (field) {
    case LSA_CREDENTIAL:
        return side->n_credentials > 0 ? side->credentials[(how >> 3) % side->n_credentials] : 1;
    case LSA_CONTEXT:
        return how % 8 < 2 || side->n_contexts == 0
                   ? 0
                   : side->contexts[side->n_contexts - 1 - (how >> 5) % side->n_contexts];
    case LSA_LOGON_SESSION:
        return how % 8 < 2 || n_sessions == 0 ? 0 : sessions[n_sessions - 1 - (how >> 3) % n_sessions].id;
    case LSA_USE:
        return 1 + how % 2;
    case LSA_IDENTITY:
        return how % 8 < 5 ? LSA_HAS_PASSWORD : how >> 3;
    case LSA_LOGON_TYPE:
        return (const uint64_t[]){2, 3, 9, 5}[(how >> 3) % 4];
    case LSA_ATTRIBUTE:
        return (const uint64_t[]){SECPKG_CRED_ATTR_NAMES,
                                  SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS,
                                  SECPKG_ATTR_SIZES,
                                  SECPKG_ATTR_NEGOTIATION_INFO,
                                  SECPKG_ATTR_PACKAGE_INFO,
                                  SECPKG_ATTR_KEY_INFO,
                                  SECPKG_ATTR_TARGET_INFORMATION,
                                  0x4f530101}[(how >> 3) % 8];
    case LSA_SCHEME: /* ECDSA with P-256, others of it, RSA's */
        return (const uint64_t[]){0x0403, 0x0503, 0x0804, 0x0807}[(how >> 3) % 4];
    case LSA_FLAGS:
        return how % 8 < 3 ? how >> 3 : (uint64_t)world_u16(input) | (uint64_t)world_u8(input) << 16;
    default:
        return how >> 3;
    }
}

static const char *text_choose(struct reader *input, const struct peer *peer, enum lsa_field field)
{
    static const char *const packages[] = {"NTLM", "Kerberos", "Negotiate", "WDigest", "Schannel", "none"};
    static const char *const words[] = {"alice", "EXAMPLE", "", "host/server.example.test", "nobody", "EXAMPLE.TEST"};
    uint8_t how = world_u8(input);
    if (field == LSA_PACKAGE)
        return packages[how % COUNT_OF(packages)];
    if (field == LSA_KEY_NAME && how % 4 != 0)
        return "web";
    if (field == LSA_DOMAIN && how % 4 != 0)
        return "EXAMPLE";
    if (how % 3 == 0)
        return mark_of(peer->wire->uid);
    return words[how % COUNT_OF(words)];
}

/* About the key of `sealed`: a client's request, a server's proof, verdicts. */
static void question_write(struct writer *made, uint8_t how)
{
    static const char *const texts[][5] = {
        {"GET", "/", "", "", ""}, {"", "/", "", "c", ""}, {"GET", "/", "", "c", "00"}};
    writer_u8(made, how % 3 == 2 ? 1 : 0);
    writer_u32le(made, how);
    for (size_t i = 0; i < 5; i++) {
        writer_u32le(made, (uint32_t)strlen(texts[how % 3][i]));
        writer_slice(made, slice_of_text(texts[how % 3][i]));
    }
}

static void bytes_put(struct reader *input, struct writer *writer, enum lsa_field field)
{
    uint8_t how = world_u8(input), room[WORLD_TOKEN_MAX];
    AUTO_WRITER struct writer made = writer_growing(1024);
    struct slice bytes = world_bytes(input, how >> 4);
    if ((field == LSA_PASSWORD || field == LSA_NEW_PASSWORD) && how % 4 != 0)
        bytes = how % 8 == 5 ? slice_of(password_hash, sizeof password_hash) /* right or wrong, as long as a hash is */
                : how % 8 == 6 ? slice_of(key_hash, NT_HASH_LEN)
                               : slice_of(password, 20);
    else if (field == LSA_KEY_HASH && how % 4 != 0)
        bytes = slice_of(key_hash, sizeof key_hash);
    else if (field == LSA_DELEGATED && how % 4 != 0) {
        const struct writer *of = &sealed[(how >> 2) % N_UIDS];
        MUST(of->len <= sizeof room);
        memcpy(room, of->data, of->len);
        bytes = slice_of(room, how % 4 < 3 ? of->len : world_mutate(input, room, of->len, sizeof room));
    } else if (field == LSA_TOKEN && how >= 200 && how < 206) {
        question_write(&made, how);
        bytes = writer_slice_of(&made);
    } else if (field == LSA_TOKEN && how == 207) /* as long as the hash that is signed */
        bytes = slice_of(key_hash, sizeof key_hash);
    else if (field == LSA_TOKEN && how % 8 == 1) {
        daemon_world_token(&made, sequence);
        bytes = writer_slice_of(&made);
    } else if (field == LSA_TOKEN && how % 8 != 0 && last_token.len <= sizeof room) {
        if (last_token.len > 0)
            memcpy(room, last_token.data, last_token.len);
        bytes = slice_of(room, how % 8 < 5 ? last_token.len : world_mutate(input, room, last_token.len, sizeof room));
    } else if (how % 16 == 15) {
        writer_zeros(&made, (size_t)how << 9);
        bytes = writer_slice_of(&made);
    }
    lsa_bytes_write(writer, field, bytes.data != NULL ? bytes : slice_of("", 0));
}

static void field_put(struct reader *input, const struct peer *peer, struct writer *writer, enum lsa_field field)
{
    switch (field) {
    case LSA_CREDENTIAL:
    case LSA_CONTEXT:
    case LSA_LOGON_SESSION:
    case LSA_USE:
    case LSA_IDENTITY:
    case LSA_LOGON_TYPE:
    case LSA_ATTRIBUTE:
    case LSA_FLAGS:
    case LSA_RECEIVE_SIZE:
    case LSA_SCHEME:
        lsa_number_write(writer, field, number_choose(input, peer, field));
        break;
    case LSA_PACKAGE:
    case LSA_PRINCIPAL:
    case LSA_USER:
    case LSA_DOMAIN:
    case LSA_PACKAGES:
    case LSA_TARGET:
    case LSA_KEY_NAME:
        lsa_text_write(writer, field, text_choose(input, peer, field));
        break;
    case LSA_CLIENT:
        if (peer->side != NULL)
            lsa_bytes_write(writer, field, slice_of(peer->side->name, LSA_CLIENT_LEN));
        break;
    default:
        bytes_put(input, writer, field);
        break;
    }
}

/* The fields of each request in an order, of which the input takes most. */
static const uint8_t templates[LSA_OPERATIONS][10] = {
    [LSA_HELLO] = {LSA_CLIENT},
    [LSA_ACQUIRE] = {LSA_PACKAGE, LSA_USE, LSA_IDENTITY, LSA_USER, LSA_DOMAIN, LSA_PASSWORD, LSA_PROOF, LSA_PRINCIPAL,
                     LSA_PACKAGES},
    [LSA_RELEASE] = {LSA_CREDENTIAL},
    [LSA_STEP] = {LSA_CREDENTIAL, LSA_CONTEXT, LSA_USE, LSA_FLAGS, LSA_TOKEN, LSA_TARGET, LSA_BINDINGS, LSA_PARAMS,
                  LSA_TARGET_HOST, LSA_RECEIVE_SIZE},
    [LSA_ABANDON] = {LSA_CONTEXT},
    [LSA_COMPLETE] = {LSA_CONTEXT, LSA_TOKEN},
    [LSA_QUERY_CREDENTIAL] = {LSA_CREDENTIAL, LSA_ATTRIBUTE},
    [LSA_SET_CREDENTIAL] = {LSA_CREDENTIAL, LSA_ATTRIBUTE, LSA_VALUE},
    [LSA_QUERY_CONTEXT] = {LSA_CONTEXT, LSA_ATTRIBUTE},
    [LSA_CHANGE_PASSWORD] = {LSA_PACKAGE, LSA_USER, LSA_PASSWORD, LSA_NEW_PASSWORD, LSA_DOMAIN},
    [LSA_ACQUIRE_DELEGATED] = {LSA_PACKAGE, LSA_DELEGATED, LSA_CREDENTIAL},
    [LSA_ACQUIRE_S4U] = {LSA_CREDENTIAL, LSA_USER},
    [LSA_LOGON] = {LSA_PACKAGE, LSA_LOGON_TYPE, LSA_IDENTITY, LSA_USER, LSA_DOMAIN, LSA_PASSWORD, LSA_FLAGS,
                   LSA_PACKAGES, LSA_PROOF},
    [LSA_LOGOFF] = {LSA_LOGON_SESSION},
    [LSA_DESCRIBE_SESSION] = {LSA_LOGON_SESSION},
    [LSA_PROVE] = {LSA_PACKAGE, LSA_IDENTITY, LSA_USER, LSA_DOMAIN, LSA_PASSWORD, LSA_FLAGS, LSA_PACKAGES, LSA_PROOF},
    [LSA_TICKETS] = {LSA_PACKAGE, LSA_LOGON_SESSION, LSA_USE, LSA_TARGET, LSA_DOMAIN, LSA_USER, LSA_TEXT},
    [LSA_WRAP] = {LSA_PACKAGE, LSA_USE, LSA_CREDENTIAL, LSA_PACKAGES},
    [LSA_KEY] = {LSA_KEY_NAME},
    [LSA_SIGN] = {LSA_KEY_NAME, LSA_KEY_HASH, LSA_SCHEME, LSA_TOKEN},
    [LSA_ASK] = {LSA_PACKAGE, LSA_DELEGATED, LSA_TOKEN},
};

static void request_send(struct reader *input, struct peer *peer)
{
    uint8_t operation = world_u8(input) % (LSA_OPERATIONS + 1), left_out = world_u8(input);
    AUTO_WRITER struct writer request = writer_growing(512);
    lsa_head_write(&request, (enum lsa_operation)operation, false, ++sequence);
    for (size_t i = 0; operation < LSA_OPERATIONS && i < COUNT_OF(templates[0]); i++)
        if (templates[operation][i] != 0 && (left_out < 200 || left_out % 10 != i))
            field_put(input, peer, &request, (enum lsa_field)templates[operation][i]);
    if (left_out > 250)
        field_put(input, peer, &request, (enum lsa_field)(1 + left_out % (LSA_FIELDS - 1)));
    if (lsa_body_end(&request) == WIRE_OK)
        send_bytes(peer, writer_slice_of(&request));
}

/* One of the table's own requests, as its unit test sends them: an honest one, or one with two fields changed. */
static void case_send(struct reader *input, struct peer *peer)
{
    uint8_t operation = world_u8(input) % LSA_OPERATIONS, own = world_u8(input);
    const struct side *side = peer->side;
    struct request_case asked = {.operation = (enum lsa_operation)operation};
    struct request_world world = {
        .credential = side != NULL && side->n_credentials > 0 ? side->credentials[own % side->n_credentials] : 1,
        .context = side != NULL && side->n_contexts > 0 ? side->contexts[own % side->n_contexts] : 1,
        .session = own,
        .client = side != NULL ? slice_of(side->name, LSA_CLIENT_LEN) : slice_of(NULL, 0),
        .token = slice_of(last_token.data, last_token.len)};
    AUTO_WRITER struct writer request = writer_growing(512);
    for (size_t i = 0; i < COUNT_OF(asked.changed); i++) {
        unsigned field = world_u8(input) % LSA_FIELDS;
        enum request_change change = (enum request_change)(world_u8(input) % REQUEST_CHANGES);
        if (field != 0 && request_change_applies(asked.operation, field, change)) {
            asked.changed[i].field = field;
            asked.changed[i].change = change;
        }
    }
    world.sealed = world.delegated = world_bytes(input, world_u8(input));
    world.key_hash = world.sealed.len >= 32 ? slice_of(world.sealed.data, 32) : world.sealed;
    if (request_write(&request, &asked, &world, ++sequence) && writer_finish(&request) == WIRE_OK)
        send_bytes(peer, writer_slice_of(&request));
}

static void greet(struct reader *input, struct peer *peer)
{
    AUTO_WRITER struct writer request = writer_growing(64);
    uint8_t which = world_u8(input);
    const struct side *side = n_sides > 0 ? &sides[which % n_sides] : NULL;
    lsa_head_write(&request, LSA_HELLO, false, ++sequence);
    if (side != NULL && side->uid == peer->wire->uid && which > 64)
        lsa_bytes_write(&request, LSA_CLIENT, slice_of(side->name, LSA_CLIENT_LEN));
    MUST(lsa_body_end(&request) == WIRE_OK);
    send_bytes(peer, writer_slice_of(&request));
}

/* ---- what must always hold ---- */

static void books_check(void)
{
    size_t passing = 0, kept = 0;
    unsigned n_connections = 0, n_contexts = 0, n_credentials = 0;
    for (const struct user *user = server.users; user != NULL; user = user->next) {
        passing += user->n_passing;
        kept += user->n_kept;
        n_contexts += user->n_contexts;
        n_credentials += user->n_credentials;
        n_connections += user->n_connections;
        MUST(user->n_passing <= ((size_t)33 << 20) && user->n_kept <= ((size_t)33 << 20));
    }
    MUST(passing == server.n_passing && kept == server.n_kept && n_connections <= server.n_connections);
    MUST(n_contexts == server.n_contexts && n_credentials == server.n_credentials);
    for (const struct connection *connection = server.connections; connection != NULL; connection = connection->next)
        MUST(connection->n_output <= OUTPUT_MAX + LSA_HEAD_LEN + LSA_BODY_MAX);
}

static void event(struct reader *input)
{
    uint8_t kind = world_u8(input);
    struct peer *peer = n_peers > 0 ? &peers[(kind >> 4) % n_peers] : NULL;
    if (peer == NULL || kind % 16 == 0) {
        struct wire *wire = n_peers < 16 ? loop_connect(uids[world_u8(input) % N_UIDS]) : NULL;
        if (wire != NULL) {
            memset(&peers[n_peers], 0, offsetof(struct peer, asked));
            peers[n_peers].n_asked = 0;
            peers[n_peers].stray = false;
            peers[n_peers].wire = wire;
            greet(input, &peers[n_peers++]);
        }
        return;
    }
    switch (kind % 16) {
    case 1:
        greet(input, peer);
        break;
    case 2: /* not delivered yet */
        request_send(input, peer);
        break;
    case 3: {
        struct slice raw = world_bytes(input, world_u8(input));
        send_bytes(peer, raw);
        break;
    }
    case 4:
        loop_deliver(peer->wire, world_u8(input));
        break;
    case 5:
        loop_deliver(peer->wire, SIZE_MAX);
        break;
    case 6:
        (void)loop_work(world_u8(input));
        break;
    case 7:
        peer->wire->room = world_u8(input);
        break;
    case 8:
        loop_room(peer->wire, (size_t)world_u8(input) << 6);
        break;
    case 9:
        if (world_u8(input) % 4 == 0)
            loop_hang_up(peer->wire);
        loop_deliver(peer->wire, SIZE_MAX);
        break;
    case 10:
        if (world_u8(input) % 8 == 0)
            for (struct connection *connection = server.connections; connection != NULL; connection = connection->next)
                connection->since -= connection->since > GREETING_MS ? GREETING_MS + 1 : 0;
        loop_tick();
        loop_turn();
        break;
    case 11:
        loop_fault = 1 + world_u8(input);
        break;
    default: /* a request and all it takes */
        if (kind % 16 == 12)
            case_send(input, peer);
        else
            request_send(input, peer);
        loop_deliver(peer->wire, SIZE_MAX);
        while (kind < 128 && loop_work(0))
            ;
        loop_turn();
        break;
    }
    hear(peer);
}

/* Everything gets through; then each connection has all its replies, or ended. */
static void drain(void)
{
    for (int quiet = 0; quiet < 3;) {
        size_t before = 0, after = 0;
        for (size_t i = 0; i < n_peers; i++) {
            before += peers[i].wire->n_read + peers[i].wire->to_client.len;
            loop_room(peers[i].wire, (size_t)64 << 20);
            loop_deliver(peers[i].wire, SIZE_MAX);
            hear(&peers[i]);
            after += peers[i].wire->n_read + peers[i].wire->to_client.len;
        }
        bool worked = loop_work(0);
        loop_turn();
        quiet = worked || before != after || !loop_is_idle() ? 0 : quiet + 1;
    }
    for (size_t i = 0; i < n_peers; i++) {
        hear(&peers[i]);
        MUST(peers[i].wire->pipe == NULL || peers[i].wire->hung_up || peers[i].n_asked == 0);
    }
}

static void end(uint8_t mode)
{
    uint64_t *ids = NULL;
    size_t n_ids = 0;
    if ((mode & 2) == 0)
        drain();
    if ((mode & 1) == 0) {
        for (size_t i = 0; i < n_peers; i++)
            loop_hang_up(peers[i].wire);
        for (int round = 0; round < 3 || !loop_is_idle(); round++) {
            for (size_t i = 0; i < n_peers; i++)
                loop_deliver(peers[i].wire, SIZE_MAX);
            (void)loop_work(0);
            loop_turn();
        }
        if ((mode & 2) == 0)
            MUST(server.n_connections == 0 && server.users == NULL);
    }
    server_run(&server); /* as after a signal */
    MUST(server.connections == NULL && server.n_connections == 0 && server.users == NULL && server.clients == NULL);
    MUST(server.n_kept == 0 && server.n_passing == 0 && server.n_contexts == 0 && server.n_credentials == 0);
    loop_clear();
    MUST(sessions_list(0, &ids, &n_ids) == SEC_E_OK);
    for (size_t i = 0; i < n_ids; i++)
        MUST(sessions_log_off(ids[i], 0) == SEC_E_OK);
    mem_free(ids);
    cause_clear();
    free(last_token.data);
    last_token = (struct bytes){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    start();
    world_reset();
    n_peers = n_sides = n_sessions = 0;
    sequence = 0;
    memset(sides, 0, sizeof sides);
    memset(&server, 0, sizeof server);
    server.limits = (struct limits){
        .connections = 14, .user_connections = 6, .user_contexts = 5, .user_credentials = 5, .workers = 4};
    MUST(server_listen(&server, -1));
    uint8_t mode = world_u8(&input);
    for (int n_events = 0; n_events < 400 && reader_left(&input) > 0; n_events++) {
        event(&input);
        books_check();
    }
    loop_fault = 0;
    end(mode);
    return 0;
}
