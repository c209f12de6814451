/*
 * CredSSP's client and server against each other: both TLS versions, tokens in pieces, what the server is handed, messages afterwards, and refusals.
 * build: all
 */
#include "support/credssp_loop.h"
#include "support/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <win32/securitybaseapi.h>

static struct wire text;

static struct loop_pair *acquired(const struct credssp_who *who, DWORD protocols)
{
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, who, protocols & SP_PROT_TLS1_X_CLIENT, 0), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, protocols & SP_PROT_TLS1_X_SERVER), SEC_E_OK);
    return pair;
}

static void talk_one(struct side *from, struct side *to, const char *words)
{
    text.len = 0;
    assert_int_equal(side_send(from, words, strlen(words), &to->in), SEC_E_OK);
    assert_int_equal(side_receive_text(to, from, &text), SEC_E_OK);
    assert_int_equal(text.len, strlen(words));
    assert_memory_equal(text.data, words, text.len);
    assert_int_equal(to->in.len, 0);
}

static void talk(struct loop_pair *pair)
{
    talk_one(&pair->client, &pair->server, "to the server");
    talk_one(&pair->server, &pair->client, "to the client");
    talk_one(&pair->client, &pair->server, "and again");
}

static void handed_is(struct loop_pair *pair, const char *user, const char *domain, const char *password)
{
    SecPkgContext_ClientCreds creds;
    PCWSTR user_w = NULL, domain_w = NULL, packed_w = NULL;
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_CREDS, &creds), SEC_E_OK);
    assert_int_equal(SspiEncodeAuthIdentityAsStrings(creds.AuthBuffer, &user_w, &domain_w, &packed_w), SEC_E_OK);
    const char *expected[] = {user, domain, password};
    PCWSTR got[] = {user_w, domain_w, packed_w};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(expected[i]);
        for (size_t j = 0; j <= len; j++)
            assert_int_equal(got[i][j], (unsigned char)expected[i][j]);
        SspiLocalFree((void *)(uintptr_t)got[i]);
    }
    assert_int_equal(FreeContextBuffer(creds.AuthBuffer), SEC_E_OK);
}

static void one(DWORD protocols, size_t piece)
{
    struct loop_pair *pair = acquired(NULL, protocols);
    pair->piece = piece;
    assert_true(pair_run(pair));
    assert_int_equal(pair->server.attributes & ASC_RET_DELEGATE, ASC_RET_DELEGATE);
    assert_int_equal(pair->client.attributes & ISC_RET_DELEGATE, ISC_RET_DELEGATE);
    handed_is(pair, "alice", "EXAMPLE", "Password1!");
    talk(pair);
    pair_free(pair);
}

static void test_tls_1_2(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_2, 0);
}

static void test_tls_1_3(void **state)
{
    (void)state;
    one(SP_PROT_TLS1_3, 0);
}

static void test_pieces(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 3, 7, 100, 1000};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        one(SP_PROT_TLS1_2, pieces[i]);
        one(SP_PROT_TLS1_3, pieces[i]);
    }
}

static void test_wrong_password(void **state)
{
    (void)state;
    struct credssp_who who = {.password = "wrong"};
    struct loop_pair *pair = acquired(&who, 0);
    pair->server.flags |= ASC_REQ_EXTENDED_ERROR;
    assert_false(pair_run(pair));
    assert_int_equal(pair->server.status, SEC_E_LOGON_DENIED);
    assert_true(pair->client.in.len > 0);
    assert_int_equal(side_step(&pair->client), SEC_E_LOGON_DENIED);
    assert_int_equal(side_step(&pair->client), SEC_E_OUT_OF_SEQUENCE);
    pair_free(pair);
}

