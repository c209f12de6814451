/*
 * HTTP Digest between our client and our server: every algorithm, both qualities of protection, names in all spellings, later requests, and what the
 * attributes say.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/time.h"
#include "crypto/http_digest.h"
#include "base/memory.h"
#include "support/digest_loop.h"
#include "support/lsa_daemon.h"
#include "support/wide.h"
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <win32/sddl.h>
#include <win32/securitybaseapi.h>

static struct digest_side client, server;
static const struct digest_call get = {.flags = DIGEST_HTTP, .target = "/dir/index.html?q=\"1\"", .method = "GET"};
static const struct digest_call got = {.flags = DIGEST_HTTP, .method = "GET", .uri = "/dir/index.html?q=\"1\""};

static int begin(void **state)
{
    (void)state;
    return digest_sides(&client, &server, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    filetime_fix(0);
    digest_side_end(&client);
    digest_side_end(&server);
    return 0;
}

static void forget(void)
{
    digest_forget(&client);
    digest_forget(&server);
}

static void reconfigure(const char *extra)
{
    assert_true(digest_sides(&client, &server, extra));
}

static void assert_client_name(const char *expected)
{
    SecPkgContext_NamesA names = {0};
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, expected);
    FreeContextBuffer(names.sUserName);
}

static void test_usual(void **state)
{
    char value[128];
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
    assert_true((client.attributes & ISC_RET_REPLAY_DETECT) != 0);
    assert_true((client.attributes & (ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY | ISC_RET_MUTUAL_AUTH)) == 0);
    assert_true((server.attributes & ASC_RET_REPLAY_DETECT) != 0);
    assert_true(digest_value(client.token, "algorithm", value, sizeof value));
    assert_string_equal(value, "SHA-256");
    assert_true(digest_value(client.token, "qop", value, sizeof value));
    assert_string_equal(value, "auth");
    assert_true(digest_value(server.token, "rspauth", value, sizeof value));
    assert_int_equal(strlen(value), 64);
}

static void test_algorithms(void **state)
{
    static const char *const names[] = {"MD5",          "MD5-sess",    "SHA-256",
                                        "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (int integrity = 0; integrity < 2; integrity++) {
            char extra[64], value[128];
            struct digest_call ours = get, theirs = got;
            snprintf(extra, sizeof extra, "algorithms = %s\n", names[i]);
            reconfigure(extra);
            if (integrity) {
                ours.flags |= ISC_REQ_INTEGRITY;
                theirs.flags |= ASC_REQ_INTEGRITY;
            }
            assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
            assert_true(digest_value(client.token, "algorithm", value, sizeof value));
            assert_string_equal(value, names[i]);
            assert_true(digest_value(client.token, "qop", value, sizeof value));
            assert_string_equal(value, integrity ? "auth-int" : "auth");
            assert_int_equal((client.attributes & ISC_RET_INTEGRITY) != 0, integrity);
            assert_int_equal((server.attributes & ASC_RET_INTEGRITY) != 0, integrity);
            SecPkgContext_SessionKey key = {0};
            SECURITY_STATUS has_key = QueryContextAttributesA(&server.context, SECPKG_ATTR_SESSION_KEY, &key);
            if (strstr(names[i], "-sess") != NULL) {
                assert_int_equal(has_key, SEC_E_OK);
                assert_int_equal(key.SessionKeyLength, strncmp(names[i], "MD5", 3) == 0 ? 16 : 32);
                FreeContextBuffer(key.SessionKey);
            } else
                assert_int_equal(has_key, SEC_E_UNSUPPORTED_FUNCTION); /* and no key of no bytes */
        }
}

static void test_strongest_of_several(void **state)
{
    char value[64];
    (void)state;
    reconfigure("algorithms = MD5, SHA-512-256, SHA-256\n");
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_non_null(strstr(server.token, ", Digest "));
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    assert_true(digest_value(client.token, "algorithm", value, sizeof value));
    assert_string_equal(value, "SHA-512-256");
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
}

