/*
 * A deliberately wrong peer, for both roles and every state: what no honest peer sends is refused, and nobody gets in with it. Attacks by
 * their names: spec/security.md.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "support/ntlm_duel.h"
#include "support/ntlm_loop.h"
#include <sspi_ext.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define TARGET "test/server.example.test"

/* Without lock-out: thousands of wrong attempts must fail for their own reason. */
#define CONFIGURE(ntlm) loop_configure("lockout_threshold = 0\n[ntlm]\n" ntlm)

static struct duel duel;
static struct token negotiate, challenge, authenticate, changed;
static const struct slice nothing = {NULL, 0};

static void begin(void)
{
    duel = (struct duel){.client_flags = PROTECT, .target = TARGET};
    duel_begin(&duel);
    duel_freeze();
}

static void end(void)
{
    duel_end(&duel);
    duel_thaw();
}

/* A fresh server that has sent the same challenge as in the honest handshake. */
static void server_again(void)
{
    duel_restart(&duel);
    duel_freeze();
    assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(duel_server(&duel, token_slice(&negotiate)), SEC_I_CONTINUE_NEEDED);
    assert_memory_equal(duel.out.data, challenge.data, challenge.len);
}

static void test_every_bit_of_authenticate(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    server_again();
    assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK); /* the experiment is sound */
    for (size_t bit = 0; bit < 8 * authenticate.len; bit++) {
        changed = authenticate;
        changed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        server_again();
        SECURITY_STATUS status = duel_server(&duel, token_slice(&changed));
        if (status >= 0)
            fail_msg("byte %zu, bit %zu: 0x%08x", bit / 8, bit % 8, (unsigned)status);
        assert_true(duel_server(&duel, token_slice(&authenticate)) < 0); /* a failed context stays failed */
    }
    end();
}

static void test_every_bit_of_negotiate_and_challenge(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    for (size_t bit = 0; bit < 8 * (negotiate.len + challenge.len); bit++) {
        bool first = bit < 8 * negotiate.len;
        size_t at = first ? bit / 8 : bit / 8 - negotiate.len;
        duel_restart(&duel);
        assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
        changed = duel.out;
        if (first)
            changed.data[at] ^= (uint8_t)(1u << bit % 8);
        SECURITY_STATUS status = duel_server(&duel, token_slice(&changed));
        changed = duel.out;
        if (status >= 0 && !first)
            changed.data[at] ^= (uint8_t)(1u << bit % 8);
        if (status >= 0)
            status = duel_client(&duel, token_slice(&changed));
        changed = duel.out;
        if (status >= 0)
            status = duel_server(&duel, token_slice(&changed));
        if (status >= 0)
            fail_msg("%s byte %zu, bit %zu", first ? "NEGOTIATE" : "CHALLENGE", at, bit % 8);
    }
    end();
}

static void test_truncated_and_extended(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    for (size_t len = 0; len < authenticate.len + 20; len++) {
        if (len == authenticate.len)
            continue;
        server_again();
        changed = authenticate;
        memset(changed.data + authenticate.len, 0, 20);
        assert_true(duel_server(&duel, slice_of(changed.data, len)) < 0);
    }
    for (size_t len = 0; len < challenge.len; len++) {
        duel_restart(&duel);
        assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(duel_client(&duel, slice_of(challenge.data, len)), SEC_E_INVALID_TOKEN);
        assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OUT_OF_SEQUENCE);
    }
    for (size_t len = 0; len < negotiate.len; len++) {
        duel_restart(&duel);
        duel_freeze();
        assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
        SECURITY_STATUS status = duel_server(&duel, slice_of(negotiate.data, len));
        if (len < 16) {
            assert_int_equal(status, SEC_E_INVALID_TOKEN);
            assert_true(duel.server.dwLower == 0 && duel.server.dwUpper == 0);
            continue;
        }
        /* Windows NT's NEGOTIATE ends early; but then the client made its MIC over another message. */
        changed = duel.out;
        assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_OK);
        changed = duel.out;
        assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_MESSAGE_ALTERED);
    }
    end();
}

