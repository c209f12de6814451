/*
 * Whose files are read on a thread that impersonates: what the configuration and the environment lead to with the process's rights, what the caller
 * names with the client's. Each file of the process is one that the client cannot read, and where another could be taken instead the client has put
 * one there. Needs root.
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/impersonation.h"
#include "core/as_process.h"
#include "core/config.h"
#include "support/access_world.h"
#include "support/tls_pki.h"
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sspi_ext.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <win32/winbase.h>
#include <win32/winerror.h>

static struct loop loop;
static struct pki good, planted; /* roots: the process's and the client's */

static const char *path_of(const char *name)
{
    static char paths[8][160];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, 160, "%s/%s", access_directory(), name);
    return path;
}

/* A certificate, with its key or without, in a file of this owner alone. */
static void pem_put(const char *name, const struct pki *pki, bool with_key, uid_t owner)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, pki->x509), 1);
    if (with_key)
        assert_int_equal(PEM_write_PrivateKey(file, pki->key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(fchown(fileno(file), owner, owner), 0);
    fclose(file);
}

static void text_put(const char *name, const char *text, uid_t owner, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    assert_int_equal(fchown(fileno(file), owner, owner), 0);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    access_needs_root();
    access_configure(NULL);
    assert_int_equal(mkdir(path_of("clients"), 0755), 0);
    assert_int_equal(chown(path_of("clients"), ALICE_UID, ALICE_UID), 0);
    good = pki_make(&(struct pki_wish){.name = "Good Root", .authority = true});
    planted = pki_make(&(struct pki_wish){.name = "Planted Root", .authority = true});
    access_connect(&loop, "alice", 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_end(&loop);
    pki_free(&good);
    pki_free(&planted);
    access_cleanup();
    return 0;
}

static void become_client(void)
{
    assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_OK);
    assert_int_equal(geteuid(), ALICE_UID);
}

static void become_process(void)
{
    assert_int_equal(geteuid(), ALICE_UID); /* still */
    assert_int_equal(RevertSecurityContext(&loop.server), SEC_E_OK);
}

static bool store_has(HCERTSTORE store, const struct pki *pki)
{
    PCCERT_CONTEXT wanted = pki_context(pki, NULL, true);
    PCCERT_CONTEXT found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, wanted, NULL);
    CertFreeCertificateContext(wanted);
    return found != NULL && CertFreeCertificateContext(found);
}

static bool system_store_has(const char *name, DWORD place, const struct pki *pki)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_A, 0, 0, place, name);
    assert_non_null(store);
    bool has = store_has(store, pki);
    assert_true(CertCloseStore(store, 0));
    return has;
}

/* Whoever is called while the library works as the process does not make the thread a client meanwhile: the end of that work would take the new one
 * for the old. */
static void test_no_client_within(void **state)
{
    (void)state;
    become_client();
    {
        AS_PROCESS_SCOPE;
        assert_int_equal(geteuid(), 0);
        assert_int_equal(ImpersonateSecurityContext(&loop.server), SEC_E_INTERNAL_ERROR);
        assert_int_equal(geteuid(), 0);
    }
    become_process();
    assert_int_equal(geteuid(), 0);
}

/* The judgement of CertGetCertificateChain on a certificate of this authority: is it trusted? */
static bool is_trusted(const struct pki *authority)
{
    struct pki leaf = pki_make(&(struct pki_wish){.name = "leaf", .issuer = authority});
    PCCERT_CONTEXT context = pki_context(&leaf, NULL, true);
    CERT_CHAIN_PARA parameters = {.cbSize = sizeof parameters};
    PCCERT_CHAIN_CONTEXT chain = NULL;
    assert_true(CertGetCertificateChain(NULL, context, NULL, NULL, &parameters, 0, NULL, &chain));
    bool trusted = chain->TrustStatus.dwErrorStatus == 0;
    CertFreeCertificateChain(chain);
    CertFreeCertificateContext(context);
    pki_free(&leaf);
    return trusted;
}

