#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/place.h"
#include "unit/foreign/modules.h"
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char place[PLACE_LEN], directory[PATH_MAX];
static char test_name[] = "Test";

const char *module_directory(void)
{
    if (place_make(place))
        assert_non_null(realpath(place, directory)); /* as messages have it */
    return directory;
}

int modules_set_up(void **state)
{
    (void)state;
    module_directory();
    place_configure(place, ""); /* else the host's may name modules */
    return 0;
}

const char *module_copy(const char *name)
{
    static char path[PATH_MAX + 64];
    static unsigned n_copies;
    char from[PATH_MAX + 64], bytes[4096];
    size_t got;
    snprintf(from, sizeof from, "%s/%s.so",
             strncmp(name, "sharedkey", 9) == 0 ? OPENSSPI_TEST_SAMPLE : OPENSSPI_TEST_MODULES, name);
    snprintf(path, sizeof path, "%s/%s-%u.so", module_directory(), name, n_copies++);
    FILE *source = fopen(from, "rb"), *copy = fopen(path, "wb");
    assert_true(source != NULL && copy != NULL);
    while ((got = fread(bytes, 1, sizeof bytes, source)) > 0)
        assert_int_equal(fwrite(bytes, 1, got, copy), got);
    fclose(source);
    assert_int_equal(fclose(copy), 0);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

int modules_tear_down(void **state)
{
    (void)state;
    place_remove(place);
    return 0;
}

SECURITY_STATUS module_add(const char *path)
{
    return AddSecurityPackageA((char *)(uintptr_t)path, NULL);
}

void module_drop(const char *path)
{
    assert_int_equal(DeleteSecurityPackageA((char *)(uintptr_t)path), SEC_E_OK);
}

ULONG modules_listed(void)
{
    ULONG count;
    PSecPkgInfoW infos;
    assert_int_equal(EnumerateSecurityPackagesW(&count, &infos), SEC_E_OK);
    FreeContextBuffer(infos);
    return count;
}

void module_counts_check(const char *path)
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

const char *module_refused(const char *name, const char *words)
{
    ULONG before = modules_listed();
    const char *path = module_copy(name);
    SECURITY_STATUS status = module_add(path);
    if (status != SEC_E_CANNOT_INSTALL || strstr(OpenSspiLastErrorText(), words) == NULL)
        fail_msg("%s: 0x%08x, %s", name, (unsigned)status, OpenSspiLastErrorText());
    if (strstr(OpenSspiLastErrorText(), path) == NULL)
        fail_msg("%s is not named: %s", path, OpenSspiLastErrorText());
    assert_int_equal(modules_listed(), before);
    assert_int_equal(DeleteSecurityPackageA((char *)(uintptr_t)path), SEC_E_SECPKG_NOT_FOUND);
    return path;
}

SECURITY_STATUS module_acquire(CredHandle *credential, const char *principal)
{
    return AcquireCredentialsHandleA((char *)(uintptr_t)principal, test_name, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL,
                                     credential, NULL);
}

SECURITY_STATUS module_initiate(CredHandle *credential, CtxtHandle *context, ULONG *attributes)
{
    char room[64], target[] = "t";
    SecBuffer token = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    SECURITY_STATUS status =
        InitializeSecurityContextA(credential, NULL, target, 0, 0, 0, NULL, 0, context, &list, attributes, NULL);
    if (status == SEC_E_OK) {
        assert_int_equal(token.cbBuffer, 1);
        assert_int_equal(room[0], 'T');
    }
    return status;
}

void module_use_add(struct module_use *use, const char *name)
{
    snprintf(use->path, sizeof use->path, "%s", module_copy(name));
    SECURITY_STATUS status = module_add(use->path);
    if (status != SEC_E_OK)
        fail_msg("%s: 0x%08x, %s", name, (unsigned)status, OpenSspiLastErrorText());
}

void module_use_begin(struct module_use *use, const char *name)
{
    ULONG attributes;
    module_use_add(use, name);
    assert_int_equal(module_acquire(&use->credential, NULL), SEC_E_OK);
    assert_int_equal(module_initiate(&use->credential, &use->context, &attributes), SEC_E_OK);
}

void module_use_end(struct module_use *use)
{
    assert_int_equal(DeleteSecurityContext(&use->context), SEC_E_OK);
    assert_int_equal(FreeCredentialsHandle(&use->credential), SEC_E_OK);
    module_drop(use->path);
    module_counts_check(use->path);
}

void module_messages_missing(CtxtHandle *context)
{
    char data[] = "abc", room[8];
    SecBuffer buffers[] = {{sizeof room, SECBUFFER_TOKEN, room}, {3, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    SecPkgContext_Sizes sizes;
    ULONG qop = 0;
    assert_int_equal(MakeSignature(context, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(VerifySignature(context, &message, 0, &qop), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(EncryptMessage(context, 0, &message, 0), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(DecryptMessage(context, &message, 0, &qop), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
}

void module_answers_check(const char *name, SECURITY_STATUS acquire, SECURITY_STATUS step, const char *words)
{
    struct module_use use = {.context = {7, 7}};
    ULONG attributes;
    module_use_add(&use, name);
    assert_int_equal(module_acquire(&use.credential, NULL), acquire);
    if (acquire == SEC_E_OK) {
        assert_int_equal(module_initiate(&use.credential, &use.context, &attributes), step);
        assert_true(use.context.dwLower == 7 && use.context.dwUpper == 7);
    }
    if (words != NULL && strstr(OpenSspiLastErrorText(), words) == NULL)
        fail_msg("%s: %s", name, OpenSspiLastErrorText());
    if (acquire == SEC_E_OK)
        assert_int_equal(FreeCredentialsHandle(&use.credential), SEC_E_OK);
    module_drop(use.path);
    module_counts_check(use.path);
}

#define THREADS 8
#define ROUNDS 200

struct module_thread {
    const char *path;
    bool changes; /* it adds and takes away; the others sign on */
};

static void *thread_run(void *argument)
{
    const struct module_thread *thread = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        CredHandle credential;
        CtxtHandle context;
        ULONG attributes;
        if (thread->changes) {
            (void)module_add(thread->path);
            (void)DeleteSecurityPackageA((char *)(uintptr_t)thread->path);
        } else if (module_acquire(&credential, NULL) == SEC_E_OK) {
            if (module_initiate(&credential, &context, &attributes) == SEC_E_OK)
                (void)DeleteSecurityContext(&context);
            (void)FreeCredentialsHandle(&credential);
        } else
            (void)modules_listed();
    }
    return NULL;
}

void module_threads_check(const char *name)
{
    pthread_t thread[THREADS];
    struct module_thread work[THREADS];
    char path[600];
    snprintf(path, sizeof path, "%s", module_copy(name));
    for (unsigned i = 0; i < THREADS; i++) {
        work[i] = (struct module_thread){path, i % 2 == 0};
        assert_int_equal(pthread_create(&thread[i], NULL, thread_run, &work[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    module_counts_check(path);
    assert_int_equal(module_add(path), SEC_E_OK);
    module_drop(path);
}

bool module_is_controlled(CtxtHandle *context)
{
    char go[] = "go", no[] = "no", value[] = "set";
    SecBuffer buffers[] = {{2, SECBUFFER_TOKEN, go}, {2, SECBUFFER_TOKEN, go}};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, buffers}, two = {SECBUFFER_VERSION, 2, buffers};
    bool good = ApplyControlToken(context, &list) == SEC_E_OK;
    good = good && ApplyControlToken(context, &two) == SEC_E_INVALID_TOKEN;
    good = good && ApplyControlToken(context, NULL) == SEC_E_INTERNAL_ERROR;
    buffers[0].pvBuffer = no;
    good = good && ApplyControlToken(context, &list) == SEC_E_INVALID_TOKEN;
    good = good && SetContextAttributesA(context, 77, value, 3) == SEC_E_OK;
    good = good && SetContextAttributesW(context, 77, value, 3) == SEC_E_OK;
    return good && SetContextAttributesA(context, 77, value, 2) == SEC_E_INVALID_TOKEN;
}
