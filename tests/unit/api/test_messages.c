/*
 * Several messages in one call: whatever is asked, the answers, the buffers and the contexts afterwards are those of one call a message.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/handle.h"
#include "core/objects.h"
#include "support/kerberos_loop.h"
#include <endian.h>
#include <pthread.h>
#include <sched.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 40 /* in an array: several groups, and one that is not full */
#define TEXT_MAX 20000
#define TOKEN_MAX 128
#define PARTS_MAX 5

/* A message in the caller's memory: token, up to three parts of data, padding. */
struct item {
    uint8_t token[TOKEN_MAX], padding[16], data[TEXT_MAX];
    SecBuffer buffers[PARTS_MAX];
    SecBufferDesc list;
    size_t len;
    unsigned pair;
};

/* A pair of contexts, and copies of them to which the same is done one message at a time. */
struct pair {
    struct loop loop;
    CtxtHandle client_copy, server_copy;
    SecBuffer client_packed, server_packed; /* both ends after the handshake */
    const char *package;
    ULONG trailer;
};

enum { KERBEROS_PAIRS = KERBEROS_TYPES, DCE = KERBEROS_PAIRS, NEGOTIATED, NTLM, NEGOTIATED_NTLM, PAIRS };

static struct pair pairs[PAIRS];
static struct item items[MESSAGES], copies[MESSAGES];
static uint64_t seed = 3;

static size_t below(size_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % limit;
}

static CtxtHandle import_of(const struct pair *pair, SecBuffer *packed)
{
    CtxtHandle copy = {0};
    assert_int_equal(ImportSecurityContextA((char *)(uintptr_t)pair->package, packed, NULL, &copy), SEC_E_OK);
    return copy;
}

static void pair_ready(struct pair *pair, const char *package)
{
    SecPkgContext_Sizes sizes;
    pair->package = package;
    assert_int_equal(QueryContextAttributesA(&pair->loop.client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    pair->trailer = sizes.cbSecurityTrailer;
    assert_int_equal(ExportSecurityContext(&pair->loop.client, 0, &pair->client_packed, NULL), SEC_E_OK);
    assert_int_equal(ExportSecurityContext(&pair->loop.server, 0, &pair->server_packed, NULL), SEC_E_OK);
    pair->client_copy = import_of(pair, &pair->client_packed);
    pair->server_copy = import_of(pair, &pair->server_packed);
}

/* All ends as they were after the handshake. */
static void pairs_anew(void)
{
    for (struct pair *pair = pairs; pair < pairs + PAIRS; pair++) {
        CtxtHandle *clients[] = {&pair->loop.client, &pair->client_copy};
        CtxtHandle *servers[] = {&pair->loop.server, &pair->server_copy};
        for (int i = 0; i < 2; i++) {
            assert_int_equal(DeleteSecurityContext(clients[i]), SEC_E_OK);
            assert_int_equal(DeleteSecurityContext(servers[i]), SEC_E_OK);
            *clients[i] = import_of(pair, &pair->client_packed);
            *servers[i] = import_of(pair, &pair->server_packed);
        }
    }
}

static bool negotiate_acquire(struct loop *loop)
{
    char *package = (char *)(uintptr_t) "Negotiate";
    loop->keep_credentials = true;
    loop->target = "host/server.example.test";
    return AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                     &loop->client_credential, NULL) == SEC_E_OK &&
           AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                     &loop->server_credential, NULL) == SEC_E_OK;
}

