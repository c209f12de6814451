/* `sspi doctor`: what is set up, what is not, and what to do about it. It changes nothing. */
#include "doctor.h"

#include "access/unix_ids.h"
#include "accounts/accounts.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/config.h"
#include "decode/clean.h"
#ifdef OPENSSPI_WITH_DIGEST
#include "digest/credential.h"
#endif
#include "lsa/logons.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#if OPENSSPI_WITH_SCHANNEL
#include <openssl/ssl.h>
#else
#define OPENSSPI_WITH_SCHANNEL 0
#endif
#include <sspi.h>
#include <sspi_ext.h>
#include <stdarg.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

void doctor_tell(struct doctor *doctor, enum verdict verdict, const char *what, const char *advice, const char *format,
                 ...)
{
    static const char *const words[] = {"good", "note", "BAD"};
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (verdict == BAD)
        doctor->n_bad++;
    if (json_list_item(&doctor->list)) {
        fputs("{\"check\": ", stdout);
        json_text(stdout, what);
        printf(", \"verdict\": \"%s\", \"found\": ", verdict == BAD ? "bad" : words[verdict]);
        json_text(stdout, text);
        fputs(", \"advice\": ", stdout);
        json_text(stdout, advice == NULL ? "" : advice);
        fputc('}', stdout);
        return;
    }
    printf("%-5s %-15s ", words[verdict], what);
    clean_put(stdout, slice_of_text(text), CLEAN_LINE); /* names in files of others */
    putchar('\n');
    if (advice != NULL && verdict != GOOD)
        printf("      %-15s -> %s\n", "", advice);
}

/* As a server's credential would find it: one store that it refuses, and it refuses every client. */
static void check_store(struct doctor *doctor, const struct config *config, const char *store)
{
    const char *colon = strchr(store, ':'), *path = colon == NULL ? store : colon + 1;
    if (access(path, F_OK) == 0 && access(path, R_OK) != 0) {
        doctor_tell(doctor, BAD, "accounts",
                    "run the server as a user who may read it, or name another store in [accounts] stores", "%s: %s",
                    path, strerror(errno));
        return;
    }
    SECURITY_STATUS status = accounts_check_store(store, accounts_default_domain(config));
    if (status == SEC_E_OK)
        doctor_tell(doctor, GOOD, "accounts", NULL, "%s", store);
    else if (status == SEC_E_NO_CREDENTIALS && accounts_check_place(store) != SEC_E_OK)
        doctor_tell(doctor, NOTE, "accounts",
                    "let the directory be root's or the server's own, and 0700, before it is made",
                    "%s is not there, and would be refused: %s", path, cause_text());
    else if (status == SEC_E_NO_CREDENTIALS)
        doctor_tell(doctor, NOTE, "accounts",
                    "\"sspi account add NAME\" makes it; only servers with accounts of their own need one",
                    access(path, F_OK) == 0 ? "%s has no accounts yet" : "%s is not there", path);
    else
        doctor_tell(doctor, BAD, "accounts",
                    "servers that check passwords refuse everybody until then; run this as the server's user", "%s",
                    cause_text());
}

/* Winbind: is it there, who does it say that we are, and does its trust hold? The last asks a controller. */
static void check_domain(struct doctor *doctor, const struct config *config)
{
    struct accounts *accounts = NULL;
    struct account_host host;
    SECURITY_STATUS status = accounts_open_configured(config, &accounts);
    if (status == SEC_E_OK)
        status = accounts_host(accounts, true, &host);
    if (status != SEC_E_OK) {
        doctor_tell(doctor, BAD, "winbind",
                    "start winbindd, and join the domain (net ads join); winbind_library in [access] names libwbclient",
                    "%s", cause_text());
    } else {
        doctor_tell(doctor, GOOD, "winbind", NULL, "this computer is %s of domain %s (%s)", host.computer, host.domain,
                    host.dns_domain[0] == '\0' ? "no DNS name" : host.dns_domain);
        if (!text_equal_fold(host.computer, config->computer))
            doctor_tell(doctor, NOTE, "winbind",
                        "let [names] computer say the same as the domain: local accounts are that computer's",
                        "the configuration calls this computer %s", config->computer);
        status = accounts_check_trust(accounts);
        doctor_tell(doctor, status == SEC_E_OK ? GOOD : BAD, "domain trust",
                    "run this as the server's user; \"wbinfo -t\" asks the same. docs/domain-accounts.md", "%s",
                    status == SEC_E_OK ? "a controller answers, and knows this computer" : cause_text());
    }
    accounts_close(accounts);
    if (!config->access_winbind)
        doctor_tell(doctor, NOTE, "winbind",
                    "winbind = yes in [access] maps the domain's users to Unix users, to act as them",
                    "only names and passwords are asked, no Unix ids");
}

