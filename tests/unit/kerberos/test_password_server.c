/*
 * A server with a password and a KDC of this test, which tells salts: true ones, forged ones, or none for a while. Whatever it said first, tickets
 * open once it says what is true, and who sends junk neither takes keys away nor has the KDC asked each time.
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
#include "kerberos/handshake.h"
#include "kerberos/package.h"
#include "support/kerberos_loop.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define USUAL "EXAMPLE.TESThostserver.example.test" /* RFC 4120 4 */
#define SLOWER "slower"                             /* for this one the KDC tells no salt, but RFC 3962's parameter */
#define TYPE KRB_AES256_SHA1
#define N_TYPES 2 /* that krb5.conf permits here: thousands of hashes are made for each */
#define LONGER (600 * FILETIME_SECOND)

static uint8_t slower[] = {0, 0, 0x20, 0}; /* 8192 rounds, not 4096; changed while the KDC is not asked */

static const struct config *config;
static krb5_context krb;
static pthread_t thread;
static int listener;
static atomic_uint n_asked, n_forged; /* so many answers more are forged */
static atomic_uint refusal;           /* RFC 4120 7.5.9: what it says in place of an answer; 0: it answers */
static const char *_Atomic told;      /* NULL: the KDC does not know the account yet */

/* DER, short enough for lengths of two bytes more. */
static void der(struct writer *out, uint8_t tag, struct slice content)
{
    writer_u8(out, tag);
    writer_u8(out, 0x82);
    writer_u8(out, (uint8_t)(content.len >> 8));
    writer_u8(out, (uint8_t)content.len);
    writer_slice(out, content);
}

static void der_inside(struct writer *out, uint8_t outer, uint8_t inner, struct slice content)
{
    AUTO_WRITER struct writer writer = writer_growing(256);
    der(&writer, inner, content);
    der(out, outer, writer_slice_of(&writer));
}

/* METHOD-DATA with ETYPE-INFO2 (RFC 4120 5.2.7, 5.2.7.5) for all types. */
static void method_data(struct writer *out, const char *salt)
{
    AUTO_WRITER struct writer list = writer_growing(512), info = writer_growing(512), pa = writer_growing(512),
                              sequence = writer_growing(512);
    static const uint8_t etype_info2 = 19;
    for (int i = 0; i < KERBEROS_TYPES; i++) {
        AUTO_WRITER struct writer entry = writer_growing(128);
        const uint8_t type = (uint8_t)kerberos_loop_types[i];
        der_inside(&entry, 0xa0, 0x02, slice_of(&type, 1));
        if (strcmp(salt, SLOWER) != 0)
            der_inside(&entry, 0xa1, 0x1b, slice_of_text(salt));
        else
            der_inside(&entry, 0xa2, 0x04, slice_of(slower, sizeof slower));
        der(&list, 0x30, writer_slice_of(&entry));
    }
    der(&info, 0x30, writer_slice_of(&list));
    der_inside(&pa, 0xa1, 0x02, slice_of(&etype_info2, 1));
    der_inside(&pa, 0xa2, 0x04, writer_slice_of(&info));
    der(&sequence, 0x30, writer_slice_of(&pa));
    der(out, 0x30, writer_slice_of(&sequence));
}

static void answer(krb5_context mine, const struct sockaddr_in *peer)
{
    AUTO_WRITER struct writer data = writer_growing(1024);
    krb5_data encoded = {0};
    const char *now = told;
    krb5_error error = {.error = now != NULL ? 25 : 6}; /* KDC_ERR_PREAUTH_REQUIRED, KDC_ERR_C_PRINCIPAL_UNKNOWN */
    bool forged = atomic_load(&n_forged) > 0;
    if (forged)
        atomic_fetch_sub(&n_forged, 1);
    if (atomic_load(&refusal) != 0)
        error.error = atomic_load(&refusal);
    else if (now != NULL)
        method_data(&data, forged ? "forged" : now);
    error.e_data = (krb5_data){.data = (char *)data.data, .length = (unsigned)data.len};
    if (krb5_parse_name(mine, "krbtgt/" FORGE_REALM "@" FORGE_REALM, &error.server) != 0 ||
        krb5_us_timeofday(mine, &error.stime, &error.susec) != 0 || krb5_mk_error(mine, &error, &encoded) != 0)
        abort();
    (void)sendto(listener, encoded.data, encoded.length, 0, (const struct sockaddr *)peer, sizeof *peer);
    krb5_free_data_contents(mine, &encoded);
    krb5_free_principal(mine, error.server);
}

