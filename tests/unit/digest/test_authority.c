/*
 * WDigest over HTTP through the daemon: what stands for a user's password in his realm reaches neither the server that he signs on to nor his own
 * process, and later requests are signed and judged all the same; what the daemon sealed serves nobody else; its end.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/admin.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/package.h"
#include "core/session.h"
#include "crypto/http_digest.h"
#include "crypto/ntlm_response.h"
#include "support/digest_loop.h"
#include "support/lsa_daemon.h"
#include "support/memory_search.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER "erin"
#define PASSWORD "Another-password-9"
#define OTHER_UID 61234

extern const struct package digest_package, ntlm_package;

static struct digest_side client, server;
static char socket_path[160];
static const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/page"};
static const struct digest_call get = {.flags = DIGEST_HTTP, .method = "GET", .target = "/page"};

static void configure(const char *algorithm, bool daemon)
{
    char extra[512] = "";
    size_t len = (size_t)snprintf(extra, sizeof extra, "algorithms = %s\n", algorithm);
    if (daemon)
        snprintf(extra + len, sizeof extra - len, "[lsa]\nmode = daemon\nsocket = %s\n", socket_path);
    digest_configure(extra);
}

/* In another process, so that nothing of it stays in this one: `work` writes `len` bytes. */
static void elsewhere(void (*work)(void *to, size_t len, const void *from), const void *from, void *to, size_t len)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static char bytes[16384];
        work(bytes, len, from);
        _exit(write(ends[1], bytes, len) == (ssize_t)len ? 0 : 1);
    }
    close(ends[1]);
    for (size_t at = 0; at < len;) {
        ssize_t n = read(ends[0], (char *)to + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* An account whose hashes were never in this process: the others' were made here. */
static void account_make(void *to, size_t len, const void *from)
{
    static const char *const names[] = {DIGEST_REALM};
    const struct digest_realms realms = {names, 1, "EXAMPLE"};
    struct account_admin *admin = NULL;
    struct writer utf16 = writer_growing(64);
    struct key16 hash;
    (void)to, (void)len;
    if (account_admin_open(from, false, &admin) != SEC_E_OK || utf16le_write(&utf16, PASSWORD) != WIRE_OK)
        _exit(4);
    account_admin_digest(admin, &realms);
    ntlm_nt_hash(writer_slice_of(&utf16), &hash);
    const struct account_spec spec = {.name = USER,
                                      .domain = "EXAMPLE",
                                      .nt_hash = &hash,
                                      .password = writer_slice_of(&utf16),
                                      .expires = FILETIME_NEVER,
                                      .uid = OTHER_UID,
                                      .gid = OTHER_UID};
    if (account_admin_add(admin, &spec) != SEC_E_OK)
        _exit(5);
    account_admin_close(admin);
}

static int begin(void **state)
{
    char done;
    (void)state;
    digest_configure(NULL); /* makes the directory */
    elsewhere(account_make, digest_database(), &done, 1);
    snprintf(socket_path, sizeof socket_path, "%.*s/lsa.sock",
             (int)(strrchr(digest_database(), '/') - digest_database()), digest_database());
    configure("SHA-256", true);
    *strrchr(socket_path, '/') = '\0';
    chmod(socket_path, 0755); /* for another user's process */
    socket_path[strlen(socket_path)] = '/';
    lsa_daemon_start(socket_path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    digest_side_end(&client);
    digest_side_end(&server);
    lsa_daemon_stop();
    digest_cleanup();
    return 0;
}

static void secret_make(void *to, size_t len, const void *from)
{
    uint8_t secret[DIGEST_LEN_MAX] = {0}, *bytes = to;
    if (!digest_secret(*(const enum digest_algorithm *)from, slice_of_text(USER), slice_of_text(DIGEST_REALM),
                       slice_of_text(PASSWORD), secret))
        _exit(2);
    for (size_t i = 0; i < len; i++)
        bytes[i] = secret[i] ^ MEMORY_DISGUISE;
}

struct answers {
    char first[DIGEST_TOKEN + 1], later[DIGEST_TOKEN + 1];
};

static void answers_make(void *to, size_t len, const void *from)
{
    struct digest_side other = {0};
    struct answers *answers = to;
    (void)len;
    digest_client(&other, USER, NULL, PASSWORD);
    if (digest_initiate_step(&other, &get, from) != SEC_E_OK ||
        digest_sign(&other, "POST", "/form", "", answers->later) != SEC_E_OK)
        _exit(3);
    memcpy(answers->first, other.token, sizeof answers->first);
}

static void packed_take(const CtxtHandle *context, CtxtHandle *moved)
{
    SecBuffer packed = {0};
    char name[] = "WDigest";
    assert_int_equal(ExportSecurityContext((CtxtHandle *)(uintptr_t)context, 0, &packed, NULL), SEC_E_OK);
    assert_int_equal(ImportSecurityContextA(name, &packed, NULL, moved), SEC_E_OK);
    FreeContextBuffer(packed.pvBuffer);
}

/* A server's whole life with a client in another process. */
static void server_works(void)
{
    struct answers answers;
    char token[DIGEST_TOKEN + 1];
    CtxtHandle moved = {0};
    digest_side_end(&server);
    digest_server(&server);
    assert_true(server.has_credential);
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    elsewhere(answers_make, server.token, &answers, sizeof answers);
    assert_int_equal(digest_accept_step(&server, &got, answers.first), SEC_E_OK);
    assert_non_null(strstr(server.token, "rspauth"));
    SecPkgContext_NamesA names = {0};
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "EXAMPLE\\" USER);
    FreeContextBuffer(names.sUserName);
    assert_int_equal(digest_verify(&server, "GET", "/page", "", "username=\"alice\""), SEC_E_INVALID_TOKEN);
    assert_int_equal(digest_verify(&server, "PUT", "/form", "", answers.later), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(digest_verify(&server, "POST", "/form", "", answers.later), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "POST", "/form", "", answers.later), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(digest_sign(&server, "", "", "", token), SEC_E_OK);
    assert_non_null(strstr(token, "nc=00000002"));
    packed_take(&server.context, &moved);
    digest_forget(&server);
    server.context = moved;
    server.has_context = true;
    assert_int_equal(digest_verify(&server, "POST", "/form", "", answers.later), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(digest_sign(&server, "", "", "", token), SEC_E_OK);
}

static void established(void)
{
    digest_side_end(&server);
    digest_side_end(&client);
    digest_server(&server);
    digest_client(&client, USER, NULL, PASSWORD);
    assert_true(server.has_credential && client.has_credential);
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
}

static void client_works(void)
{
    char token[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1];
    CtxtHandle moved = {0};
    established();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(digest_sign(&client, "POST:", "/form", "", token), SEC_E_INVALID_TOKEN);
        assert_int_equal(digest_sign(&client, "POST", "/form", "", token), SEC_E_OK);
        assert_int_equal(digest_verify(&server, "POST", "/form", "", token), SEC_E_OK);
        assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
        assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_OK);
        assert_int_equal(digest_verify(&client, "", "", "", server.token), SEC_E_MESSAGE_ALTERED); /* of another one */
        packed_take(&client.context, &moved);
        digest_forget(&client);
        client.context = moved;
        client.has_context = true;
    }
}

static const struct {
    const char *name;
    enum digest_algorithm algorithm;
} cases[] = {{"MD5", DIGEST_MD5}, {"SHA-256", DIGEST_SHA256}, {"SHA-512-256", DIGEST_SHA512_256}};

static void secrets_searched(void (*work)(void), bool daemon)
{
    uint8_t needle[DIGEST_LEN_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = digest_len(cases[i].algorithm);
        elsewhere(secret_make, &cases[i].algorithm, needle, len);
        configure(cases[i].name, daemon);
        work();
        assert_int_equal(memory_holds(needle, len), !daemon);
    }
    digest_side_end(&client);
    digest_side_end(&server);
}

static void test_no_key(void **state)
{
    (void)state;
    secrets_searched(server_works, true);
}

static void test_no_key_of_ones_own(void **state)
{
    (void)state;
    secrets_searched(client_works, true);
}

/* Within one process it is there, or the search proves nothing; and all answers are the same. The last: it leaves the secrets behind. */
static void test_within(void **state)
{
    (void)state;
    secrets_searched(server_works, false);
    secrets_searched(client_works, false);
}

/* With "-sess" there is a key of the session, which is nobody's password; the nonce and its counts are the daemon's all the same. */
static void test_session_key(void **state)
{
    SecPkgContext_SessionKey key = {0};
    (void)state;
    configure("SHA-256-sess", true);
    server_works();
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
    assert_int_equal(key.SessionKeyLength, 32);
    FreeContextBuffer(key.SessionKey);
    client_works();
}

/* Bodies: what is signed and judged elsewhere is over them, too. */
static void test_integrity(void **state)
{
    static const char body[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char other[] = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    struct digest_call ours = get, theirs = got;
    char token[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1];
    (void)state;
    configure("SHA-256", true);
    digest_side_end(&server);
    digest_side_end(&client);
    digest_server(&server);
    digest_client(&client, USER, NULL, PASSWORD);
    ours.flags |= ISC_REQ_INTEGRITY;
    theirs.flags |= ASC_REQ_INTEGRITY;
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "POST", "/form", "e3b0", token), SEC_E_INVALID_TOKEN);
    assert_int_equal(digest_sign(&client, "POST", "/form", other, token), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "POST", "/form", body, token), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(digest_verify(&server, "POST", "/form", other, token), SEC_E_OK);
    assert_int_equal(digest_sign(&server, "", "", body, proof), SEC_E_OK);
    assert_int_equal(digest_verify(&client, "", "", other, proof), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(digest_verify(&client, "", "", body, proof), SEC_E_OK);
}

/* Without the daemon nobody answers, and after its end nobody can; what a session has itself it goes on with. Counts are not lost to questions that
 * were not answered. */
static void test_end(void **state)
{
    static const char *const names[] = {"SHA-256", "SHA-256-sess"};
    char token[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1], other[DIGEST_TOKEN + 1], value[16];
    (void)state;
    for (int sess = 0; sess < 2; sess++) {
        configure(names[sess], true);
        established();
        assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
        assert_int_equal(digest_verify(&server, "GET", "/2", "", token), SEC_E_OK);
        assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
        for (int restarted = 0; restarted < 2; restarted++) {
            SECURITY_STATUS refused = restarted ? SEC_E_CONTEXT_EXPIRED : SEC_E_NO_AUTHENTICATING_AUTHORITY;
            if (restarted)
                lsa_daemon_start(socket_path);
            else
                lsa_daemon_kill();
            assert_int_equal(digest_verify(&server, "GET", "/2", "", token), refused);
            assert_non_null(strstr(OpenSspiLastErrorText(), restarted ? "was started" : "security authority"));
            assert_int_equal(digest_sign(&server, "", "", "", other), sess ? SEC_E_OK : refused);
            SECURITY_STATUS judged = digest_verify(&client, "", "", "", proof);
            assert_int_equal(judged, !sess       ? refused
                                     : restarted ? SEC_E_MESSAGE_ALTERED
                                                 : SEC_E_OK); /* of the count before */
            assert_int_equal(digest_sign(&client, "GET", "/3", "", other), sess ? SEC_E_OK : refused);
            if (sess) {
                assert_true(digest_value(other, "nc", value, sizeof value));
                assert_string_equal(value, restarted ? "00000004" : "00000003");
            }
        }
        client_works();
    }
}

static int verifies(void *context, const char *token)
{
    struct digest_side side = {.context = *(CtxtHandle *)context, .has_context = true};
    SECURITY_STATUS status = digest_verify(&side, "GET", "/2", "", token);
    return status == SEC_E_OK ? 0 : status == SEC_E_OUT_OF_SEQUENCE ? 1 : status == SEC_E_CONTEXT_EXPIRED ? 2 : 3;
}

static int in_child(uid_t uid, bool import, const SecBuffer *packed, const char *token)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        CtxtHandle moved = server.context;
        SecBuffer copy = *packed;
        char name[] = "WDigest", proof[DIGEST_TOKEN + 1];
        if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0))
            _exit(99);
        if (import && ImportSecurityContextA(name, &copy, NULL, &moved) != SEC_E_OK)
            _exit(98);
        struct digest_side side = {.context = moved, .has_context = true};
        if (uid != 0 && digest_sign(&side, "", "", "", proof) != SEC_E_CONTEXT_EXPIRED)
            _exit(97);
        _exit(verifies(&moved, token));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* A context in other processes: of the same user, where each count serves once in all of them; of another user, whom what was sealed does not serve.
 * */