static const struct config *check_config(struct doctor *doctor)
{
    const struct config *config = NULL;
    if (config_get(&config) != SEC_E_OK) {
        doctor_tell(doctor, BAD, "configuration",
                    "repair that line; opensspi.conf(5) has every key. Until then nothing works", "%s", cause_text());
        return NULL;
    }
    doctor_tell(doctor, GOOD, "configuration", NULL, "computer %s, domain %s, DNS name %s", config->computer,
                config->domain, config->dns_computer == NULL ? "(none)" : config->dns_computer);
    for (unsigned i = 0; i < config->stores.n_items; i++)
        if (strncmp(config->stores.item[i], "winbind:", strlen("winbind:")) != 0)
            check_store(doctor, config, config->stores.item[i]);
    if (accounts_ask_domains(config))
        check_domain(doctor, config);
    return config;
}

static void check_clock(struct doctor *doctor)
{
    struct timex state = {0};
    int answer = adjtimex(&state);
    char text[CLI_TIME_MAX];
    cli_time(filetime_now(), text);
    if (time(NULL) < 1700000000)
        doctor_tell(doctor, BAD, "clock", "set it: tickets and certificates depend on it", "it says %s", text);
    else if (answer == TIME_ERROR || (answer >= 0 && (state.status & STA_UNSYNC) != 0))
        doctor_tell(doctor, NOTE, "clock",
                    "Kerberos takes a difference of five minutes; let NTP keep it (chrony, systemd-timesyncd)",
                    "%s, and no NTP that the kernel knows of", text);
    else
        doctor_tell(doctor, GOOD, "clock", NULL, "%s, kept by NTP", text);
}

static void check_package(struct doctor *doctor, const char *package, const char *what, const char *advice)
{
    CredHandle credential;
    SecPkgCredentials_NamesA names;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)(uintptr_t)package, SECPKG_CRED_OUTBOUND, NULL,
                                                       NULL, NULL, NULL, &credential, NULL);
    if (status == SEC_E_SECPKG_NOT_FOUND)
        return;
    if (status != SEC_E_OK) {
        doctor_tell(doctor, NOTE, what, advice, "%s",
                    OpenSspiLastErrorText()[0] != '\0' ? OpenSspiLastErrorText() : cli_status_name(status));
        return;
    }
    if (QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names) != SEC_E_OK) {
        doctor_tell(doctor, NOTE, what, advice, "%s",
                    OpenSspiLastErrorText()[0] != '\0' ? OpenSspiLastErrorText() : "no name");
    } else {
        /* The package looks again when it is needed: an empty name means that there was nothing to be found now. */
        bool named = names.sUserName[0] != '\0';
        doctor_tell(doctor, named ? GOOD : NOTE, what, advice, "%s", named ? names.sUserName : "none was found");
        FreeContextBuffer(names.sUserName);
    }
    FreeCredentialsHandle(&credential);
}

