/* The daemon as its clients see it: logon sessions, secrets, users, forks, its death, limits. */
#include "support/lsa_daemon.h"
#include "support/memory_search.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ntsecapi.h>
#include <pthread.h>
#include <signal.h>
#include <sspi_ext.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALICE_UID 61234
#define BOB_UID 61235

static const uint8_t carol_hash[16];
static char carol_line[33];

static int begin(void **state)
{
    (void)state;
    loop_daemon_configure("answer_seconds = 20\n");
    char sam[140];
    snprintf(sam, sizeof sam, "%s/sam", loop_directory());
    FILE *file = fopen(sam, "a");
    assert_non_null(file);
    for (int i = 0; i < 32; i++) /* the hash is read by nobody but the daemon, and written by nobody but here */
        carol_line[i] = "0123456789abcdef"[(carol_hash[i / 2] ^ MEMORY_DISGUISE) >> (i % 2 == 0 ? 4 : 0) & 15];
    fprintf(file, "carol:EXAMPLE::%s:::\n", carol_line);
    fclose(file);
    loop_daemon_start();
    return 0;
}

/* Runs in a child, as another user where `uid` is not 0; what it returns is its exit code. */
static int in_child(int (*run)(void), uid_t uid)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (uid != 0 && (setgid(uid) != 0 || setuid(uid) != 0))
            _exit(99);
        _exit(run());
    }
    while (waitpid(child, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* carol and her password as a structure whose memory is wiped after the call; never a string of this program. */
static void disguised(char *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(from[i] ^ MEMORY_DISGUISE);
}

/* carol's password in UTF-16LE and in UTF-8, and its NT hash: each byte XOR 0x5a, so that they stand nowhere in this program. */
static const uint8_t password_utf16[20] = {0x00, 0x5a, 0x3f, 0x5a, 0x38, 0x5a, 0x28, 0x5a, 0x3b, 0x5a,
                                           0x77, 0x5a, 0x6e, 0x5a, 0x68, 0x5a, 0x22, 0x5a, 0x7b, 0x5a};
static const uint8_t password_utf8[10] = {0x00, 0x3f, 0x38, 0x28, 0x3b, 0x77, 0x6e, 0x68, 0x22, 0x7b};
static const uint8_t carol_hash[16] = {0x01, 0x7b, 0xd5, 0xc0, 0xdd, 0x82, 0xb1, 0x84,
                                       0x94, 0x9d, 0x40, 0x30, 0x6e, 0xd2, 0x56, 0x3a};

struct logon_block {
    MSV1_0_INTERACTIVE_LOGON logon;
    uint16_t user[16], domain[16];
    uint8_t password[32];
};

static void ascii_put(UNICODE_STRING *string, uint16_t *to, const char *text)
{
    string->Length = string->MaximumLength = (USHORT)(2 * strlen(text));
    string->Buffer = (PWSTR)to;
    for (size_t i = 0; text[i] != '\0'; i++)
        to[i] = (uint16_t)text[i];
}

static NTSTATUS log_on(const char *user, const char *domain, SECURITY_LOGON_TYPE type, bool wrong, LUID *luid)
{
    static struct logon_block block;
    char name[] = "NTLM";
    LSA_STRING package = {4, 4, name};
    TOKEN_SOURCE source = {{0}, {0, 0}};
    HANDLE lsa, token;
    ULONG number, profile_len;
    void *profile;
    QUOTA_LIMITS quotas;
    NTSTATUS reason, status;
    memset(&block, 0, sizeof block);
    block.logon.MessageType = MsV1_0InteractiveLogon;
    ascii_put(&block.logon.UserName, block.user, user);
    ascii_put(&block.logon.LogonDomainName, block.domain, domain);
    disguised((char *)block.password, password_utf16, sizeof password_utf16);
    if (wrong)
        block.password[0]++;
    block.logon.Password = (UNICODE_STRING){20, 20, (PWSTR)(void *)block.password};
    if (LsaConnectUntrusted(&lsa) != 0 || LsaLookupAuthenticationPackage(lsa, &package, &number) != 0)
        return -1;
    status = LsaLogonUser(lsa, &package, type, number, &block, sizeof block, NULL, &source, &profile, &profile_len,
                          luid, &token, &quotas, &reason);
    explicit_bzero(&block, sizeof block);
    if (LsaDeregisterLogonProcess(lsa) != 0)
        return -1;
    return status;
}

/* A handshake whose client is whoever the default credentials say. 0: both ends are there, and messages pass. */
static int default_handshake(void)
{
    struct loop loop = {.keep_credentials = true, .client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY};
    char package[] = "NTLM";
    if (AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &loop.client_credential,
                                  NULL) != SEC_E_OK)
        return 1;
    if (AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &loop.server_credential,
                                  NULL) != SEC_E_OK)
        return 2;
    int code = 0;
    if (!loop_run(&loop))
        code = loop.client_status == SEC_E_NO_CREDENTIALS ? 4 : 3;
    else if (loop_seal(&loop.client, &loop.server, "through a session of the daemon's") != SEC_E_OK)
        code = 5;
    loop.keep_credentials = false;
    loop_end(&loop);
    return code;
}

