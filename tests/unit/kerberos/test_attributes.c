/*
 * What Kerberos contexts and credentials tell, of both roles: during the handshake, after it, and when they are gone.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "base/utf16.h"
#include "support/kerberos_loop.h"
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>

static const struct expected {
    int32_t enctype;
    ULONG signature, trailer, dce_trailer, key_len, signature_number;
    const char *signature_name, *encrypt_name;
} types[] = {
    /* RFC 4121 4.2.6.2, MS-KILE 3.4.5.4: 16 of header and a checksum; sealed: header, confounder, header again, checksum */
    {KRB_AES256_SHA1, 28, 60, 76, 32, 16, "HMAC-SHA1-96", "Kerberos AES256-CTS-HMAC-SHA1-96"},
    {KRB_AES128_SHA1, 28, 60, 76, 16, 15, "HMAC-SHA1-96", "Kerberos AES128-CTS-HMAC-SHA1-96"},
    {KRB_AES256_SHA384, 40, 72, 88, 32, 20, "HMAC-SHA384-192", "Kerberos AES256-CTS-HMAC-SHA384-192"},
    {KRB_AES128_SHA256, 32, 64, 80, 16, 19, "HMAC-SHA256-128", "Kerberos AES128-CTS-HMAC-SHA256-128"},
    {KRB_RC4_HMAC, 37, 0, 0, 16, 0xffffff76, "HMAC-MD5", "RSADSI RC4-HMAC"},
};

static struct loop loop;
static const struct expected *now;
static bool dce;

static SECURITY_STATUS ask(CtxtHandle *context, ULONG attribute, void *value)
{
    return QueryContextAttributesA(context, attribute, value);
}