/* Each type of Kerberos, one in DCE style, Negotiate over Kerberos; NTLM's are made under a configuration with its accounts. */
static void pairs_make(void)
{
    for (unsigned i = 0; i <= DCE; i++) {
        int32_t enctype = i < KERBEROS_PAIRS ? kerberos_loop_types[i] : KRB_AES256_SHA1;
        ULONG style = i == DCE ? ISC_REQ_USE_DCE_STYLE : ISC_REQ_MUTUAL_AUTH;
        bool rc4 =
            enctype == KRB_RC4_HMAC; /* two peers of ours would go on with AES where it is permitted (RFC 4537) */
        kerberos_loop_configure(rc4 ? "permitted_enctypes = rc4-hmac" : NULL, NULL, NULL);
        assert_true(kerberos_loop_run(&pairs[i].loop, enctype, style | KERBEROS_PROTECT));
        SecPkgContext_KeyInfoA key;
        assert_int_equal(QueryContextAttributesA(&pairs[i].loop.client, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
        assert_int_equal(strstr(key.sEncryptAlgorithmName, "RC4") != NULL, rc4);
        FreeContextBuffer(key.sSignatureAlgorithmName);
        FreeContextBuffer(key.sEncryptAlgorithmName);
        pair_ready(&pairs[i], "Kerberos");
    }
    struct forge forge;
    kerberos_loop_configure(NULL, NULL, NULL);
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    pairs[NEGOTIATED].loop.client_flags = ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT;
    assert_true(negotiate_acquire(&pairs[NEGOTIATED].loop) && loop_run(&pairs[NEGOTIATED].loop));
    pair_ready(&pairs[NEGOTIATED], "Negotiate");
    loop_configure("");
    for (unsigned i = NTLM; i <= NEGOTIATED_NTLM; i++) {
        const char *package = i == NTLM ? "NTLM" : "Negotiate";
        pairs[i].loop = (struct loop){.package = package, .client_flags = KERBEROS_PROTECT};
        assert_true(loop_run(&pairs[i].loop));
        pair_ready(&pairs[i], package);
    }
    loop_cleanup();
    kerberos_loop_configure(NULL, NULL, NULL);
}

static void pairs_end(void)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        assert_int_equal(DeleteSecurityContext(&pairs[i].client_copy), SEC_E_OK);
        assert_int_equal(DeleteSecurityContext(&pairs[i].server_copy), SEC_E_OK);
        FreeContextBuffer(pairs[i].client_packed.pvBuffer);
        FreeContextBuffer(pairs[i].server_packed.pvBuffer);
        kerberos_loop_end(&pairs[i].loop);
    }
}

/* The buffers as they stand before sealing; some data is signed and not encrypted, some lies in parts. */
static void item_lay(struct item *item)
{
    size_t first = item->len / 3, second = item->len % 2 == 0 ? 0 : item->len / 4;
    bool fixed = item->pair == DCE && item->len > 20;
    item->buffers[0] = (SecBuffer){pairs[item->pair].trailer, SECBUFFER_TOKEN, item->token};
    item->buffers[1] =
        (SecBuffer){(ULONG)first, SECBUFFER_DATA | (fixed ? SECBUFFER_READONLY_WITH_CHECKSUM : 0), item->data};
    item->buffers[2] = (SecBuffer){(ULONG)second, SECBUFFER_DATA, item->data + first};
    item->buffers[3] = (SecBuffer){(ULONG)(item->len - first - second), SECBUFFER_DATA, item->data + first + second};
    item->buffers[4] = (SecBuffer){sizeof item->padding, SECBUFFER_PADDING, item->padding};
    item->list = (SecBufferDesc){SECBUFFER_VERSION, PARTS_MAX, item->buffers};
}

static void item_make(struct item *item, unsigned pair, size_t len)
{
    memset(item, 0, sizeof *item);
    item->pair = pair;
    item->len = len;
    for (size_t i = 0; i < len; i++)
        item->data[i] = (uint8_t)(i * 7 + len);
    item_lay(item);
}

static void item_copy(struct item *to, const struct item *from)
{
    memcpy(to, from, sizeof *to);
    to->list.pBuffers = to->buffers;
    for (unsigned i = 0; i < PARTS_MAX; i++) {
        const uint8_t *at = from->buffers[i].pvBuffer;
        to->buffers[i].pvBuffer = (uint8_t *)to + (at - (const uint8_t *)from);
    }
}

static void same_item(const struct item *a, const struct item *b)
{
    assert_memory_equal(a->data, b->data, TEXT_MAX);
    assert_memory_equal(a->token, b->token, TOKEN_MAX);
    for (unsigned i = 0; i < PARTS_MAX; i++) {
        assert_int_equal(a->buffers[i].cbBuffer, b->buffers[i].cbBuffer);
        assert_int_equal(a->buffers[i].BufferType, b->buffers[i].BufferType);
    }
}