/* Without ISC_REQ_DELEGATE the server gets nothing, as in Restricted Admin mode. */
static void test_nothing_handed(void **state)
{
    (void)state;
    SecPkgContext_ClientCreds creds;
    struct loop_pair *pair = acquired(NULL, 0);
    pair->client.flags &= ~(ULONG)ISC_REQ_DELEGATE;
    pair->client.target = "HTTP/server.test"; /* which no policy names */
    assert_true(pair_run(pair));
    assert_int_equal(pair->client.attributes & ISC_RET_DELEGATE, 0);
    assert_int_equal(pair->server.attributes & ASC_RET_DELEGATE, 0);
    CtxtHandle *server = &pair->server.context;
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS, &creds), SEC_E_NO_CREDENTIALS);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS_2, &creds), SEC_E_NO_CREDENTIALS);
    talk(pair);
    pair_free(pair);
}

/* NTLM's tokens as they are. */
static void test_without_spnego(void **state)
{
    (void)state;
    struct credssp_who who = {.packages = "ntlm"};
    struct loop_pair *pair = acquired(&who, 0);
    assert_true(pair_run(pair));
    SecPkgContext_PackageInfoA info;
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_NEGOTIATION_PACKAGE, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "NTLM");
    FreeContextBuffer(info.PackageInfo);
    assert_true(credssp_token_is_of_ntlm(&pair->server.context));
    talk(pair);
    pair_free(pair);
}

/* Before the end and after a failure there is no token, by whichever of its names it is asked for. */
static void no_token_yet(const struct side *side)
{
    static const ULONG tokens[] = {SECPKG_ATTR_ACCESS_TOKEN, SECPKG_ATTR_C_ACCESS_TOKEN,
                                   SECPKG_ATTR_C_FULL_ACCESS_TOKEN};
    for (size_t i = 0; side->has_context && i < sizeof tokens / sizeof tokens[0]; i++) {
        SecPkgContext_AccessToken token = {0};
        CtxtHandle context = side->context;
        assert_int_equal(QueryContextAttributesA(&context, tokens[i], &token), SEC_E_NO_IMPERSONATION);
        assert_string_equal(OpenSspiLastErrorText(), "this CREDSSP context is not established");
        assert_null(token.AccessToken);
    }
}

static void test_token_before_end(void **state)
{
    (void)state;
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct credssp_who who = {.password = wrong != 0 ? "wrong" : NULL};
        struct loop_pair *pair = acquired(&who, 0);
        struct side *from = &pair->server, *to = &pair->client;
        unsigned asked = 0;
        do {
            side_hand_over(from, to);
            (void)side_step(to);
            if (to->status != SEC_E_OK) {
                no_token_yet(to);
                asked++;
            }
            struct side *last = from;
            from = to;
            to = last;
        } while (from->status == SEC_I_CONTINUE_NEEDED || (to->status == SEC_I_CONTINUE_NEEDED && from->out.len > 0));
        assert_true(asked > 4);
        assert_int_equal(pair->server.status, wrong != 0 ? SEC_E_LOGON_DENIED : SEC_E_OK);
        pair_free(pair);
    }
}

