/* `sspi doctor`: what is set up, what is not, and what to do about it. It changes nothing. */
#include "cli.h"

#include "accounts/accounts.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/config.h"
#include "lsa/logons.h"

#include <arpa/inet.h>
#include <errno.h>
#include <krb5.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#if OPENSSPI_WITH_SCHANNEL
#include <openssl/ssl.h>
#else
#define OPENSSPI_WITH_SCHANNEL 0
#endif
#include <poll.h>
#include <profile.h>
#include <sspi.h>
#include <sspi_ext.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#define KDC_PATIENCE_MS 2000

enum verdict { GOOD, NOTE, BAD };

struct doctor {
    bool json;
    unsigned n_checks, n_bad;
};

static void tell(struct doctor *doctor, enum verdict verdict, const char *what, const char *advice, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));

/* One finding; `advice` is what to do, NULL when there is nothing. */
static void tell(struct doctor *doctor, enum verdict verdict, const char *what, const char *advice, const char *format,
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
    if (doctor->json) {
        fputs(doctor->n_checks++ == 0 ? "  {\"check\": " : ",\n  {\"check\": ", stdout);
        json_text(stdout, what);
        printf(", \"verdict\": \"%s\", \"found\": ", verdict == BAD ? "bad" : words[verdict]);
        json_text(stdout, text);
        fputs(", \"advice\": ", stdout);
        json_text(stdout, advice == NULL ? "" : advice);
        fputc('}', stdout);
        return;
    }
    printf("%-5s %-15s %s\n", words[verdict], what, text);
    if (advice != NULL && verdict != GOOD)
        printf("      %-15s -> %s\n", "", advice);
}

static void check_store(struct doctor *doctor, const char *store)
{
    const char *colon = strchr(store, ':'), *path = colon == NULL ? store : colon + 1;
    struct stat status;
    if (stat(path, &status) != 0 && errno == ENOENT)
        tell(doctor, NOTE, "accounts",
             "\"sspi account add NAME\" makes it; only servers with accounts of their own need one", "%s is not there",
             path);
    else if (access(path, R_OK) != 0)
        tell(doctor, BAD, "accounts",
             "run the server as a user who may read it, or name another store in [accounts] stores", "%s: %s", path,
             strerror(errno));
    else if ((status.st_mode & 077) != 0)
        tell(doctor, BAD, "accounts", "it holds password hashes: chmod 0600", "%s can be read by others (mode %04o)",
             path, (unsigned)status.st_mode & 07777);
    else
        tell(doctor, GOOD, "accounts", NULL, "%s", store);
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
        tell(doctor, BAD, "winbind",
             "start winbindd, and join the domain (net ads join); winbind_library in [access] names libwbclient", "%s",
             cause_text());
    } else {
        tell(doctor, GOOD, "winbind", NULL, "this computer is %s of domain %s (%s)", host.computer, host.domain,
             host.dns_domain[0] == '\0' ? "no DNS name" : host.dns_domain);
        if (!text_equal_fold(host.computer, config->computer))
            tell(doctor, NOTE, "winbind",
                 "let [names] computer say the same as the domain: local accounts are that computer's",
                 "the configuration calls this computer %s", config->computer);
        status = accounts_check_trust(accounts);
        tell(doctor, status == SEC_E_OK ? GOOD : BAD, "domain trust",
             "run this as the server's user; \"wbinfo -t\" asks the same. docs/domain-accounts.md", "%s",
             status == SEC_E_OK ? "a controller answers, and knows this computer" : cause_text());
    }
    accounts_close(accounts);
    if (!config->access_winbind)
        tell(doctor, NOTE, "winbind", "winbind = yes in [access] maps the domain's users to Unix users, to act as them",
             "only names and passwords are asked, no Unix ids");
}

