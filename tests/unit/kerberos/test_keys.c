/*
 * A server's keys: read once, read anew when the file has changed, and what becomes of keytabs that are missing, empty, foreign, damaged or growing.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/cause.h"
#include "core/config.h"
#include "kerberos/handshake.h"
#include "kerberos/keys.h"
#include "kerberos/settings.h"
#include "support/kerberos_loop.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static krb5_context krb;
static char path[160], name[180];

static int begin(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/own.keytab", kerberos_loop_directory());
    snprintf(name, sizeof name, "FILE:%s", path);
    unlink(path);
    return 0;
}

static struct kerberos_credential credential_of(const char *keytab)
{
    static struct kerberos_source source = {.n_references = 1}; /* keytabs alone: nobody logs on */
    static struct kerberos_lane lanes[KERBEROS_LANES] = {
        [0 ... KERBEROS_LANES - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    return (struct kerberos_credential){
        .keytab = (char *)(uintptr_t)keytab, .source = &source, .use = SECPKG_CRED_INBOUND, .lanes = lanes};
}

static void forget(struct kerberos_credential *credential)
{
    kerberos_keys_put(credential->keys);
    mem_free(credential->keys_name);
}

static size_t count(struct kerberos_credential *credential)
{
    struct kerberos_keys *keys = NULL;
    cause_clear();
    assert_int_equal(kerberos_keys_get(credential, krb, &keys), SEC_E_OK);
    size_t n_keys = keys->n_keys;
    kerberos_keys_put(keys);
    return n_keys;
}

static void add(const char *principal, uint32_t kvno, int32_t enctype)
{
    const struct krb_key key = forge_key(enctype, (uint8_t)kvno);
    kerberos_loop_keytab_add("own.keytab", principal, kvno, &key);
}

static void write_file(const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void all_its_keys(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    struct kerberos_keys *keys = NULL;
    for (uint32_t kvno = 1; kvno <= 3; kvno++)
        for (int i = 0; i < KERBEROS_TYPES; i++)
            add(FORGE_SERVER, kvno, kerberos_loop_types[i]);
    assert_int_equal(kerberos_keys_get(&credential, krb, &keys), SEC_E_OK);
    assert_int_equal(keys->n_keys, 15);
    assert_int_equal(keys->n_foreign, 0);
    for (size_t i = 0; i < 15; i++) {
        const struct kerberos_key *key = &keys->keys[i];
        const struct krb_key wanted = forge_key(kerberos_loop_types[i % 5], (uint8_t)key->kvno);
        assert_string_equal(key->principal, FORGE_SERVER);
        assert_int_equal(key->kvno, i / 5 + 1);
        assert_int_equal(key->key.enctype, wanted.enctype);
        assert_memory_equal(key->key.bytes, wanted.bytes, wanted.len);
    }
    for (int i = 0; i < KERBEROS_TYPES; i++)
        assert_true((keys->permitted & KERBEROS_ENCTYPE_BIT(kerberos_loop_types[i])) != 0);
    kerberos_keys_put(keys);
    kerberos_keys_put(NULL);
    forget(&credential);
}

static void read_once_and_anew(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    struct kerberos_keys *first = NULL, *second = NULL, *third = NULL;
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    assert_int_equal(kerberos_keys_get(&credential, krb, &first), SEC_E_OK);
    assert_int_equal(kerberos_keys_get(&credential, krb, &second), SEC_E_OK);
    assert_ptr_equal(first, second);
    add(FORGE_SERVER, 2, KRB_AES256_SHA1); /* the roll-over */
    assert_int_equal(kerberos_keys_get(&credential, krb, &third), SEC_E_OK);
    assert_ptr_not_equal(first, third);
    assert_int_equal(third->n_keys, 2);
    assert_int_equal(first->n_keys, 1); /* whoever works with the old ones keeps them */
    assert_string_equal(first->keys[0].principal, FORGE_SERVER);
    kerberos_keys_put(first);
    kerberos_keys_put(second);
    kerberos_keys_put(third);
    /* a keytab of another name: the default one changes with the environment */
    struct kerberos_credential usual = credential_of(NULL);
    assert_int_equal(count(&usual), 5);
    char *before = strdup(getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", name, 1);
    krb5_context fresh, old = krb;
    assert_int_equal(krb5_init_context(&fresh), 0);
    krb = fresh;
    assert_int_equal(count(&usual), 2);
    krb = old;
    krb5_free_context(fresh);
    setenv("KRB5_KTNAME", before, 1);
    free(before);
    forget(&usual);
    forget(&credential);
}

static void named_without_its_type(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(path);
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    assert_int_equal(count(&credential), 1);
    assert_non_null(credential.keys); /* watched as FILE is */
    add(FORGE_SERVER, 2, KRB_AES256_SHA1);
    assert_int_equal(count(&credential), 2);
    forget(&credential);
}

static void in_memory_it_is_asked_each_time(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of("MEMORY:test_keys");
    krb5_keytab keytab;
    const struct krb_key key = forge_key(KRB_AES256_SHA1, 1);
    krb5_keytab_entry entry = {
        .vno = 1, .key = {.enctype = key.enctype, .length = key.len, .contents = (krb5_octet *)(uintptr_t)key.bytes}};
    assert_int_equal(krb5_kt_resolve(krb, "MEMORY:test_keys", &keytab), 0);
    assert_int_equal(krb5_parse_name(krb, FORGE_SERVER, &entry.principal), 0);
    for (size_t n = 1; n <= 3; n++) {
        assert_int_equal(krb5_kt_add_entry(krb, keytab, &entry), 0);
        assert_int_equal(count(&credential), n);
        assert_null(credential.keys);
    }
    krb5_free_principal(krb, entry.principal);
    krb5_kt_close(krb, keytab);
    forget(&credential);
}

static size_t file_read(uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, size, file);
    fclose(file);
    return len;
}

/* An identity's keytab, which it brought as bytes, nobody changes: it is read once, until another one is named. */
static void of_the_identity(void **state)
{
    (void)state;
    uint8_t bytes[512];
    void *acquired;
    int64_t expiry;
    const struct config *config;
    struct kerberos_keys *first = NULL, *second = NULL;
    AUTO_IDENTITY struct identity identity = {.proof_kind = IDENTITY_KEYTAB_FILE};
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    assert_true(secret_set(&identity.proof, bytes, file_read(bytes, sizeof bytes)));
    assert_int_equal(config_get(&config), SEC_E_OK);
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_INBOUND, .identity = &identity};
    assert_int_equal(kerberos_acquire(&request, &acquired, &expiry), SEC_E_OK);
    struct kerberos_credential *credential = acquired;
    assert_int_equal(kerberos_keys_get(credential, krb, &first), SEC_E_OK);
    assert_int_equal(kerberos_keys_get(credential, krb, &second), SEC_E_OK);
    assert_int_equal(first->n_keys, 1);
    assert_ptr_equal(first, second);
    assert_ptr_equal(first, credential->keys);
    add(FORGE_SERVER, 2, KRB_AES256_SHA1);
    assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_KEYTAB, name, strlen(name)), SEC_E_OK);
    assert_int_equal(count(credential), 2);
    assert_int_equal(kerberos_set_credential(credential, OPENSSPI_CRED_ATTR_KEYTAB, "MEMORY:test_keys_other", 22),
                     SEC_E_OK);
    assert_int_equal(count(credential), 0); /* another one in memory has others, and is asked each time */
    assert_null(credential->keys);
    kerberos_keys_put(first);
    kerberos_keys_put(second);
    kerberos_release(credential);
    config_release(config);
}

