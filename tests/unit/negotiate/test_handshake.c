/*
 * Negotiate's handshakes through the public functions, with NTLM and a third party's package: who is chosen, what is asked and told, every rule of
 * the code over the list, peers' quirks, and peers that are wrong on purpose.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_package.h"
#include "support/ntlm_loop.h"
#include "support/spnego_alter.h"
#include <credssp.h>
#include <sspi_ext.h>
#include <string.h>

#define PROTECT (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
/* Kerberos would look for a KDC: not here. */
#define BOTH "[negotiate]\npackages = fake, ntlm\n"
#define NTLM_ALONE "[negotiate]\npackages = ntlm\n"
#define FAKE_ALONE "[negotiate]\npackages = fake\n"

static struct loop loop;

static int prepare(void **state)
{
    (void)state;
    fake_reset();
    loop_configure(BOTH);
    loop = (struct loop){.package = "Negotiate", .client_flags = PROTECT, .target = "host/server.example.test"};
    return 0;
}

static int finish(void **state)
{
    (void)state;
    loop.keep_credentials = false;
    loop_end(&loop);
    assert_int_equal(fake.n_handshakes, 0);
    assert_int_equal(fake.n_sessions, 0);
    assert_int_equal(fake.n_credentials, 0);
    return 0;
}

static void good(void)
{
    if (!loop_run(&loop))
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop.client_status, (unsigned)loop.server_status,
                 OpenSspiLastErrorText());
}

/* Credentials of two configurations: what the client may choose among, and what the server may. */
static void acquire(const char *client, const char *server)
{
    struct loop other = loop;
    loop_configure(client);
    loop_acquire(&loop);
    assert_int_equal(loop.client_status, SEC_E_OK);
    FreeCredentialsHandle(&loop.server_credential);
    loop_configure(server);
    loop_acquire(&other);
    assert_int_equal(other.server_status, SEC_E_OK);
    FreeCredentialsHandle(&other.client_credential);
    loop.server_credential = other.server_credential;
    loop.keep_credentials = true;
}

static void alter(struct alteration *alteration)
{
    loop.alter = spnego_alter;
    loop.alter_data = alteration;
}

/* The handshake fails, on the server's side or the client's, with this status. */
static void refused(bool by_server, SECURITY_STATUS status)
{
    assert_false(loop_run(&loop));
    SECURITY_STATUS found = by_server ? loop.server_status : loop.client_status;
    if (found != status)
        fail_msg("client 0x%08x, server 0x%08x, %s", (unsigned)loop.client_status, (unsigned)loop.server_status,
                 OpenSspiLastErrorText());
    if (status != SEC_E_LOGON_DENIED) /* of a wrong password nobody says more */
        assert_string_not_equal(OpenSspiLastErrorText(), "");
    /* A context that failed stays failed. */
    SecBuffer none = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &none};
    CtxtHandle *context = by_server ? &loop.server : &loop.client;
    SecPkgContext_Sizes sizes;
    if (context->dwLower == 0)
        return;
    ULONG flags;
    assert_int_equal(
        by_server ? AcceptSecurityContext(NULL, context, &list, 0, SECURITY_NATIVE_DREP, context, &list, &flags, NULL)
                  : InitializeSecurityContextA(NULL, context, NULL, 0, 0, SECURITY_NATIVE_DREP, &list, 0, context,
                                               &list, &flags, NULL),
        SEC_E_OUT_OF_SEQUENCE);
    assert_true(QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes) < 0);
}

static void check_chosen(CtxtHandle *context, const char *name, ULONG state)
{
    SecPkgContext_NegotiationInfoA info = {0};
    SecPkgContext_PackageInfoA package = {0};
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
    assert_string_equal(info.PackageInfo->Name, name);
    assert_int_equal(info.NegotiationState, state);
    FreeContextBuffer(info.PackageInfo);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(QueryContextAttributesA(
                             context, i == 0 ? SECPKG_ATTR_PACKAGE_INFO : SECPKG_ATTR_NEGOTIATION_PACKAGE, &package),
                         SEC_E_OK);
        assert_string_equal(package.PackageInfo->Name, name);
        FreeContextBuffer(package.PackageInfo);
    }
}

static void chosen(const char *name)
{
    check_chosen(&loop.client, name, SECPKG_NEGOTIATION_COMPLETE);
    check_chosen(&loop.server, name, SECPKG_NEGOTIATION_COMPLETE);
}

