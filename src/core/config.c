#include "core/config.h"

#include "base/file_state.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/as_process.h"
#include "core/config_parse.h"
#include "core/trace.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/opensspi/opensspi.conf"
#define SYSTEM_STORE "/var/lib/opensspi/accounts.db"
#define FILES_MAX 2
#define NETBIOS_NAME_MAX 15

struct file {
    char *path;
    enum config_source source;
    struct stat state; /* as it was when it was read; all zero: it was not there */
};

struct snapshot {
    struct config config; /* first: a const struct config * is the snapshot */
    atomic_uint n_references;
    const struct config *base; /* a variant: owns the texts and lists that `config` points at; NULL: they are ours */
    char *own_store;           /* but for this one of a variant */
    bool no_stores;            /* the files name none: the store is the user's */
    uid_t user, reader;        /* whose it is, as process_user said; who read the files */
    struct file file[FILES_MAX];
    unsigned n_files;
};

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static struct snapshot *current; /* guarded by config_lock */
static bool for_daemon;          /* set before there are threads */

FORK_GUARD(config_lock, FORK_RANK_CONFIG)

/*
 * Whose configuration and stores: root's or a user's. Said once by a process, for a thread may act as somebody else whenever a file is read again: by
 * this library, or by its host's own system calls, which leave the ids alone that lead back. Those are asked: the real user, or in a set-user-ID
 * program the saved one, whom the real one would otherwise configure. A child of fork says it once more. What its parent read it keeps while the
 * files stay, for it may not be able to read them; the store that no file names is its own user's.
 */
static uid_t process_user(void)
{
    static pid_t said_by; /* both guarded by config_lock */
    static uid_t said;
    uid_t real = 0, effective = 0, saved = 0;
    pthread_mutex_lock(&config_lock);
    if (said_by != getpid() && getresuid(&real, &effective, &saved) == 0) { /* it fails only for bad pointers */
        said = getauxval(AT_SECURE) != 0 ? saved : real;
        said_by = getpid();
    }
    uid_t user = said;
    pthread_mutex_unlock(&config_lock);
    return user;
}

static struct stat state_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status : (struct stat){0};
}

/* "<base>/<rest>", where base comes from the environment variable or is "<home>/<fallback>"; NULL without a home. False without memory. */
static bool user_path(const char *variable, const char *fallback, const char *rest, char **path)
{
    const char *base = secure_getenv(variable);
    const char *home = "";
    *path = NULL;
    if (base == NULL || base[0] != '/') { /* the XDG specification has relative paths ignored */
        home = secure_getenv("HOME");
        if (home == NULL || home[0] != '/')
            return true;
        base = fallback;
    }
    size_t len = strlen(home) + 1 + strlen(base) + 1 + strlen(rest) + 1;
    *path = mem_zalloc(len);
    require(*path != NULL, false);
    snprintf(*path, len, "%s%s%s/%s", home, *home != '\0' ? "/" : "", base, rest);
    return true;
}

/* Takes the path over; NULL: there was no memory for it. */
static bool file_add(struct snapshot *snapshot, char *path, enum config_source source)
{
    require(path != NULL, false);
    snapshot->file[snapshot->n_files++] = (struct file){.path = path, .source = source};
    return true;
}

static bool files_choose(struct snapshot *snapshot)
{
    const char *only = secure_getenv("OPENSSPI_CONFIG");
    char *user = NULL;
    if (only != NULL && *only != '\0')
        return file_add(snapshot, mem_strdup(only), CONFIG_WANTED);
    return file_add(snapshot, mem_strdup(SYSTEM_FILE), CONFIG_SYSTEM) &&
           user_path("XDG_CONFIG_HOME", ".config", "opensspi/opensspi.conf", &user) &&
           (user == NULL || file_add(snapshot, user, CONFIG_USER));
}

static char *netbios_name(const char *host)
{
    char label[NETBIOS_NAME_MAX + 1] = {0};
    size_t len = strcspn(host, ".");
    memcpy(label, host, len < NETBIOS_NAME_MAX ? len : NETBIOS_NAME_MAX);
    return utf8_valid(slice_of_text(label)) ? text_upper(label) : mem_strdup("LOCALHOST");
}

static bool default_text(char **field, char *value)
{
    if (*field == NULL)
        *field = value;
    else
        mem_free(value);
    return *field != NULL;
}

static const char *variable_or_null(const char *name)
{
    const char *value = secure_getenv(name);
    return value != NULL && *value != '\0' && utf8_valid(slice_of_text(value)) ? value : NULL;
}