static void wrong_tokens(struct token *tokens)
{
    tokens[0] = negotiate;
    tokens[1] = challenge;
    tokens[2] = authenticate;
    tokens[3].len = 0;
    tokens[4] = (struct token){.data = "NTLMSSP", .len = 8};
    tokens[5] = (struct token){.data = "not NTLM at all", .len = 15};
    memset(tokens[6].data, 0xff, sizeof tokens[6].data);
    tokens[6].len = 2888;
    tokens[7] = authenticate; /* longer than any NTLM message */
    tokens[7].len = 2889;
    tokens[8].len = sizeof tokens[8].data;
    memset(tokens[8].data, 0, tokens[8].len);
}

/* Every message in every state but the right one, to both roles. */
static void test_wrong_message_in_every_state(void **state)
{
    static struct token tokens[9];
    (void)state;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    wrong_tokens(tokens);
    for (size_t i = 0; i < 9; i++) {
        struct slice token = token_slice(&tokens[i]);
        duel_restart(&duel);
        if (i != 0) { /* a server that waits for NEGOTIATE */
            assert_int_equal(duel_server(&duel, token), SEC_E_INVALID_TOKEN);
            assert_true(duel.server.dwLower == 0 && duel.server.dwUpper == 0);
        }
        if (i != 2) { /* a server that waits for AUTHENTICATE */
            server_again();
            assert_int_equal(duel_server(&duel, token), SEC_E_INVALID_TOKEN);
            assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OUT_OF_SEQUENCE);
        }
        if (i != 1) { /* a client that waits for CHALLENGE */
            duel_restart(&duel);
            assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
            assert_int_equal(duel_client(&duel, token), SEC_E_INVALID_TOKEN);
            assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OUT_OF_SEQUENCE);
        }
        /* Both that have finished: refused, and the session goes on. */
        server_again();
        assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OK);
        changed = duel.out;
        assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_OK);
        assert_true(duel_client(&duel, token) < 0);
        assert_true(duel_server(&duel, token) < 0);
        assert_int_equal(loop_seal(&duel.client, &duel.server, "still there"), SEC_E_OK);
        assert_int_equal(loop_seal(&duel.server, &duel.client, "still there"), SEC_E_OK);
    }
    end();
}

/* CVE-2019-1040: without the MIC and VERSION; CVE-2019-1166: with pairs that make the client promise none. */
static void test_mic_cannot_be_dropped(void **state)
{
    (void)state;
    struct ntlm_authenticate message;
    struct token pairs;
    uint32_t none = 0;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(ntlm_authenticate_parse(token_slice(&authenticate), &message), WIRE_OK);
    assert_true(message.has_mic_field);
    for (uint32_t drop = 0; drop < 2; drop++) {
        struct writer writer = writer_fixed(changed.data, sizeof changed.data);
        message.has_mic_field = false;
        message.flags &= ~(drop != 0 ? (uint32_t)(NTLM_VERSION | NTLM_SIGN | NTLM_ALWAYS_SIGN) : 0);
        ntlm_authenticate_write(&writer, &message);
        changed.len = writer.len;
        server_again();
        assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_INVALID_TOKEN);
    }
    /* The attacker puts MsvAvFlags of zero among the server's pairs. */
    struct token flags = {.len = 0};
    craft_append_pair(&flags, NTLM_AV_FLAGS, &none, 4);
    craft_pairs(&challenge, -1, token_slice(&flags), &pairs);
    struct ntlm_challenge server;
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    craft_challenge(&challenge, server.flags, token_slice(&pairs), &changed);
    server_again();
    assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_OK);
    changed = duel.out;
    assert_int_equal(ntlm_authenticate_parse(token_slice(&changed), &message), WIRE_OK);
    assert_true(message.has_mic_field);
    assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_MESSAGE_ALTERED);
    end();
}