static void talk(void)
{
    assert_int_equal(loop_sign(&loop.client, &loop.server, "signed there"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop.server, &loop.client, "and back"), SEC_E_OK);
    assert_int_equal(loop_sign(&loop.client, &loop.server, "again"), SEC_E_OK);
}

/* Who is chosen. */

static void test_package(void **state)
{
    PSecPkgInfoA info = NULL;
    ULONG count = 0;
    (void)state;
    assert_int_equal(QuerySecurityPackageInfoA((char[]){"negotiate"}, &info), SEC_E_OK);
    assert_string_equal(info->Name, "Negotiate");
    assert_string_equal(info->Comment, "Microsoft Package Negotiator");
    assert_int_equal(info->fCapabilities, 0x3BB3);
    assert_int_equal(info->wRPCID, 9);
    assert_int_equal(info->cbMaxToken, 48256);
    FreeContextBuffer(info);
    assert_int_equal(EnumerateSecurityPackagesA(&count, &info), SEC_E_OK);
    assert_string_equal(info[1].Name, "Negotiate"); /* before it stands what this test has put there */
    assert_true(count > 3);                         /* NTLM, and what else is built */
    assert_string_equal(info[3].Name, "NTLM");
    FreeContextBuffer(info);
}

static void test_the_first_package(void **state)
{
    (void)state;
    good();
    chosen("Fake");
    assert_int_equal(loop.legs, 3); /* token, answer, and the client takes it */
    talk();
}

static void test_three_legs(void **state)
{
    (void)state;
    fake.legs = 3;
    good();
    chosen("Fake");
    assert_int_equal(loop.legs, 5);
    talk();
}

static void test_one_leg(void **state)
{
    (void)state;
    fake.legs = 1;
    good();
    assert_int_equal(loop.legs, 3); /* the server's word that it is this mechanism is waited for */
    talk();
}

