/* The daemon and credentials of no identity, or of one that only lists packages: prompts, the daemon's death, empty names. */
#include "support/lsa_daemon.h"
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <win32/winbase.h>

static char askpass[128], negotiate[] = "Negotiate", target[] = "test/server";

static void file_write(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

#define ANSWERS "case $1 in User*) echo alice;; *) echo 'Password1!';; esac"

static void askpass_set(const char *does)
{
    char text[256];
    snprintf(text, sizeof text, "#!/bin/sh\necho \"$1\" >> \"$0.log\"\n%s\n", does);
    file_write(askpass, text, 0700);
}

static int begin(void **state)
{
    char more[256], path[128];
    (void)state;
    loop_configure(NULL); /* makes the directory */
    snprintf(askpass, sizeof askpass, "%s/askpass", loop_directory());
    askpass_set(ANSWERS);
    snprintf(path, sizeof path, "%s/krb5.conf", loop_directory());
    file_write(path, "[libdefaults]\ndns_lookup_kdc = false\ndns_lookup_realm = false\n", 0644);
    setenv("KRB5_CONFIG", path, 1); /* no realm has a KDC */
    setenv("KRB5CCNAME", "MEMORY:nobody", 1);
    snprintf(more, sizeof more, "answer_seconds = 20\n[credentials]\naskpass = %s\n", askpass);
    loop_daemon_configure(more);
    loop_daemon_start();
    return 0;
}

/* Was somebody asked for a name or a password since the last time? */
static unsigned questions(void)
{
    char path[140], line[256];
    unsigned n_questions = 0;
    snprintf(path, sizeof path, "%s.log", askpass);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        n_questions++;
    fclose(file);
    unlink(path);
    return n_questions;
}

/* An identity without a password, with what is not NULL. */
static CredHandle acquire(ULONG use, const char *user, const char *list)
{
    CredHandle credential = {0};
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
                                            .User = (unsigned char *)(uintptr_t)user,
                                            .UserLength = user != NULL ? (ULONG)strlen(user) : 0,
                                            .PackageList = (unsigned char *)(uintptr_t)list,
                                            .PackageListLength = list != NULL ? (ULONG)strlen(list) : 0};
    assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, use, NULL, &identity, NULL, NULL, &credential, NULL),
                     SEC_E_OK);
    return credential;
}

static SECURITY_STATUS first_step(CredHandle *credential, ULONG flags, bool *ntlm)
{
    unsigned char token[4096];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc out = {SECBUFFER_VERSION, 1, &buffer};
    CtxtHandle context;
    ULONG granted;
    SECURITY_STATUS status = InitializeSecurityContextA(credential, NULL, target, ISC_REQ_INTEGRITY | flags, 0,
                                                        SECURITY_NATIVE_DREP, NULL, 0, &context, &out, &granted, NULL);
    *ntlm = false;
    if (status < 0)
        return status;
    for (ULONG i = 0; i + 8 <= buffer.cbBuffer; i++)
        *ntlm = *ntlm || memcmp(token + i, "NTLMSSP", 8) == 0;
    DeleteSecurityContext(&context);
    return status;
}

/* The list of packages holds whoever answers the prompt. */
static void test_prompt_keeps_the_list(void **state)
{
    (void)state;
    bool ntlm;
    CredHandle without = acquire(SECPKG_CRED_OUTBOUND, NULL, "!NTLM"),
               with = acquire(SECPKG_CRED_OUTBOUND, NULL, "NTLM");
    assert_int_equal(first_step(&with, 0, &ntlm), SEC_E_NO_CREDENTIALS); /* nobody's session, and nobody is asked */
    assert_int_equal(questions(), 0);
    assert_int_equal(first_step(&with, ISC_REQ_PROMPT_FOR_CREDS, &ntlm), SEC_I_CONTINUE_NEEDED);
    assert_true(ntlm);
    assert_int_equal(questions(), 2);
    assert_true(first_step(&without, ISC_REQ_PROMPT_FOR_CREDS, &ntlm) < 0);
    assert_int_equal(questions(), 2);
    FreeCredentialsHandle(&without);
    FreeCredentialsHandle(&with);
}