static void test_attributes(void **state)
{
    (void)state;
    struct loop_pair *pair = credssp_established();
    assert_non_null(pair);
    CtxtHandle *client = &pair->client.context, *server = &pair->server.context;
    SecPkgContext_PackageInfoA info;
    SecPkgContext_NamesA names;
    SecPkgContext_Flags flags;
    SecPkgContext_StreamSizes stream;
    SecPkgContext_Sizes sizes;
    SecPkgContext_ConnectionInfo connection;
    SecPkgContext_ClientCreds creds;
    SecPkgContext_NegotiationInfoA negotiation;
    CERT_TRUST_STATUS trust;
    assert_true(credssp_token_is_of_ntlm(server));
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "CREDSSP");
    assert_int_equal(info.PackageInfo->fCapabilities, 0x10733);
    assert_int_equal(info.PackageInfo->wRPCID, 0xFFFF);
    assert_int_equal(info.PackageInfo->cbMaxToken, 73032);
    FreeContextBuffer(info.PackageInfo);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_NEGOTIATION_PACKAGE, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "NTLM");
    FreeContextBuffer(info.PackageInfo);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "EXAMPLE\\alice");
    FreeContextBuffer(names.sUserName);
    static const ULONG tokens[] = {SECPKG_ATTR_ACCESS_TOKEN, SECPKG_ATTR_C_ACCESS_TOKEN,
                                   SECPKG_ATTR_C_FULL_ACCESS_TOKEN};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        SecPkgContext_AccessToken token = {0};
        assert_int_equal(QueryContextAttributesA(client, tokens[i], &token), SEC_E_NO_IMPERSONATION);
        assert_int_equal(QueryContextAttributesExA(server, tokens[i], &token, sizeof token - 1),
                         SEC_E_BUFFER_TOO_SMALL);
        assert_int_equal(QueryContextAttributesA(server, tokens[i], &token), SEC_E_OK);
        DWORD level = 0, len;
        assert_true(GetTokenInformation(token.AccessToken, TokenImpersonationLevel, &level, sizeof level, &len));
    }
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, 0); /* NTLM, and a certificate of an authority that is not trusted */
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_CERT_TRUST_STATUS, &trust), SEC_E_OK);
    assert_int_not_equal(trust.dwErrorStatus, 0);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_STREAM_SIZES, &stream), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbSecurityTrailer, stream.cbHeader + stream.cbTrailer);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_CONNECTION_INFO, &connection), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(client, SECPKG_ATTR_CREDS, &creds), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(server, SECPKG_ATTR_CREDS_2, &creds), SEC_E_OK);
    KERB_INTERACTIVE_LOGON logon;
    memcpy(&logon, creds.AuthBuffer, sizeof logon);
    assert_int_equal(logon.MessageType, KerbInteractiveLogon);
    assert_int_equal(logon.Password.Length, 20);
    size_t at = (size_t)(uintptr_t)logon.Password.Buffer;
    assert_true(at + 20 <= creds.AuthBufferLen);
    assert_memory_equal(creds.AuthBuffer + at, u"Password1!", 20);
    assert_int_equal(FreeContextBuffer(creds.AuthBuffer), SEC_E_OK);
    OPENSSPI_CLIENT_IDENTITY *identity;
    assert_int_equal(OpenSspiQueryClientIdentity(server, &identity), SEC_E_OK);
    FreeContextBuffer(identity);
    SecBuffer packed;
    assert_int_equal(ExportSecurityContext(client, 0, &packed, NULL), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
}

/* The program's own validation of TLS: a trusted certificate vouches for the server, another one ends it. */
static void test_certificates(void **state)
{
    (void)state;
    SecPkgContext_Flags flags;
    struct loop_pair *pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, SCH_CRED_AUTO_CRED_VALIDATION), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    assert_true(pair_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, CREDSSP_SERVER_AUTH_CERTIFICATE);
    assert_int_equal(pair->client.attributes & ISC_RET_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH);
    pair_restart(pair);
    pair->client.target = "TERMSRV/other.test:3389";
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_WRONG_PRINCIPAL);
    pair_free(pair);
}

/* Without TLS' own validation a certificate of a system root vouches all the same. */
static void test_trusted(void **state)
{
    (void)state;
    SecPkgContext_Flags flags;
    CERT_TRUST_STATUS trust;
    credssp_configure(credssp_roots());
    struct loop_pair *pair = credssp_established();
    assert_non_null(pair);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_SERVER_AUTH_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, CREDSSP_SERVER_AUTH_CERTIFICATE);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CERT_TRUST_STATUS, &trust), SEC_E_OK);
    assert_int_equal(trust.dwErrorStatus, 0);
    credssp_configure("");
    pair_free(pair);
}