static bool defaults_names(struct config *config)
{
    char host[256] = {0};
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strncpy(host, "localhost", sizeof host - 1);
    const char *computer = variable_or_null("NETBIOS_COMPUTER_NAME"); /* as gss-ntlmssp reads them */
    const char *domain = variable_or_null("NETBIOS_DOMAIN_NAME");
    require(default_text(&config->computer, computer != NULL ? mem_strdup(computer) : netbios_name(host)), false);
    require(default_text(&config->domain, mem_strdup(domain != NULL ? domain : config->computer)), false);
    require(default_text(&config->dns_computer, mem_strdup(host)), false);
    const char *dot = strchr(config->dns_computer, '.');
    if (dot != NULL && dot[1] != '\0')
        require(default_text(&config->dns_domain, mem_strdup(dot + 1)), false);
    return true;
}

static bool defaults_stores(struct config *config, uid_t user)
{
    if (config->stores.n_items > 0)
        return true;
    AUTO_FREE char *own = NULL;
    const char *path = SYSTEM_STORE;
    if (user != 0 && !for_daemon) {
        require(user_path("XDG_DATA_HOME", ".local/share", "opensspi/accounts.db", &own), false);
        path = own;
    }
    if (path == NULL)
        return true; /* a user without a home has no store */
    size_t len = strlen("sqlite:") + strlen(path) + 1;
    char *name = mem_zalloc(len);
    require(name != NULL, false);
    snprintf(name, len, "sqlite:%s", path);
    config->stores.item[config->stores.n_items++] = name;
    return true;
}

void config_for_daemon(void)
{
    for_daemon = true;
}

/* As Windows has it without a policy: passwords go to remote desktops, saved ones not on the password's own word. */
static bool defaults_delegation(struct config *config)
{
    struct config_list *lists[] = {&config->credssp_allow_fresh, &config->credssp_allow_fresh_ntlm,
                                   &config->credssp_allow_saved};
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (lists[i]->n_items > 0)
            continue;
        lists[i]->item[0] = mem_strdup("TERMSRV/*");
        require(lists[i]->item[0] != NULL, false);
        lists[i]->n_items = 1;
    }
    return true;
}

static bool defaults_credentials(struct config *config)
{
    if (for_daemon) {
        mem_free(STEAL(config->user_file));
        mem_free(STEAL(config->askpass));
        mem_free(STEAL(config->kerberos_client_keytab));
        for (; config->packages.n_items > 0; config->packages.n_items--) /* other people's code stays in the programs */
            mem_free(STEAL(config->packages.item[config->packages.n_items - 1]));
        return true;
    }
    const char *file = variable_or_null("OPENSSPI_NTLM_USER_FILE");
    if (file == NULL)
        file = variable_or_null("NTLM_USER_FILE");
    if (file != NULL) {
        mem_free(config->user_file);
        config->user_file = mem_strdup(file);
        require(config->user_file != NULL, false);
    }
    const char *askpass = variable_or_null("SSPI_ASKPASS");
    return askpass == NULL || default_text(&config->askpass, mem_strdup(askpass));
}

static void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot->base != NULL)
        config_release(snapshot->base);
    else
        config_clear(&snapshot->config);
    mem_free(snapshot->own_store);
    for (unsigned i = 0; i < snapshot->n_files; i++)
        mem_free(snapshot->file[i].path);
    mem_free(snapshot);
}

static SECURITY_STATUS snapshot_read(struct snapshot *snapshot)
{
    config_defaults(&snapshot->config);
    for (unsigned i = 0; i < snapshot->n_files; i++) {
        struct file *file = &snapshot->file[i];
        file->state = state_of(file->path); /* before reading: a change in between is seen next time */
        try(config_parse_file(&snapshot->config, file->path, file->source, snapshot->user));
    }
    snapshot->no_stores = snapshot->config.stores.n_items == 0;
    require(defaults_names(&snapshot->config) && defaults_stores(&snapshot->config, snapshot->user) &&
                defaults_delegation(&snapshot->config) && defaults_credentials(&snapshot->config),
            SEC_E_INSUFFICIENT_MEMORY);
    TRACE("config", "computer %s, domain %s, %u account stores", snapshot->config.computer, snapshot->config.domain,
          snapshot->config.stores.n_items);
    return SEC_E_OK;
}

/* A child of fork that became somebody else may not even be let look: then what its parent read stays. */
static struct stat state_now(const struct file *file, bool inherited)
{
    struct stat status;
    if (stat(file->path, &status) == 0)
        return status;
    return inherited && errno == EACCES ? file->state : (struct stat){0};
}