static int client_name(char name[64])
{
    CredHandle credential;
    SecPkgCredentials_NamesA names = {0};
    char package[] = "NTLM";
    if (AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL) !=
            SEC_E_OK ||
        QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names) != SEC_E_OK)
        return 1;
    snprintf(name, 64, "%s", names.sUserName);
    FreeContextBuffer(names.sUserName);
    FreeCredentialsHandle(&credential);
    return 0;
}

/* Negotiate's client with an identity that is a list of packages alone: what its first step answers, and whose it is. */
static SECURITY_STATUS client_listed(const char *list, char name[64])
{
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
                                            .PackageList = (unsigned char *)(uintptr_t)list,
                                            .PackageListLength = (ULONG)strlen(list)};
    unsigned char token[4096];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc out = {SECBUFFER_VERSION, 1, &buffer};
    CredHandle credential;
    CtxtHandle context;
    ULONG granted;
    SecPkgCredentials_NamesA names = {0};
    char package[] = "Negotiate", target[] = "test/server";
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &credential, NULL),
        SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    snprintf(name, 64, "%s", names.sUserName);
    FreeContextBuffer(names.sUserName);
    SECURITY_STATUS status = InitializeSecurityContextA(&credential, NULL, target, ISC_REQ_INTEGRITY, 0,
                                                        SECURITY_NATIVE_DREP, NULL, 0, &context, &out, &granted, NULL);
    if (status >= 0)
        DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    return status;
}

static ULONG count_sessions(void)
{
    ULONG n_sessions = 999;
    PLUID list = NULL;
    if (LsaEnumerateLogonSessions(&n_sessions, &list) != 0)
        return 998;
    LsaFreeReturnBuffer(list);
    return n_sessions - 1; /* this process's own */
}

static int secrets_with_daemon(void)
{
    LUID luid;
    if (log_on("carol", "EXAMPLE", Interactive, false, &luid) != 0)
        return 1;
    if (default_handshake() != 0) /* as carol, to the server of her accounts */
        return 2;
    if (memory_holds(carol_hash, sizeof carol_hash))
        return 3;
    if (memory_holds(password_utf16, sizeof password_utf16))
        return 4;
    return memory_holds(password_utf8, sizeof password_utf8) ? 5 : 0;
}

/* The same without the daemon must find the hash, or the search proves nothing. */
static int secrets_without(void)
{
    LUID luid;
    loop_configure(NULL);
    if (log_on("carol", "EXAMPLE", Interactive, false, &luid) != 0 || default_handshake() != 0)
        return 1;
    CredHandle credential;
    char package[] = "NTLM";
    if (AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL) !=
        SEC_E_OK)
        return 2;
    return memory_holds(carol_hash, sizeof carol_hash) ? 0 : 3;
}

static void test_secrets(void **state)
{
    (void)state;
    assert_int_equal(in_child(secrets_with_daemon, 0), 0);
    unsetenv("OPENSSPI_TEST_LSAD");
    assert_int_equal(in_child(secrets_without, 0), 0);
    loop_daemon_configure("answer_seconds = 20\n");
}