/* The older form of the binding, by configuration alone. */
static void test_versions(void **state)
{
    (void)state;
    for (unsigned version = 2; version <= 6; version++) {
        char more[64];
        snprintf(more, sizeof more, "min_version = 2\nmax_version = %u\n", version);
        credssp_configure(more);
        struct loop_pair *old = acquired(NULL, 0);
        credssp_configure("min_version = 2\n");
        struct loop_pair *pair = acquired(NULL, 0);
        struct side swap = pair->client;
        pair->client = old->client; /* an old client, a new server */
        old->client = swap;
        assert_true(pair_run(pair));
        handed_is(pair, "alice", "EXAMPLE", "Password1!");
        assert_true(pair_run(old));
        pair_free(pair);
        pair_free(old);
        if (version < 5) {
            credssp_configure("");
            struct loop_pair *strict = acquired(NULL, 0);
            credssp_configure(more);
            pair = acquired(NULL, 0);
            swap = pair->client;
            pair->client = strict->client;
            strict->client = swap;
            assert_false(pair_run(pair));
            assert_int_equal(pair->client.status, SEC_E_UNSUPPORTED_FUNCTION);
            assert_false(pair_run(strict));
            assert_int_equal(strict->server.status, SEC_E_UNSUPPORTED_FUNCTION);
            pair_free(pair);
            pair_free(strict);
        }
    }
    static const char *const wrong[] = {"min_version = 1\n", "max_version = 7\n", "max_version = 4\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        credssp_configure(wrong[i]);
        struct loop_pair *pair = credssp_pair();
        assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, 0), SEC_E_INTERNAL_ERROR);
        pair_free(pair);
    }
    credssp_configure("");
}

static SECURITY_STATUS outcome(const char *more, const char *target, DWORD tls_flags)
{
    credssp_configure(more);
    struct loop_pair *pair = credssp_pair();
    pair->client.target = target;
    assert_int_equal(credssp_client_acquire(&pair->client, NULL, 0, tls_flags), SEC_E_OK);
    assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
    SECURITY_STATUS status = SEC_E_OK;
    if (!pair_run(pair))
        status = pair->client.status < 0 ? pair->client.status : pair->server.status;
    if (status == SEC_E_DELEGATION_POLICY)
        assert_int_equal(pair->client.out.len, 0); /* before anything was sent */
    pair_free(pair);
    credssp_configure("");
    return status;
}

static void test_policy(void **state)
{
    (void)state;
    static const char target[] = "TERMSRV/server.test";
    assert_int_equal(outcome("", target, 0), SEC_E_OK);
    assert_int_equal(outcome("", "HTTP/server.test", 0), SEC_E_DELEGATION_POLICY);
    assert_int_equal(outcome("", NULL, 0), SEC_E_DELEGATION_POLICY);
    assert_int_equal(outcome("allow_fresh = HTTP/*.test\nallow_fresh_ntlm = http/SERVER.test\n", "HTTP/server.test", 0),
                     SEC_E_OK);
    assert_int_equal(outcome("deny_fresh = *.test\n", target, 0), SEC_E_DELEGATION_POLICY);
    assert_int_equal(outcome("allow_fresh = *\nallow_fresh_ntlm = *\ndeny_fresh = x, termsrv/SERVER.*\n", target, 0),
                     SEC_E_DELEGATION_POLICY);
    assert_int_equal(outcome("allow_fresh_ntlm = none\n", target, 0), SEC_E_POLICY_NLTM_ONLY);
    assert_int_equal(outcome("allow_fresh_ntlm = none\n", target, SCH_CRED_AUTO_CRED_VALIDATION), SEC_E_OK);
    assert_int_equal(
        outcome("allow_fresh_ntlm = none\n", target, SCH_CRED_AUTO_CRED_VALIDATION | SCH_CRED_NO_SERVERNAME_CHECK),
        SEC_E_POLICY_NLTM_ONLY);
}