/* Of challenges that cannot be answered beside one that can nobody is told; where none can, of the first. */
static void test_others_refused(void **state)
{
    static const char sha1[] = "realm=\"a\",nonce=\"b\",qop=\"auth\",algorithm=SHA-1, Digest ";
    static const char no_qop[] = "realm=\"a\",nonce=\"b\",algorithm=SHA-256";
    char both[DIGEST_TOKEN + 256];
    struct digest_call nowhere = get;
    (void)state;
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    snprintf(both, sizeof both, "%s%s", sha1, server.token);
    assert_int_equal(digest_initiate_step(&client, &get, both), SEC_E_OK);
    assert_string_equal(OpenSspiLastErrorText(), "");
    digest_forget(&client);
    nowhere.target = "/two words";
    assert_int_equal(digest_initiate_step(&client, &nowhere, both), SEC_E_INVALID_TOKEN);
    assert_non_null(strstr(OpenSspiLastErrorText(), "percent-encoded"));
    snprintf(both, sizeof both, "%s%s", sha1, no_qop);
    assert_int_equal(digest_initiate_step(&client, &get, both), SEC_E_UNSUPPORTED_FUNCTION);
    assert_non_null(strstr(OpenSspiLastErrorText(), "none of RFC 7616"));
}

static void test_spellings(void **state)
{
    static const struct {
        const char *user, *domain, *extra;
    } cases[] = {{"alice", "EXAMPLE", ""},
                 {"EXAMPLE\\alice", "", ""},
                 {"alice", DIGEST_REALM, ""},
                 {"alice", "EXAMPLE", "userhash = yes\n"},
                 {"alice", "", "userhash = yes\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reconfigure(cases[i].extra);
        digest_side_end(&client);
        digest_client(&client, cases[i].user, cases[i].domain, NULL);
        assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
        assert_client_name("EXAMPLE\\alice");
        if (cases[i].extra[0] != '\0')
            assert_null(strstr(client.token, "alice"));
    }
}

/* MS-DPSP 2.2: clients that put DOMAIN\user between quotes as it is, and hash it so. */
static void test_name_with_a_bare_backslash(void **state)
{
    const struct digest_call asked = {.flags = DIGEST_HTTP, .method = "GET"};
    (void)state;
    digest_side_end(&client);
    digest_client(&client, "alice", "EXAMPLE", NULL);
    assert_int_equal(digest_accept_step(&server, &asked, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    assert_true(digest_alter(client.token, "username", "EXAMPLE\\alice"));
    assert_non_null(strstr(client.token, "\"EXAMPLE\\alice\""));
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
}

/* Letters beyond ASCII: username*, hashed names, and ISO 8859-1 where a server says nothing of UTF-8. */
static void test_letters(void **state)
{
    static const char *const extras[] = {"", "userhash = yes\n", "algorithms = MD5\n", "algorithms = MD5-sess\n"};
    (void)state;
    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++)
        for (int old = 0; old < (i < 2 ? 1 : 2); old++) {
            reconfigure(extras[i]);
            digest_side_end(&client);
            digest_client(&client, "J\303\244s\303\270n", NULL, "Geheim\303\274");
            assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
            if (old)
                assert_true(digest_alter(server.token, "charset", NULL));
            assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
            assert_int_equal(strstr(client.token, "username*=UTF-8''J%C3%A4s%C3%B8n") != NULL, i != 1 && !old);
            assert_int_equal(strstr(client.token, "username=\"J\344s\370n\"") != NULL, old);
            assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
            assert_client_name("EXAMPLE\\J\303\244s\303\270n");
        }
}

static void test_realms(void **state)
{
    struct digest_call theirs = got;
    char value[64];
    (void)state;
    theirs.realm = "other";
    assert_int_equal(digest_http_run(&client, &server, &get, &theirs), SEC_E_OK);
    assert_true(digest_value(client.token, "realm", value, sizeof value));
    assert_string_equal(value, "other");
    forget();
    theirs.realm = "unknown"; /* nobody has hashes for it */
    assert_int_equal(digest_http_run(&client, &server, &get, &theirs), SEC_E_LOGON_DENIED);
    forget();
    theirs.realm = "bell\a";
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_E_INVALID_TOKEN);
}

static void test_no_context_for_the_answer(void **state)
{
    (void)state;
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    digest_forget(&server); /* HTTP remembers nothing between requests */
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
}

static void test_mutual(void **state)
{
    struct digest_call ours = get;
    char token[DIGEST_TOKEN + 1];
    (void)state;
    ours.flags |= ISC_REQ_MUTUAL_AUTH;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_OK);
    assert_true((client.attributes & ISC_RET_MUTUAL_AUTH) != 0);
    forget();
    /* a server that does not know the password: its proof is another one */
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    strcpy(token, server.token);
    assert_true(digest_alter(token, "rspauth",
                             "00000000000000000000000000000000"
                             "00000000000000000000000000000000"));
    assert_int_equal(digest_initiate_step(&client, &ours, token), SEC_E_MUTUAL_AUTH_FAILED);
    forget();
    /* and a proof, right as such, that is said to be of another request */
    static const char *const others[][2] = {{"nc", "00000002"}, {"cnonce", "another"}, {"qop", "auth-int"}};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
        assert_true(digest_alter(server.token, others[i][0], others[i][1]));
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_MUTUAL_AUTH_FAILED);
        forget();
    }
}