static void test_ntlm(void **state)
{
    SecPkgContext_Sizes sizes;
    (void)state;
    loop_configure(NTLM_ALONE);
    good();
    chosen("NTLM");
    assert_int_equal(loop.legs, 5);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed there"), SEC_E_OK);
    assert_int_equal(loop_seal(&loop.server, &loop.client, "sealed and back"), SEC_E_OK);
    talk();
    assert_int_equal(QueryContextAttributesA(&loop.server, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxToken, 2888);
    assert_int_equal(sizes.cbMaxSignature, 16);
}

static void test_falls_back_before_anything_is_sent(void **state)
{
    static const SECURITY_STATUS unable[] = {SEC_E_NO_CREDENTIALS, SEC_E_TARGET_UNKNOWN,
                                             SEC_E_NO_AUTHENTICATING_AUTHORITY, SEC_E_CONTEXT_EXPIRED};
    (void)state;
    for (size_t i = 0; i < sizeof unable / sizeof unable[0]; i++) {
        fake.initiate = unable[i];
        good();
        chosen("NTLM");
        loop_end(&loop);
    }
    fake.initiate = SEC_E_OK;
    fake.acquire = SEC_E_NO_CREDENTIALS;
    good();
    chosen("NTLM");
}

static void test_a_no_is_no_reason_to_fall_back(void **state)
{
    (void)state;
    fake.initiate = SEC_E_LOGON_DENIED;
    refused(false, SEC_E_LOGON_DENIED);
    assert_non_null(strstr(OpenSspiLastErrorText(), "Fake: the test wants no beginning"));
    loop_end(&loop);
    fake.initiate = SEC_E_INSUFFICIENT_MEMORY;
    assert_false(loop_run(&loop));
    assert_int_equal(loop.client_status, SEC_E_INSUFFICIENT_MEMORY);
}

static void test_the_cause_of_a_fallback_stays(void **state)
{
    (void)state;
    fake.initiate = SEC_E_TARGET_UNKNOWN;
    loop.password = "wrong";
    refused(true, SEC_E_LOGON_DENIED);
    SecBuffer token = {5, SECBUFFER_TOKEN, (void *)(uintptr_t) "wrong"};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    ULONG flags;
    assert_int_equal(InitializeSecurityContextA(NULL, &loop.client, NULL, PROTECT, 0, SECURITY_NATIVE_DREP, &list, 0,
                                                &loop.client, &list, &flags, NULL),
                     SEC_E_INVALID_TOKEN);
    assert_non_null(strstr(OpenSspiLastErrorText(), "it was used because Fake: the test wants no beginning"));
}

/* The code over the list. */

/* The client would have Fake, the server has NTLM alone. */
static void test_another_than_the_first(void **state)
{
    (void)state;
    acquire(BOTH, NTLM_ALONE);
    good();
    chosen("NTLM");
    assert_int_equal(loop.legs, 7);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed there"), SEC_E_OK);
    talk();
}

static void list_ntlm_first(struct spnego_init *init, struct writer *list)
{
    const struct slice mechs[] = {init->mech[2], init->mech[0], init->mech[1]};
    spnego_mech_list_write(list, mechs, 3);
}

/* Even and odd numbers of tokens: the code goes to and fro behind the server's last token, or travels with the client's. */
static void test_code_with_any_number_of_legs(void **state)
{
    (void)state;
    for (unsigned legs = 2; legs <= 3; legs++) {
        fake.legs = legs;
        fake.wants_list_mic = true;
        good();
        chosen("Fake");
        talk();
        loop_end(&loop);
    }
}

/* A list that somebody reordered on its way: the server takes the token for another mechanism's, and the client notices that. */
static void test_reordered_list(void **state)
{
    struct alteration alteration = {.leg = 1, .init = list_ntlm_first};
    (void)state;
    for (unsigned legs = 2; legs <= 3; legs++) {
        fake.legs = legs;
        alter(&alteration);
        refused(false, SEC_E_INVALID_TOKEN);
        loop_end(&loop);
    }
    assert_int_equal(alteration.n_done, 2);
}

static void list_without_fake(struct spnego_init *init, struct writer *list)
{
    spnego_mech_list_write(list, &init->mech[2], 1);
    init->token = (struct slice){0};
}

static void list_with_one_more(struct spnego_init *init, struct writer *list)
{
    struct slice mechs[SPNEGO_MECHS_MAX + 1];
    memcpy(mechs, init->mech, init->n_mechs * sizeof mechs[0]);
    mechs[init->n_mechs] = slice_of("\x2a\x03", 2);
    spnego_mech_list_write(list, mechs, init->n_mechs + 1);
}

static void test_shortened_list(void **state)
{
    struct alteration alteration = {.leg = 1, .init = list_without_fake};
    (void)state;
    alter(&alteration);
    refused(true, SEC_E_MESSAGE_ALTERED); /* the client's code is over three mechanisms */
}

static void test_lengthened_list(void **state)
{
    struct alteration alteration = {.leg = 1, .init = list_with_one_more};
    (void)state;
    loop_configure(NTLM_ALONE);
    alter(&alteration);
    refused(true, SEC_E_MESSAGE_ALTERED);
}

static void no_mic(struct spnego_resp *resp)
{
    assert_non_null(resp->mic.data);
    resp->mic = (struct slice){0};
}

static size_t wrong_byte;

static void wrong_mic(struct spnego_resp *resp)
{
    static uint8_t mic[16];
    assert_int_equal(resp->mic.len, sizeof mic);
    memcpy(mic, resp->mic.data, resp->mic.len);
    mic[wrong_byte] ^= 1;
    resp->mic.data = mic;
}

static void mic_like_token(struct spnego_resp *resp)
{
    resp->mic = resp->token;
}

static void some_mic(struct spnego_resp *resp)
{
    resp->mic = slice_of("12345678", 8);
}

static void test_removed_code(void **state)
{
    struct alteration clients = {.leg = 3, .resp = no_mic}, servers = {.leg = 4, .resp = no_mic};
    (void)state;
    loop_configure(NTLM_ALONE);
    alter(&clients);
    refused(true, SEC_E_MESSAGE_ALTERED);
    loop_end(&loop);
    alter(&servers);
    refused(false, SEC_E_MESSAGE_ALTERED);
}

static void test_wrong_code(void **state)
{
    struct alteration clients = {.leg = 3, .resp = wrong_mic}, servers = {.leg = 4, .resp = wrong_mic};
    (void)state;
    loop_configure(NTLM_ALONE);
    for (wrong_byte = 0; wrong_byte < 16; wrong_byte++) {
        alter(&clients);
        refused(true, SEC_E_MESSAGE_ALTERED);
        loop_end(&loop);
        alter(&servers);
        refused(false, SEC_E_MESSAGE_ALTERED);
        loop_end(&loop);
    }
}

static uint8_t kept_mic[256];
static size_t kept_len;

static void keep_mic(struct spnego_resp *resp)
{
    assert_true(resp->mic.len > 0 && resp->mic.len <= sizeof kept_mic);
    memcpy(kept_mic, resp->mic.data, resp->mic.len);
    kept_len = resp->mic.len;
}

static void earlier_mic(struct spnego_resp *resp)
{
    assert_null(resp->mic.data);
    resp->mic = slice_of(kept_mic, kept_len);
}

/* Right, but before the server's own: a list is signed once. */
static void test_second_code(void **state)
{
    struct alteration keeps = {.leg = 4, .resp = keep_mic}, adds = {.leg = 2, .resp = earlier_mic};
    (void)state;
    fake.legs = 3;
    fake.wants_list_mic = true;
    alter(&keeps);
    good();
    loop_end(&loop);
    alter(&adds);
    refused(false, SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(adds.n_done, 1);
}

/* A code where nobody asked for one is looked at all the same. */
static void test_code_that_nobody_asked_for(void **state)
{
    struct alteration alteration = {.leg = 2, .resp = some_mic};
    (void)state;
    alter(&alteration);
    refused(false, SEC_E_MESSAGE_ALTERED);
}

static void test_switch_without_integrity(void **state)
{
    (void)state;
    acquire(BOTH, NTLM_ALONE);
    loop.client_flags = ISC_REQ_NO_INTEGRITY;
    refused(false, SEC_E_UNSUPPORTED_FUNCTION);
}

/* A null session promises nothing, and its key is everybody's: the list is signed with it all the same, as peers expect that sign with it. */
static void test_switch_of_nobody(void **state)
{
    (void)state;
    acquire(BOTH, NTLM_ALONE "[ntlm]\nallow_anonymous = yes\n");
    loop.client_flags = PROTECT | ISC_REQ_NULL_SESSION;
    loop.server_flags = ASC_REQ_ALLOW_NULL_SESSION;
    good();
    chosen("NTLM");
    assert_int_equal(loop.client_attributes, ISC_RET_NULL_SESSION);
    assert_int_equal(loop.server_attributes, ASC_RET_NULL_SESSION);
    assert_int_equal(loop.legs, 7); /* as with a name: both codes were there */
    talk();
}

static void test_ntlm_without_integrity(void **state)
{
    (void)state;
    loop_configure(NTLM_ALONE);
    loop.client_flags = ISC_REQ_NO_INTEGRITY;
    good();
    chosen("NTLM");
}

/* Quirks. */

static void no_state(struct spnego_resp *resp)
{
    resp->state = SPNEGO_NO_STATE;
}

static void no_mech(struct spnego_resp *resp)
{
    resp->mech = (struct slice){0};
}

static void completed(struct spnego_resp *resp)
{
    resp->state = SPNEGO_COMPLETED;
}

static void incomplete(struct spnego_resp *resp)
{
    assert_int_equal(resp->state, SPNEGO_REQUEST_MIC);
    resp->state = SPNEGO_INCOMPLETE;
}

static void second_name(struct spnego_resp *resp)
{
    resp->mech = fake_oid(1);
}

static void nothing(struct spnego_resp *resp)
{
    *resp = (struct spnego_resp){.state = SPNEGO_NO_STATE, .token = resp->token, .mic = resp->mic};
}

static void tolerated(const char *configuration, int leg, void (*resp)(struct spnego_resp *))
{
    struct alteration alteration = {.leg = leg, .resp = resp};
    loop_configure(configuration);
    alter(&alteration);
    good();
    talk();
    assert_int_equal(alteration.n_done, 1);
    loop_end(&loop);
}

static void test_quirks(void **state)
{
    (void)state;
    tolerated(BOTH, 2, no_state);
    tolerated(BOTH, 2, no_mech);
    tolerated(BOTH, 2, nothing);
    tolerated(BOTH, 2, second_name);    /* one mechanism, two names */
    tolerated(BOTH, 2, mic_like_token); /* old Windows */
    tolerated(NTLM_ALONE, 2, no_state);
    tolerated(NTLM_ALONE, 2, no_mech);
    tolerated(NTLM_ALONE, 2, completed); /* the package has not ended, whatever the server says */
    tolerated(NTLM_ALONE, 2, mic_like_token);
    tolerated(NTLM_ALONE, 3, no_state);
    tolerated(NTLM_ALONE, 3, completed);
    tolerated(NTLM_ALONE, 4, no_state);
    fake.legs = 3;
    tolerated(BOTH, 2, completed);
    tolerated(BOTH, 3, mic_like_token);
}

/* Windows Server 2003 says accept-incomplete where it should ask for a code. */
static void test_incomplete_for_request_mic(void **state)
{
    struct alteration alteration = {.leg = 2, .resp = incomplete};
    (void)state;
    acquire(BOTH, NTLM_ALONE);
    alter(&alteration);
    good();
    chosen("NTLM");
    talk();
}

static void empty_token(uint8_t *token, ULONG *len)
{
    /* a1 30 ... with [2] OCTET STRING of no bytes at the end */
    memcpy(token + *len, "\xa2\x02\x04\x00", 4);
    token[1] = (uint8_t)(token[1] + 4);
    token[3] = (uint8_t)(token[3] + 4);
    *len += 4;
}

static void test_empty_response_token(void **state)
{
    struct alteration alteration = {.leg = 2, .bytes = empty_token};
    (void)state;
    acquire(BOTH, NTLM_ALONE);
    alter(&alteration);
    good();
    chosen("NTLM");
}

static void reordered_names(struct spnego_init *init, struct writer *list)
{
    const struct slice mechs[] = {init->mech[1], init->mech[0], init->mech[2]};
    spnego_mech_list_write(list, mechs, 3);
}

static struct slice told;
static uint8_t told_bytes[32];

static void look(struct spnego_resp *resp)
{
    memcpy(told_bytes, resp->mech.data, resp->mech.len);
    told = slice_of(told_bytes, resp->mech.len);
}

static void two_legs(struct loop *running, int leg, unsigned char *token, ULONG *len)
{
    struct alteration first = {.leg = 1, .init = reordered_names}, second = {.leg = 2, .resp = look};
    running->alter_data = leg == 1 ? &first : &second;
    spnego_alter(running, leg, token, len);
}

static void test_the_name_that_the_client_used(void **state)
{
    (void)state;
    loop.alter = two_legs;
    good();
    assert_true(slice_equal(told, fake_oid(1)));
}

/* Wrong servers. */

static void other_mech(struct spnego_resp *resp)
{
    resp->mech = slice_of("\x2a\x03", 2);
}

static void token_removed(struct spnego_resp *resp)
{
    resp->token = (struct slice){0};
}

static void ntlm_with_token(struct spnego_resp *resp)
{
    resp->mech = slice_of("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 10);
}

static void ntlm_completed(struct spnego_resp *resp)
{
    ntlm_with_token(resp);
    resp->token = (struct slice){0};
}

static void waits(struct spnego_resp *resp)
{
    resp->state = SPNEGO_INCOMPLETE;
}

static void rejects(struct spnego_resp *resp)
{
    resp->state = SPNEGO_REJECT;
    resp->token = resp->mic = (struct slice){0};
}

static void another_token(struct spnego_resp *resp)
{
    resp->token = slice_of("FAKE3", 5);
}

static void fake_named(struct spnego_resp *resp)
{
    *resp = (struct spnego_resp){.state = SPNEGO_INCOMPLETE, .mech = fake_oid(0)};
}

static void ntlm_named(struct spnego_resp *resp)
{
    ntlm_with_token(resp);
    resp->token = (struct slice){0};
    resp->state = SPNEGO_INCOMPLETE;
}

static void too_long_mic(struct spnego_resp *resp)
{
    static const uint8_t mic[257];
    resp->mic = slice_of(mic, sizeof mic);
}

static void wrong(const char *configuration, int leg, void (*resp)(struct spnego_resp *), SECURITY_STATUS status)
{
    struct alteration alteration = {.leg = leg, .resp = resp};
    loop_configure(configuration);
    alter(&alteration);
    refused(leg % 2 != 0, status);
    assert_int_equal(alteration.n_done, 1);
    loop_end(&loop);
}

static void test_wrong_servers(void **state)
{
    (void)state;
    wrong(BOTH, 2, other_mech, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 2, token_removed, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 2, ntlm_with_token, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 2, ntlm_completed, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 2, rejects, SEC_E_LOGON_DENIED);
    wrong(NTLM_ALONE, 4, waits, SEC_E_INVALID_TOKEN);
    wrong(NTLM_ALONE, 4, another_token, SEC_E_INVALID_TOKEN);
    wrong(NTLM_ALONE, 4, other_mech, SEC_E_INVALID_TOKEN);
    fake.legs = 3;
    wrong(BOTH, 4, ntlm_completed, SEC_E_INVALID_TOKEN); /* too late to choose another */
    wrong(BOTH, 4, ntlm_named, SEC_E_INVALID_TOKEN);
    wrong(NTLM_ALONE, 4, too_long_mic, SEC_E_INVALID_TOKEN);
    fake_reset();
    fake.initiate = SEC_E_NO_CREDENTIALS; /* it was passed over, and is not offered */
    wrong(BOTH, 2, fake_named, SEC_E_INVALID_TOKEN);
}

static void test_wrong_clients(void **state)
{
    (void)state;
    fake.legs = 3;
    wrong(BOTH, 3, other_mech, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 3, token_removed, SEC_E_INVALID_TOKEN);
    wrong(BOTH, 3, rejects, SEC_E_LOGON_DENIED);
    wrong(BOTH, 3, some_mic, SEC_E_MESSAGE_ALTERED);
    wrong(NTLM_ALONE, 3, too_long_mic, SEC_E_INVALID_TOKEN);
    fake.legs = 5;
    wrong(BOTH, 3, some_mic, SEC_E_INVALID_TOKEN); /* before there is a key */
}

static void to_nobody(struct spnego_init *init, struct writer *list)
{
    const struct slice mech = slice_of("\x2a\x03", 2);
    (void)init;
    spnego_mech_list_write(list, &mech, 1);
}

static void test_nothing_in_common(void **state)
{
    struct alteration alteration = {.leg = 1, .init = to_nobody};
    (void)state;
    alter(&alteration);
    refused(true, SEC_E_LOGON_DENIED);
}

static SECURITY_STATUS serve(CtxtHandle *context, ULONG flags, const void *token, size_t len, SecBuffer *out)
{
    SecBuffer in = {(ULONG)len, SECBUFFER_TOKEN, (void *)(uintptr_t)token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, out};
    ULONG attributes;
    return AcceptSecurityContext(&loop.server_credential, context->dwLower == 0 ? NULL : context, &in_list, flags,
                                 SECURITY_NATIVE_DREP, context, &out_list, &attributes, NULL);
}

static SECURITY_STATUS ask(CtxtHandle *context, ULONG flags, const void *token, size_t len, SecBuffer *out)
{
    SecBuffer in = {(ULONG)len, SECBUFFER_TOKEN, (void *)(uintptr_t)token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, out};
    ULONG attributes;
    return InitializeSecurityContextA(&loop.client_credential, context->dwLower == 0 ? NULL : context,
                                      (char *)(uintptr_t)loop.target, flags, 0, SECURITY_NATIVE_DREP, &in_list, 0,
                                      context, &out_list, &attributes, NULL);
}

#define ROOM(name)              \
    uint8_t name##_bytes[4096]; \
    SecBuffer name = {sizeof name##_bytes, SECBUFFER_TOKEN, name##_bytes}

/* A server that fails says so inside a reject, if it is told to; the client finds the package's own reason there. */
static void test_extended_error(void **state)
{
    struct spnego_resp resp;
    (void)state;
    fake.accept = SEC_E_LOGON_DENIED;
    loop_acquire(&loop);
    ROOM(there);
    ROOM(back);
    assert_int_equal(ask(&loop.client, PROTECT, NULL, 0, &there), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(serve(&loop.server, ASC_REQ_EXTENDED_ERROR, there.pvBuffer, there.cbBuffer, &back),
                     SEC_E_LOGON_DENIED);
    assert_int_equal(loop.server.dwLower, 0);
    assert_int_equal(spnego_resp_parse(slice_of(back.pvBuffer, back.cbBuffer), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_REJECT);
    assert_true(slice_equal(resp.token, slice_of("FAKEE", 5)));
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_E_DELEGATION_POLICY);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, 5, &back), SEC_E_INVALID_TOKEN);
}

/* The last token of a package that succeeded is no word of Negotiate's failure after it. */
static void test_token_of_a_success(void **state)
{
    struct spnego_resp resp;
    (void)state;
    fake.loses_record = true;
    loop_acquire(&loop);
    ROOM(there);
    ROOM(back);
    assert_int_equal(ask(&loop.client, PROTECT, NULL, 0, &there), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(serve(&loop.server, ASC_REQ_EXTENDED_ERROR, there.pvBuffer, there.cbBuffer, &back),
                     SEC_E_INSUFFICIENT_MEMORY);
    assert_int_equal(spnego_resp_parse(slice_of(back.pvBuffer, back.cbBuffer), &resp), WIRE_OK);
    assert_int_equal(resp.state, SPNEGO_REJECT);
    assert_null(resp.token.data);
}

/* States, and what a server says that is given nothing. */
static void test_states_and_hints(void **state)
{
    struct spnego_init hints;
    (void)state;
    fake.legs = 3;
    loop_acquire(&loop);
    ROOM(there);
    ROOM(back);
    assert_int_equal(serve(&loop.server, 0, NULL, 0, &back), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.server, "Negotiate", SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_int_equal(spnego_init_parse(slice_of(back.pvBuffer, back.cbBuffer), &hints), WIRE_OK);
    assert_true(hints.has_hints);
    assert_int_equal(hints.n_mechs, 3);
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.client, "Fake", SECPKG_NEGOTIATION_OPTIMISTIC);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, there.cbBuffer, &back), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.server, "Fake", SECPKG_NEGOTIATION_IN_PROGRESS);
    there.cbBuffer = sizeof there_bytes;
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.client, "Fake", SECPKG_NEGOTIATION_IN_PROGRESS);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, there.cbBuffer, &back), SEC_E_OK);
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_E_OK);
    chosen("Fake");
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, there.cbBuffer, &back), SEC_E_OUT_OF_SEQUENCE);
    talk(); /* what came too late has broken nothing */
}

