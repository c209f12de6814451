/*
 * Modules written for Windows' LSA (SpLsaModeInitialize): what is refused and in which words, what works, and what is left behind.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/status.h"
#include "unit/foreign/modules.h"
#include <dlfcn.h>
#include <pthread.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char test_name[] = "Test";

static long shutdowns_of(const char *path)
{
    long (*shutdowns)(void);
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(library);
    *(void **)&shutdowns = dlsym(library, "OpenSspiTestShutdowns");
    long answer = shutdowns();
    dlclose(library);
    return answer;
}

static long starts_of(const char *path)
{
    long (*starts)(void);
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(library);
    *(void **)&starts = dlsym(library, "OpenSspiTestStarts");
    long answer = starts();
    dlclose(library);
    return answer;
}

static void refused(void **state)
{
    static const struct {
        const char *name, *words;
        long n_shutdowns;
    } cases[] = {
        {"lsa_fails", "SpLsaModeInitialize answered 0xc0000001", 0},
        {"lsa_version", "version 0x00030000", 0},
        {"lsa_no_tables", "gave 0 tables", 0},
        {"lsa_many_tables", "gave 17 tables", 0},
        {"lsa_null_tables", "gave no tables", 0},
        {"lsa_no_start", "lacks what every package needs", 0},
        {"lsa_no_info", "lacks what every package needs", 0},
        {"lsa_no_release", "lacks what every package needs", 0},
        {"lsa_no_steps", "lacks what every package needs", 0},
        {"lsa_no_delete", "lacks what every package needs", 0},
        {"lsa_start_fails", "SpInitialize answered 0xc0000001", 0},
        {"lsa_second_fails", "SpInitialize answered 0xc0000001", 1}, /* the first is shut down again */
        {"lsa_info_fails", "SpGetInfo answered 0xc0000001", 1},
        {"lsa_no_name", "fit name", 1},
        {"lsa_bad_name", "fit name", 1},
        {"lsa_our_oid", "another package's", 1},
        {"lsa_bad_oid", "no object identifier", 1},
        {"lsa_many_thunks", "names 65 attributes", 1},
        {"lsa_user_fails", "SpUserModeInitialize answered 0xc0000001", 0},
        {"lsa_user_version", "SpUserModeInitialize speaks version 0x00000000", 0},
        {"lsa_user_count", "SpLsaModeInitialize gave 1 tables, SpUserModeInitialize 2", 0},
        {"lsa_instance_fails", "SpInstanceInit answered 0xc0000001", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(shutdowns_of(module_refused(cases[i].name, cases[i].words)), cases[i].n_shutdowns);
}

static SECURITY_STATUS accept_byte(CredHandle *credential, CtxtHandle *context, ULONG len)
{
    char room[64], byte[2] = "TT";
    SecBuffer in = {len, SECBUFFER_TOKEN, byte}, out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    return AcceptSecurityContext(credential, NULL, &input, 0, 0, context, &output, &attributes, NULL);
}

static void messages_check(CtxtHandle *client, CtxtHandle *server)
{
    char data[] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = 7;
    assert_int_equal(MakeSignature(client, 0, &message, 0), SEC_E_OK);
    assert_int_equal(buffers[0].cbBuffer, 1);
    assert_int_equal(VerifySignature(server, &message, 0, &qop), SEC_E_OK);
    assert_int_equal(qop, 0);
    data[1] = 'B';
    assert_int_equal(VerifySignature(server, &message, 0, &qop), SEC_E_MESSAGE_ALTERED);
    data[1] = 'b';
    buffers[0].cbBuffer = sizeof room;
    assert_int_equal(EncryptMessage(server, 0, &message, 0), SEC_E_OK);
    assert_string_not_equal(data, "abc");
    assert_int_equal(DecryptMessage(client, &message, 0, &qop), SEC_E_OK);
    assert_string_equal(data, "abc");
}