/* Bodies: the hash of the request's is in the response, the one of the answer's in the proof. */
static void test_bodies(void **state)
{
    static const char body[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char other[] = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    struct digest_call ours = get, theirs = got;
    char proof[DIGEST_TOKEN + 1];
    (void)state;
    ours.flags |= ISC_REQ_INTEGRITY | ISC_REQ_MUTUAL_AUTH;
    theirs.flags |= ASC_REQ_INTEGRITY;
    ours.entity = theirs.entity = other;
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    theirs.entity = body; /* another body */
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_LOGON_DENIED);
    digest_forget(&server);
    theirs.entity = other;
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
    assert_string_equal(server.token, ""); /* the proof waits for the answer's body */
    assert_int_equal(digest_sign(&server, "", "", body, proof), SEC_E_OK);
    ours.entity = body;
    assert_int_equal(digest_initiate_step(&client, &ours, proof), SEC_E_OK);
    ours.entity = "nonsense";
    digest_forget(&client);
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_INVALID_TOKEN);
}

/* To another one, and back. */
static void last_digit_alter(char token[DIGEST_TOKEN + 1], const char *name)
{
    char value[80];
    assert_true(digest_value(token, name, value, sizeof value));
    value[strlen(value) - 1] ^= 1;
    assert_true(digest_alter(token, name, value));
}

static void test_later_requests(void **state)
{
    char token[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1], value[16];
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    for (int i = 2; i < 12; i++) {
        char count[16];
        assert_int_equal(digest_sign(&client, "POST", "/form", "", token), SEC_E_OK);
        snprintf(count, sizeof count, "%08x", i);
        assert_true(digest_value(token, "nc", value, sizeof value));
        assert_string_equal(value, count);
        assert_int_equal(digest_verify(&server, "POST", "/other", "", token), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(digest_verify(&server, "PUT", "/form", "", token), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(digest_verify(&server, "POST", "/form", "", token), SEC_E_OK);
        assert_int_equal(digest_verify(&server, "POST", "/form", "", token), SEC_E_OUT_OF_SEQUENCE);
        assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
        assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_OK);
        assert_int_equal(digest_verify(&client, "", "", "", token), SEC_E_MESSAGE_ALTERED);
        last_digit_alter(proof, "rspauth");
        assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_MESSAGE_ALTERED);
        last_digit_alter(proof, "rspauth");
        assert_true(digest_alter(proof, "nc", "00000001")); /* of another request, it says */
        assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_MESSAGE_ALTERED);
    }
    /* and as a context of its own, as a server without memory takes it */
    assert_int_equal(digest_sign(&client, "GET", "/more", "", token), SEC_E_OK);
    struct digest_side other = {0};
    struct digest_call theirs = got;
    theirs.uri = "/more";
    digest_server(&other);
    assert_int_equal(digest_accept_step(&other, &theirs, token), SEC_E_OK);
    digest_forget(&other);
    assert_int_equal(digest_accept_step(&other, &theirs, token), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(digest_verify(&server, "GET", "/more", "", token), SEC_E_OUT_OF_SEQUENCE);
    digest_side_end(&other);
}