static void test_logon(void **state)
{
    (void)state;
    LUID luid = {0}, network = {0};
    char name[64];
    PSECURITY_LOGON_SESSION_DATA data = NULL;
    lsa_daemon_stop(); /* with the sessions of the test before */
    lsa_daemon_start(loop_daemon_socket());
    assert_int_equal(count_sessions(), 0);
    assert_int_equal(default_handshake(), 4); /* nobody yet */
    assert_int_equal(log_on("carol", "EXAMPLE", Interactive, true, &luid), (NTSTATUS)0xC000006D);
    assert_int_equal(log_on("nobody", "EXAMPLE", Interactive, false, &luid), (NTSTATUS)0xC000006D);
    assert_int_equal(log_on("", "", Interactive, false, &luid), (NTSTATUS)0xC000006D);
    assert_int_equal(log_on("carol", "EXAMPLE", Network, false, &network), 0);
    assert_int_equal(default_handshake(), 4); /* proved, and nothing stays */
    assert_int_equal(count_sessions(), 1);
    assert_int_equal(log_on("carol", "EXAMPLE", Interactive, false, &luid), 0);
    assert_int_equal(default_handshake(), 0);
    assert_int_equal(client_name(name), 0);
    assert_string_equal(name, "EXAMPLE\\carol");
    assert_int_equal(client_listed("NTLM", name), SEC_I_CONTINUE_NEEDED); /* which names nobody */
    assert_string_equal(name, "EXAMPLE\\carol");
    assert_true(client_listed("!NTLM", name) < 0); /* Kerberos has no ticket, and nothing else is left */
    assert_int_equal(count_sessions(), 2);
    assert_int_equal(LsaGetLogonSessionData(&luid, &data), 0);
    assert_memory_equal(&data->LogonId, &luid, sizeof luid);
    assert_int_equal(data->LogonType, Interactive);
    assert_int_equal(data->AuthenticationPackage.Length, 8);
    assert_int_equal(data->UserName.Length, 10);
    assert_int_equal(LsaFreeReturnBuffer(data), 0);
    luid.LowPart ^= 1;
    assert_int_equal(LsaGetLogonSessionData(&luid, &data), (NTSTATUS)0xC000005F);
    /* New credentials are not proved; the newest are the defaults. */
    assert_int_equal(log_on("elsewhere", "OTHER", NewCredentials, true, &luid), 0);
    assert_int_equal(client_name(name), 0);
    assert_string_equal(name, "OTHER\\elsewhere");
    assert_int_equal(log_on("carol", "EXAMPLE", Batch, false, &luid), (NTSTATUS)0xC00000BB);
}

/* Of two users neither sees the other's. */
static int other_sees_nothing(void)
{
    char name[64];
    if (count_sessions() != 0)
        return 1;
    if (client_name(name) != 0 || name[0] != '\0')
        return 2;
    return default_handshake() == 2 ? 0 : 3; /* nor may it be a server here */
}

static LUID shared_luid;

static int carol_logs_on(void)
{
    char name[64];
    LUID luid;
    if (log_on("carol", "EXAMPLE", Interactive, false, &luid) != 0)
        return 1;
    if (client_name(name) != 0 || strcmp(name, "EXAMPLE\\carol") != 0)
        return 2;
    if (count_sessions() != 1)
        return 3;
    PSECURITY_LOGON_SESSION_DATA data;
    return LsaGetLogonSessionData(&shared_luid, &data) == (NTSTATUS)0xC000005F ? 0 : 4; /* root's */
}

static void test_two_users(void **state)
{
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    assert_int_equal(log_on("carol", "EXAMPLE", Interactive, false, &shared_luid), 0);
    ULONG before = count_sessions();
    assert_int_equal(in_child(carol_logs_on, ALICE_UID), 0);
    assert_int_equal(in_child(other_sees_nothing, BOB_UID), 0);
    assert_int_equal(count_sessions(), before + 1); /* root sees all */
    char name[64];
    assert_int_equal(client_name(name), 0);
    assert_string_equal(name, "EXAMPLE\\carol");
}

#define CROSSINGS 300