/* Where the process's file is not seen, the next place would be taken: the client's. */
static void test_roots(void **state)
{
    (void)state;
    pem_put("store/roots.pem", &good, false, 0);
    pem_put("clients/roots.pem", &planted, false, ALICE_UID);
    setenv("SSL_CERT_FILE", path_of("store/roots.pem"), 1);
    setenv("SSL_CERT_DIR", path_of("clients/roots.pem"), 1);
    become_client();
    assert_true(system_store_has("ROOT", CERT_SYSTEM_STORE_CURRENT_USER, &good));
    assert_false(system_store_has("ROOT", CERT_SYSTEM_STORE_CURRENT_USER, &planted));
    assert_true(is_trusted(&good));
    assert_false(is_trusted(&planted));
    become_process();
    assert_true(is_trusted(&good));
    assert_false(is_trusted(&planted));
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
}

static void test_intermediates(void **state)
{
    char section[200];
    (void)state;
    pem_put("store/ca.pem", &good, false, 0);
    snprintf(section, sizeof section, "[certificates]\nca = %s\n", path_of("store/ca.pem"));
    access_configure(section);
    become_client();
    assert_true(system_store_has("CA", CERT_SYSTEM_STORE_CURRENT_USER, &good));
    become_process();
    access_configure(NULL);
}

static bool has_key(PCCERT_CONTEXT certificate)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE key = 0;
    DWORD kind = 0;
    BOOL owned = FALSE;
    if (!CryptAcquireCertificatePrivateKey(certificate, CRYPT_ACQUIRE_ONLY_NCRYPT_KEY_FLAG, NULL, &key, &kind, &owned))
        return false;
    if (owned)
        NCryptFreeObject(key);
    return true;
}

/* The machine's own certificate with its key, which is read when it is wanted. Of the user's own there are none: the user is the client. */
static void test_own_certificates(void **state)
{
    char section[400];
    (void)state;
    pem_put("store/my.pem", &good, true, 0);
    snprintf(section, sizeof section, "[certificates]\nmachine_my = %s\nmy = %s\n", path_of("store/my.pem"),
             path_of("store/my.pem"));
    access_configure(section);
    assert_true(system_store_has("MY", CERT_SYSTEM_STORE_CURRENT_USER, &good));
    become_client();
    assert_false(system_store_has("MY", CERT_SYSTEM_STORE_CURRENT_USER, &good));
    assert_false(system_store_has("my", CERT_SYSTEM_STORE_CURRENT_USER, &good));
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_A, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, "MY");
    assert_non_null(store);
    PCCERT_CONTEXT own = CertEnumCertificatesInStore(store, NULL);
    assert_non_null(own);
    assert_true(has_key(own));
    /* The same place, named by the caller, is the caller's to open: the client's, who may not. */
    CRYPT_KEY_PROV_INFO info = {0};
    uint16_t place[160];
    size_t n_units = 0;
    for (const char *at = path_of("store/my.pem"); *at != '\0'; at++)
        place[n_units++] = (uint16_t)*at;
    place[n_units] = 0;
    info.pwszContainerName = (LPWSTR)place;
    PCCERT_CONTEXT bare = pki_context(&good, NULL, true);
    assert_true(CertSetCertificateContextProperty(bare, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_false(has_key(bare));
    become_process();
    assert_true(has_key(bare));
    CertFreeCertificateContext(bare);
    CertFreeCertificateContext(own);
    assert_true(CertCloseStore(store, 0));
    access_configure(NULL);
}

/* A path in a call is opened as whoever calls. */
static void test_files_of_callers(void **state)
{
    (void)state;
    pem_put("store/named.pem", &good, false, 0);
    pem_put("clients/named.pem", &good, false, ALICE_UID);
    become_client();
    assert_null(CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("store/named.pem")));
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_FILENAME_A, 0, 0, 0, path_of("clients/named.pem"));
    assert_non_null(store);
    assert_true(CertCloseStore(store, 0));
    become_process();
}

/* The program that asks for passwords is the process's, and runs as it: the client can neither read nor start it. */
static void test_askpass(void **state)
{
    char section[400], script[600], told[64] = "";
    PVOID identity = NULL, asked = NULL;
    static const uint16_t user[] = {'u', 0}, target[] = {'t', 0};
    (void)state;
    snprintf(script, sizeof script, "#!/bin/sh\necho \"$(id -u) $(id -ru) $(id -G)\" >%s\necho secret\n",
             path_of("store/told"));
    text_put("store/askpass", script, 0, 0700);
    snprintf(section, sizeof section, "[credentials]\naskpass = %s\n", path_of("store/askpass"));
    access_configure(section);
    assert_int_equal(SspiEncodeStringsAsAuthIdentity((PCWSTR)user, NULL, NULL, &identity), SEC_E_OK);
    become_client();
    int save = 0;
    assert_int_equal(SspiPromptForCredentialsW((PCWSTR)target, NULL, 0, NULL, identity, &asked, &save, 0), 0);
    become_process();
    SspiFreeAuthIdentity(identity);
    SspiFreeAuthIdentity(asked);
    FILE *file = fopen(path_of("store/told"), "r");
    assert_non_null(file);
    assert_non_null(fgets(told, sizeof told, file));
    fclose(file);
    assert_int_equal(strncmp(told, "0 0 ", 4), 0);
    assert_null(strstr(told, "61050"));
    access_configure(NULL);
}