/* A datagram of one byte ends it. */
static void *kdc_run_thread(void *unused)
{
    krb5_context mine;
    struct sockaddr_in peer;
    uint8_t asked[2048];
    if (krb5_init_context(&mine) != 0)
        abort();
    for (;;) {
        socklen_t len = sizeof peer;
        if (recvfrom(listener, asked, sizeof asked, 0, (struct sockaddr *)&peer, &len) <= 1)
            break;
        atomic_fetch_add(&n_asked, 1);
        answer(mine, &peer);
    }
    krb5_free_context(mine);
    return unused;
}

static struct krb_key key_of(const char *password, const char *salt)
{
    krb5_keyblock block;
    struct krb_key key;
    krb5_data text = {.data = (char *)(uintptr_t)password, .length = (unsigned)strlen(password)};
    krb5_data parameters = {.data = (char *)(uintptr_t)slower, .length = sizeof slower};
    bool is_slower = strcmp(salt, SLOWER) == 0;
    const char *used = is_slower ? USUAL : salt;
    krb5_data with = {.data = (char *)(uintptr_t)used, .length = (unsigned)strlen(used)};
    assert_int_equal(krb5_c_string_to_key_with_params(krb, TYPE, &text, &with, is_slower ? &parameters : NULL, &block),
                     0);
    assert_true(krb_key_set(&key, TYPE, slice_of(block.contents, block.length)));
    krb5_free_keyblock_contents(krb, &block);
    return key;
}

static struct kerberos_credential *server_named(const char *principal)
{
    static uint8_t password[] = {'p', 0, 'w', 0};
    const struct identity identity = {.user = (char *)(uintptr_t) "host/server.example.test",
                                      .password = {password, sizeof password},
                                      .has_password = true};
    const struct acquire_request request = {
        .config = config, .use = SECPKG_CRED_INBOUND, .identity = &identity, .principal = (char *)(uintptr_t)principal};
    void *credential = NULL;
    int64_t expiry;
    assert_int_equal(kerberos_acquire(&request, &credential, &expiry), SEC_E_OK);
    return credential;
}

static struct kerberos_credential *server_new(void)
{
    return server_named(NULL);
}

/* A new request each time: none is a replay. */
static SECURITY_STATUS accepted(struct kerberos_credential *credential, const char *password, const char *salt)
{
    static uint32_t n_requests;
    struct forge forge;
    AUTO_WRITER struct writer token = writer_growing(1024);
    struct step_out out = {.token = writer_growing(64), .record = writer_growing(64)};
    void *handshake = NULL;
    forge_begin(&forge, TYPE);
    forge.service = key_of(password, salt);
    forge.microseconds = ++n_requests;
    forge_token(&token, &forge);
    const struct step_in in = {.token = writer_slice_of(&token)};
    cause_clear();
    SECURITY_STATUS status = kerberos_accept(credential, &handshake, &in, &out);
    if (handshake != NULL)
        kerberos_abandon(handshake);
    writer_release(&out.token);
    writer_release(&out.record);
    return status;
}

static bool may_wait(struct kerberos_credential *credential)
{
    struct forge forge;
    AUTO_WRITER struct writer token = writer_growing(1024);
    forge_begin(&forge, TYPE);
    forge_token(&token, &forge);
    const struct step_in in = {.token = writer_slice_of(&token)};
    return kerberos_accept_may_wait(credential, NULL, &in);
}

static unsigned asked_since(unsigned *before)
{
    unsigned since = atomic_load(&n_asked) - *before;
    *before += since;
    return since;
}

static int64_t start;