/* A client need not heed the hints: it may know no SPNEGO, as SMB's clients of NTLM alone. */
static void test_raw_after_hints(void **state)
{
    struct loop ntlm = {.package = "NTLM", .client_flags = PROTECT, .target = "host/server.example.test"};
    (void)state;
    loop_acquire(&ntlm);
    FreeCredentialsHandle(&ntlm.server_credential);
    loop_acquire(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    loop.client_credential = ntlm.client_credential;
    ROOM(there);
    ROOM(back);
    assert_int_equal(serve(&loop.server, 0, NULL, 0, &back), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(ask(&loop.client, PROTECT, NULL, 0, &there), SEC_I_CONTINUE_NEEDED);
    assert_memory_equal(there.pvBuffer, "NTLMSSP", 8);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, there.cbBuffer, &back), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.server, "NTLM", SECPKG_NEGOTIATION_DIRECT);
    there.cbBuffer = sizeof there_bytes;
    assert_int_equal(ask(&loop.client, PROTECT, back.pvBuffer, back.cbBuffer, &there), SEC_E_OK);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, there.pvBuffer, there.cbBuffer, &back), SEC_E_OK);
    check_chosen(&loop.server, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed there"), SEC_E_OK);
}

static void test_hints_that_are_none(void **state)
{
    (void)state;
    loop_acquire(&loop);
    ROOM(there);
    ROOM(back);
    assert_int_equal(ask(&loop.client, PROTECT, "hello", 5, &there), SEC_E_INVALID_TOKEN);
    assert_int_equal(serve(&loop.server, 0, NULL, 0, &back), SEC_I_CONTINUE_NEEDED);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, NULL, 0, &back), SEC_E_INVALID_TOKEN); /* a second nothing */
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, "FAKE1", 5, &back), SEC_E_OUT_OF_SEQUENCE);
}