/* Nobody answers: that is why there are no credentials. Without a question it is that there is no session. */
static void test_causes(void **state)
{
    (void)state;
    bool ntlm;
    CredHandle nobody = acquire(SECPKG_CRED_OUTBOUND, NULL, "!NTLM"),
               dave = acquire(SECPKG_CRED_OUTBOUND, "dave", "!NTLM");
    askpass_set("exit 1");
    assert_int_equal(first_step(&nobody, ISC_REQ_PROMPT_FOR_CREDS, &ntlm), SEC_E_NO_CREDENTIALS);
    assert_string_equal(OpenSspiLastErrorText(), "nobody answered the question for a user name");
    assert_int_equal(first_step(&dave, ISC_REQ_PROMPT_FOR_CREDS, &ntlm), SEC_E_NO_CREDENTIALS);
    assert_string_equal(OpenSspiLastErrorText(), "nobody answered the question for a password");
    assert_int_equal(questions(), 2);
    askpass_set(ANSWERS);
    assert_int_equal(first_step(&nobody, 0, &ntlm), SEC_E_NO_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "has no logon session with the security authority"));
    assert_int_equal(questions(), 0);
    FreeCredentialsHandle(&nobody);
    FreeCredentialsHandle(&dave);
}

/* An empty name beside a list is none: it is asked for. Alone it says that nobody is meant, and nobody is asked. */
static void test_empty_names(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        struct loop loop = {.package = "Negotiate", .keep_credentials = true, .client_flags = ISC_REQ_PROMPT_FOR_CREDS};
        SecPkgContext_NamesA who = {0};
        loop.client_credential = acquire(SECPKG_CRED_OUTBOUND, names[i], "NTLM");
        loop.server_credential = acquire(SECPKG_CRED_INBOUND, NULL, "NTLM");
        assert_true(loop_run(&loop));
        assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &who), SEC_E_OK);
        assert_string_equal(who.sUserName, "EXAMPLE\\alice");
        FreeContextBuffer(who.sUserName);
        assert_int_equal(questions(), 2);
        loop.keep_credentials = false;
        loop_end(&loop);
    }
    struct loop loop = {.package = "Negotiate", .keep_credentials = true, .client_flags = ISC_REQ_PROMPT_FOR_CREDS};
    loop.client_credential = acquire(SECPKG_CRED_OUTBOUND, "", NULL);
    loop.server_credential = acquire(SECPKG_CRED_INBOUND, NULL, "NTLM");
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_LOGON_DENIED);
    assert_int_equal(questions(), 0);
    loop.keep_credentials = false;
    loop_end(&loop);
}

/* Nothing of such a credential is lost with the daemon: the next one gives the same, with the same list. */
static void test_daemon_started_anew(void **state)
{
    (void)state;
    bool ntlm;
    struct loop loop = {.package = "Negotiate", .keep_credentials = true, .client_flags = ISC_REQ_PROMPT_FOR_CREDS};
    CredHandle without = acquire(SECPKG_CRED_OUTBOUND, NULL, "!NTLM");
    loop.client_credential = acquire(SECPKG_CRED_OUTBOUND, NULL, "NTLM");
    loop.server_credential = acquire(SECPKG_CRED_INBOUND, NULL, "NTLM");
    for (int i = 0; i < 2; i++) {
        SecPkgCredentials_NamesA names = {0};
        assert_true(loop_run(&loop));
        DeleteSecurityContext(&loop.client);
        DeleteSecurityContext(&loop.server);
        loop.client = loop.server = (CtxtHandle){0};
        assert_true(first_step(&without, ISC_REQ_PROMPT_FOR_CREDS, &ntlm) < 0);
        assert_null(strstr(OpenSspiLastErrorText(), "started anew"));
        lsa_daemon_kill();
        lsa_daemon_start(loop_daemon_socket());
        assert_int_equal(QueryCredentialsAttributesA(&loop.client_credential, SECPKG_CRED_ATTR_NAMES, &names),
                         SEC_E_OK);
        FreeContextBuffer(names.sUserName);
    }
    assert_true(loop_run(&loop));
    loop.keep_credentials = false;
    loop_end(&loop);
    FreeCredentialsHandle(&without);
    assert_int_equal(questions(), 2 * 5); /* of each handshake */
}

static SECURITY_STATUS proxy_set(CredHandle *credential)
{
    struct {
        SecPkgCredentials_KdcProxySettingsW settings;
        uint16_t server[17];
    } block = {.settings = {.Version = KDC_PROXY_SETTINGS_V1,
                            .ProxyServerOffset = offsetof(__typeof__(block), server),
                            .ProxyServerLength = sizeof block.server},
               .server = u"proxy.example:443"};
    return SetCredentialsAttributesW(credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, &block, sizeof block);
}