static bool may_wait(struct kerberos_credential *credential, int32_t enctype, size_t len)
{
    struct forge forge;
    AUTO_FREE uint8_t *data = mem_zalloc(len);
    AUTO_WRITER struct writer element = writer_growing(len + 64), token = writer_growing(len + 1024);
    assert_non_null(data);
    forge_begin(&forge, enctype);
    forge_authdata(&element, KRB_AD_IF_RELEVANT, slice_of(data, len));
    forge.authorization = writer_slice_of(&element);
    forge_token(&token, &forge);
    const struct step_in in = {.token = writer_slice_of(&token)};
    return kerberos_accept_may_wait(credential, NULL, &in);
}

/* Which requests a daemon's loop opens itself: those that few keys of their type are tried on, which are in memory; and what is no request. */
static void test_long_work(void **state)
{
    (void)state;
    static const struct {
        size_t n_keys, len;
        bool waits;
    } cases[] = {{1, 1000, false}, {20, 1000, false}, {60, 1000, true}, {1, 5000, false},
                 {15, 5000, true}, {1, 45000, false}, {2, 45000, true}};
    const struct step_in ntlm = {.token = slice_of("NTLMSSP\0\1\0\0\0", 12)}, nothing = {.token = slice_of("", 0)};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(begin(state), 0);
        struct kerberos_credential credential = credential_of(name);
        for (uint32_t kvno = 1; kvno <= cases[i].n_keys; kvno++)
            add(FORGE_SERVER, kvno, KRB_AES256_SHA1);
        add(FORGE_SERVER, 1, KRB_AES128_SHA1);
        assert_true(may_wait(&credential, KRB_AES256_SHA1, cases[i].len)); /* they are to be read */
        assert_false(kerberos_accept_may_wait(&credential, NULL, &ntlm));
        assert_false(kerberos_accept_may_wait(&credential, NULL, &nothing));
        assert_int_equal(count(&credential), cases[i].n_keys + 1);
        assert_int_equal(may_wait(&credential, KRB_AES256_SHA1, cases[i].len), cases[i].waits);
        assert_false(may_wait(&credential, KRB_AES128_SHA1, cases[i].len));
        assert_false(may_wait(&credential, KRB_RC4_HMAC, cases[i].len));
        forget(&credential);
    }
}