static int begin(void **state)
{
    (void)state;
    start = steady_now();
    steady_fix(start);
    told = "true";
    atomic_store(&n_forged, 0);
    atomic_store(&refusal, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    steady_fix(0);
    return 0;
}

static void test_a_true_salt(void **state)
{
    (void)state;
    unsigned seen = atomic_load(&n_asked);
    struct kerberos_credential *server = server_new();
    assert_true(may_wait(server));
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_not_equal(asked_since(&seen), 0);
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_equal(asked_since(&seen), 0);
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK); /* that of the account's name is tried beside */
    assert_int_equal(asked_since(&seen), 0);
    kerberos_release(server);
}

/* A KDC that tells no salt means the usual one, and may tell how often to hash. */
static void test_the_usual_salt_with_a_parameter(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    told = SLOWER;
    assert_int_equal(accepted(server, "pw", SLOWER), SEC_E_OK);
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
    kerberos_release(server);
}

static void rounds_set(uint32_t rounds)
{
    for (int i = 0; i < 4; i++)
        slower[i] = (uint8_t)(rounds >> (24 - 8 * i));
}

/* Nothing protects the count: it is paid for up to a limit. Beyond, the usual key is all that there is, at no more than its own cost. */
static void test_many_rounds(void **state)
{
    static const struct {
        uint32_t rounds;
        SECURITY_STATUS status;
    } cases[] = {{262144, SEC_E_OK}, {262145, SEC_E_WRONG_PRINCIPAL}};
    (void)state;
    told = SLOWER;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kerberos_credential *server = server_new();
        rounds_set(cases[i].rounds);
        assert_int_equal(accepted(server, "pw", SLOWER), cases[i].status);
        assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
        kerberos_release(server);
    }
    for (uint32_t rounds = 0; rounds <= 0xffffff; rounds += 0xffffff) { /* RFC 3962 4: 2^32; and libkrb5's most */
        struct kerberos_credential *server = server_new();
        rounds_set(rounds);
        clock_t before = clock();
        assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
        assert_true(clock() - before < 5 * CLOCKS_PER_SEC); /* of the processor: it took half a minute */
        kerberos_release(server);
    }
    rounds_set(8192);
}

/* Forged answers to the first question are asked about again as soon as a ticket does not open. */
static void test_a_forged_salt(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    atomic_store(&n_forged, N_TYPES);
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_equal(atomic_load(&n_forged), 0);
    unsigned seen = atomic_load(&n_asked);
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_equal(asked_since(&seen), 0);
    kerberos_release(server);
}

/* Forged answers as often as the KDC is asked: for a while nobody asks, and then the KDC is believed. An account of the usual salt does not notice.
 * */
static void test_forged_again(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    atomic_store(&n_forged, 1000);
    assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
    atomic_store(&n_forged, 0);
    unsigned seen = atomic_load(&n_asked);
    assert_false(may_wait(server));
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_WRONG_PRINCIPAL);
    assert_non_null(strstr(cause_text(), "opens the ticket"));
    assert_int_equal(asked_since(&seen), 0);
    steady_fix(start + LONGER);
    assert_true(may_wait(server));
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_not_equal(asked_since(&seen), 0);
    kerberos_release(server);
}

/* Junk has the KDC asked now and then, and whatever is answered then: keys that open tickets stay. */
static void test_junk_takes_no_keys(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    atomic_store(&n_forged, 1000);
    unsigned seen = atomic_load(&n_asked);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
        assert_non_null(strstr(cause_text(), "opens the ticket"));
        assert_int_not_equal(asked_since(&seen), 0);
        for (int i = 0; i < 5; i++)
            assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
        assert_int_equal(asked_since(&seen), 0);
        assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
        steady_fix(start + LONGER);
    }
    kerberos_release(server);
}