/* A setting is the first thing that the new one hears of. What it then has nobody else can give: it is lost with the next. */
static void test_set_after_the_daemon_was_started_anew(void **state)
{
    (void)state;
    SecPkgCredentials_NamesA names = {0};
    CredHandle credential = acquire(SECPKG_CRED_OUTBOUND, NULL, "Kerberos");
    lsa_daemon_kill();
    lsa_daemon_start(loop_daemon_socket());
    if (proxy_set(&credential) != SEC_E_OK)
        fail_msg("%s", OpenSspiLastErrorText());
    assert_int_equal(proxy_set(&credential), SEC_E_OK);
    lsa_daemon_kill();
    lsa_daemon_start(loop_daemon_socket());
    assert_int_equal(proxy_set(&credential), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names),
                     SEC_E_NO_AUTHENTICATING_AUTHORITY);
    FreeCredentialsHandle(&credential);
}

/* Nobody's tickets purged and listed is success, and leaves no words of a failure. */
static void test_tickets_of_nobody(void **state)
{
    static const KERB_PROTOCOL_MESSAGE_TYPE messages[] = {KerbPurgeTicketCacheMessage, KerbQueryTicketCacheMessage};
    char package[] = "Kerberos";
    LSA_STRING name = {8, 8, package};
    HANDLE lsa;
    ULONG number;
    (void)state;
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), 0);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        KERB_PURGE_TKT_CACHE_REQUEST purge = {.MessageType = messages[i]};
        KERB_QUERY_TKT_CACHE_REQUEST query = {.MessageType = messages[i]};
        bool purges = messages[i] == KerbPurgeTicketCacheMessage;
        void *answer = NULL;
        ULONG answer_len;
        NTSTATUS reason;
        assert_int_equal(LsaCallAuthenticationPackage(lsa, number, purges ? (void *)&purge : (void *)&query,
                                                      purges ? sizeof purge : sizeof query, &answer, &answer_len,
                                                      &reason),
                         0);
        assert_int_equal(reason, 0);
        assert_string_equal(OpenSspiLastErrorText(), "");
        LsaFreeReturnBuffer(answer);
    }
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

/* Who has a session with the daemon has default credentials of it, but not where the program forbids them. */
static void test_forbidden_defaults(void **state)
{
    static const ULONG forbids[] = {SECPKG_CRED_AUTOLOGON_RESTRICTED, SECPKG_CRED_PROCESS_POLICY_ONLY};
    struct {
        MSV1_0_INTERACTIVE_LOGON logon;
        uint16_t user[5], domain[7], password[10];
    } block = {.logon = {.MessageType = MsV1_0InteractiveLogon},
               .user = u"alice",
               .domain = u"EXAMPLE",
               .password = u"Password1!"};
    char package[] = "NTLM";
    LSA_STRING name = {4, 4, package};
    TOKEN_SOURCE source = {.SourceName = "test"};
    CredHandle credential;
    HANDLE lsa, token;
    ULONG number;
    NTSTATUS reason;
    LUID luid;
    bool ntlm;
    (void)state;
    block.logon.UserName = (UNICODE_STRING){sizeof block.user, sizeof block.user, (PWSTR)block.user};
    block.logon.LogonDomainName = (UNICODE_STRING){sizeof block.domain, sizeof block.domain, (PWSTR)block.domain};
    block.logon.Password = (UNICODE_STRING){sizeof block.password, sizeof block.password, (PWSTR)block.password};
    assert_int_equal(LsaConnectUntrusted(&lsa), 0);
    assert_int_equal(LsaLookupAuthenticationPackage(lsa, &name, &number), 0);
    assert_int_equal(LsaLogonUser(lsa, &name, NewCredentials, number, &block, sizeof block, NULL, &source, NULL, NULL,
                                  &luid, &token, NULL, &reason),
                     0);
    assert_int_equal(
        AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL),
        SEC_E_OK);
    assert_int_equal(first_step(&credential, 0, &ntlm), SEC_I_CONTINUE_NEEDED);
    FreeCredentialsHandle(&credential);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_OUTBOUND | forbids[i], NULL, NULL, NULL,
                                                   NULL, &credential, NULL),
                         SEC_E_NO_CREDENTIALS);
    assert_true(CloseHandle(token));
    assert_int_equal(LsaDeregisterLogonProcess(lsa), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_keeps_the_list),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_empty_names),
        cmocka_unit_test(test_daemon_started_anew),
        cmocka_unit_test(test_set_after_the_daemon_was_started_anew),
        cmocka_unit_test(test_tickets_of_nobody),
        cmocka_unit_test(test_forbidden_defaults), /* last: its session stays */
    };
    return cmocka_run_group_tests(tests, begin, loop_teardown);
}