/* A client without SPNEGO. */
static void raw_with(const void *token, size_t len)
{
    loop_acquire(&loop);
    ROOM(back);
    assert_int_equal(serve(&loop.server, 0, token, len, &back), SEC_I_CONTINUE_NEEDED);
    check_chosen(&loop.server, "Fake", SECPKG_NEGOTIATION_DIRECT);
    assert_int_equal(back.cbBuffer, 5);
    assert_memory_equal(back.pvBuffer, "FAKE2", 5);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, "FAKE3", 5, &back), SEC_E_OK);
    assert_int_equal(back.cbBuffer, 0);
    check_chosen(&loop.server, "Fake", SECPKG_NEGOTIATION_COMPLETE);
}

static void test_raw(void **state)
{
    (void)state;
    fake.legs = 3;
    raw_with("FAKE1", 5);
}

static void test_raw_that_goes_wrong(void **state)
{
    (void)state;
    fake.legs = 3;
    loop_acquire(&loop);
    ROOM(back);
    assert_int_equal(serve(&loop.server, 0, "FAKE1", 5, &back), SEC_I_CONTINUE_NEEDED);
    back.cbBuffer = sizeof back_bytes;
    assert_int_equal(serve(&loop.server, 0, "\xa1\x02\x30\x00", 4, &back), SEC_E_INVALID_TOKEN);
    CtxtHandle other = {0};
    back.cbBuffer = sizeof back_bytes;
    uint8_t large[65] = "FAKE1"; /* more than the package takes */
    assert_int_equal(serve(&other, 0, large, sizeof large, &back), SEC_E_INVALID_TOKEN);
}