static bool snapshot_is_current(const struct snapshot *snapshot, const struct snapshot *wanted)
{
    require(snapshot->n_files == wanted->n_files, false);
    for (unsigned i = 0; i < snapshot->n_files; i++) {
        const struct file *file = &snapshot->file[i];
        const struct stat state = state_now(file, snapshot->reader != wanted->user);
        require(strcmp(file->path, wanted->file[i].path) == 0 && file_state_equal(&state, &file->state), false);
        /* A child of fork that became somebody else: files that are not its own are not for it. What its parent read of others, which it may not read
         * again, stays. */
        require(config_is_foreign(file->source, state.st_uid, snapshot->user) ==
                    config_is_foreign(file->source, state.st_uid, wanted->user),
                false);
    }
    return true;
}

/* Makes of what a parent read what a child that became somebody else has: all but the parent's store. False: no memory. */
static bool snapshot_inherit(struct snapshot *snapshot, const struct snapshot *parent)
{
    struct config_list *stores = &snapshot->config.stores;
    snapshot->base = config_retain(&parent->config);
    snapshot->config = parent->config;
    snapshot->no_stores = true;
    snapshot->reader = parent->reader;
    for (unsigned i = 0; i < snapshot->n_files; i++)
        snapshot->file[i].state = parent->file[i].state;
    *stores = (struct config_list){0};
    require(defaults_stores(&snapshot->config, snapshot->user), false);
    snapshot->own_store = stores->item[0];
    return true;
}

/* Fills `fresh` unless the current one still serves, which then `*config` is. */
static SECURITY_STATUS snapshot_fill(struct snapshot *fresh, const struct config **config)
{
    try(files_choose(fresh) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY);
    if (current == NULL || !snapshot_is_current(current, fresh))
        return snapshot_read(fresh);
    if (current->no_stores && current->user != fresh->user)
        return snapshot_inherit(fresh, current) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    *config = config_retain(&current->config);
    return SEC_E_OK;
}

SECURITY_STATUS config_get(const struct config **config)
{
    AS_PROCESS_SCOPE;
    struct snapshot *fresh = mem_zalloc(sizeof *fresh);
    require(fresh != NULL, SEC_E_INSUFFICIENT_MEMORY);
    atomic_init(&fresh->n_references, 1);
    fresh->user = fresh->reader = process_user();
    const struct config *found = NULL, *old = &fresh->config;
    pthread_mutex_lock(&config_lock);
    SECURITY_STATUS status = snapshot_fill(fresh, &found);
    if (status == SEC_E_OK && found == NULL) {
        old = current != NULL ? &current->config : NULL;
        fresh->config.number = old != NULL ? old->number + 1 : 1;
        current = fresh;
        found = config_retain(&fresh->config);
    }
    pthread_mutex_unlock(&config_lock);
    config_release(old);
    if (status == SEC_E_OK)
        *config = found;
    return status;
}

const struct config *config_with_kdc_seconds(const struct config *config, unsigned seconds)
{
    struct snapshot *variant = mem_zalloc(sizeof *variant);
    require(variant != NULL, NULL);
    atomic_init(&variant->n_references, 1);
    variant->base = config_retain(config);
    variant->config = *config;
    variant->config.kerberos_kdc_seconds = seconds;
    return &variant->config;
}

const struct config *config_retain(const struct config *config)
{
    struct snapshot *snapshot = (struct snapshot *)(uintptr_t)config;
    atomic_fetch_add_explicit(&snapshot->n_references, 1, memory_order_relaxed);
    return config;
}

void config_release(const struct config *config)
{
    struct snapshot *snapshot = (struct snapshot *)(uintptr_t)config;
    if (snapshot != NULL && atomic_fetch_sub_explicit(&snapshot->n_references, 1, memory_order_acq_rel) == 1)
        snapshot_free(snapshot);
}

const char *config_forbids_negotiating(const struct config *config, const char *package, bool named)
{
    bool listed = config->negotiate_packages.n_items == 0;
    for (unsigned i = 0; i < config->negotiate_packages.n_items; i++)
        listed = listed || text_equal_fold(config->negotiate_packages.item[i], package);
    if (!listed)
        return "packages in [negotiate] leaves it out";
    if (config->negotiate_ntlm_fallback == FALLBACK_NO && text_equal_fold(package, "NTLM") && !named)
        return "ntlm_fallback in [negotiate] is no";
    return NULL;
}