static void works(void **state)
{
    static const char *const names[] = {"lsa_right", "lsa_map_keeps"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CredHandle credential, alice, bob;
        CtxtHandle client, server, other = {7, 7};
        SecPkgContext_Sizes sizes;
        SecPkgContext_NamesA name;
        SecPkgContext_KeyInfoA key;
        SecPkgCredentials_NamesA owner;
        PSecPkgInfoA info;
        ULONG attributes;
        char path[600];
        snprintf(path, sizeof path, "%s", module_copy(names[i]));
        SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options, .Type = SECPKG_OPTIONS_TYPE_LSA};
        if (AddSecurityPackageA(path, &options) != SEC_E_OK)
            fail_msg("%s", OpenSspiLastErrorText());
        assert_int_equal(QuerySecurityPackageInfoA(test_name, &info), SEC_E_OK);
        assert_int_equal(info->cbMaxToken, 64);
        FreeContextBuffer(info);
        assert_int_equal(module_acquire(&bob, "bob"), SEC_E_LOGON_DENIED);
        assert_int_equal(module_acquire(&alice, "alice"), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&alice), SEC_E_OK);
        assert_int_equal(module_acquire(&credential, NULL), SEC_E_OK);
        assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &owner), SEC_E_OK);
        assert_string_equal(owner.sUserName, "alice");
        FreeContextBuffer(owner.sUserName);
        assert_int_equal(module_initiate(&credential, &client, &attributes), SEC_E_OK);
        assert_int_equal(attributes, ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY);
        assert_int_equal(accept_byte(&credential, &other, 2), SEC_E_INVALID_TOKEN);
        assert_true(other.dwLower == 7 && other.dwUpper == 7);
        assert_int_equal(accept_byte(&credential, &server, 1), SEC_E_OK);
        messages_check(&client, &server);
        assert_int_equal(QueryContextAttributesA(&client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
        assert_int_equal(sizes.cbMaxSignature, 1);
        assert_int_equal(QueryContextAttributesA(&server, SECPKG_ATTR_NAMES, &name), SEC_E_OK);
        assert_string_equal(name.sUserName, "bob");
        FreeContextBuffer(name.sUserName);
        /* The one attribute that the part in the authority answers. */
        assert_int_equal(QueryContextAttributesA(&server, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
        assert_string_equal(key.sEncryptAlgorithmName, "lsa");
        FreeContextBuffer(key.sSignatureAlgorithmName);
        FreeContextBuffer(key.sEncryptAlgorithmName);
        assert_true(module_is_controlled(&client) && module_is_controlled(&server));
        module_drop(path); /* what there is goes on */
        messages_check(&client, &server);
        assert_int_equal(DeleteSecurityContext(&client), SEC_E_OK);
        assert_int_equal(DeleteSecurityContext(&client), SEC_E_INVALID_HANDLE);
        assert_int_equal(DeleteSecurityContext(&server), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
        module_counts_check(path);
        /* It comes back without a second start. */
        assert_int_equal(module_add(path), SEC_E_OK);
        module_drop(path);
        assert_int_equal(shutdowns_of(path), 0);
    }
}

/* What is missing is not supported, be it a function or the whole part in the application. */
static void missing_entries(void **state)
{
    static const char *const names[] = {"lsa_sparse", "lsa_no_user"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct module_use use = {.path = ""};
        char data[4] = "abc";
        SecBuffer buffer = {3, SECBUFFER_TOKEN, data};
        SecBufferDesc token = {SECBUFFER_VERSION, 1, &buffer};
        module_use_begin(&use, names[i]);
        module_messages_missing(&use.context);
        assert_int_equal(SetCredentialsAttributesA(&use.credential, 1, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
        if (i == 0) { /* the second lacks the part in the application, which has no say in these */
            assert_int_equal(SetContextAttributesA(&use.context, 77, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(ApplyControlToken(&use.context, &token), SEC_E_UNSUPPORTED_FUNCTION);
        } else
            assert_true(module_is_controlled(&use.context));
        module_use_end(&use);
    }
}

/* A table is of the header's layout whatever version its module speaks: its last members are called, and the second table is found. */
static void versions(void **state)
{
    static const char *const names[] = {"lsa_right", "lsa_version_2", "lsa_version_3"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct module_use use = {.path = ""};
        char other[] = "Other", value[] = "set";
        PSecPkgInfoA info;
        module_use_begin(&use, names[i]);
        assert_true(module_is_controlled(&use.context));
        assert_int_equal(SetCredentialsAttributesA(&use.credential, 78, value, 3), SEC_E_OK);
        assert_int_equal(SetCredentialsAttributesA(&use.credential, 78, value, 2), SEC_E_INVALID_TOKEN);
        assert_int_equal(QuerySecurityPackageInfoA(other, &info), i == 0 ? SEC_E_SECPKG_NOT_FOUND : SEC_E_OK);
        if (i != 0)
            FreeContextBuffer(info);
        module_use_end(&use);
    }
}

static void wrong_answers(void **state)
{
    static const struct {
        const char *name;
        SECURITY_STATUS acquire, step;
        const char *words;
    } cases[] = {
        {"lsa_denies", SEC_E_LOGON_DENIED, 0, "answered 0xc000006d"},
        {"lsa_strange", SEC_E_INTERNAL_ERROR, 0, "SpAcquireCredentialsHandle of package Test"},
        {"lsa_says_nothing", SEC_E_OK, SEC_E_INTERNAL_ERROR, "answered 0x00000103"},
        {"lsa_other_success", SEC_E_OK, SEC_E_INTERNAL_ERROR, "answered 0x00090317"},
        {"other_success", SEC_E_OK, SEC_E_INTERNAL_ERROR, "answered 0x00090317"},
        {"lsa_no_context", SEC_E_OK, SEC_E_INTERNAL_ERROR, "gave no context"},
        {"lsa_no_map", SEC_E_OK, SEC_E_INTERNAL_ERROR, "no SpInitUserModeContext"},
        {"lsa_map_fails", SEC_E_OK, SEC_E_INTERNAL_ERROR, "SpInitUserModeContext of package Test"},
        {"lsa_map_null", SEC_E_OK, SEC_E_INTERNAL_ERROR, "maps a context of 1 bytes"},
        {"lsa_map_huge", SEC_E_OK, SEC_E_INTERNAL_ERROR, "maps a context of 1073741824 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        module_answers_check(cases[i].name, cases[i].acquire, cases[i].step, cases[i].words);
}

/* The part in the authority went on, and what failed came after it: its token is no word of a failure, whatever its attributes say. */
static void tokens_of_successes(void **state)
{
    static const char *const names[] = {"lsa_map_fails", "lsa_says_nothing"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct module_use use = {.context = {7, 7}};
        char first[] = "T", room[64] = "untouched", target[] = "t";
        ULONG attributes = 0;
        SecBuffer in = {1, SECBUFFER_TOKEN, first}, out = {sizeof room, SECBUFFER_TOKEN, room};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
        module_use_add(&use, names[i]);
        assert_int_equal(module_acquire(&use.credential, NULL), SEC_E_OK);
        assert_int_equal(AcceptSecurityContext(&use.credential, NULL, &in_list, ASC_REQ_EXTENDED_ERROR, 0, &use.context,
                                               &out_list, &attributes, NULL),
                         SEC_E_INTERNAL_ERROR);
        assert_int_equal(InitializeSecurityContextA(&use.credential, NULL, target, ISC_REQ_EXTENDED_ERROR, 0, 0, NULL,
                                                    0, &use.context, &out_list, &attributes, NULL),
                         SEC_E_INTERNAL_ERROR);
        assert_int_equal(out.cbBuffer, sizeof room);
        assert_string_equal(room, "untouched");
        assert_int_equal(attributes, 0);
        assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
        module_drop(use.path);
        module_counts_check(use.path);
    }
}

/* What is there of a context whose token waits for its completion, and of one that failed in it: nothing. */
static void nobody_is_told(CtxtHandle *context, SECURITY_STATUS query)
{
    SecPkgContext_NamesA name = {0};
    HANDLE token = NULL;
    char data[] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &name), query);
    assert_null(name.sUserName);
    assert_int_equal(QuerySecurityContextToken(context, &token), SEC_E_NO_IMPERSONATION);
    assert_int_equal(ImpersonateSecurityContext(context), SEC_E_NO_IMPERSONATION);
    assert_int_equal(MakeSignature(context, 0, &message, 0), SEC_E_INVALID_HANDLE);
}

static SECURITY_STATUS complete_byte(CtxtHandle *context, char *byte)
{
    SecBuffer buffer = {1, SECBUFFER_TOKEN, byte};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    return CompleteAuthToken(context, &list);
}

static void bob_is_told(CtxtHandle *context)
{
    SecPkgContext_NamesA name;
    SecPkgContext_Lifespan span;
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &name), SEC_E_OK);
    assert_string_equal(name.sUserName, "bob");
    FreeContextBuffer(name.sUserName);
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_LIFESPAN, &span), SEC_E_OK);
    messages_check(context, context);
}

/* A server's context is established when its token is completed, and by nothing else. */
static void completion(void **state)
{
    struct module_use use = {.path = ""};
    CtxtHandle refused, left;
    char byte = 'T';
    (void)state;
    module_use_add(&use, "lsa_complete");
    assert_int_equal(module_acquire(&use.credential, NULL), SEC_E_OK);
    assert_int_equal(accept_byte(&use.credential, &use.context, 1), SEC_I_COMPLETE_NEEDED);
    assert_int_equal(accept_byte(&use.credential, &refused, 1), SEC_I_COMPLETE_NEEDED);
    assert_int_equal(accept_byte(&use.credential, &left, 1), SEC_I_COMPLETE_NEEDED);
    nobody_is_told(&use.context, SEC_E_INVALID_HANDLE);
    assert_int_equal(complete_byte(&use.context, &byte), SEC_E_OK);
    assert_int_equal(byte, 'C');
    bob_is_told(&use.context);
    SecPkgContext_Flags granted;
    assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_FLAGS, &granted), SEC_E_OK);
    assert_int_equal(granted.Flags, ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY);
    assert_true(module_is_controlled(&use.context));
    /* Whether "bob" is somebody here does not matter: the client is asked for, not the state of the handshake. */
    HANDLE token = NULL;
    if (QuerySecurityContextToken(&use.context, &token) != SEC_E_OK)
        assert_null(strstr(OpenSspiLastErrorText(), "not established"));
    else
        OpenSspiCloseHandle(token);
    byte = 'D';
    assert_int_equal(complete_byte(&use.context, &byte), SEC_E_LOGON_DENIED); /* too late to matter */
    bob_is_told(&use.context);

    assert_int_equal(complete_byte(&refused, &byte), SEC_E_LOGON_DENIED);
    nobody_is_told(&refused, SEC_E_INVALID_HANDLE);
    byte = 'T';
    assert_int_equal(complete_byte(&refused, &byte), SEC_E_OUT_OF_SEQUENCE);
    nobody_is_told(&refused, SEC_E_INVALID_HANDLE);
    assert_int_equal(DeleteSecurityContext(&refused), SEC_E_OK);
    assert_int_equal(DeleteSecurityContext(&left), SEC_E_OK);
    module_use_end(&use);
}

static void completion_of_a_client(void **state)
{
    CredHandle credential;
    CtxtHandle context;
    char path[600], room[64], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    SecPkgContext_NativeNamesA names;
    ULONG attributes;
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("lsa_complete"));
    assert_int_equal(module_add(path), SEC_E_OK);
    assert_int_equal(module_acquire(&credential, NULL), SEC_E_OK);
    assert_int_equal(
        InitializeSecurityContextA(&credential, NULL, target, 0, 0, 0, NULL, 0, &context, &list, &attributes, NULL),
        SEC_I_COMPLETE_NEEDED);
    assert_int_equal(token.cbBuffer, 1);
    assert_int_equal(QueryContextAttributesA(&context, SECPKG_ATTR_NATIVE_NAMES, &names), SEC_E_INVALID_HANDLE);
    assert_int_equal(CompleteAuthToken(&context, &list), SEC_E_OK);
    assert_int_equal(room[0], 'C');
    bob_is_told(&context);
    assert_int_equal(
        InitializeSecurityContextA(&credential, &context, target, 0, 0, 0, NULL, 0, &context, &list, &attributes, NULL),
        SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    module_drop(path);
    module_counts_check(path);
}

/* Chosen by Negotiate, for datagrams, where its tokens go out as they are. */
static void completion_by_negotiate(void **state)
{
    static uint16_t user[] = u"alice", password[] = u"secret", packages[] = u"Test";
    static char negotiate[] = "Negotiate";
    struct module_use use = {.path = ""};
    char room[64], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    SecPkgContext_NegotiationInfoA info;
    ULONG attributes;
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .User = user,
                                            .UserLength = 5,
                                            .Password = password,
                                            .PasswordLength = 6,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
                                            .PackageList = packages,
                                            .PackageListLength = 4};
    (void)state;
    module_use_add(&use, "lsa_complete");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                   &use.credential, NULL),
                         SEC_E_OK);
        token.cbBuffer = sizeof room;
        assert_int_equal(InitializeSecurityContextA(&use.credential, NULL, target, ISC_REQ_DATAGRAM, 0, 0, NULL, 0,
                                                    &use.context, &list, &attributes, NULL),
                         SEC_I_COMPLETE_NEEDED);
        nobody_is_told(&use.context, SEC_E_UNSUPPORTED_FUNCTION);
        if (i == 0) {
            assert_int_equal(CompleteAuthToken(&use.context, &list), SEC_E_OK);
            bob_is_told(&use.context);
            assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_NEGOTIATION_INFO, &info), SEC_E_OK);
            assert_string_equal(info.PackageInfo->Name, test_name);
            assert_int_equal(info.NegotiationState, SECPKG_NEGOTIATION_COMPLETE);
            FreeContextBuffer(info.PackageInfo);
            assert_int_equal(DeleteSecurityContext(&use.context), SEC_E_OK);
            assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
        } else {
            room[0] = 'D';
            assert_int_equal(CompleteAuthToken(&use.context, &list), SEC_E_LOGON_DENIED);
            nobody_is_told(&use.context, SEC_E_INVALID_HANDLE);
        }
    }
    module_use_end(&use);
}