static const struct config *check_config(struct doctor *doctor)
{
    const struct config *config = NULL;
    if (config_get(&config) != SEC_E_OK) {
        tell(doctor, BAD, "configuration", "repair that line; opensspi.conf(5) has every key. Until then nothing works",
             "%s", cause_text());
        return NULL;
    }
    tell(doctor, GOOD, "configuration", NULL, "computer %s, domain %s, DNS name %s", config->computer, config->domain,
         config->dns_computer == NULL ? "(none)" : config->dns_computer);
    for (unsigned i = 0; i < config->stores.n_items; i++)
        if (strncmp(config->stores.item[i], "winbind:", strlen("winbind:")) != 0)
            check_store(doctor, config->stores.item[i]);
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
        tell(doctor, BAD, "clock", "set it: tickets and certificates depend on it", "it says %s", text);
    else if (answer == TIME_ERROR || (answer >= 0 && (state.status & STA_UNSYNC) != 0))
        tell(doctor, NOTE, "clock",
             "Kerberos takes a difference of five minutes; let NTP keep it (chrony, systemd-timesyncd)",
             "%s, and no NTP that the kernel knows of", text);
    else
        tell(doctor, GOOD, "clock", NULL, "%s, kept by NTP", text);
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
        tell(doctor, NOTE, what, advice, "%s",
             OpenSspiLastErrorText()[0] != '\0' ? OpenSspiLastErrorText() : cli_status_name(status));
        return;
    }
    if (QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names) != SEC_E_OK) {
        tell(doctor, NOTE, what, advice, "%s",
             OpenSspiLastErrorText()[0] != '\0' ? OpenSspiLastErrorText() : "no name");
    } else {
        /* The package looks again when it is needed: an empty name means that there was nothing to be found now. */
        bool named = names.sUserName[0] != '\0';
        tell(doctor, named ? GOOD : NOTE, what, advice, "%s", named ? names.sUserName : "none was found");
        FreeContextBuffer(names.sUserName);
    }
    FreeCredentialsHandle(&credential);
}

/* Whether somebody listens there, within KDC_PATIENCE_MS. */
static bool reachable(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    bool good = false;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return false;
    for (struct addrinfo *each = list; each != NULL && !good; each = each->ai_next) {
        int error = 0,
            file = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, each->ai_protocol);
        socklen_t len = sizeof(error);
        if (file < 0)
            continue;
        struct pollfd entry = {.fd = file, .events = POLLOUT};
        good = connect(file, each->ai_addr, each->ai_addrlen) == 0 ||
               (errno == EINPROGRESS && poll(&entry, 1, KDC_PATIENCE_MS) == 1 &&
                getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0);
        close(file);
    }
    freeaddrinfo(list);
    return good;
}

/* "host", "host:port", "[address]:port"; proxies (https://...) are left alone: -1. */
static int kdc_answers(const char *entry)
{
    char host[256], port[16] = "88";
    const char *colon = strrchr(entry, ':');
    bool bracket = entry[0] == '[',
         has_port = colon != NULL && (bracket ? colon[-1] == ']' : strchr(entry, ':') == colon);
    if (strncmp(entry, "https://", 8) == 0)
        return -1;
    size_t len = has_port ? (size_t)(colon - entry) : strlen(entry);
    snprintf(host, sizeof(host), "%.*s", (int)(bracket && len >= 2 ? len - 2 : len), entry + (bracket ? 1 : 0));
    if (has_port)
        snprintf(port, sizeof(port), "%s", colon + 1);
    return reachable(host, port) ? 1 : 0;
}

#define KDCS_MAX 16 /* more are not asked: each may cost KDC_PATIENCE_MS */

/* One KDC that answers is enough: the others are worth a note. So are all of them where nobody needs any. */
static void check_kdcs(struct doctor *doctor, char *const *entries, bool needed)
{
    int answers[KDCS_MAX];
    size_t n = 0;
    bool enough = !needed;
    for (; n < KDCS_MAX && entries[n] != NULL; n++) {
        answers[n] = kdc_answers(entries[n]);
        enough = enough || answers[n] != 0;
    }
    for (size_t i = 0; i < n; i++)
        if (answers[i] < 0)
            tell(doctor, NOTE, "KDC", NULL, "%s is a proxy, and was not asked", entries[i]);
        else if (answers[i] > 0)
            tell(doctor, GOOD, "KDC", NULL, "%s answers (TCP)", entries[i]);
        else
            tell(doctor, enough ? NOTE : BAD, "KDC",
                 "is it running, is the name right in krb5.conf, does a firewall stand between (port 88)?",
                 "%s does not answer (TCP)", entries[i]);
}

static void check_realm(struct doctor *doctor)
{
    krb5_context context;
    char *realm = NULL, **kdcs = NULL;
    profile_t profile = NULL;
    if (krb5_init_context(&context) != 0) {
        tell(doctor, BAD, "Kerberos", "repair krb5.conf (KRB5_CONFIG names another)", "libkrb5 does not start");
        return;
    }
    if (krb5_get_default_realm(context, &realm) != 0) {
        tell(doctor, NOTE, "Kerberos",
             "name one in krb5.conf: [libdefaults] default_realm; without Kerberos there is only NTLM and TLS",
             "there is no default realm");
        krb5_free_context(context);
        return;
    }
    /* Debian's krb5-config leaves MIT's realm in krb5.conf where whoever installed it did not name one. */
    bool chosen = strcmp(realm, "ATHENA.MIT.EDU") != 0;
    if (chosen)
        tell(doctor, GOOD, "Kerberos", NULL, "default realm %s", realm);
    else
        tell(doctor, NOTE, "Kerberos",
             "unless you are at MIT, nobody has chosen a realm here: [libdefaults] default_realm",
             "default realm %s, the example that krb5.conf comes with", realm);
    const char *names[] = {"realms", realm, "kdc", NULL};
    if (krb5_get_profile(context, &profile) == 0 && profile_get_values(profile, names, &kdcs) == 0) {
        check_kdcs(doctor, kdcs, chosen);
        profile_free_list(kdcs);
    } else {
        tell(doctor, NOTE, "KDC", NULL, "krb5.conf names none for %s: DNS is asked when one is needed", realm);
    }
    if (profile != NULL)
        profile_release(profile);
    krb5_free_default_realm(context, realm);
    krb5_free_context(context);
}