/* A message of each kind as large as SIZES says, into a buffer of exactly that size. */
static void sizes_are_exact(CtxtHandle *from, CtxtHandle *to)
{
    SecPkgContext_Sizes sizes;
    assert_int_equal(ask(from, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbMaxToken, 48000);
    assert_int_equal(sizes.cbBlockSize, 1);
    assert_int_equal(sizes.cbMaxSignature, now->signature);
    if (now->trailer != 0)
        assert_int_equal(sizes.cbSecurityTrailer, dce ? now->dce_trailer : now->trailer);
    for (size_t len = 0; len < 300; len += 37) {
        uint8_t *token = malloc(sizes.cbSecurityTrailer), *data = calloc(1, len + 1),
                *mic = malloc(sizes.cbMaxSignature);
        SecBuffer buffers[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token}, {(ULONG)len, SECBUFFER_DATA, data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
        assert_int_equal(EncryptMessage(from, 0, &list, 0), SEC_E_OK);
        if (now->trailer != 0)
            assert_int_equal(buffers[0].cbBuffer, sizes.cbSecurityTrailer);
        else
            assert_true(buffers[0].cbBuffer <= sizes.cbSecurityTrailer);
        assert_int_equal(DecryptMessage(to, &list, 0, NULL), SEC_E_OK);
        buffers[0] = (SecBuffer){sizes.cbMaxSignature, SECBUFFER_TOKEN, mic};
        assert_int_equal(MakeSignature(from, 0, &list, 0), SEC_E_OK);
        assert_int_equal(buffers[0].cbBuffer, sizes.cbMaxSignature);
        assert_int_equal(VerifySignature(to, &list, 0, NULL), SEC_E_OK);
        /* one byte less is too little */
        buffers[0] = (SecBuffer){sizes.cbMaxSignature - 1, SECBUFFER_TOKEN, mic};
        assert_int_equal(MakeSignature(from, 0, &list, 0), SEC_E_BUFFER_TOO_SMALL);
        free(token);
        free(data);
        free(mic);
    }
}

static void names_of(CtxtHandle *context)
{
    SecPkgContext_NamesA names = {0};
    SecPkgContext_NamesW wide = {0};
    SecPkgContext_NativeNamesA native = {0};
    SecPkgContext_AuthorityA authority = {0};
    SecPkgContext_DceInfo info = {0};
    assert_int_equal(ask(context, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, FORGE_CLIENT);
    assert_int_equal(QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &wide), SEC_E_OK);
    for (size_t i = 0; i < sizeof FORGE_CLIENT; i++)
        assert_int_equal(wide.sUserName[i], FORGE_CLIENT[i]);
    assert_int_equal(ask(context, SECPKG_ATTR_NATIVE_NAMES, &native), SEC_E_OK);
    assert_string_equal(native.sClientName, FORGE_CLIENT);
    assert_string_equal(native.sServerName, FORGE_SERVER);
    assert_int_equal(ask(context, SECPKG_ATTR_AUTHORITY, &authority), SEC_E_OK);
    assert_string_equal(authority.sAuthorityName, FORGE_REALM);
    assert_int_equal(ask(context, SECPKG_ATTR_DCE_INFO, &info), SEC_E_OK);
    assert_int_equal(info.AuthzSvc, 1); /* RPC_C_AUTHZ_NAME, so that pPac is a name */
    assert_string_equal((const char *)info.pPac, FORGE_CLIENT);
    FreeContextBuffer(names.sUserName);
    FreeContextBuffer(wide.sUserName);
    FreeContextBuffer(native.sClientName);
    FreeContextBuffer(native.sServerName);
    FreeContextBuffer(authority.sAuthorityName);
    FreeContextBuffer(info.pPac);
}

static void keys_of(CtxtHandle *context, uint8_t key_bytes[32])
{
    SecPkgContext_SessionKey key = {0};
    SecPkgContext_KeyInfoA info = {0};
    assert_int_equal(ask(context, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
    assert_int_equal(key.SessionKeyLength, now->key_len);
    memcpy(key_bytes, key.SessionKey, key.SessionKeyLength);
    assert_int_equal(ask(context, SECPKG_ATTR_KEY_INFO, &info), SEC_E_OK);
    assert_string_equal(info.sSignatureAlgorithmName, now->signature_name);
    assert_string_equal(info.sEncryptAlgorithmName, now->encrypt_name);
    assert_int_equal(info.KeySize, 8 * now->key_len);
    assert_int_equal((uint32_t)info.SignatureAlgorithm, now->signature_number);
    assert_int_equal(info.EncryptAlgorithm, now->enctype);
    FreeContextBuffer(key.SessionKey);
    FreeContextBuffer(info.sSignatureAlgorithmName);
    FreeContextBuffer(info.sEncryptAlgorithmName);
}

static void times_and_flags_of(CtxtHandle *context, ULONG granted, int64_t end_time)
{
    SecPkgContext_Lifespan lifespan = {0};
    SecPkgContext_PasswordExpiry expiry = {0};
    SecPkgContext_Flags flags = {0};
    SecPkgContext_TargetInformation target = {0};
    int64_t end = filetime_to_local(filetime_from_unix((time_t)end_time));
    assert_int_equal(ask(context, SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
    assert_true(lifespan.tsExpiry.QuadPart == end);
    assert_true(lifespan.tsStart.QuadPart > 0 && lifespan.tsStart.QuadPart < end);
    assert_int_equal(ask(context, SECPKG_ATTR_PASSWORD_EXPIRY, &expiry), SEC_E_OK);
    assert_true(expiry.tsPasswordExpires.QuadPart == end); /* "For Kerberos, … when the ticket expires" */
    assert_int_equal(ask(context, SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
    assert_int_equal(flags.Flags, granted);
    assert_int_equal(ask(context, SECPKG_ATTR_TARGET_INFORMATION, &target), SEC_E_UNSUPPORTED_FUNCTION);
}

static void package_of(CtxtHandle *context, ULONG wanted)
{
    SecPkgContext_PackageInfoA package = {0};
    SecPkgContext_NegotiationInfoA negotiation = {0};
    assert_int_equal(ask(context, SECPKG_ATTR_PACKAGE_INFO, &package), SEC_E_OK);
    assert_string_equal(package.PackageInfo->Name, "Kerberos");
    assert_int_equal(package.PackageInfo->wRPCID, 16);
    assert_int_equal(ask(context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation), SEC_E_OK);
    assert_string_equal(negotiation.PackageInfo->Name, "Kerberos");
    assert_int_equal(negotiation.NegotiationState, wanted);
    FreeContextBuffer(package.PackageInfo);
    FreeContextBuffer(negotiation.PackageInfo);
}

static void target_of(CtxtHandle *client, CtxtHandle *server)
{
    SecPkgContext_ClientSpecifiedTarget target = {0};
    char text[128] = "";
    assert_int_equal(ask(client, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(ask(server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target), SEC_E_OK);
    for (size_t i = 0; i + 1 < sizeof text && target.sTargetName[i] != 0; i++)
        text[i] = (char)target.sTargetName[i];
    assert_string_equal(text, FORGE_SERVER);
    FreeContextBuffer(target.sTargetName);
}

static void test_established(void **state)
{
    static const ULONG styles[] = {0, ISC_REQ_MUTUAL_AUTH, ISC_REQ_USE_DCE_STYLE};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (size_t j = 0; j < sizeof styles / sizeof styles[0]; j++) {
            struct forge forge;
            uint8_t one[32] = {0}, two[32] = {0};
            now = &types[i];
            /* two peers of ours would go on with AES where krb5.conf permits it (RFC 4537) */
            kerberos_loop_configure(now->enctype == KRB_RC4_HMAC ? "permitted_enctypes = rc4-hmac" : NULL, NULL, NULL);
            dce = (styles[j] & ISC_REQ_USE_DCE_STYLE) != 0;
            forge_begin(&forge, now->enctype);
            kerberos_loop_ticket(&forge);
            loop = (struct loop){.client_flags = styles[j] | KERBEROS_PROTECT};
            assert_true(kerberos_loop_acquire(&loop) && loop_run(&loop));
            sizes_are_exact(&loop.client, &loop.server);
            if (now->enctype != KRB_RC4_HMAC || styles[j] != 0) /* whose acceptor seals nothing */
                sizes_are_exact(&loop.server, &loop.client);
            names_of(&loop.client);
            names_of(&loop.server);
            keys_of(&loop.client, one);
            keys_of(&loop.server, two);
            assert_memory_equal(one, two, sizeof one);
            times_and_flags_of(&loop.client, loop.client_attributes, forge.end_time);
            times_and_flags_of(&loop.server, loop.server_attributes, forge.end_time);
            package_of(&loop.client, SECPKG_NEGOTIATION_COMPLETE);
            package_of(&loop.server, SECPKG_NEGOTIATION_COMPLETE);
            target_of(&loop.client, &loop.server);
            CtxtHandle gone = loop.client;
            SecPkgContext_Sizes sizes;
            kerberos_loop_end(&loop);
            assert_int_equal(ask(&gone, SECPKG_ATTR_SIZES, &sizes), SEC_E_INVALID_HANDLE);
        }
}

/* What the first leg settles is known; what the peer still has a say in is not. */
static void during(CtxtHandle *context)
{
    static const ULONG not_yet[] = {SECPKG_ATTR_NAMES,           SECPKG_ATTR_NATIVE_NAMES,
                                    SECPKG_ATTR_SESSION_KEY,     SECPKG_ATTR_LIFESPAN,
                                    SECPKG_ATTR_FLAGS,           SECPKG_ATTR_AUTHORITY,
                                    SECPKG_ATTR_DCE_INFO,        SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
                                    SECPKG_ATTR_PASSWORD_EXPIRY, SECPKG_ATTR_TARGET_INFORMATION};
    SecPkgContext_Sizes sizes;
    SecPkgContext_KeyInfoA info;
    bool known = now->enctype != KRB_RC4_HMAC;
    package_of(context, SECPKG_NEGOTIATION_IN_PROGRESS);
    assert_int_equal(ask(context, SECPKG_ATTR_SIZES, &sizes), known ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
    if (known)
        assert_int_equal(sizes.cbMaxSignature, now->signature);
    SECURITY_STATUS status = ask(context, SECPKG_ATTR_KEY_INFO, &info);
    assert_int_equal(status, known ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION);
    if (status == SEC_E_OK) {
        assert_string_equal(info.sEncryptAlgorithmName, now->encrypt_name);
        FreeContextBuffer(info.sSignatureAlgorithmName);
        FreeContextBuffer(info.sEncryptAlgorithmName);
    }
    for (size_t i = 0; i < sizeof not_yet / sizeof not_yet[0]; i++) {
        void *room[16] = {0}, *nothing[16] = {0};
        assert_int_equal(ask(context, not_yet[i], room), SEC_E_UNSUPPORTED_FUNCTION);
        assert_memory_equal(room, nothing, sizeof room);
    }
}

static void test_during(void **state)
{
    (void)state;
    kerberos_loop_configure(NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct forge forge;
        struct duel duel = {.client_flags = ISC_REQ_USE_DCE_STYLE | KERBEROS_PROTECT};
        now = &types[i];
        forge_begin(&forge, now->enctype);
        kerberos_loop_ticket(&forge);
        kerberos_duel_begin(&duel);
        assert_int_equal(duel_client(&duel, slice_of(NULL, 0)), SEC_I_CONTINUE_NEEDED);
        during(&duel.client);
        struct token token = duel.out;
        assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_I_CONTINUE_NEEDED);
        during(&duel.server);
        token = duel.out;
        assert_int_equal(duel_client(&duel, token_slice(&token)), SEC_E_OK);
        token = duel.out;
        SecPkgContext_Sizes before = {0}, after = {0};
        SECURITY_STATUS status = ask(&duel.server, SECPKG_ATTR_SIZES, &before);
        assert_int_equal(duel_server(&duel, token_slice(&token)), SEC_E_OK);
        assert_int_equal(ask(&duel.server, SECPKG_ATTR_SIZES, &after), SEC_E_OK);
        if (status == SEC_E_OK)
            assert_memory_equal(&before, &after, sizeof before);
        duel_end(&duel);
    }
}

static void test_before(void **state)
{
    (void)state;
    CtxtHandle none = {0};
    SecPkgContext_Sizes sizes;
    assert_int_equal(ask(&none, SECPKG_ATTR_SIZES, &sizes), SEC_E_INVALID_HANDLE);
}

static void test_credentials(void **state)
{
    (void)state;
    struct forge forge;
    SecPkgCredentials_NamesA names = {0};
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    loop = (struct loop){0};
    assert_true(kerberos_loop_acquire(&loop));
    assert_int_equal(QueryCredentialsAttributesA(&loop.client_credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, FORGE_CLIENT); /* of the default cache */
    FreeContextBuffer(names.sUserName);
    assert_int_equal(QueryCredentialsAttributesA(&loop.server_credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, ""); /* any of the keytab */
    FreeContextBuffer(names.sUserName);
    kerberos_loop_end(&loop);
    CredHandle named = {0};
    assert_int_equal(AcquireCredentialsHandleA((char *)(uintptr_t) "host/server.example.test",
                                               (char *)(uintptr_t) "Kerberos", SECPKG_CRED_INBOUND, NULL, NULL, NULL,
                                               NULL, &named, NULL),
                     SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&named, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_OK);
    assert_string_equal(names.sUserName, "host/server.example.test");
    FreeContextBuffer(names.sUserName);
    FreeCredentialsHandle(&named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before),
        cmocka_unit_test(test_established),
        cmocka_unit_test(test_during),
        cmocka_unit_test(test_credentials),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kerberos_loop_cleanup();
    return failed;
}