/* The server's challenge, time and names cannot be exchanged on the way (CVE-2019-1019), whether the client then sends a MIC or not. */
static void test_challenge_cannot_be_substituted(void **state)
{
    (void)state;
    struct token pairs;
    struct ntlm_challenge server;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    server_again();
    changed = challenge;
    memset(changed.data + 24, 0x11, 8);
    assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_OK);
    changed = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_LOGON_DENIED);
    for (int id = NTLM_AV_NB_COMPUTER; id <= NTLM_AV_TIMESTAMP; id++) {
        for (int altered = 0; altered < 2; altered++) {
            struct token more = {.len = 0};
            if (altered)
                craft_append_pair(&more, (unsigned)id, "e\0v\0i\0l\0", id == NTLM_AV_FLAGS ? 4 : 8);
            craft_pairs(&challenge, id, token_slice(&more), &pairs);
            craft_challenge(&challenge, server.flags, token_slice(&pairs), &changed);
            if (!altered && (id == NTLM_AV_DNS_TREE || id == NTLM_AV_FLAGS))
                continue; /* this server sends none */
            server_again();
            SECURITY_STATUS status = duel_client(&duel, token_slice(&changed));
            changed = duel.out;
            if (status >= 0)
                status = duel_server(&duel, token_slice(&changed));
            bool nameless = !altered && id <= NTLM_AV_NB_DOMAIN; /* the client does not even answer */
            assert_true(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
                        (nameless && status == SEC_E_LOGON_DENIED));
        }
    }
    /* No target information at all: this client is to protect messages, and answers nobody without a name. */
    craft_challenge(&challenge, server.flags & ~(uint32_t)NTLM_TARGET_INFO, nothing, &changed);
    server_again();
    assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_LOGON_DENIED);
    end();
}

/* Integrity and confidentiality that were asked for and are not granted. */
static void test_downgrade(void **state)
{
    static const uint32_t stripped[] = {NTLM_SIGN, NTLM_SEAL, NTLM_SIGN | NTLM_SEAL, NTLM_128,
                                        NTLM_SIGN | NTLM_SEAL | NTLM_ALWAYS_SIGN | NTLM_128 | NTLM_56 | NTLM_KEY_EXCH};
    (void)state;
    struct ntlm_challenge server;
    CONFIGURE("");
    begin();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
    for (size_t i = 0; i < sizeof stripped / sizeof stripped[0]; i++) {
        craft_challenge(&challenge, server.flags & ~stripped[i], server.target_info, &changed);
        server_again();
        assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_UNSUPPORTED_FUNCTION);
        assert_string_not_equal(OpenSspiLastErrorText(), "");
    }
    /* Nothing was asked for: nothing is promised, and what is told says so. */
    duel_restart(&duel);
    duel.client_flags = 0;
    assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
    craft_challenge(&challenge, server.flags & ~(uint32_t)(NTLM_SIGN | NTLM_SEAL), server.target_info, &changed);
    assert_int_equal(duel_client(&duel, token_slice(&changed)), SEC_E_OK);
    assert_int_equal(duel.client_attributes & (ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY), 0);
    end();
}

static SECURITY_STATUS crafted(const struct craft *craft)
{
    duel_restart(&duel);
    assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
    negotiate = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&negotiate)), SEC_I_CONTINUE_NEEDED);
    challenge = duel.out;
    craft_authenticate(craft, &negotiate, &challenge, &authenticate);
    return duel_server(&duel, token_slice(&authenticate));
}

/* The weaker 128-bit flag is promised in NEGOTIATE and then dropped in an AUTHENTICATE without MIC. */
static void test_server_downgrade(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2}), SEC_E_OK);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .flags = 0xe2888235u & ~(uint32_t)NTLM_128}),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .no_session_key = true}), SEC_E_INVALID_TOKEN);
    end();
    CONFIGURE("require_128 = no\n");
    begin();
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .flags = 0xe2888235u & ~(uint32_t)NTLM_128}), SEC_E_OK);
    end();
}

/* MS-NLMP 3.2.5.1.2: some clients name a domain, and compute without one. No other domain than those two will do. */
static void test_computed_without_a_domain(void **state)
{
    static const enum craft_kind kinds[] = {CRAFT_V2, CRAFT_LMV2};
    (void)state;
    CONFIGURE("allow_lm = yes\n");
    begin();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(crafted(&(struct craft){.kind = kinds[i], .hashed = ""}), SEC_E_OK);
        assert_int_equal(crafted(&(struct craft){.kind = kinds[i], .hashed = "example"}), SEC_E_LOGON_DENIED);
        assert_int_equal(crafted(&(struct craft){.kind = kinds[i], .hashed = "SERVER"}), SEC_E_LOGON_DENIED);
        assert_int_equal(crafted(&(struct craft){.kind = kinds[i], .hashed = "", .user = "bob"}), SEC_E_LOGON_DENIED);
        assert_int_equal(crafted(&(struct craft){.kind = kinds[i], .hashed = "", .user = "nobody"}),
                         SEC_E_LOGON_DENIED);
    }
    end();
}