/* Settings that only their packages understand, and say so when somebody wants a credential. */
static void check_settings(struct doctor *doctor, const struct config *config)
{
    static const char advice[] = "repair that setting; opensspi.conf(5) has every key";
    static const char *const packages[] = {"Negotiate", "Schannel", "CREDSSP"};
    for (size_t i = 0; i < COUNT_OF(packages); i++) {
        CredHandle credential;
        SECURITY_STATUS status = AcquireCredentialsHandleA(
            NULL, (SEC_CHAR *)(uintptr_t)packages[i], SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
        if (status == SEC_E_OK)
            FreeCredentialsHandle(&credential);
        else if (status == SEC_E_INTERNAL_ERROR || status == SEC_E_ALGORITHM_MISMATCH ||
                 (status == SEC_E_NO_CREDENTIALS && config->negotiate_packages.n_items > 0))
            doctor_tell(doctor, BAD, packages[i], advice, "%s", OpenSspiLastErrorText());
    }
#ifdef OPENSSPI_WITH_DIGEST
    const struct digest_scheme *offered[DIGEST_SCHEMES];
    size_t n_offered;
    cause_clear();
    if (digest_schemes_offered(config, offered, &n_offered) != SEC_E_OK)
        doctor_tell(doctor, BAD, "WDigest", advice, "%s", cause_text());
#endif
    cause_clear();
    if (unix_ids_check_ranges(config) != SEC_E_OK)
        doctor_tell(doctor, BAD, "access", advice, "%s", cause_text());
    if (config->user_file != NULL && access(config->user_file, R_OK) != 0)
        doctor_tell(doctor, BAD, "NTLM user", "[credentials] user_file names it", "%s: %s", config->user_file,
                    strerror(errno));
}

/* Does what TLS, tickets and sealed messages need of OpenSSL work under its configuration here? */
static void check_openssl(struct doctor *doctor)
{
    static const char advice[] =
        "look into OpenSSL's configuration (openssl.cnf, OPENSSL_CONF) for providers and default_properties";
    const char *missing = NULL;
    unsigned char bytes[16];
    EVP_MD *hash = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (hash == NULL)
        missing = "SHA-256";
    else if (cipher == NULL)
        missing = "AES-256-GCM";
    else if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        missing = "random bytes";
    EVP_MD_free(hash);
    EVP_CIPHER_free(cipher);
#if OPENSSPI_WITH_SCHANNEL
    SSL_CTX *tls = missing == NULL ? SSL_CTX_new(TLS_method()) : NULL;
    if (missing == NULL && tls == NULL)
        missing = "TLS";
    SSL_CTX_free(tls);
#endif
    ERR_clear_error();
    if (missing != NULL)
        doctor_tell(doctor, BAD, "OpenSSL", advice, "%s cannot be had", missing);
    else
        doctor_tell(doctor, GOOD, "OpenSSL", NULL, "%s, %s%s", OPENSSPI_WITH_SCHANNEL ? "TLS" : "no TLS",
                    "AES, SHA-2, random bytes",
                    EVP_default_properties_is_fips_enabled(NULL) == 1 ? ", in FIPS mode" : "");
}

/* The daemon, where the configuration wants one: does it answer? */
static void check_daemon(struct doctor *doctor, const struct config *config)
{
    const char *socket_path = config->lsa_socket != NULL ? config->lsa_socket : LSA_SOCKET_DEFAULT;
    AUTO_FREE uint64_t *ids = NULL;
    size_t n_ids = 0;
    /* In mode auto this process would answer where no daemon does. */
    struct config wanted = *config;
    wanted.lsa_mode = LSA_DAEMON;
    if (config->lsa_mode == LSA_EMBEDDED)
        doctor_tell(doctor, GOOD, "daemon", NULL, "none is asked ([lsa] mode = embedded)");
    else if (logons_list(&wanted, &ids, &n_ids) == SEC_E_OK)
        doctor_tell(doctor, GOOD, "daemon", NULL, "%s answers, %zu logon sessions of this user", socket_path, n_ids);
    else
        doctor_tell(doctor, config->lsa_mode == LSA_DAEMON ? BAD : NOTE, "daemon",
                    "systemctl start opensspi-lsad.socket; or [lsa] socket, which the daemon reads, too", "%s: %s",
                    socket_path, OpenSspiLastErrorText());
}

static int doctor_run(const struct cli_options *options)
{
    struct doctor doctor = {.list = json_list_begin(options->json)};
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    doctor_tell(&doctor, GOOD, "versions", NULL, "OpenSSPI %s, %s", OpenSspiVersion(),
                OpenSSL_version(OPENSSL_VERSION));
    check_openssl(&doctor);
    const struct config *config = check_config(&doctor);
    check_clock(&doctor);
    if (config != NULL)
        check_daemon(&doctor, config);
    if (EnumerateSecurityPackagesA(&n_packages, &packages) == SEC_E_OK) {
        doctor_tell(&doctor, GOOD, "packages", NULL, "%u", (unsigned)n_packages);
        FreeContextBuffer(packages);
    } else {
        doctor_tell(&doctor, BAD, "packages", "see the configuration", "%s", OpenSspiLastErrorText());
    }
#ifdef OPENSSPI_WITH_KERBEROS
    doctor_check_realm(&doctor);
#endif
    if (config != NULL) {
        check_package(&doctor, "Kerberos", "ticket cache",
                      "kinit gets a ticket; or give a user and password, or a client keytab. Only clients need it");
#ifdef OPENSSPI_WITH_KERBEROS
        doctor_check_keytab(&doctor, config);
#endif
        check_package(&doctor, "NTLM", "NTLM user",
                      "[credentials] user_file has default users for NTLM; programs can give a user and password");
        check_settings(&doctor, config);
        config_release(config);
    }
    json_list_end(&doctor.list);
    if (!options->json)
        printf("%s\n", doctor.n_bad == 0 ? "Nothing is broken." : "Something is broken: see BAD.");
    return doctor.n_bad == 0 ? CLI_OK : CLI_FAILED;
}

static const struct cli_command commands[] = {
    {"", "", "Checks configuration, OpenSSL, clock, accounts, the daemon, tickets, keys and KDCs, and says what to do",
     OPTION_JSON, 0, 0, doctor_run},
};

const struct cli_family cli_doctor = {"doctor", "what is set up, what is broken, what to do", commands, 1};