static void test_raw_ntlm(void **state)
{
    struct loop ntlm = {.package = "NTLM", .client_flags = PROTECT, .target = "host/server.example.test"};
    (void)state;
    loop_acquire(&ntlm);
    FreeCredentialsHandle(&ntlm.server_credential);
    loop_acquire(&loop);
    FreeCredentialsHandle(&loop.client_credential);
    loop.client_credential = ntlm.client_credential;
    loop.keep_credentials = true;
    good();
    check_chosen(&loop.server, "NTLM", SECPKG_NEGOTIATION_COMPLETE);
    assert_int_equal(loop_seal(&loop.client, &loop.server, "sealed there"), SEC_E_OK);
}

/* Datagrams know no negotiation. */
static void test_datagram(void **state)
{
    (void)state;
    loop_configure(NTLM_ALONE);
    loop.client_flags |= ISC_REQ_DATAGRAM;
    loop.server_flags = ASC_REQ_DATAGRAM;
    good();
    assert_int_equal(loop_sign(&loop.client, &loop.server, "a datagram"), SEC_E_OK);
    assert_true((loop.client_attributes & ISC_RET_DATAGRAM) != 0);
}

/* The server's packages are asked in order; what one of them said for the peer before it gave up does not go out with the next one's token. */
static void test_datagram_after_an_error_token(void **state)
{
    (void)state;
    fake.accept = SEC_E_INVALID_TOKEN;
    loop_acquire(&loop);
    ROOM(there);
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &there};
    ULONG granted;
    assert_int_equal(AcceptSecurityContext(&loop.server_credential, NULL, NULL,
                                           ASC_REQ_DATAGRAM | ASC_REQ_EXTENDED_ERROR, SECURITY_NATIVE_DREP,
                                           &loop.server, &list, &granted, NULL),
                     SEC_I_CONTINUE_NEEDED);
    assert_memory_equal(there.pvBuffer, "NTLMSSP", 8);
}