/* A module of the client's, which would become part of the process. */
static void test_modules(void **state)
{
    (void)state;
    text_put("clients/module.so", "no module", ALICE_UID, 0755);
    become_client();
    assert_int_equal(AddSecurityPackageA((LPSTR)(uintptr_t)path_of("clients/module.so"), NULL), SEC_E_CANNOT_INSTALL);
    assert_non_null(strstr(OpenSspiLastErrorText(), "must belong to root or to user 0"));
    become_process();
}

/* Root's stores, and nobody else's file. */
static bool is_of_process(void)
{
    const struct config *config = NULL;
    if (config_get(&config) != SEC_E_OK)
        return false;
    bool is = strcmp(config->stores.item[0], "sqlite:/var/lib/opensspi/accounts.db") == 0 &&
              strcmp(config->computer, "PLANTED") != 0;
    config_release(config);
    return is;
}

/* A thread that its host made somebody else, by system calls of its own. */
static void *acts_by_itself(void *right)
{
    *(bool *)right = syscall(SYS_setresuid, -1, ALICE_UID, -1) == 0 && is_of_process();
    return NULL;
}

/* Root's paths stay root's, whoever reads them again, and a file of the client's does not become the user's. */
static void test_configuration(void **state)
{
    char *only = strdup(getenv("OPENSSPI_CONFIG"));
    pthread_t thread;
    bool right = false;
    int ended = -1;
    (void)state;
    assert_int_equal(mkdir(path_of("clients/opensspi"), 0755), 0);
    text_put("clients/opensspi/opensspi.conf", "[names]\ncomputer = PLANTED\n", ALICE_UID, 0644);
    unsetenv("OPENSSPI_CONFIG");
    setenv("XDG_CONFIG_HOME", path_of("clients"), 1);
    setenv("HOME", path_of("clients"), 1);
    pid_t child = fork(); /* which says anew whose it is: by this thread, as the first */
    if (child == 0)
        _exit(pthread_create(&thread, NULL, acts_by_itself, &right) == 0 && pthread_join(thread, NULL) == 0 && right
                  ? 0
                  : 1);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_int_equal(pthread_create(&thread, NULL, acts_by_itself, &right), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(right);
    become_client();
    assert_true(is_of_process());
    text_put("clients/opensspi/opensspi.conf", "[names]\ncomputer = PLANTED\ndomain = D\n", ALICE_UID, 0644);
    assert_true(is_of_process());
    become_process();
    assert_true(is_of_process());
    unsetenv("XDG_CONFIG_HOME");
    setenv("OPENSSPI_CONFIG", only, 1);
    free(only);
}

/* A child that gave up root for good is a user's process. */
static void test_configuration_of_a_child(void **state)
{
    char *only = strdup(getenv("OPENSSPI_CONFIG"));
    int ended = -1;
    (void)state;
    unsetenv("OPENSSPI_CONFIG");
    setenv("XDG_CONFIG_HOME", path_of("clients"), 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    text_put("clients/opensspi/opensspi.conf", "[names]\ncomputer = PLANTED\n", ALICE_UID, 0644);
    assert_true(is_of_process());
    pid_t child = fork();
    if (child == 0) {
        const struct config *config;
        _exit(setresuid(ALICE_UID, ALICE_UID, ALICE_UID) == 0 && config_get(&config) == SEC_E_OK &&
                      strcmp(config->computer, "PLANTED") == 0 &&
                      strcmp(config->stores.item[0], "sqlite:/data/opensspi/accounts.db") == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_DATA_HOME");
    setenv("OPENSSPI_CONFIG", only, 1);
    free(only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_client_within),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_intermediates),
        cmocka_unit_test(test_own_certificates),
        cmocka_unit_test(test_files_of_callers),
        cmocka_unit_test(test_askpass),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_configuration_of_a_child),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