static void test_old_responses(void **state)
{
    static const enum craft_kind v1[] = {CRAFT_V1, CRAFT_V1_EXTENDED};
    (void)state;
    CONFIGURE("");
    begin();
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V1_EXTENDED}), SEC_E_LOGON_DENIED);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V1, .flags = 0xe2808235u}), SEC_E_LOGON_DENIED);
    /* A relay strips the NT response with its pairs, and leaves the LMv2 response. */
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_LMV2}), SEC_E_LOGON_DENIED);
    end();
    CONFIGURE("allow_v1 = yes\n");
    begin();
    for (size_t i = 0; i < 2; i++) {
        uint32_t flags = v1[i] == CRAFT_V1 ? 0xe2808235u : 0xe2888235u;
        assert_int_equal(crafted(&(struct craft){.kind = v1[i], .flags = flags}), SEC_E_OK);
        for (size_t at = 0; at < 24; at++) { /* the NT response is the last field before the key */
            changed = authenticate;
            changed.data[changed.len - 16 - 24 + at] ^= 1;
            duel_restart(&duel);
            duel_freeze();
            assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
            assert_int_equal(duel_server(&duel, token_slice(&negotiate)), SEC_I_CONTINUE_NEEDED);
            assert_int_equal(duel_server(&duel, token_slice(&changed)), SEC_E_LOGON_DENIED);
        }
    }
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_LMV2}), SEC_E_LOGON_DENIED);
    end();
    CONFIGURE("allow_lm = yes\n");
    begin();
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_LMV2}), SEC_E_OK);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V1, .flags = 0xe2808235u}), SEC_E_LOGON_DENIED);
    end();
}

/* Clients without MIC are older ones; but a promised MIC is there and right, and the server's pairs come back. */
static void test_crafted_pairs(void **state)
{
    (void)state;
    uint32_t promise = NTLM_AV_FLAG_MIC;
    struct token more = {.len = 0}, pairs;
    CONFIGURE("");
    begin();
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2}), SEC_E_OK);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .user = "ALICE"}), SEC_E_OK);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .user = "bob"}), SEC_E_LOGON_DENIED);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .user = "nobody"}), SEC_E_LOGON_DENIED);
    for (int id = NTLM_AV_NB_COMPUTER; id <= NTLM_AV_TIMESTAMP; id++) {
        craft_pairs(&challenge, id, nothing, &pairs);
        bool sent = id != NTLM_AV_DNS_TREE && id != NTLM_AV_FLAGS;
        assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .pairs = token_slice(&pairs)}),
                         sent ? SEC_E_INVALID_TOKEN : SEC_E_OK);
    }
    craft_append_pair(&more, NTLM_AV_FLAGS, &promise, 4);
    craft_pairs(&challenge, -1, token_slice(&more), &pairs);
    const struct craft promised = {.kind = CRAFT_V2, .pairs = token_slice(&pairs)};
    assert_int_equal(crafted(&promised), SEC_E_INVALID_TOKEN);
    struct craft kept = promised;
    kept.mic = true;
    assert_int_equal(crafted(&kept), SEC_E_OK);
    /* A pair twice: which of the two was believed would be up to the reader. */
    craft_append_pair(&more, NTLM_AV_FLAGS, "\0\0\0\0", 4);
    craft_pairs(&challenge, -1, token_slice(&more), &pairs);
    assert_int_equal(crafted(&(struct craft){.kind = CRAFT_V2, .pairs = token_slice(&pairs)}), SEC_E_INVALID_TOKEN);
    end();
}