static const char *expected_name, *expected_user;

/* A user whose every question has its own answer, while another's are asked beside it. */
static int asks_often(void)
{
    char name[64];
    LUID luid;
    PSECURITY_LOGON_SESSION_DATA data;
    for (int i = 0; i < CROSSINGS; i++) {
        if (i % 50 == 0 && log_on(expected_user, "OTHER", NewCredentials, true, &luid) != 0)
            return 1;
        if (client_name(name) != 0 || strcmp(name, expected_name) != 0)
            return 2;
        if (count_sessions() != (ULONG)(i / 50 + 1))
            return 3;
        if (LsaGetLogonSessionData(&luid, &data) != 0)
            return 4;
        bool own = data->UserName.Length == 2 * strlen(expected_user) && data->UserName.Buffer[0] == expected_user[0];
        LsaFreeReturnBuffer(data);
        if (!own)
            return 5;
    }
    return 0;
}

static void test_two_users_at_once(void **state)
{
    static const char *const users[] = {"first", "second", "third", "fourth"};
    static const char *const names[] = {"OTHER\\first", "OTHER\\second", "OTHER\\third", "OTHER\\fourth"};
    pid_t children[4];
    (void)state;
    if (getuid() != 0)
        skip(); /* CI is root */
    for (unsigned i = 0; i < 4; i++) {
        expected_user = users[i];
        expected_name = names[i];
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(setgid(70001 + i) == 0 && setuid(70001 + i) == 0 ? asks_often() : 99);
    }
    for (unsigned i = 0; i < 4; i++) {
        int status;
        while (waitpid(children[i], &status, 0) < 0)
            ;
        assert_int_equal(status, 0);
    }
}

/* Handles that a child inherits work in it, after the parent's user was given up too, as servers that fork and drop root need. */
static struct loop inherited;