/* What the server says as `opaque` comes back with every request, and what it does not say does not. */
static void test_opaque(void **state)
{
    char first[64], value[64], token[DIGEST_TOKEN + 1], altered[DIGEST_TOKEN + 1];
    (void)state;
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_value(server.token, "opaque", first, sizeof first));
    assert_int_equal(strlen(first), 32);
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    assert_true(digest_value(client.token, "opaque", value, sizeof value));
    assert_string_equal(value, first);
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
    assert_true(digest_value(token, "opaque", value, sizeof value));
    assert_string_equal(value, first);
    strcpy(altered, token);
    assert_true(digest_alter(altered, "opaque", NULL));
    assert_int_equal(digest_verify(&server, "GET", "/2", "", altered), SEC_E_INVALID_TOKEN);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", token), SEC_E_OK);
    forget();
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_value(server.token, "opaque", value, sizeof value));
    assert_string_not_equal(value, first);
    digest_forget(&server); /* another challenge's with this one's nonce */
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    assert_true(digest_alter(client.token, "opaque", first));
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_INVALID_TOKEN);
    /* a server without one; letters that have to be escaped */
    static const char challenge[] = "realm=\"r\",nonce=\"n\",qop=\"auth\",algorithm=SHA-256";
    forget();
    assert_int_equal(digest_initiate_step(&client, &get, challenge), SEC_E_OK);
    assert_null(strstr(client.token, "opaque"));
    forget();
    snprintf(token, sizeof token, "%s,opaque=\"a\\\\\\\"b, c\"", challenge);
    assert_int_equal(digest_initiate_step(&client, &get, token), SEC_E_OK);
    assert_non_null(strstr(client.token, "opaque=\"a\\\\\\\"b, c\""));
}

static void test_order(void **state)
{
    char one[DIGEST_TOKEN + 1], two[DIGEST_TOKEN + 1];
    struct digest_call theirs = got, ours = get;
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", one), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/2", "", two), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", two), SEC_E_OK); /* connections overtake each other */
    assert_int_equal(digest_verify(&server, "GET", "/1", "", one), SEC_E_OK);
    forget();
    theirs.flags |= ASC_REQ_SEQUENCE_DETECT;
    ours.flags |= ISC_REQ_SEQUENCE_DETECT;
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", one), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/2", "", two), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", two), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(digest_verify(&server, "GET", "/1", "", one), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", two), SEC_E_OK);
}

static void test_stale(void **state)
{
    char value[16], token[DIGEST_TOKEN + 1];
    (void)state;
    filetime_fix(filetime_now());
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/x", "", token), SEC_E_OK);
    filetime_fix(filetime_now() + 599 * FILETIME_SECOND);
    assert_int_equal(digest_verify(&server, "GET", "/x", "", token), SEC_E_OK);
    filetime_fix(filetime_now() + 2 * FILETIME_SECOND);
    assert_int_equal(digest_sign(&client, "GET", "/x", "", token), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/x", "", token), SEC_E_CONTEXT_EXPIRED);
    digest_forget(&server);
    struct digest_call theirs = got, ours = get;
    theirs.uri = "/x";
    ours.target = "/x";
    assert_int_equal(digest_accept_step(&server, &theirs, token), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_value(server.token, "stale", value, sizeof value));
    assert_string_equal(value, "true");
    digest_forget(&client);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
    /* a client that waits for the server's proof takes the new nonce by itself */
    forget();
    ours.flags |= ISC_REQ_MUTUAL_AUTH;
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    filetime_fix(filetime_now() + 700 * FILETIME_SECOND);
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
}

/* Peers of before RFC 2617, where the configuration takes them. */
static void test_no_qop(void **state)
{
    (void)state;
    reconfigure("algorithms = MD5\n");
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_alter(server.token, "qop", NULL));
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_QOP_NOT_SUPPORTED);
    reconfigure("algorithms = MD5\nallow_no_qop = yes\n");
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_true(digest_alter(server.token, "qop", NULL));
    assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
    assert_null(strstr(client.token, "qop"));
    assert_null(strstr(client.token, "nc="));
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    char token[DIGEST_TOKEN + 1];
    strcpy(token, client.token);
    digest_forget(&server);
    assert_int_equal(digest_accept_step(&server, &got, token), SEC_E_OUT_OF_SEQUENCE); /* its nonce served once */
    assert_int_equal(digest_sign(&client, "GET", "/", "", token), SEC_E_OUT_OF_SEQUENCE);
}