static void test_time(void **state)
{
    (void)state;
    CONFIGURE("clock_skew_seconds = 60\n");
    begin();
    for (int64_t seconds = -62; seconds <= 62; seconds += 31) {
        duel_restart(&duel);
        duel_freeze();
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        filetime_fix(DUEL_TIME + seconds * FILETIME_SECOND);
        assert_int_equal(duel_server(&duel, token_slice(&authenticate)),
                         seconds == -62 || seconds == 62 ? SEC_E_TIME_SKEW : SEC_E_OK);
    }
    end();
}

static void test_old_challenge(void **state)
{
    static const struct {
        uint64_t passed_ms;
        SECURITY_STATUS status;
    } cases[] = {{3000000, SEC_E_OK}, {3600001, SEC_E_CONTEXT_EXPIRED}};
    (void)state;
    CONFIGURE("challenge_seconds = 3600\n");
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        duel_restart(&duel);
        duel_freeze();
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        monotonic_pass(cases[i].passed_ms); /* with the first look at the clock, which is for the challenge */
        SECURITY_STATUS status = duel_server(&duel, token_slice(&authenticate));
        monotonic_pass(0);
        assert_int_equal(status, cases[i].status);
    }
    end();
}

static void test_anonymous(void **state)
{
    (void)state;
    for (int configured = 0; configured < 2; configured++) {
        for (int flagged = 0; flagged < 2; flagged++) {
            if (configured)
                CONFIGURE("allow_anonymous = yes\n");
            else
                CONFIGURE("");
            begin();
            duel.client_flags |= ISC_REQ_NULL_SESSION;
            duel.server_flags = flagged ? ASC_REQ_ALLOW_NULL_SESSION : 0;
            duel_honest(&duel, &negotiate, &challenge, &authenticate);
            SECURITY_STATUS status = duel_server(&duel, token_slice(&authenticate));
            assert_int_equal(status, configured && flagged ? SEC_E_OK : SEC_E_LOGON_DENIED);
            if (status == SEC_E_OK) {
                /* Everybody can compute the key (MS-NLMP 3.4.5): peers may use it, nothing is promised of it. */
                assert_int_equal(duel.server_attributes, ASC_RET_NULL_SESSION);
                assert_int_equal(duel.client_attributes, ISC_RET_NULL_SESSION);
                assert_int_equal(loop_sign(&duel.client, &duel.server, "from nobody"), SEC_E_OK);
                assert_int_equal(loop_seal(&duel.server, &duel.client, "to anybody"), SEC_E_OK);
            }
            end();
        }
    }
}

/* A client of this machine that meant another one was led here by somebody who reflects our own challenge. */
static void test_reflection(void **state)
{
    static const struct {
        const char *target;
        bool here;
    } cases[] = {{"http/other.example", false},  {"other", false},         {TARGET, true},
                 {"host/SERVER", true},          {"cifs/localhost", true}, {NULL, true},
                 {"http/other.example.", false}, {TARGET ".", true}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        bool refuse = i % 2 == 0;
        if (refuse)
            CONFIGURE("");
        else
            CONFIGURE("refuse_reflection = no\n");
        begin();
        duel.target = cases[i / 2].target;
        duel_honest(&duel, &negotiate, &challenge, &authenticate);
        assert_int_equal(duel_server(&duel, token_slice(&authenticate)),
                         refuse && !cases[i / 2].here ? SEC_E_LOGON_DENIED : SEC_E_OK);
        end();
    }
}

/* One AUTHENTICATE opens one door once: neither another server context nor the same takes it again. */
static void test_replay(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    duel_thaw();
    duel_honest(&duel, &negotiate, &challenge, &authenticate);
    assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    assert_true(duel_server(&duel, token_slice(&authenticate)) < 0);
    duel_restart(&duel);
    assert_int_equal(duel_server(&duel, token_slice(&negotiate)), SEC_I_CONTINUE_NEEDED);
    assert_true(duel_server(&duel, token_slice(&authenticate)) < 0);
    end();
}