static void only_the_servers(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    struct kerberos_keys *keys = NULL;
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    add("http/server.example.test@" FORGE_REALM, 1, KRB_AES256_SHA1);
    add("host/other.example.test@" FORGE_REALM, 1, KRB_AES256_SHA1);
    credential.server = (char *)(uintptr_t) "http/server.example.test";
    assert_int_equal(kerberos_keys_get(&credential, krb, &keys), SEC_E_OK);
    assert_int_equal(keys->n_keys, 1);
    assert_int_equal(keys->n_foreign, 2);
    assert_string_equal(keys->keys[0].principal, "http/server.example.test@" FORGE_REALM);
    kerberos_keys_put(keys);
    forget(&credential);
}

/* A host that no [domain_realm] names has no realm here, and a KDC is not asked which: then any realm is right. */
static void server_of_an_unknown_realm(void **state)
{
    (void)state;
    static const struct {
        const char *server;
        size_t n_keys;
    } cases[] = {
        {"HTTP/www.other.test", 2},
        {"HTTP@www.other.test", 2},
        {"HTTP/www.other.test@" FORGE_REALM, 1},
        {"HTTP/www.other.test@OTHER.TEST", 1},
        {"HTTP/www.third.test", 0},
        {"host/www.other.test", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(begin(state), 0);
        struct kerberos_credential credential = credential_of(name);
        struct kerberos_keys *keys = NULL;
        add("HTTP/www.other.test@" FORGE_REALM, 1, KRB_AES256_SHA1);
        add("HTTP/www.other.test@OTHER.TEST", 1, KRB_AES256_SHA1);
        add("host/www.other.test@" FORGE_REALM, 1, KRB_AES256_SHA1);
        credential.server = (char *)(uintptr_t)cases[i].server;
        assert_int_equal(kerberos_keys_get(&credential, krb, &keys), SEC_E_OK);
        if (keys->n_keys != cases[i].n_keys)
            fail_msg("%s: %zu keys", cases[i].server, keys->n_keys);
        kerberos_keys_put(keys);
        forget(&credential);
    }
}

/* DES keys of old, names that are too long for us, and one with a NUL, which no text can say: the others count. */
static void foreign_keys(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    struct kerberos_keys *keys = NULL;
    const struct krb_key triple = {.enctype = 16, .len = 24, .bytes = {1}},
                         cut = {.enctype = 18, .len = 16, .bytes = {1}};
    kerberos_loop_keytab_add("own.keytab", FORGE_SERVER, 1, &triple);
    kerberos_loop_keytab_add("own.keytab", FORGE_SERVER, 1, &cut);
    add("a/b/c/d/e/f/g/h/i/j/k@" FORGE_REALM, 1, KRB_AES256_SHA1);
    add("host/ser\\0ver@" FORGE_REALM, 1, KRB_AES256_SHA1); /* as libkrb5 writes a NUL */
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    assert_int_equal(kerberos_keys_get(&credential, krb, &keys), SEC_E_OK);
    assert_int_equal(keys->n_keys, 1);
    assert_int_equal(keys->n_foreign, 4);
    assert_string_equal(keys->keys[0].principal, FORGE_SERVER);
    kerberos_keys_put(keys);
    forget(&credential);
}

static void refused(struct kerberos_credential *credential)
{
    struct kerberos_keys *keys = NULL;
    cause_clear();
    assert_int_equal(kerberos_keys_get(credential, krb, &keys), SEC_E_NO_CREDENTIALS);
    assert_null(keys);
    assert_non_null(strstr(cause_text(), "keytab"));
}

static void missing_unreadable_empty(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name), folder = credential_of("FILE:/"),
                               unknown = credential_of("NOSUCHTYPE:x"), empty = credential_of("FILE:");
    refused(&credential);
    refused(&folder);
    refused(&unknown);
    refused(&empty);
    char endless[2000] = "FILE:"; /* not cut to a name that is another file's */
    memset(endless + 5, '/', sizeof endless - 6);
    struct kerberos_credential too_long = credential_of(endless);
    refused(&too_long);
    for (int i = 0; i < KERBEROS_LANES; i++) { /* nobody is in one still */
        assert_int_equal(pthread_mutex_trylock(&too_long.lanes[i].lock), 0);
        pthread_mutex_unlock(&too_long.lanes[i].lock);
    }
    write_file("", 0);
    refused(&credential);
    write_file("\x05\x02", 2); /* the version, and no entry: a keytab whose keys were removed */
    assert_int_equal(count(&credential), 0);
    write_file("\x05\x09", 2);
    refused(&credential);
    assert_non_null(credential.keys); /* the former stay until there are others, but nobody gets them */
    forget(&credential);
}