static CtxtHandle *end_of(unsigned pair, bool client, bool copy)
{
    struct pair *of = &pairs[pair];
    return client ? (copy ? &of->client_copy : &of->loop.client) : (copy ? &of->server_copy : &of->loop.server);
}

static void array_of(OPENSSPI_MESSAGE *array, unsigned n, bool client)
{
    for (unsigned i = 0; i < n; i++)
        array[i] = (OPENSSPI_MESSAGE){end_of(items[i].pair, client, false), &items[i].list, 0, 0, -1};
}

/* Opens the array in one call, and the copies one by one: the same. How many were opened. */
static unsigned opened_alike(unsigned n, bool client)
{
    OPENSSPI_MESSAGE array[MESSAGES];
    unsigned n_opened = 0;
    SECURITY_STATUS first = SEC_E_OK, said;
    for (unsigned i = 0; i < n; i++)
        item_copy(&copies[i], &items[i]);
    array_of(array, n, client);
    said = OpenSspiDecryptMessages(array, n);
    for (unsigned i = 0; i < n; i++) {
        ULONG qop = 0;
        SECURITY_STATUS alone = DecryptMessage(end_of(items[i].pair, client, true), &copies[i].list, 0, &qop);
        assert_int_equal(array[i].Status, alone);
        assert_int_equal(array[i].fQOP, qop);
        same_item(&items[i], &copies[i]);
        first = first == SEC_E_OK ? alone : first;
        n_opened += alone == SEC_E_OK;
    }
    assert_int_equal(said, first);
    return n_opened;
}

static void is_plain(const struct item *item)
{
    for (size_t i = 0; i < item->len; i++)
        assert_int_equal(item->data[i], (uint8_t)(i * 7 + item->len));
}

static void round_of(unsigned n, size_t len_max)
{
    OPENSSPI_MESSAGE array[MESSAGES];
    bool client = below(2) == 0;
    for (unsigned i = 0; i < n; i++)
        item_make(&items[i], (unsigned)below(PAIRS), below(len_max));
    array_of(array, n, client);
    for (unsigned i = 0; i < n; i++)
        array[i].fQOP = below(6) == 0 && items[i].pair < NTLM ? SECQOP_WRAP_NO_ENCRYPT : 0;
    assert_int_equal(OpenSspiEncryptMessages(array, n), SEC_E_OK);
    for (unsigned i = 0; i < n; i++) {
        struct item other; /* a copy that sends stays in step */
        item_make(&other, items[i].pair, items[i].len);
        assert_int_equal(EncryptMessage(end_of(other.pair, client, true), array[i].fQOP, &other.list, 0), SEC_E_OK);
        for (unsigned k = 0; k < PARTS_MAX; k++)
            assert_int_equal(items[i].buffers[k].cbBuffer, other.buffers[k].cbBuffer);
    }
    assert_int_equal(opened_alike(n, !client), n);
    for (unsigned i = 0; i < n; i++)
        is_plain(&items[i]);
}

static void agree(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 60; round++)
        round_of(1 + (unsigned)below(MESSAGES), round % 3 == 0 ? 100 : round % 3 == 1 ? 2000 : TEXT_MAX);
}

/* Some are altered, some come twice, some are lost: the others are opened as they would be alone, and what is refused stays as it came. */
static void failures_leave_the_others_alone(void **state)
{
    unsigned n_refused = 0;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        OPENSSPI_MESSAGE array[MESSAGES];
        unsigned n = MESSAGES;
        for (unsigned i = 0; i < n; i++)
            item_make(&items[i], (unsigned)below(PAIRS), below(round % 2 == 0 ? 200 : 3000));
        array_of(array, n, true);
        assert_int_equal(OpenSspiEncryptMessages(array, n), SEC_E_OK);
        size_t what = below(3), which = below(n - 1);
        if (what == 0)
            items[which].token[below(60)] ^= 4;
        else if (what == 1) { /* again, at the end */
            item_copy(&items[n - 1], &items[which]);
        } else { /* one is not there */
            for (size_t i = which; i < n - 1; i++)
                item_copy(&items[i], &items[i + 1]);
            n--;
        }
        unsigned n_opened = opened_alike(n, false);
        n_refused += n - n_opened;
        pairs_anew(); /* a number that was lost, or a stream of RC4 that is out of step, stops a context for good */
    }
    assert_true(n_refused > 20);
}