/* Connectionless: the server speaks first, and there is no NEGOTIATE. */
static void begin_datagram(void)
{
    duel_restart(&duel);
    duel_freeze();
    duel.client_flags = PROTECT | ISC_REQ_DATAGRAM;
    duel.server_flags = ASC_REQ_DATAGRAM;
    assert_int_equal(duel_client(&duel, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(duel.out.len, 0);
    assert_int_equal(duel_server(&duel, nothing), SEC_I_CONTINUE_NEEDED);
}

static void test_datagram(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    begin_datagram();
    challenge = duel.out;
    assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OK);
    authenticate = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    assert_int_equal(loop_seal(&duel.client, &duel.server, "datagram"), SEC_E_OK);
    for (size_t bit = 0; bit < 8 * (challenge.len + authenticate.len); bit++) {
        bool first = bit < 8 * challenge.len;
        size_t at = first ? bit / 8 : bit / 8 - challenge.len;
        begin_datagram();
        changed = duel.out;
        changed.data[at] ^= (uint8_t)(first ? 1u << bit % 8 : 0u);
        SECURITY_STATUS status = duel_client(&duel, token_slice(&changed));
        changed = duel.out;
        changed.data[at] ^= (uint8_t)(first ? 0u : 1u << bit % 8);
        if (status >= 0)
            status = duel_server(&duel, token_slice(&changed));
        if (status >= 0)
            fail_msg("%s byte %zu, bit %zu", first ? "CHALLENGE" : "AUTHENTICATE", at, bit % 8);
    }
    end();
}

/* Without extended session security each datagram would be encrypted with the beginning of one and the same key stream, under 56 or 40 bits. */
static void test_datagram_of_one_key_stream(void **state)
{
    struct ntlm_challenge server;
    (void)state;
    for (int required = 0; required < 2; required++) {
        if (required)
            CONFIGURE("");
        else
            CONFIGURE("require_128 = no\n");
        begin();
        for (int extended = 0; extended < 2; extended++) {
            begin_datagram();
            challenge = duel.out;
            assert_int_equal(ntlm_challenge_parse(token_slice(&challenge), &server), WIRE_OK);
            uint32_t flags = extended ? server.flags : server.flags & ~(uint32_t)NTLM_EXTENDED_SESSION_SECURITY;
            craft_authenticate(&(struct craft){.kind = CRAFT_V2, .flags = flags}, &negotiate, &challenge, &changed);
            assert_int_equal(duel_server(&duel, token_slice(&changed)),
                             extended ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
        }
        end();
    }
}

/* A datagram client answers as often as it is challenged (a server forgets, or there are several); what is no challenge does not touch the
 * session that it has. */
static void test_datagram_challenged_again(void **state)
{
    (void)state;
    CONFIGURE("");
    begin();
    begin_datagram();
    challenge = duel.out;
    assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OK);
    assert_int_equal(duel_client(&duel, token_slice(&challenge)), SEC_E_OK);
    authenticate = duel.out;
    assert_int_equal(duel_server(&duel, token_slice(&authenticate)), SEC_E_OK);
    assert_true(duel_server(&duel, token_slice(&authenticate)) < 0); /* the server has finished */
    assert_int_equal(loop_seal(&duel.client, &duel.server, "datagram"), SEC_E_OK);
    assert_int_equal(duel_client(&duel, slice_of("garbage", 7)), SEC_E_INVALID_TOKEN);
    assert_int_equal(loop_seal(&duel.client, &duel.server, "datagram"), SEC_E_OK);
    assert_int_equal(loop_seal(&duel.server, &duel.client, "datagram"), SEC_E_OK);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_of_authenticate),
        cmocka_unit_test(test_every_bit_of_negotiate_and_challenge),
        cmocka_unit_test(test_truncated_and_extended),
        cmocka_unit_test(test_wrong_message_in_every_state),
        cmocka_unit_test(test_mic_cannot_be_dropped),
        cmocka_unit_test(test_challenge_cannot_be_substituted),
        cmocka_unit_test(test_downgrade),
        cmocka_unit_test(test_server_downgrade),
        cmocka_unit_test(test_computed_without_a_domain),
        cmocka_unit_test(test_old_responses),
        cmocka_unit_test(test_crafted_pairs),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_old_challenge),
        cmocka_unit_test(test_anonymous),
        cmocka_unit_test(test_reflection),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_datagram),
        cmocka_unit_test(test_datagram_of_one_key_stream),
        cmocka_unit_test(test_datagram_challenged_again),
    };
    loop_configure(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