static void unreadable(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    assert_int_equal(count(&credential), 1);
    unlink(path);
    refused(&credential);                     /* gone is gone, although its keys are still in memory */
    assert_int_equal(symlink(path, path), 0); /* a loop: it can be opened by nobody, root included */
    refused(&credential);
    unlink(path);
    add(FORGE_SERVER, 2, KRB_AES256_SHA1);
    assert_int_equal(count(&credential), 1); /* and the next one counts again */
    forget(&credential);
}

static bool survives(const uint8_t *bytes, size_t len)
{
    struct kerberos_credential credential = credential_of(name);
    struct kerberos_keys *keys = NULL;
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(bytes, 1, len, file) == len;
    if (file == NULL || fclose(file) != 0 || !written)
        return false;
    cause_clear();
    SECURITY_STATUS status = kerberos_keys_get(&credential, krb, &keys);
    bool right =
        status == SEC_E_OK ? keys->n_keys <= 2 : status == SEC_E_NO_CREDENTIALS || status == SEC_E_INSUFFICIENT_MEMORY;
    kerberos_keys_put(keys);
    forget(&credential);
    return right;
}

/* Cut after each byte, and every byte changed: libkrb5 reads it or not; what it reads, we survive. In a process of its own, which ends without a look
 * for leaks: libkrb5 1.20 loses the beginnings of an entry that it cannot read to its end. */