static void test_processes(void **state)
{
    char token[DIGEST_TOKEN + 1];
    SecBuffer packed = {0};
    (void)state;
    configure("SHA-256", true);
    established();
    assert_int_equal(ExportSecurityContext(&server.context, 0, &packed, NULL), SEC_E_OK);
    for (int import = 0; import < 2; import++) {
        assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
        assert_int_equal(in_child(OTHER_UID, import != 0, &packed, token), 2);
        assert_int_equal(in_child(0, import != 0, &packed, token), 0);
        assert_int_equal(in_child(0, import != 0, &packed, token), 1);
        assert_int_equal(digest_verify(&server, "GET", "/2", "", token), SEC_E_OUT_OF_SEQUENCE);
    }
    FreeContextBuffer(packed.pvBuffer);
}

/* On a thread that is the client: it is the process that asks, over a connection of its own. */
static void test_impersonating(void **state)
{
    char token[DIGEST_TOKEN + 1];
    int status = 0;
    (void)state;
    configure("SHA-256", true);
    established();
    assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool is_client = ImpersonateSecurityContext(&server.context) == SEC_E_OK && geteuid() == OTHER_UID;
        bool right = digest_verify(&server, "GET", "/2", "", token) == SEC_E_OK &&
                     digest_sign(&server, "", "", "", token) == SEC_E_OK;
        _exit(is_client ? right ? 0 : 1 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static struct slice sealed_find(const SecBuffer *packed)
{
    uint8_t *at = memmem(packed->pvBuffer, packed->cbBuffer, "OSSE", 4);
    assert_non_null(at);
    return slice_of(at, (size_t)at[-4] | (size_t)at[-3] << 8);
}

/* What was sealed and altered opens nowhere; it is no other package's, and answers nothing but questions of its kind. */
static void test_sealed(void **state)
{
    char token[DIGEST_TOKEN + 1], name[] = "WDigest";
    SecBuffer packed = {0};
    CtxtHandle moved = {0};
    AUTO_WRITER struct writer answer = writer_growing(64);
    (void)state;
    configure("SHA-256", true);
    established();
    assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
    assert_int_equal(ExportSecurityContext(&server.context, 0, &packed, NULL), SEC_E_OK);
    struct slice sealed = sealed_find(&packed);
    assert_int_equal(session_ask(&ntlm_package, sealed, slice_of("", 0), &answer), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(session_ask(&digest_package, sealed, slice_of("nonsense", 8), &answer), SEC_E_INVALID_TOKEN);
    assert_int_equal(session_ask(&digest_package, slice_of("OSSE", 4), slice_of("", 0), &answer),
                     SEC_E_CONTEXT_EXPIRED);
    for (size_t at = 0; at < sealed.len; at += 7) {
        uint8_t *byte = (uint8_t *)packed.pvBuffer + (sealed.data - (uint8_t *)packed.pvBuffer) + at;
        *byte ^= 1;
        assert_int_equal(ImportSecurityContextA(name, &packed, NULL, &moved), SEC_E_OK);
        assert_int_equal(verifies(&moved, token), 2);
        DeleteSecurityContext(&moved);
        *byte ^= 1;
    }
    FreeContextBuffer(packed.pvBuffer);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", token), SEC_E_OK);
}

/* The daemon's clock, and its configuration, say how long a nonce serves. */
static void test_stale(void **state)
{
    char token[DIGEST_TOKEN + 1];
    SECURITY_STATUS status = SEC_E_OK;
    (void)state;
    configure("SHA-256\nnonce_seconds = 2", true);
    digest_side_end(&server);
    digest_side_end(&client);
    digest_server(&server);
    digest_client(&client, USER, NULL, PASSWORD);
    for (int i = 0; i < 60; i++) { /* a nonce that was stale before it came back is asked for anew */
        digest_forget(&client);
        digest_forget(&server);
        status = digest_http_run(&client, &server, &get, &got);
        if (status == SEC_E_OK)
            break;
        assert_int_equal(status, SEC_I_CONTINUE_NEEDED);
    }
    for (int i = 0; i < 3000 && status == SEC_E_OK; i++) {
        assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
        status = digest_verify(&server, "GET", "/2", "", token);
        usleep(20000);
    }
    assert_int_equal(status, SEC_E_CONTEXT_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key),      cmocka_unit_test(test_no_key_of_ones_own),
        cmocka_unit_test(test_session_key), cmocka_unit_test(test_integrity),
        cmocka_unit_test(test_processes),   cmocka_unit_test(test_impersonating),
        cmocka_unit_test(test_sealed),      cmocka_unit_test(test_stale),
        cmocka_unit_test(test_end),         cmocka_unit_test(test_within),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