static int child_uses(void)
{
    struct loop loop = inherited;
    loop.keep_credentials = true;
    if (!loop_run(&loop))
        return 1;
    if (loop_seal(&loop.client, &loop.server, "in the child") != SEC_E_OK)
        return 2;
    loop_end(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    FreeCredentialsHandle(&loop.server_credential);
    return 0;
}

static void test_fork(void **state)
{
    (void)state;
    memset(&inherited, 0, sizeof inherited);
    inherited.client_flags = ISC_REQ_CONFIDENTIALITY;
    loop_acquire(&inherited);
    assert_int_equal(inherited.client_status, SEC_E_OK);
    assert_int_equal(inherited.server_status, SEC_E_OK);
    inherited.keep_credentials = true;
    assert_int_equal(in_child(child_uses, 0), 0);
    assert_int_equal(in_child(child_uses, getuid() == 0 ? ALICE_UID : 0), 0);
    assert_true(loop_run(&inherited)); /* what the child freed is still the parent's */
    inherited.keep_credentials = false;
    loop_end(&inherited);
}

/* A handshake that a child inherits half done, and has no use for: it deletes its copy, and the parent's goes on. */
static CtxtHandle half_client, half_server;

static int child_deletes(void)
{
    return DeleteSecurityContext(&half_client) == SEC_E_OK && DeleteSecurityContext(&half_server) == SEC_E_OK ? 0 : 1;
}

static void test_fork_in_a_handshake(void **state)
{
    static unsigned char there[LOOP_TOKEN_MAX], back[LOOP_TOKEN_MAX];
    struct loop loop = {0};
    ULONG attributes;
    SecBuffer to_server = {sizeof there, SECBUFFER_TOKEN, there}, to_client = {sizeof back, SECBUFFER_TOKEN, back};
    SecBufferDesc request = {SECBUFFER_VERSION, 1, &to_server}, answer = {SECBUFFER_VERSION, 1, &to_client};
    (void)state;
    loop_acquire(&loop);
    assert_int_equal(InitializeSecurityContextA(&loop.client_credential, NULL, NULL, 0, 0, 0, NULL, 0, &half_client,
                                                &request, &attributes, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(
        AcceptSecurityContext(&loop.server_credential, NULL, &request, 0, 0, &half_server, &answer, &attributes, NULL),
        SEC_I_CONTINUE_NEEDED);
    assert_int_equal(in_child(child_deletes, 0), 0);
    to_server.cbBuffer = sizeof there;
    assert_int_equal(
        InitializeSecurityContextA(NULL, &half_client, NULL, 0, 0, 0, &answer, 0, NULL, &request, &attributes, NULL),
        SEC_E_OK);
    assert_int_equal(AcceptSecurityContext(NULL, &half_server, &request, 0, 0, NULL, NULL, &attributes, NULL),
                     SEC_E_OK);
    loop.client = half_client;
    loop.server = half_server;
    loop_end(&loop);
}

/* What is too long for a request is refused here, and said. */
static void test_too_long(void **state)
{
    static unsigned char value[600 << 10];
    struct loop loop = {0};
    (void)state;
    loop_acquire(&loop);
    assert_int_equal(
        SetCredentialsAttributesW(&loop.client_credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, value, sizeof value),
        SEC_E_INSUFFICIENT_MEMORY);
    assert_non_null(strstr(OpenSspiLastErrorText(), "524288 bytes"));
    loop.keep_credentials = true;
    assert_true(loop_run(&loop)); /* nothing was sent */
    loop.keep_credentials = false;
    loop_end(&loop);
}

/* Exactly what systemd's unit promises, as the kernel tells it. */
static unsigned long status_of(const char *field)
{
    char path[64], line[256];
    unsigned long value = 999;
    snprintf(path, sizeof path, "/proc/%d/status", (int)lsa_daemon_pid());
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtoul(line + strlen(field), NULL, 10);
    fclose(file);
    return value;
}

static void test_privileges(void **state)
{
    (void)state;
    char path[128];
    struct stat status;
    assert_int_equal(status_of("NoNewPrivs:"), 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#ifndef OPENSSPI_VALGRIND
    assert_int_equal(status_of("Seccomp:"), 2);
#endif
    snprintf(path, sizeof path, "/proc/%d/limits", (int)lsa_daemon_pid());
    FILE *file = fopen(path, "r");
    char line[256];
    bool no_core = false;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        no_core |= strncmp(line, "Max core file size        0 ", 28) == 0;
    fclose(file);
    assert_true(no_core);
#endif
    snprintf(path, sizeof path, "%s", loop_daemon_socket());
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0777);
}

#define THREADS 8
#define HANDSHAKES 150

static atomic_uint n_done, n_failed, n_wrong;

static void *many(void *unused)
{
    (void)unused;
    for (int i = 0; i < HANDSHAKES; i++) {
        struct loop loop = {.client_flags = ISC_REQ_CONFIDENTIALITY};
        memset(&loop.client_credential, 0xff, sizeof(CredHandle));
        memset(&loop.server_credential, 0xff, sizeof(CredHandle));
        loop_acquire(&loop);
        bool acquired = loop.client_status == SEC_E_OK && loop.server_status == SEC_E_OK;
        struct loop run = loop;
        run.keep_credentials = true;
        if (acquired && loop_run(&run)) {
            n_done++;
            if (loop_seal(&run.client, &run.server, "established contexts live on") != SEC_E_OK)
                n_wrong++;
        } else {
            n_failed++;
            SECURITY_STATUS status = !acquired && loop.client_status != SEC_E_OK ? loop.client_status
                                     : !acquired                                 ? loop.server_status
                                     : run.client_status < 0                     ? run.client_status
                                                                                 : run.server_status;
            if (status != SEC_E_NO_AUTHENTICATING_AUTHORITY)
                n_wrong++;
        }
        run.keep_credentials = true;
        loop_end(&run);
        FreeCredentialsHandle(&loop.client_credential);
        FreeCredentialsHandle(&loop.server_credential);
    }
    return NULL;
}

/* Killed in the middle of a thousand handshakes: each ends well, or with the one error that says why; nothing hangs; the next daemon serves. */
static void test_killed(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct loop before = {.client_flags = ISC_REQ_CONFIDENTIALITY}, after;
    assert_true(loop_run(&before));
    CredHandle server = before.server_credential;
    n_done = n_failed = n_wrong = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, NULL), 0);
    for (int kill = 0; kill < 5; kill++) {
        unsigned until = n_done + n_failed + THREADS * HANDSHAKES / 10;
        while (n_done + n_failed < until && n_done + n_failed < THREADS * HANDSHAKES)
            usleep(500);
        lsa_daemon_kill();
        lsa_daemon_start(loop_daemon_socket());
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(n_wrong, 0);
    assert_int_equal(n_done + n_failed, THREADS * HANDSHAKES);
    assert_true(n_done > 0);
    assert_int_equal(loop_seal(&before.client, &before.server, "as if nothing had happened"), SEC_E_OK);
    /* The server's credential was got without a secret: it goes on. The client's was not, and says so. */
    after = (struct loop){.client_flags = ISC_REQ_CONFIDENTIALITY};
    loop_acquire(&after);
    FreeCredentialsHandle(&after.server_credential);
    after.server_credential = server;
    after.keep_credentials = true;
    assert_true(loop_run(&after));
    loop_end(&after);
    FreeCredentialsHandle(&after.client_credential);
    after.client_credential = before.client_credential;
    assert_false(loop_run(&after));
    assert_int_equal(after.client_status, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(OpenSspiLastErrorText(), "started anew"));
    loop_end(&after);
    loop_end(&before);
}

/* What the accounts' keeper says of the logon comes with the session. */
static void test_logon_told(void **state)
{
    struct loop loop = {0};
    SecPkgContext_UserFlags flags;
    SecPkgContext_LogoffTime logoff;
    (void)state;
    assert_true(loop_run(&loop));
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_USER_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.UserFlags, LOGON_NTLMV2_ENABLED | LOGON_NT_V2);
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_LOGOFF_TIME, &logoff), SEC_E_OK);
    assert_true(logoff.tsLogoffTime.QuadPart == INT64_MAX);
    loop_end(&loop);
}