/* A server's keys. */
static void check_keytab(struct doctor *doctor, const struct config *config)
{
    static const char advice[] =
        "servers for Kerberos need one: [kerberos] keytab, or KRB5_KTNAME; readable by the server's user";
    krb5_context context;
    krb5_keytab keytab = NULL;
    char name[1024] = "";
    if (krb5_init_context(&context) != 0)
        return; /* check_realm has said so */
    krb5_error_code error = config->kerberos_keytab == NULL
                                ? krb5_kt_default(context, &keytab)
                                : krb5_kt_resolve(context, config->kerberos_keytab, &keytab);
    if (error == 0)
        error = krb5_kt_get_name(context, keytab, name, sizeof(name));
    if (error == 0)
        error = krb5_kt_have_content(context, keytab);
    if (error == 0) {
        tell(doctor, GOOD, "keytab", NULL, "%s", name);
    } else {
        const char *message = krb5_get_error_message(context, error);
        tell(doctor, NOTE, "keytab", advice, "%s", message);
        krb5_free_error_message(context, message);
    }
    if (keytab != NULL)
        krb5_kt_close(context, keytab);
    krb5_free_context(context);
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
        tell(doctor, BAD, "OpenSSL", advice, "%s cannot be had", missing);
    else
        tell(doctor, GOOD, "OpenSSL", NULL, "%s, %s%s", OPENSSPI_WITH_SCHANNEL ? "TLS" : "no TLS",
             "AES, SHA-2, random bytes", EVP_default_properties_is_fips_enabled(NULL) == 1 ? ", in FIPS mode" : "");
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
        tell(doctor, GOOD, "daemon", NULL, "none is asked ([lsa] mode = embedded)");
    else if (logons_list(&wanted, &ids, &n_ids) == SEC_E_OK)
        tell(doctor, GOOD, "daemon", NULL, "%s answers, %zu logon sessions of this user", socket_path, n_ids);
    else
        tell(doctor, config->lsa_mode == LSA_DAEMON ? BAD : NOTE, "daemon",
             "systemctl start opensspi-lsad.socket; or [lsa] socket, which the daemon reads, too", "%s: %s",
             socket_path, OpenSspiLastErrorText());
}

static int doctor_run(const struct cli_options *options)
{
    struct doctor doctor = {.json = options->json};
    ULONG n_packages = 0;
    PSecPkgInfoA packages = NULL;
    if (doctor.json)
        puts("[");
    tell(&doctor, GOOD, "versions", NULL, "OpenSSPI %s, %s", OpenSspiVersion(), OpenSSL_version(OPENSSL_VERSION));
    check_openssl(&doctor);
    const struct config *config = check_config(&doctor);
    check_clock(&doctor);
    if (config != NULL)
        check_daemon(&doctor, config);
    if (EnumerateSecurityPackagesA(&n_packages, &packages) == SEC_E_OK) {
        tell(&doctor, GOOD, "packages", NULL, "%u", (unsigned)n_packages);
        FreeContextBuffer(packages);
    } else {
        tell(&doctor, BAD, "packages", "see the configuration", "%s", OpenSspiLastErrorText());
    }
    check_realm(&doctor);
    if (config != NULL) {
        check_package(&doctor, "Kerberos", "ticket cache",
                      "kinit gets a ticket; or give a user and password, or a client keytab. Only clients need it");
        check_keytab(&doctor, config);
        check_package(&doctor, "NTLM", "NTLM user",
                      "[credentials] user_file has default users for NTLM; programs can give a user and password");
        config_release(config);
    }
    if (doctor.json)
        puts("\n]");
    else
        printf("%s\n", doctor.n_bad == 0 ? "Nothing is broken." : "Something is broken: see BAD.");
    return doctor.n_bad == 0 ? CLI_OK : CLI_FAILED;
}

static const struct cli_command commands[] = {
    {"", "", "Checks configuration, OpenSSL, clock, accounts, the daemon, tickets, keys and KDCs, and says what to do",
     OPTION_JSON, 0, 0, doctor_run},
};

const struct cli_family cli_doctor = {"doctor", "what is set up, what is broken, what to do", commands, 1};