static void what_cannot_be_sealed(void **state)
{
    static const CtxtHandle none;
    OPENSSPI_MESSAGE array[5];
    CtxtHandle nowhere = none;
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        item_make(&items[i], 1, 50);
    array_of(array, 5, true);
    array[0].phContext = &nowhere;
    items[1].buffers[0].cbBuffer = 10; /* no room */
    array[2].pMessage = NULL;
    array[3].phContext = NULL;
    assert_int_equal(OpenSspiEncryptMessages(array, 5), SEC_E_INVALID_HANDLE);
    assert_string_not_equal(OpenSspiLastErrorText(), "");
    assert_int_equal(array[0].Status, SEC_E_INVALID_HANDLE);
    assert_int_equal(array[1].Status, SEC_E_BUFFER_TOO_SMALL);
    is_plain(&items[1]);
    assert_true(array[2].Status < 0);
    assert_int_equal(array[3].Status, SEC_E_INVALID_HANDLE);
    assert_int_equal(array[4].Status, SEC_E_OK);
    /* The refused ones used no number up. */
    assert_int_equal(DecryptMessage(end_of(1, false, false), &items[4].list, 0, NULL), SEC_E_OK);
    is_plain(&items[4]);
    assert_int_equal(OpenSspiEncryptMessages(NULL, 1), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiDecryptMessages(NULL, 1), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiEncryptMessages(NULL, 0), SEC_E_OK);
    assert_int_equal(OpenSspiDecryptMessages(array, 0), SEC_E_OK);
    assert_string_equal(OpenSspiLastErrorText(), "");
}