/* The user file's passwords have lists of their own. */
static void test_saved(void **state)
{
    (void)state;
    char path[128], more[256];
    snprintf(path, sizeof path, "%s/users", loop_directory());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("OTHER:eve:Wrong1!\nEXAMPLE:alice:Password1!\n", file);
    fclose(file);
    chmod(path, 0600);
    /* with an identity that only lists packages or says which domain, too: these are not the program's own credentials */
    static const struct credssp_who identities[] = {
        {.unproved = true, .domain = "EXAMPLE"},
        {.unproved = true, .domain = "EXAMPLE", .packages = "ntlm"},
        {.unproved = true, .domain = "EXAMPLE", .packages = "negotiate,ntlm"}};
    for (int i = 0; i < 6; i++) {
        int allowed = i % 2;
        snprintf(more, sizeof more, "%s[credentials]\nuser_file = %s\n",
                 allowed ? "allow_saved_ntlm = TERMSRV/*\n" : "", path);
        credssp_configure(more);
        struct loop_pair *pair = acquired(&identities[i / 2], 0);
        assert_int_equal(pair_run(pair), allowed);
        assert_int_equal(pair->client.attributes & ISC_RET_USED_SUPPLIED_CREDS, 0);
        if (allowed)
            handed_is(pair, "alice", "EXAMPLE", "Password1!");
        else
            assert_int_equal(pair->client.status, SEC_E_POLICY_NLTM_ONLY);
        pair_free(pair);
    }
    struct credssp_who none = {.none = true}, forbidden = {.unproved = true, .packages = "!ntlm"},
                       nobody = {.unproved = true, .user = ""};
    struct loop_pair *pair = acquired(&none, 0); /* the first line's, who has no such password here */
    assert_false(pair_run(pair));
    assert_int_equal(pair->server.status, SEC_E_LOGON_DENIED);
    pair_free(pair);
    pair = credssp_pair();
    assert_int_equal(credssp_client_acquire(&pair->client, &forbidden, 0, 0), SEC_E_NO_CREDENTIALS);
    pair_free(pair);
    pair = acquired(&nobody, 0);
    assert_false(pair_run(pair));
    assert_int_equal(pair->client.status, SEC_E_NO_CREDENTIALS); /* nobody's password is not the file's */
    pair_free(pair);
    credssp_configure("");
}

/* What policy keeps out of Negotiate is not let in where one package goes without it. */
static void test_package_policy(void **state)
{
    (void)state;
    static const struct {
        const char *negotiate, *packages;
        SECURITY_STATUS expected;
    } cases[] = {
        {"ntlm_fallback = no\n", "ntlm", SEC_E_OK}, /* named */
        {"ntlm_fallback = no\n", "!kerberos", SEC_E_NO_CREDENTIALS},
        {"packages = Kerberos\n", "ntlm", SEC_E_NO_CREDENTIALS},
        {"packages = NTLM\n", "!kerberos", SEC_E_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char config[128];
        struct credssp_who who = {.packages = cases[i].packages};
        struct loop_pair *pair = credssp_pair();
        snprintf(config, sizeof config, "[ntlm]\ntargets = server.test\n[negotiate]\n%s", cases[i].negotiate);
        loop_configure(config);
        assert_int_equal(credssp_client_acquire(&pair->client, &who, 0, 0), cases[i].expected);
        pair_free(pair);
    }
    credssp_configure("");
}

/* TLS sessions are not taken up again (MS-CSSP 3.1.5, step 1): each handshake shows the server's key anew. */
static void test_no_resumption(void **state)
{
    (void)state;
    static const DWORD protocols[] = {SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        struct loop_pair *pair = acquired(NULL, protocols[i]);
        for (int round = 0; round < 2; round++) {
            SecPkgContext_SessionInfo info;
            pair_restart(pair);
            assert_true(pair_run(pair));
            talk(pair);
            assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_SESSION_INFO, &info), SEC_E_OK);
            assert_int_equal(info.dwFlags & SSL_SESSION_RECONNECT, 0);
        }
        pair_free(pair);
    }
}

/* Stream packages may be given another credential on a later leg. CredSSP goes on with the one that it began with, which lives as long. */
static void test_other_credential(void **state)
{
    (void)state;
    struct credssp_who wrong = {.user = "bob", .password = "wrong"};
    for (int server = 0; server < 2; server++) {
        struct loop_pair *pair = acquired(NULL, 0);
        struct side *changed = server ? &pair->server : &pair->client;
        side_step(&pair->client);
        if (server) {
            wire_put(&pair->server.in, pair->client.out.data, pair->client.out.len);
            pair->client.out.len = 0;
            assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
        }
        assert_int_equal(FreeCredentialsHandle(&changed->credential), SEC_E_OK);
        if (server)
            assert_int_equal(credssp_server_acquire(changed, 0), SEC_E_OK);
        else
            assert_int_equal(credssp_client_acquire(changed, &wrong, 0, 0), SEC_E_OK);
        assert_true(pair_go_on(pair));
        assert_int_equal(FreeCredentialsHandle(&changed->credential), SEC_E_OK);
        changed->credential = (CredHandle){0, 0};
        handed_is(pair, "alice", "EXAMPLE", "Password1!");
        talk(pair);
        pair_free(pair);
    }
}

