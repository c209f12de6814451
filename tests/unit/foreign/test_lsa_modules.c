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

static char test_name[] = "Test";

static SECURITY_STATUS add(const char *path)
{
    return AddSecurityPackageA((char *)(uintptr_t)path, NULL);
}

static void drop(const char *path)
{
    assert_int_equal(DeleteSecurityPackageA((char *)(uintptr_t)path), SEC_E_OK);
}

static ULONG n_listed(void)
{
    ULONG count;
    PSecPkgInfoW infos;
    assert_int_equal(EnumerateSecurityPackagesW(&count, &infos), SEC_E_OK);
    FreeContextBuffer(infos);
    return count;
}

static void counts_check(const char *path)
{
    void (*counts)(long *, long *);
    long credentials = -1, contexts = -1;
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(library);
    *(void **)&counts = dlsym(library, "OpenSspiTestCounts");
    counts(&credentials, &contexts);
    dlclose(library);
    assert_int_equal(credentials, 0);
    assert_int_equal(contexts, 0);
}

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
    ULONG before = n_listed();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = module_copy(cases[i].name);
        SECURITY_STATUS status = add(path);
        if (status != SEC_E_CANNOT_INSTALL || strstr(OpenSspiLastErrorText(), cases[i].words) == NULL)
            fail_msg("%s: 0x%08x, %s", cases[i].name, (unsigned)status, OpenSspiLastErrorText());
        if (strstr(OpenSspiLastErrorText(), path) == NULL)
            fail_msg("%s is not named: %s", path, OpenSspiLastErrorText());
        assert_int_equal(n_listed(), before);
        assert_int_equal(shutdowns_of(path), cases[i].n_shutdowns);
    }
}

static SECURITY_STATUS acquire(CredHandle *credential, const char *principal)
{
    return AcquireCredentialsHandleA((char *)(uintptr_t)principal, test_name, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL,
                                     credential, NULL);
}

static SECURITY_STATUS initiate(CredHandle *credential, CtxtHandle *context)
{
    char room[64], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    SECURITY_STATUS status =
        InitializeSecurityContextA(credential, NULL, target, 0, 0, 0, NULL, 0, context, &list, &attributes, NULL);
    if (status == SEC_E_OK) {
        assert_int_equal(token.cbBuffer, 1);
        assert_int_equal(room[0], 'T');
        assert_int_equal(attributes, ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY);
    }
    return status;
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
        char path[600];
        snprintf(path, sizeof path, "%s", module_copy(names[i]));
        SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options, .Type = SECPKG_OPTIONS_TYPE_LSA};
        if (AddSecurityPackageA(path, &options) != SEC_E_OK)
            fail_msg("%s", OpenSspiLastErrorText());
        assert_int_equal(QuerySecurityPackageInfoA(test_name, &info), SEC_E_OK);
        assert_int_equal(info->cbMaxToken, 64);
        FreeContextBuffer(info);
        assert_int_equal(acquire(&bob, "bob"), SEC_E_LOGON_DENIED);
        assert_int_equal(acquire(&alice, "alice"), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&alice), SEC_E_OK);
        assert_int_equal(acquire(&credential, NULL), SEC_E_OK);
        assert_int_equal(QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &owner), SEC_E_OK);
        assert_string_equal(owner.sUserName, "alice");
        FreeContextBuffer(owner.sUserName);
        assert_int_equal(initiate(&credential, &client), SEC_E_OK);
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
        drop(path); /* what there is goes on */
        messages_check(&client, &server);
        assert_int_equal(DeleteSecurityContext(&client), SEC_E_OK);
        assert_int_equal(DeleteSecurityContext(&client), SEC_E_INVALID_HANDLE);
        assert_int_equal(DeleteSecurityContext(&server), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
        counts_check(path);
        /* It comes back without a second start. */
        assert_int_equal(add(path), SEC_E_OK);
        drop(path);
        assert_int_equal(shutdowns_of(path), 0);
    }
}