/* The first of the array fails late, in its package, the second at once: the words are of either. */
static void one_of_the_causes_is_told(void **state)
{
    char first[512], second[512];
    OPENSSPI_MESSAGE array[2];
    CtxtHandle nowhere = {0};
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        item_make(&items[i], 1, 50);
    array_of(array, 2, true);
    items[0].buffers[0].cbBuffer = 10; /* no room */
    array[1].phContext = &nowhere;
    assert_int_equal(EncryptMessage(array[0].phContext, 0, &items[0].list, 0), SEC_E_BUFFER_TOO_SMALL);
    (void)snprintf(first, sizeof first, "%s", OpenSspiLastErrorText());
    assert_int_equal(EncryptMessage(&nowhere, 0, &items[1].list, 0), SEC_E_INVALID_HANDLE);
    (void)snprintf(second, sizeof second, "%s", OpenSspiLastErrorText());
    assert_string_not_equal(first, second);
    assert_int_equal(OpenSspiEncryptMessages(array, 2), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(array[1].Status, SEC_E_INVALID_HANDLE);
    const char *told = OpenSspiLastErrorText();
    assert_true(strcmp(told, first) == 0 || strcmp(told, second) == 0);
}

static void *seal_two(void *array)
{
    (void)OpenSspiEncryptMessages(array, 2);
    return NULL;
}

static uint64_t number_of(const struct item *item)
{
    uint64_t number;
    memcpy(&number, item->token + 8, sizeof number); /* SND_SEQ (RFC 4121, section 4.2.6.2) */
    return be64toh(number);
}

/* One context of an array is in use: the other one is used meanwhile, and free for everybody else. */
static void a_busy_context_holds_no_other_up(void **state)
{
    struct handle_ref refs[2];
    unsigned free_one, busy = 2;
    uint64_t number;
    pthread_t thread;
    OPENSSPI_MESSAGE array[2];
    (void)state;
    assert_int_equal(handle_get(end_of(1, true, false), HANDLE_CONTEXT, &refs[0]), SEC_E_OK);
    assert_int_equal(handle_get(end_of(busy, true, false), HANDLE_CONTEXT, &refs[1]), SEC_E_OK);
    /* The one that is tried second, by address. */
    bool later = (uintptr_t)refs[1].object > (uintptr_t)refs[0].object;
    struct context *held = refs[later ? 1 : 0].object;
    free_one = later ? 1 : busy;
    busy = later ? busy : 1;
    item_make(&items[0], free_one, 50);
    item_make(&items[1], busy, 50);
    array_of(array, 2, true);
    item_make(&items[2], free_one, 50);
    assert_int_equal(EncryptMessage(end_of(free_one, true, false), 0, &items[2].list, 0), SEC_E_OK);
    number = number_of(&items[2]);
    pthread_mutex_lock(&held->send_lock);
    assert_int_equal(pthread_create(&thread, NULL, seal_two, array), 0);
    uint64_t next; /* until the array's message has taken a number */
    do {
        sched_yield();
        item_make(&items[2], free_one, 50);
        assert_int_equal(EncryptMessage(end_of(free_one, true, false), 0, &items[2].list, 0), SEC_E_OK);
        next = number_of(&items[2]);
    } while (next == ++number);
    pthread_mutex_unlock(&held->send_lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(next, number + 1);
    assert_int_equal(array[0].Status, SEC_E_OK);
    assert_int_equal(array[1].Status, SEC_E_OK);
    assert_int_equal(number_of(&items[0]), number);
    assert_int_equal(DecryptMessage(end_of(busy, false, false), &items[1].list, 0, NULL), SEC_E_OK);
    is_plain(&items[1]);
    handle_put(&refs[0]);
    handle_put(&refs[1]);
    pairs_anew();
}

/* A handshake that has only begun has nothing to seal with. */
static void not_established(void **state)
{
    OPENSSPI_MESSAGE array[2];
    struct loop half = {0};
    uint8_t token[LOOP_TOKEN_MAX];
    SecBuffer out = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    ULONG granted;
    (void)state;
    struct forge forge;
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    assert_true(kerberos_loop_acquire(&half));
    assert_int_equal(InitializeSecurityContextA(
                         &half.client_credential, NULL, (char *)(uintptr_t) "host/server.example.test",
                         ISC_REQ_MUTUAL_AUTH | KERBEROS_PROTECT, 0, 0, NULL, 0, &half.client, &list, &granted, NULL),
                     SEC_I_CONTINUE_NEEDED);
    item_make(&items[0], 1, 50);
    item_make(&items[1], 1, 50);
    array_of(array, 2, true);
    array[0].phContext = &half.client;
    assert_int_equal(OpenSspiEncryptMessages(array, 2), SEC_E_INVALID_HANDLE);
    assert_int_equal(array[0].Status, SEC_E_INVALID_HANDLE);
    assert_int_equal(array[1].Status, SEC_E_OK);
    assert_int_equal(DecryptMessage(end_of(1, false, false), &items[1].list, 0, NULL), SEC_E_OK);
    kerberos_loop_end(&half);
}

/* No message needs memory. */
static void without_memory(void **state)
{
    OPENSSPI_MESSAGE array[MESSAGES];
    (void)state;
    for (unsigned i = 0; i < MESSAGES; i++)
        item_make(&items[i], i % PAIRS, 40 * i);
    array_of(array, MESSAGES, true);
    mem_fault_set(1, true);
    SECURITY_STATUS sealed = OpenSspiEncryptMessages(array, MESSAGES);
    array_of(array, MESSAGES, false);
    SECURITY_STATUS opened = OpenSspiDecryptMessages(array, MESSAGES);
    mem_fault_set(0, false);
    assert_int_equal(sealed, SEC_E_OK);
    assert_int_equal(opened, SEC_E_OK);
    for (unsigned i = 0; i < MESSAGES; i++)
        is_plain(&items[i]);
}

static int begin(void **state)
{
    (void)state;
    pairs_make();
    return 0;
}

static int end(void **state)
{
    (void)state;
    pairs_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agree),
        cmocka_unit_test(failures_leave_the_others_alone),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(what_cannot_be_sealed),
        cmocka_unit_test(not_established),
        cmocka_unit_test(one_of_the_causes_is_told),
        cmocka_unit_test(a_busy_context_holds_no_other_up),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, begin, end);
    kerberos_loop_cleanup();
    return failed;
}