/* A package of one leg has ended with its first token, and begins no second handshake on that context. */
static void test_datagram_of_one_leg(void **state)
{
    (void)state;
    fake.legs = 1;
    loop_acquire(&loop);
    ROOM(there);
    assert_int_equal(ask(&loop.client, PROTECT | ISC_REQ_DATAGRAM, NULL, 0, &there), SEC_E_OK);
    assert_memory_equal(there.pvBuffer, "FAKE1", 5);
    check_chosen(&loop.client, "Fake", SECPKG_NEGOTIATION_COMPLETE);
    there.cbBuffer = sizeof there_bytes;
    assert_int_equal(ask(&loop.client, PROTECT | ISC_REQ_DATAGRAM, NULL, 0, &there), SEC_E_OUT_OF_SEQUENCE);
}

/* Bindings of the first call reach the package that begins at the second. */
static void test_bindings(void **state)
{
    (void)state;
    acquire(BOTH, NTLM_ALONE);
    loop.client_bindings = loop.server_bindings = "tls-unique:1";
    loop.client_bindings_len = loop.server_bindings_len = 12;
    good();
    DeleteSecurityContext(&loop.client);
    DeleteSecurityContext(&loop.server);
    loop.client_bindings = "tls-unique:2";
    assert_false(loop_run(&loop));
    assert_int_equal(loop.server_status, SEC_E_BAD_BINDINGS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, finish)
    const struct CMUnitTest tests[] = {
        TEST(test_package),
        TEST(test_the_first_package),
        TEST(test_three_legs),
        TEST(test_one_leg),
        TEST(test_ntlm),
        TEST(test_falls_back_before_anything_is_sent),
        TEST(test_a_no_is_no_reason_to_fall_back),
        TEST(test_the_cause_of_a_fallback_stays),
        TEST(test_another_than_the_first),
        TEST(test_code_with_any_number_of_legs),
        TEST(test_reordered_list),
        TEST(test_shortened_list),
        TEST(test_lengthened_list),
        TEST(test_removed_code),
        TEST(test_wrong_code),
        TEST(test_second_code),
        TEST(test_code_that_nobody_asked_for),
        TEST(test_switch_without_integrity),
        TEST(test_switch_of_nobody),
        TEST(test_ntlm_without_integrity),
        TEST(test_quirks),
        TEST(test_incomplete_for_request_mic),
        TEST(test_empty_response_token),
        TEST(test_the_name_that_the_client_used),
        TEST(test_wrong_servers),
        TEST(test_wrong_clients),
        TEST(test_nothing_in_common),
        TEST(test_extended_error),
        TEST(test_token_of_a_success),
        TEST(test_states_and_hints),
        TEST(test_raw_after_hints),
        TEST(test_hints_that_are_none),
        TEST(test_raw),
        TEST(test_raw_that_goes_wrong),
        TEST(test_raw_ntlm),
        TEST(test_datagram),
        TEST(test_datagram_after_an_error_token),
        TEST(test_datagram_of_one_leg),
        TEST(test_bindings),
    };
    fake_register();
    loop_configure(BOTH);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_cleanup();
    return failed;
}