static void test_attributes(void **state)
{
    SecPkgContext_Sizes sizes = {0};
    SecPkgContext_KeyInfoA key = {0};
    SecPkgContext_PackageInfoA info = {0};
    SecPkgContext_Lifespan lifespan = {0};
    SecPkgContext_Flags flags = {0};
    SecPkgCredentials_NamesA names = {0};
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&client.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxToken, 4096);
    assert_int_equal(sizes.cbMaxSignature, 4096);
    assert_int_equal(sizes.cbSecurityTrailer, 0);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
    assert_string_equal(key.sSignatureAlgorithmName, "SHA-256");
    FreeContextBuffer(key.sSignatureAlgorithmName);
    FreeContextBuffer(key.sEncryptAlgorithmName);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_PACKAGE_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, "WDigest");
    assert_int_equal(info.PackageInfo->wRPCID, 21);
    assert_int_equal(info.PackageInfo->fCapabilities, 0x304);
    assert_int_equal(info.PackageInfo->cbMaxToken, 4096);
    FreeContextBuffer(info.PackageInfo);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
    assert_true(lifespan.tsExpiry.QuadPart == FILETIME_NEVER);
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, server.attributes);
    assert_int_equal(QueryCredentialsAttributesA(&client.credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "alice");
    FreeContextBuffer(names.sUserName);
    SecPkgContext_NegotiationInfoA state_of = {0};
    assert_int_equal(QueryContextAttributesA(&server.context, SECPKG_ATTR_NEGOTIATION_INFO, &state_of), SEC_E_OK);
    assert_int_equal(state_of.NegotiationState, SECPKG_NEGOTIATION_COMPLETE);
    assert_string_equal(state_of.PackageInfo->Name, "WDigest");
    FreeContextBuffer(state_of.PackageInfo);
    /* the client as an access token */
    HANDLE token = NULL;
    PSID digest = NULL;
    BOOL is_member = FALSE;
    assert_int_equal(QuerySecurityContextToken(&server.context, &token), SEC_E_OK);
    assert_true(ConvertStringSidToSidA("S-1-5-64-21", &digest) && CheckTokenMembership(token, digest, &is_member));
    assert_true(is_member); /* "Digest Authentication" */
    FreeContextBuffer(digest);
    OpenSspiCloseHandle(token);
    assert_int_equal(QuerySecurityContextToken(&client.context, &token), SEC_E_NO_IMPERSONATION);
}

static CtxtHandle copied(const struct digest_side *side)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    char name[] = "WDigest";
    assert_int_equal(ExportSecurityContext((CtxtHandle *)(uintptr_t)&side->context, 0, &packed, NULL), SEC_E_OK);
    assert_int_equal(ImportSecurityContextA(name, &packed, NULL, &copy), SEC_E_OK);
    FreeContextBuffer(packed.pvBuffer);
    return copy;
}

static void move(struct digest_side *side)
{
    CtxtHandle moved = copied(side);
    DeleteSecurityContext(&side->context);
    side->context = moved;
}

static void test_export(void **state)
{
    char token[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1];
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", token), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/1", "", token), SEC_E_OK);
    move(&server);
    assert_int_equal(digest_verify(&server, "GET", "/1", "", token), SEC_E_OUT_OF_SEQUENCE);
    /* the last request moves along, on either side: what is answered is that one */
    assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
    assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_OK);
    move(&client);
    assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/2", "", token), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", token), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
}

/* A server's proof is over the request that came last, count and all, also where an earlier one was overtaken; and so it stays where the context
 * goes. */
static void test_proof_order(void **state)
{
    char one[DIGEST_TOKEN + 1], two[DIGEST_TOKEN + 1], proof[DIGEST_TOKEN + 1], value[16];
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", one), SEC_E_OK);
    struct digest_side first = {.context = copied(&client), .has_context = true}; /* which waits for the answer */
    assert_int_equal(digest_sign(&client, "GET", "/2", "", two), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/2", "", two), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/1", "", one), SEC_E_OK);
    for (int moved = 0; moved < 2; moved++) {
        assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
        assert_true(digest_value(proof, "nc", value, sizeof value));
        assert_string_equal(value, "00000002");
        assert_int_equal(digest_verify(&first, "", "", "", proof), SEC_E_OK);
        assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_MESSAGE_ALTERED);
        move(&server);
    }
    /* what is refused is not the last request */
    assert_int_equal(digest_verify(&server, "GET", "/2", "", two), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(digest_sign(&client, "GET", "/3", "", two), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/4", "", two), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
    assert_int_equal(digest_verify(&first, "", "", "", proof), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/3", "", two), SEC_E_OK);
    assert_int_equal(digest_sign(&server, "", "", "", proof), SEC_E_OK);
    assert_int_equal(digest_verify(&client, "", "", "", proof), SEC_E_OK);
    digest_forget(&first);
}

/* Codes are compared to their end. */
static void test_last_digits(void **state)
{
    struct digest_call ours = get;
    static const struct {
        const char *name;
        SECURITY_STATUS expected;
    } cases[] = {{"opaque", SEC_E_INVALID_TOKEN}, {"response", SEC_E_LOGON_DENIED}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &get, server.token), SEC_E_OK);
        last_digit_alter(client.token, cases[i].name);
        assert_int_equal(digest_accept_step(&server, &got, client.token), cases[i].expected);
        forget();
    }
    ours.flags |= ISC_REQ_MUTUAL_AUTH;
    assert_int_equal(digest_accept_step(&server, &got, NULL), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(digest_accept_step(&server, &got, client.token), SEC_E_OK);
    last_digit_alter(server.token, "rspauth");
    assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_MUTUAL_AUTH_FAILED);
}