/* Without a daemon: an error at once that says where it was looked for; "auto" goes on in the process. */
static void test_absent(void **state)
{
    (void)state;
    struct loop loop = {0};
    lsa_daemon_stop();
    loop_acquire(&loop);
    assert_int_equal(loop.client_status, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_non_null(strstr(OpenSspiLastErrorText(), loop_daemon_socket()));
    char extra[256];
    snprintf(extra, sizeof extra, "[lsa]\nmode = auto\nsocket = %s\n", loop_daemon_socket());
    loop_configure(extra);
    assert_true(loop_run(&loop));
    loop_end(&loop);
    loop_daemon_configure("answer_seconds = 20\n");
    lsa_daemon_start(loop_daemon_socket());
    assert_true(loop_run(&loop));
    loop_end(&loop);
}

static void test_lsa_handles(void **state)
{
    (void)state;
    HANDLE lsa = NULL, other = NULL;
    ULONG number = 99;
    char negotiate[] = "Negotiate", msv[] = MSV1_0_PACKAGE_NAME, none[] = "none";
    LSA_STRING name = {9, 9, negotiate};
    assert_int_equal(LsaConnectUntrusted(NULL), (NTSTATUS)0xC000000D);
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    assert_int_equal(LsaConnectUntrusted(&other), 0);
    assert_ptr_not_equal(lsa, other);
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), 0);
    assert_int_equal(number, 0);
    name = (LSA_STRING){(USHORT)strlen(msv), (USHORT)strlen(msv), msv};
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), 0);
    assert_int_equal(number, 2);
    name = (LSA_STRING){4, 4, none};
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), (NTSTATUS)0xC00000FE);
    ULONG message = 12345;
    void *answer = &message;
    NTSTATUS protocol = 0;
    assert_int_equal(LsaCallAuthenticationPackage(lsa, 77, &message, 4, &answer, &number, &protocol),
                     (NTSTATUS)0xC00000FE);
    assert_int_equal(LsaCallAuthenticationPackage(lsa, 0, NULL, 4, &answer, &number, &protocol), (NTSTATUS)0xC000000D);
    assert_int_equal(LsaCallAuthenticationPackage(lsa, 0, &message, 4, &answer, &number, &protocol), 0);
    assert_int_equal(protocol, (NTSTATUS)0xC00000BB);
    assert_null(answer);
    NEGOTIATE_CALLER_NAME_REQUEST who = {.MessageType = NegGetCallerName};
    NEGOTIATE_CALLER_NAME_RESPONSE *told = NULL;
    LUID luid;
    assert_int_equal(log_on("carol", "EXAMPLE", Interactive, false, &luid), 0);
    assert_int_equal(LsaCallAuthenticationPackage(lsa, 0, &who, sizeof who, (void **)&told, &number, &protocol), 0);
    assert_int_equal(protocol, 0);
    assert_memory_equal(told->CallerName, u"EXAMPLE\\carol", 28);
    assert_int_equal(LsaFreeReturnBuffer(told), 0);
    assert_int_equal(LsaFreeReturnBuffer(&message), (NTSTATUS)0xC000000D);
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
    assert_int_equal(LsaDeregisterLogonProcess(lsa), (NTSTATUS)0xC0000008);
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), (NTSTATUS)0xC0000008);
    assert_int_equal(LsaDeregisterLogonProcess(other), 0);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC000006D), 1326);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC0FFEE00), 317);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC00000A7),
                     1348); /* what each function here answers has a number */
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0xC0000034), 2);
    assert_int_equal(LsaNtStatusToWinError((NTSTATUS)0x00000105), 234);
}