/* What is missing is not supported, be it a function or the whole part in the application. */
static void missing_entries(void **state)
{
    static const char *const names[] = {"lsa_sparse", "lsa_no_user"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CredHandle credential;
        CtxtHandle context;
        char path[600], data[4] = "abc", room[8];
        SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
        SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
        SecPkgContext_Sizes sizes;
        ULONG qop = 0;
        snprintf(path, sizeof path, "%s", module_copy(names[i]));
        assert_int_equal(add(path), SEC_E_OK);
        assert_int_equal(acquire(&credential, NULL), SEC_E_OK);
        assert_int_equal(initiate(&credential, &context), SEC_E_OK);
        assert_int_equal(MakeSignature(&context, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(VerifySignature(&context, &message, 0, &qop), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(EncryptMessage(&context, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(DecryptMessage(&context, &message, 0, &qop), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(QueryContextAttributesA(&context, SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(SetCredentialsAttributesA(&credential, 1, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
        if (i == 0) { /* the second lacks the part in the application, which has no say in these */
            assert_int_equal(SetContextAttributesA(&context, 77, data, 3), SEC_E_UNSUPPORTED_FUNCTION);
            message.cBuffers = 1;
            assert_int_equal(ApplyControlToken(&context, &message), SEC_E_UNSUPPORTED_FUNCTION);
        } else
            assert_true(module_is_controlled(&context));
        assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
        assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
        drop(path);
        counts_check(path);
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
        {"lsa_no_context", SEC_E_OK, SEC_E_INTERNAL_ERROR, "gave no context"},
        {"lsa_no_map", SEC_E_OK, SEC_E_INTERNAL_ERROR, "no SpInitUserModeContext"},
        {"lsa_map_fails", SEC_E_OK, SEC_E_INTERNAL_ERROR, "SpInitUserModeContext of package Test"},
        {"lsa_map_null", SEC_E_OK, SEC_E_INTERNAL_ERROR, "maps a context of 1 bytes"},
        {"lsa_map_huge", SEC_E_OK, SEC_E_INTERNAL_ERROR, "maps a context of 1073741824 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CredHandle credential;
        CtxtHandle context = {7, 7};
        char path[600];
        snprintf(path, sizeof path, "%s", module_copy(cases[i].name));
        if (add(path) != SEC_E_OK)
            fail_msg("%s", OpenSspiLastErrorText());
        assert_int_equal(acquire(&credential, NULL), cases[i].acquire);
        if (cases[i].acquire == SEC_E_OK) {
            assert_int_equal(initiate(&credential, &context), cases[i].step);
            assert_true(context.dwLower == 7 && context.dwUpper == 7);
        }
        if (strstr(OpenSspiLastErrorText(), cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].name, OpenSspiLastErrorText());
        if (cases[i].acquire == SEC_E_OK)
            assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
        drop(path);
        counts_check(path);
    }
}

static void completion(void **state)
{
    CredHandle credential;
    CtxtHandle context;
    char path[600], room[64], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("lsa_complete"));
    assert_int_equal(add(path), SEC_E_OK);
    assert_int_equal(acquire(&credential, NULL), SEC_E_OK);
    assert_int_equal(
        InitializeSecurityContextA(&credential, NULL, target, 0, 0, 0, NULL, 0, &context, &list, &attributes, NULL),
        SEC_I_COMPLETE_NEEDED);
    assert_int_equal(token.cbBuffer, 1);
    assert_int_equal(CompleteAuthToken(&context, &list), SEC_E_OK);
    assert_int_equal(room[0], 'C');
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    drop(path);
    counts_check(path);
}

static void all_in_the_authority(void **state)
{
    CredHandle credential;
    CtxtHandle context;
    char path[600];
    SecPkgContext_KeyInfoA key;
    SecPkgContext_Sizes sizes;
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("lsa_thunks_all"));
    assert_int_equal(add(path), SEC_E_OK);
    assert_int_equal(acquire(&credential, NULL), SEC_E_OK);
    assert_int_equal(initiate(&credential, &context), SEC_E_OK);
    assert_int_equal(QueryContextAttributesA(&context, SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
    FreeContextBuffer(key.sSignatureAlgorithmName);
    FreeContextBuffer(key.sEncryptAlgorithmName);
    /* The part in the application would know. */
    assert_int_equal(QueryContextAttributesA(&context, SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    drop(path);
    counts_check(path);
}

static void long_signature(void **state)
{
    CredHandle credential;
    CtxtHandle context;
    char path[600], data[4] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    (void)state;
    snprintf(path, sizeof path, "%s", module_copy("lsa_long_signature"));
    assert_int_equal(add(path), SEC_E_OK);
    assert_int_equal(acquire(&credential, NULL), SEC_E_OK);
    assert_int_equal(initiate(&credential, &context), SEC_E_OK);
    assert_int_equal(MakeSignature(&context, 0, &message, 0), SEC_E_INTERNAL_ERROR);
    assert_int_equal(buffers[0].cbBuffer, sizeof room);
    assert_int_equal(DeleteSecurityContext(&context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    drop(path);
    counts_check(path);
}

/* In a thread of its own: a context whose record could not be opened is kept by its thread. */
static void *sweep(void *argument)
{
    bool *good = argument;
    CredHandle credential;
    CtxtHandle context;
    bool done = false;
    unsigned long nth;
    for (nth = 1; !done && nth < 1000; nth++) {
        mem_fault_set(nth, false);
        SECURITY_STATUS status = acquire(&credential, "alice");
        if (status == SEC_E_OK) {
            status = initiate(&credential, &context);
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
    assert_int_equal(add(path), SEC_E_OK);
    assert_int_equal(pthread_create(&thread, NULL, sweep, &good), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good);
    drop(path);
    counts_check(path);
}

#define THREADS 6
#define ROUNDS 100

static char thread_path[600];

/* Some sign on and send, the others add the module and take it away. */
static void *thread_run(void *argument)
{
    bool changes = *(const int *)argument % 3 == 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        CredHandle credential;
        CtxtHandle context;
        if (changes) {
            (void)AddSecurityPackageA(thread_path, NULL);
            (void)DeleteSecurityPackageA(thread_path);
        } else if (acquire(&credential, NULL) == SEC_E_OK) {
            if (initiate(&credential, &context) == SEC_E_OK)
                (void)DeleteSecurityContext(&context);
            (void)FreeCredentialsHandle(&credential);
        }
    }
    return NULL;
}

static void threads(void **state)
{
    pthread_t thread[THREADS];
    int number[THREADS];
    (void)state;
    snprintf(thread_path, sizeof thread_path, "%s", module_copy("lsa_right"));
    for (int i = 0; i < THREADS; i++) {
        number[i] = i;
        assert_int_equal(pthread_create(&thread[i], NULL, thread_run, &number[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    counts_check(thread_path);
    assert_int_equal(add(thread_path), SEC_E_OK);
    drop(thread_path);
    assert_int_equal(shutdowns_of(thread_path), 0);
}

static int clean(void **state)
{
    (void)state;
    modules_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),        cmocka_unit_test(works),        cmocka_unit_test(missing_entries),
        cmocka_unit_test(wrong_answers),  cmocka_unit_test(completion),   cmocka_unit_test(all_in_the_authority),
        cmocka_unit_test(long_signature), cmocka_unit_test(memory_short), cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