/* A token is 4096 bytes at most, whoever made it so long. */
static void test_long_token(void **state)
{
    char token[DIGEST_TOKEN + 1], room[DIGEST_TOKEN + 2];
    (void)state;
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", token), SEC_E_OK);
    for (size_t len = DIGEST_TOKEN + 1; len >= DIGEST_TOKEN; len--) { /* the longer one first: it is not counted */
        int used = snprintf(room, sizeof room, "%s, extension=\"", token);
        memset(room + used, 'x', len - 1 - (size_t)used);
        memcpy(room + len - 1, "\"", 2);
        assert_int_equal(digest_verify(&server, "GET", "/1", "", room),
                         len > DIGEST_TOKEN ? SEC_E_INVALID_TOKEN : SEC_E_OK);
    }
    struct digest_call ours = get;
    char target[DIGEST_TOKEN] = "/";
    memset(target + 1, 'x', sizeof target - 2);
    ours.target = target;
    digest_forget(&client);
    digest_forget(&server);
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_INVALID_TOKEN);
}

/* Whatever room the caller has: what is longer than a token may be, no server takes. */
static void test_long_url(void **state)
{
    static char url[70000], room[80000];
    char method[] = "GET", token[DIGEST_TOKEN + 1];
    SecBuffer buffers[] = {
        {0, SECBUFFER_TOKEN, NULL},
        {3, SECBUFFER_PKG_PARAMS, method},
        {sizeof url, SECBUFFER_PKG_PARAMS, url},
        {0, SECBUFFER_PKG_PARAMS, NULL},
        {sizeof room, SECBUFFER_PADDING, room},
    };
    SecBufferDesc list = {SECBUFFER_VERSION, 5, buffers};
    (void)state;
    memset(url, '/', sizeof url);
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_int_equal(MakeSignature(&client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[2].cbBuffer = DIGEST_TOKEN;
    assert_int_equal(MakeSignature(&client.context, 0, &list, 0), SEC_E_INVALID_TOKEN);
    buffers[2].cbBuffer = DIGEST_TOKEN / 2;
    buffers[4].cbBuffer = DIGEST_TOKEN / 2;
    assert_int_equal(MakeSignature(&client.context, 0, &list, 0), SEC_E_BUFFER_TOO_SMALL);
    buffers[4].cbBuffer = sizeof room;
    assert_int_equal(MakeSignature(&client.context, 0, &list, 0), SEC_E_OK);
    move(&client);
    assert_int_equal(digest_sign(&client, "GET", "/1", "", token), SEC_E_OK);
    assert_int_equal(digest_verify(&server, "GET", "/1", "", token), SEC_E_OK);
}

static void test_bindings(void **state)
{
    struct digest_call ours = get, theirs = got, plain = get;
    (void)state;
    ours.bindings = theirs.bindings = &digest_channel;
    ours.bindings_len = theirs.bindings_len = sizeof digest_channel;
    ours.service = "HTTP/server.example.test";
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
    assert_non_null(strstr(client.token, "hashed-dirs=\"service-name,channel-binding\""));
    SecPkgContext_ClientSpecifiedTarget target = {0};
    assert_int_equal(QueryContextAttributesW(&server.context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    assert_wide_equal(target.sTargetName, "HTTP/server.example.test");
    FreeContextBuffer(target.sTargetName);
    forget();
    ours.bindings = &digest_other_channel; /* a relay: the client's channel is another one */
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_BAD_BINDINGS);
    forget();
    assert_int_equal(digest_http_run(&client, &server, &plain, &theirs), SEC_E_OK); /* a client that knows none */
    forget();
    theirs.flags |= ASC_REQ_PROXY_BINDINGS; /* the server insists */
    assert_int_equal(digest_http_run(&client, &server, &plain, &theirs), SEC_E_BAD_BINDINGS);
    forget();
    theirs.flags = got.flags;
    reconfigure("channel_bindings = always\n");
    assert_int_equal(digest_http_run(&client, &server, &plain, &theirs), SEC_E_BAD_BINDINGS);
    forget();
    /* taken away, or exchanged, on the way */
    ours.bindings = &digest_channel;
    reconfigure(NULL);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"channel-binding", "channel-binding", "service-name"};
        static const char *const values[] = {NULL, "00000000000000000000000000000000", "HTTP/other"};
        assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(digest_initiate_step(&client, &ours, server.token), SEC_E_OK);
        assert_true(digest_alter(client.token, names[i], values[i]));
        assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_BAD_BINDINGS);
        forget();
    }
}