/* The structure's strings must lie in it. */
static void test_logon_bounds(void **state)
{
    (void)state;
    struct logon_block block = {.logon = {.MessageType = MsV1_0InteractiveLogon}};
    HANDLE lsa, token;
    ULONG len;
    LUID luid;
    void *profile;
    NTSTATUS reason;
    QUOTA_LIMITS quotas;
    TOKEN_SOURCE source = {{0}, {0, 0}};
    uint16_t outside[16] = {'a'};
    ascii_put(&block.logon.UserName, block.user, "alice");
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    block.logon.Password = (UNICODE_STRING){20, 20, (PWSTR)outside};
    assert_int_equal(LsaLogonUser(lsa, NULL, Interactive, 2, &block, sizeof block, NULL, &source, &profile, &len, &luid,
                                  &token, &quotas, &reason),
                     (NTSTATUS)0xC000000D);
    block.logon.Password = (UNICODE_STRING){20, 20, (PWSTR)(void *)(block.password + 20)}; /* ends outside */
    assert_int_equal(LsaLogonUser(lsa, NULL, Interactive, 2, &block, sizeof block, NULL, &source, &profile, &len, &luid,
                                  &token, &quotas, &reason),
                     (NTSTATUS)0xC000000D);
    assert_int_equal(LsaLogonUser(lsa, NULL, Interactive, 2, &block, sizeof block.logon - 1, NULL, &source, &profile,
                                  &len, &luid, &token, &quotas, &reason),
                     (NTSTATUS)0xC000000D);
    block.logon.MessageType = MsV1_0NetworkLogon; /* another structure */
    assert_int_equal(LsaLogonUser(lsa, NULL, Network, 2, &block, sizeof(MSV1_0_LM20_LOGON) - 1, NULL, &source, &profile,
                                  &len, &luid, &token, &quotas, &reason),
                     (NTSTATUS)0xC000000D);
    block.logon.MessageType = MsV1_0SubAuthLogon;
    assert_int_equal(LsaLogonUser(lsa, NULL, Network, 2, &block, sizeof block, NULL, &source, &profile, &len, &luid,
                                  &token, &quotas, &reason),
                     (NTSTATUS)0xC00000A7);
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets),     cmocka_unit_test(test_logon),
        cmocka_unit_test(test_two_users),   cmocka_unit_test(test_two_users_at_once),
        cmocka_unit_test(test_fork),        cmocka_unit_test(test_fork_in_a_handshake),
        cmocka_unit_test(test_privileges),  cmocka_unit_test(test_killed),
        cmocka_unit_test(test_logon_told),  cmocka_unit_test(test_absent),
        cmocka_unit_test(test_lsa_handles), cmocka_unit_test(test_logon_bounds),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, begin, loop_teardown);
}