/* Forged at first; the true answer comes when junk had the KDC asked, and serves those who come after it. */
static void test_junk_has_it_asked(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    atomic_store(&n_forged, 1000);
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
    atomic_store(&n_forged, 0);
    unsigned seen = atomic_load(&n_asked);
    assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
    assert_int_not_equal(asked_since(&seen), 0);
    assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_equal(accepted(server, "other", "junk"), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    assert_int_equal(asked_since(&seen), 0);
    kerberos_release(server);
}

/* The server was up before its KDC knew the account. */
static void test_a_late_kdc(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_new();
    told = NULL;
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
    told = "true";
    assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
    kerberos_release(server);
}

/* Nothing protects an error either: whatever it is, the usual salt is tried, and the KDC is believed once it says what is true. */
static void test_errors(void **state)
{
    static const unsigned errors[] = {
        12, /* KDC_ERR_POLICY */
        14, /* KDC_ERR_ETYPE_NOSUPP */
        18, /* KDC_ERR_CLIENT_REVOKED */
        37, /* KRB_AP_ERR_SKEW */
        60, /* KRB_ERR_GENERIC */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct kerberos_credential *server = server_new();
        atomic_store(&refusal, errors[i]);
        unsigned seen = atomic_load(&n_asked);
        SECURITY_STATUS status = accepted(server, "pw", USUAL);
        if (status != SEC_E_OK)
            fail_msg("error %u: 0x%08x %s", errors[i], (unsigned)status, cause_text());
        assert_int_not_equal(asked_since(&seen), 0);
        assert_int_equal(accepted(server, "pw", USUAL), SEC_E_OK);
        assert_int_equal(asked_since(&seen), 0);
        atomic_store(&refusal, 0);
        assert_int_equal(accepted(server, "pw", "true"), SEC_E_OK);
        kerberos_release(server);
    }
}

/* A server's name that cannot be written makes no keys: the KDC is not asked in vain for whoever comes. */
static void test_no_name(void **state)
{
    (void)state;
    struct kerberos_credential *server = server_named("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r");
    unsigned seen = atomic_load(&n_asked);
    assert_int_equal(accepted(server, "pw", USUAL), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(asked_since(&seen), 0);
    kerberos_release(server);
}

static int group_begin(void **state)
{
    char section[128];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof own;
    (void)state;
    listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&own, len) != 0 ||
        getsockname(listener, (struct sockaddr *)&own, &len) != 0)
        return -1;
    snprintf(section, sizeof section, "[realms]\n" FORGE_REALM " = {\n  kdc = 127.0.0.1:%u\n}", ntohs(own.sin_port));
    kerberos_loop_configure("permitted_enctypes = aes256-cts rc4-hmac", section, NULL);
    const struct config *usual;
    if (config_get(&usual) != SEC_E_OK)
        return -1;
    config = config_with_kdc_seconds(usual, 60); /* the machine may be busy */
    config_release(usual);
    return config != NULL && krb5_init_context(&krb) == 0 && pthread_create(&thread, NULL, kdc_run_thread, NULL) == 0
               ? 0
               : -1;
}

static int group_end(void **state)
{
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    (void)state;
    (void)getsockname(listener, (struct sockaddr *)&own, &len);
    (void)sendto(listener, "", 1, 0, (struct sockaddr *)&own, len);
    pthread_join(thread, NULL);
    close(listener);
    krb5_free_context(krb);
    config_release(config);
    kerberos_loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_true_salt, begin, end),
        cmocka_unit_test_setup_teardown(test_the_usual_salt_with_a_parameter, begin, end),
        cmocka_unit_test_setup_teardown(test_many_rounds, begin, end),
        cmocka_unit_test_setup_teardown(test_a_forged_salt, begin, end),
        cmocka_unit_test_setup_teardown(test_forged_again, begin, end),
        cmocka_unit_test_setup_teardown(test_junk_takes_no_keys, begin, end),
        cmocka_unit_test_setup_teardown(test_junk_has_it_asked, begin, end),
        cmocka_unit_test_setup_teardown(test_a_late_kdc, begin, end),
        cmocka_unit_test_setup_teardown(test_errors, begin, end),
        cmocka_unit_test_setup_teardown(test_no_name, begin, end),
    };
    return cmocka_run_group_tests(tests, group_begin, group_end);
}