/* The service that a client binds itself to, beside the channel: one of `targets`, where there are any. */
static void test_bound_service(void **state)
{
    struct digest_call ours = get, theirs = got;
    (void)state;
    ours.bindings = theirs.bindings = &digest_channel;
    ours.bindings_len = theirs.bindings_len = sizeof digest_channel;
    ours.service = "HTTP/www.example.test";
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK); /* a web site's own name */
    reconfigure("targets = HTTP/www.example.test\n");
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
    forget();
    ours.service = "HTTP/evil.example.test";
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_WRONG_PRINCIPAL);
    forget();
    ours.service = NULL; /* said nothing of it: its channel is this one */
    assert_int_equal(digest_http_run(&client, &server, &ours, &theirs), SEC_E_OK);
}

#define ZEROS "00000000000000000000000000000000"

/* What a client sends that knows bindings and has none: zeros, under the mark in its nonce. */
static void answer_unbound(const char *service, const char *hashed_service)
{
    char value[128], opaque[64], cnonce[128], part[512], hex[DIGEST_HEX_MAX];
    uint8_t hash[DIGEST_LEN_MAX], secret[DIGEST_LEN_MAX];
    const struct slice bound[] = {slice_of_text(hashed_service), slice_of_text(":" ZEROS)};
    assert_true(digest_hash(DIGEST_MD5, bound, 2, hash));
    hex_text(hash, 16, hex);
    snprintf(cnonce, sizeof cnonce, "+Upgraded+v1%s0123456789abcdef", hex);
    assert_true(digest_value(server.token, "nonce", value, sizeof value));
    assert_true(digest_value(server.token, "opaque", opaque, sizeof opaque));
    assert_true(digest_secret(DIGEST_SHA256, slice_of_text("alice"), slice_of_text(DIGEST_REALM),
                              slice_of_text("Password1!"), secret));
    const struct digest_response_input input = {.algorithm = DIGEST_SHA256,
                                                .nonce = slice_of_text(value),
                                                .nc = slice_of_text("00000001"),
                                                .cnonce = slice_of_text(cnonce),
                                                .qop = slice_of_text("auth"),
                                                .method = slice_of_text("GET"),
                                                .uri = slice_of_text("/page")};
    assert_true(digest_response(&input, secret, hex));
    snprintf(client.token, sizeof client.token,
             "username=\"alice\",realm=\"" DIGEST_REALM
             "\",nonce=\"%s\",uri=\"/page\",algorithm=SHA-256,qop=auth,nc=00000001,cnonce=\"%s\",response=\"%s\",",
             value, cnonce, hex);
    snprintf(part, sizeof part,
             "opaque=\"%s\",hashed-dirs=\"service-name,channel-binding\",service-name=\"%s\",channel-binding=\"" ZEROS
             "\"",
             opaque, service);
    strcat(client.token, part);
}

static void test_unbound(void **state)
{
    struct digest_call theirs = got;
    (void)state;
    theirs.uri = "/page";
    theirs.bindings = &digest_channel;
    theirs.bindings_len = sizeof digest_channel;
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    answer_unbound("HTTP/server", "HTTP/other");
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_BAD_BINDINGS);
    forget();
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    answer_unbound("HTTP/server", "HTTP/server");
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_OK);
    forget();
    theirs.flags |= ASC_REQ_PROXY_BINDINGS;
    assert_int_equal(digest_accept_step(&server, &theirs, NULL), SEC_I_CONTINUE_NEEDED);
    answer_unbound("HTTP/server", "HTTP/server");
    assert_int_equal(digest_accept_step(&server, &theirs, client.token), SEC_E_BAD_BINDINGS);
}