static void damaged(void **state)
{
    (void)state;
    uint8_t bytes[512];
    int status;
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    add(FORGE_SERVER, 2, KRB_RC4_HMAC);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(len > 100 && len < sizeof bytes);
    pid_t child = fork();
    if (child == 0) {
        bool right = true;
        for (size_t at = 0; at < len && right; at++) {
            right = survives(bytes, at);
            bytes[at] ^= 0x81;
            right = right && survives(bytes, len);
            bytes[at] ^= 0x81;
        }
        _exit(right ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void memory_runs_out(void **state)
{
    (void)state;
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    add(FORGE_SERVER, 2, KRB_AES256_SHA1);
    for (int sticky = 0; sticky < 2; sticky++)
        for (unsigned long n = 1;; n++) {
            struct kerberos_credential credential = credential_of(name);
            struct kerberos_keys *keys = NULL;
            cause_clear();
            mem_fault_set(n, sticky != 0);
            SECURITY_STATUS status = kerberos_keys_get(&credential, krb, &keys);
            bool struck = mem_fault_count() >= n;
            mem_fault_set(0, false);
            assert_int_equal(status, struck ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK);
            if (status == SEC_E_OK)
                assert_int_equal(keys->n_keys, 2);
            else
                assert_null(credential.keys);
            kerberos_keys_put(keys);
            forget(&credential);
            if (!struck)
                break;
        }
}

static void attribute_set(struct kerberos_credential *credential, uint32_t attribute, const char *text)
{
    assert_int_equal(kerberos_set_credential(credential, attribute, text, strlen(text)), SEC_E_OK);
}

/* The keys of a password belong to it alone: another proof, or a keytab, and they are gone. */
static void password_then_something_else(void **state)
{
    (void)state;
    static const uint8_t password[] = {'p', 0, 'w', 0};
    const struct config *config;
    struct identity identity = {.user = (char *)(uintptr_t) "host/server.example.test", .has_password = true};
    int64_t expiry;
    assert_int_equal(config_get(&config), SEC_E_OK);
    assert_true(secret_set(&identity.password, password, sizeof password));
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_INBOUND, .identity = &identity};
    add("host/other.example.test@" FORGE_REALM, 1, KRB_AES256_SHA1);
    for (int i = 0; i < 2; i++) {
        void *acquired;
        assert_int_equal(kerberos_acquire(&request, &acquired, &expiry), SEC_E_OK);
        struct kerberos_credential *credential = acquired;
        assert_int_equal(count(credential), 5); /* no KDC: the usual salts, all types */
        assert_int_equal(count(credential), 5);
        attribute_set(credential, OPENSSPI_CRED_ATTR_KEYTAB, name);
        assert_int_equal(count(credential), 1);
        attribute_set(credential, OPENSSPI_CRED_ATTR_KEYTAB, "");
        assert_int_equal(count(credential), 5);
        attribute_set(credential, i == 0 ? OPENSSPI_CRED_ATTR_CCACHE : OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, name);
        assert_int_equal(count(credential), 5); /* of the default keytab: the password is not there any more */
        attribute_set(credential, OPENSSPI_CRED_ATTR_KEYTAB, name);
        assert_int_equal(count(credential), 1);
        kerberos_release(credential);
    }
    secret_release(&identity.password);
    config_release(config);
}

#define GROWN 60

/* Counted, then read, while another process, as kadmin would, makes it grow: never more than were counted, never less than were there before. */
static void growing(void **state)
{
    (void)state;
    struct kerberos_credential credential = credential_of(name);
    size_t before = 1;
    int status_of_child;
    add(FORGE_SERVER, 1, KRB_AES256_SHA1);
    pid_t child = fork();
    if (child == 0) {
        for (uint32_t kvno = 2; kvno <= GROWN; kvno++)
            add(FORGE_SERVER, kvno, KRB_AES256_SHA1);
        _exit(0);
    }
    assert_true(child > 0);
    while (before < GROWN) {
        struct kerberos_keys *keys = NULL;
        SECURITY_STATUS status = kerberos_keys_get(&credential, krb, &keys);
        if (status == SEC_E_NO_CREDENTIALS) /* libkrb5 waits for no lock, and says so */
            continue;
        assert_int_equal(status, SEC_E_OK);
        assert_true(keys->n_keys >= before);
        before = keys->n_keys;
        for (size_t i = 0; i < keys->n_keys; i++)
            assert_int_equal(keys->keys[i].kvno, i + 1);
        kerberos_keys_put(keys);
    }
    assert_int_equal(waitpid(child, &status_of_child, 0), child);
    assert_int_equal(status_of_child, 0);
    assert_int_equal(count(&credential), GROWN);
    forget(&credential);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_its_keys, begin),
        cmocka_unit_test_setup(read_once_and_anew, begin),
        cmocka_unit_test_setup(named_without_its_type, begin),
        cmocka_unit_test_setup(in_memory_it_is_asked_each_time, begin),
        cmocka_unit_test_setup(of_the_identity, begin),
        cmocka_unit_test_setup(test_long_work, begin),
        cmocka_unit_test_setup(only_the_servers, begin),
        cmocka_unit_test_setup(server_of_an_unknown_realm, begin),
        cmocka_unit_test_setup(foreign_keys, begin),
        cmocka_unit_test_setup(missing_unreadable_empty, begin),
        cmocka_unit_test_setup(unreadable, begin),
        cmocka_unit_test_setup(damaged, begin),
        cmocka_unit_test_setup(memory_runs_out, begin),
        cmocka_unit_test_setup(password_then_something_else, begin),
        cmocka_unit_test_setup(growing, begin),
    };
    kerberos_loop_configure(NULL, NULL, NULL);
    if (krb5_init_context(&krb) != 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    krb5_free_context(krb);
    kerberos_loop_cleanup();
    return failed;
}