/* In SPNEGO's tokens nobody could complete the package's: it is told as what it is. */
static void no_completion_in_spnego(void **state)
{
    static uint16_t user[] = u"alice", password[] = u"secret", packages[] = u"Test";
    static char negotiate[] = "Negotiate";
    struct module_use use = {.path = ""};
    char room[256], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    SEC_WINNT_AUTH_IDENTITY_EXW identity = {.Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
                                            .Length = sizeof identity,
                                            .User = user,
                                            .UserLength = 5,
                                            .Password = password,
                                            .PasswordLength = 6,
                                            .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
                                            .PackageList = packages,
                                            .PackageListLength = 4};
    (void)state;
    module_use_add(&use, "lsa_complete");
    assert_int_equal(AcquireCredentialsHandleA(NULL, negotiate, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                               &use.credential, NULL),
                     SEC_E_OK);
    assert_int_equal(InitializeSecurityContextA(&use.credential, NULL, target, 0, 0, 0, NULL, 0, &use.context, &list,
                                                &attributes, NULL),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_non_null(strstr(OpenSspiLastErrorText(), "completed"));
    assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
    module_drop(use.path);
    module_counts_check(use.path);
}

/* A token that is completed in mid-handshake: after a failure there is no next step. */
static void completion_and_more(void **state)
{
    struct module_use use = {.path = ""};
    CtxtHandle refused;
    char byte = 'D', room[64];
    SecBuffer in = {1, SECBUFFER_TOKEN, &byte}, out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    (void)state;
    module_use_add(&use, "lsa_complete_more");
    assert_int_equal(module_acquire(&use.credential, NULL), SEC_E_OK);
    assert_int_equal(accept_byte(&use.credential, &use.context, 1), SEC_I_COMPLETE_AND_CONTINUE);
    assert_int_equal(accept_byte(&use.credential, &refused, 1), SEC_I_COMPLETE_AND_CONTINUE);
    assert_int_equal(complete_byte(&refused, &byte), SEC_E_LOGON_DENIED);
    assert_int_equal(
        AcceptSecurityContext(&use.credential, &refused, &input, 0, 0, &refused, &output, &attributes, NULL),
        SEC_E_OUT_OF_SEQUENCE);
    byte = 'T';
    assert_int_equal(complete_byte(&use.context, &byte), SEC_E_OK);
    nobody_is_told(&use.context, SEC_E_INVALID_HANDLE);
    assert_int_equal(
        AcceptSecurityContext(&use.credential, &use.context, &input, 0, 0, &use.context, &output, &attributes, NULL),
        SEC_E_OK);
    bob_is_told(&use.context);
    assert_int_equal(DeleteSecurityContext(&refused), SEC_E_OK);
    module_use_end(&use);
}

/* Another file under the name of one that was loaded: what runs goes on, and no code is started again that was started before. */
static void replaced(void **state)
{
    static const char *const names[] = {"lsa_right", "right"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct module_use use = {.path = ""};
        char kept[700], other[700];
        CredHandle credential;
        ULONG before = modules_listed();
        module_use_begin(&use, names[i]);
        snprintf(kept, sizeof kept, "%s.kept", use.path);
        snprintf(other, sizeof other, "%s", module_copy(names[i]));
        assert_int_equal(link(use.path, kept), 0);
        assert_int_equal(rename(other, use.path), 0);
        assert_int_equal(module_add(use.path), SEC_E_CANNOT_INSTALL);
        assert_non_null(strstr(OpenSspiLastErrorText(), "was replaced"));
        assert_int_equal(modules_listed(), before + 1);
        assert_int_equal(module_acquire(&credential, NULL), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
        if (i == 0) {
            assert_int_equal(shutdowns_of(use.path), 0);
            assert_int_equal(starts_of(use.path), 1);
        }
        module_drop(use.path);
        assert_int_equal(module_add(use.path), SEC_E_CANNOT_INSTALL);
        assert_int_equal(modules_listed(), before);
        assert_int_equal(module_add(kept), SEC_E_OK); /* the file that runs, by another name */
        assert_int_equal(modules_listed(), before + 1);
        module_use_end(&use);
        if (i == 0)
            assert_int_equal(starts_of(use.path), 1);
    }
}

/* The same of a module that was refused: the one that took its place does not count as the one that was refused. */
static void replaced_after_refusal(void **state)
{
    char path[600], other[600];
    (void)state;
    snprintf(path, sizeof path, "%s", module_refused("lsa_start_fails", "SpInitialize answered"));
    assert_int_equal(module_add(path), SEC_E_CANNOT_INSTALL); /* the same again: it may answer otherwise */
    assert_non_null(strstr(OpenSspiLastErrorText(), "SpInitialize answered"));
    snprintf(other, sizeof other, "%s", module_copy("lsa_right"));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(module_add(path), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "was replaced"));
    assert_int_equal(starts_of(path), 2);
}

static void all_in_the_authority(void **state)
{
    struct module_use use = {.path = ""};
    SecPkgContext_KeyInfoA key;
    SecPkgContext_Sizes sizes;
    (void)state;
    module_use_begin(&use, "lsa_thunks_all");
    assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
    FreeContextBuffer(key.sSignatureAlgorithmName);
    FreeContextBuffer(key.sEncryptAlgorithmName);
    /* The part in the application would know. */
    assert_int_equal(QueryContextAttributesA(&use.context, SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
    module_use_end(&use);
}

static void long_signature(void **state)
{
    struct module_use use = {.path = ""};
    char data[4] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    (void)state;
    module_use_begin(&use, "lsa_long_signature");
    assert_int_equal(MakeSignature(&use.context, 0, &message, 0), SEC_E_INTERNAL_ERROR);
    assert_int_equal(buffers[0].cbBuffer, sizeof room);
    module_use_end(&use);
}

/* In a thread of its own: a context whose record could not be opened is kept by its thread. */
static void *sweep(void *argument)
{
    bool *good = argument;
    CredHandle credential;
    CtxtHandle context;
    ULONG attributes;
    bool done = false;
    unsigned long nth;
    for (nth = 1; !done && nth < 1000; nth++) {
        mem_fault_set(nth, false);
        SECURITY_STATUS status = module_acquire(&credential, "alice");
        if (status == SEC_E_OK) {
            status = module_initiate(&credential, &context, &attributes);
            done = mem_fault_count() < nth;
            mem_fault_set(0, false);
            if (status == SEC_E_OK)
                *good &= DeleteSecurityContext(&context) == SEC_E_OK;
            *good &= FreeCredentialsHandle(&credential) == SEC_E_OK;
        }
        mem_fault_set(0, false);
    }
    *good &= done && nth > 10;
    return NULL;
}

/* Wherever memory runs out, the step fails or does without, and nothing is left. */
static void memory_short(void **state)
{
    char path[600];
    pthread_t thread;
    bool good = true;
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("lsa_right"));
    assert_int_equal(module_add(path), SEC_E_OK);
    assert_int_equal(pthread_create(&thread, NULL, sweep, &good), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good);
    module_drop(path);
    module_counts_check(path);
}

static void threads(void **state)
{
    (void)state;
    module_threads_check("lsa_right");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(refused),
        cmocka_unit_test(works),
        cmocka_unit_test(missing_entries),
        cmocka_unit_test(wrong_answers),
        cmocka_unit_test(tokens_of_successes),
        cmocka_unit_test(completion),
        cmocka_unit_test(all_in_the_authority),
        cmocka_unit_test(completion_of_a_client),
        cmocka_unit_test(completion_and_more),
        cmocka_unit_test(completion_by_negotiate),
        cmocka_unit_test(no_completion_in_spnego),
        cmocka_unit_test(replaced),
        cmocka_unit_test(replaced_after_refusal),
        cmocka_unit_test(long_signature),
        cmocka_unit_test(memory_short),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, modules_set_up, modules_tear_down);
}