/* A file of the test's directory, beside the database. */
static void file_put(const char *name, const char *text, mode_t mode, char path[128])
{
    snprintf(path, 128, "%.*s/%s", (int)(strrchr(digest_database(), '/') - digest_database()), digest_database(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    fclose(file);
}

static void default_client(void)
{
    char name[] = "WDigest";
    digest_side_end(&client);
    client.has_credential = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                                      &client.credential, NULL) == SEC_E_OK;
    assert_true(client.has_credential);
}

/* Who names nobody is the user file's first line, or whom the user says under the flag for it, or nobody. */
static void test_default_credentials(void **state)
{
    char path[128], extra[256];
    struct digest_call ours = get;
    (void)state;
    default_client();
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_NO_CREDENTIALS);
    file_put("users", "EXAMPLE:alice:Password1!\n", 0600, path);
    snprintf(extra, sizeof extra, "[credentials]\nuser_file = %s\n", path);
    reconfigure(extra);
    default_client();
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
    file_put("askpass", "#!/bin/sh\ncase $1 in *assword*) echo Password1! ;; *) echo alice ;; esac\n", 0700, path);
    snprintf(extra, sizeof extra, "[credentials]\naskpass = %s\n", path);
    reconfigure(extra);
    default_client();
    assert_int_equal(digest_http_run(&client, &server, &get, &got), SEC_E_NO_CREDENTIALS);
    forget();
    ours.flags |= ISC_REQ_PROMPT_FOR_CREDS;
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_OK);
    assert_client_name("EXAMPLE\\alice");
    file_put("askpass", "#!/bin/sh\ncase $1 in *assword*) echo Password1! ;; *) echo al:ice ;; esac\n", 0700, path);
    forget();
    assert_int_equal(digest_http_run(&client, &server, &ours, &got), SEC_E_UNKNOWN_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "colon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_usual, begin, end),
        cmocka_unit_test_setup_teardown(test_algorithms, begin, end),
        cmocka_unit_test_setup_teardown(test_strongest_of_several, begin, end),
        cmocka_unit_test_setup_teardown(test_others_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_spellings, begin, end),
        cmocka_unit_test_setup_teardown(test_name_with_a_bare_backslash, begin, end),
        cmocka_unit_test_setup_teardown(test_letters, begin, end),
        cmocka_unit_test_setup_teardown(test_realms, begin, end),
        cmocka_unit_test_setup_teardown(test_no_context_for_the_answer, begin, end),
        cmocka_unit_test_setup_teardown(test_mutual, begin, end),
        cmocka_unit_test_setup_teardown(test_bodies, begin, end),
        cmocka_unit_test_setup_teardown(test_later_requests, begin, end),
        cmocka_unit_test_setup_teardown(test_opaque, begin, end),
        cmocka_unit_test_setup_teardown(test_order, begin, end),
        cmocka_unit_test_setup_teardown(test_no_qop, begin, end),
        cmocka_unit_test_setup_teardown(test_attributes, begin, end),
        cmocka_unit_test_setup_teardown(test_export, begin, end),
        cmocka_unit_test_setup_teardown(test_proof_order, begin, end),
        cmocka_unit_test_setup_teardown(test_last_digits, begin, end),
        cmocka_unit_test_setup_teardown(test_long_token, begin, end),
        cmocka_unit_test_setup_teardown(test_long_url, begin, end),
        cmocka_unit_test_setup_teardown(test_bindings, begin, end),
        cmocka_unit_test_setup_teardown(test_bound_service, begin, end),
        cmocka_unit_test_setup_teardown(test_unbound, begin, end),
    };
    /* Clocks that are set, and defaults of the process: no matter of a daemon's. */
    const struct CMUnitTest within[] = {
        cmocka_unit_test_setup_teardown(test_stale, begin, end),
        cmocka_unit_test_setup_teardown(test_default_credentials, begin, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!lsa_daemon_wanted())
        failed += cmocka_run_group_tests(within, NULL, NULL);
    digest_cleanup();
    return failed;
}