static void test_credentials(void **state)
{
    (void)state;
    static char name[] = CREDSSP_NAME_A;
    CredHandle handle;
    CREDSSP_CRED cred = {.Type = CredsspPasswordCreds};
    CREDSSP_CRED_EX ex = {.Type = CredsspCredEx, .Cred = cred};
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &handle, NULL);
    assert_int_equal(status, SEC_E_NO_CREDENTIALS);
    status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_BOTH, NULL, &cred, NULL, NULL, &handle, NULL);
    assert_int_equal(status, SEC_E_NO_CREDENTIALS);
    cred.Type = (CREDSPP_SUBMIT_TYPE)7;
    cred.pSpnegoCred = ex.Cred.pSpnegoCred =
        (void *)(uintptr_t)16; /* of a structure that is not known nothing is looked at */
    status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &cred, NULL, NULL, &handle, NULL);
    assert_int_equal(status, SEC_E_UNKNOWN_CREDENTIALS);
    ex.Flags = 2;
    status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &ex, NULL, NULL, &handle, NULL);
    assert_int_equal(status, SEC_E_UNKNOWN_CREDENTIALS);
    ex.Flags = 0;
    ex.Version = 1;
    status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &ex, NULL, NULL, &handle, NULL);
    assert_int_equal(status, SEC_E_UNKNOWN_CREDENTIALS);
}

/* Each Type: who signs on, and what is handed over. */
static void test_types(void **state)
{
    (void)state;
    static char name[] = CREDSSP_NAME_A;
    static const CREDSPP_SUBMIT_TYPE with_identity[] = {CredsspPasswordCreds, CredsspCertificateCreds,
                                                        CredsspSubmitBufferBoth, CredsspSubmitBufferBothOld};
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of("alice", "EXAMPLE", "Password1!");
    for (size_t i = 0; i < sizeof with_identity / sizeof with_identity[0]; i++)
        for (int wrapped = 0; wrapped < 2; wrapped++) {
            CREDSSP_CRED_EX ex = {.Type = CredsspCredEx, .Cred = {.Type = with_identity[i], .pSpnegoCred = &identity}};
            struct loop_pair *pair = credssp_pair();
            assert_int_equal(AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL,
                                                       wrapped ? (void *)&ex : (void *)&ex.Cred, NULL, NULL,
                                                       &pair->client.credential, NULL),
                             SEC_E_OK);
            assert_int_equal(credssp_server_acquire(&pair->server, 0), SEC_E_OK);
            assert_true(pair_run(pair));
            handed_is(pair, "alice", "EXAMPLE", "Password1!");
            pair_free(pair);
        }
    /* This one has no identity: what the pointer names is not looked at, and nobody is there who could sign on. */
    CREDSSP_CRED cred = {.Type = CredsspSchannelCreds, .pSpnegoCred = (void *)(uintptr_t)16};
    struct loop_pair *pair = credssp_pair();
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &cred, NULL, NULL,
                                                       &pair->client.credential, NULL);
    if (status == SEC_E_OK)
        status = side_step(&pair->client);
    assert_int_equal(status, SEC_E_NO_CREDENTIALS);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_tls_1_2),
        cmocka_unit_test(test_tls_1_3),        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_wrong_password), cmocka_unit_test(test_nothing_handed),
        cmocka_unit_test(test_without_spnego), cmocka_unit_test(test_token_before_end),
        cmocka_unit_test(test_attributes),     cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_trusted),        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_policy),         cmocka_unit_test(test_saved),
        cmocka_unit_test(test_credentials),    cmocka_unit_test(test_other_credential),
        cmocka_unit_test(test_no_resumption),  cmocka_unit_test(test_package_policy),
    };
    credssp_configure("");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
