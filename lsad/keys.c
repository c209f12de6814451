#include "server.h"

#include "base/file_state.h"
#include "base/memory.h"
#include "base/secret.h"
#include "certificates/kept_key.h"
#include "certificates/key_scheme.h"
#include "certificates/keys.h"
#include "core/cause.h"
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* Private keys that this daemon keeps ([lsa] key): who may have signatures of them, and the keys themselves, as long as their files stay what they
 * were. */

struct line {
    char *name, *file;
    struct config_list who;
};

static void line_release(struct line *line)
{
    mem_free(line->name);
    mem_free(line->file);
    for (unsigned i = 0; i < line->who.n_items; i++)
        mem_free(line->who.item[i]);
    *line = (struct line){0};
}
#define AUTO_LINE __attribute__((cleanup(line_release)))

static char *word_take(const char **at, const char *until)
{
    *at += strspn(*at, " \t");
    size_t len = strcspn(*at, until);
    char *word = len > 0 ? mem_dup(*at, len) : NULL;
    *at += len;
    return word;
}

/* "NAME WHO,WHO FILE": the rest of the line is the file. */
static bool line_read(const char *text, struct line *line)
{
    const char *at = text;
    line->name = word_take(&at, " \t");
    AUTO_FREE char *names = word_take(&at, " \t");
    line->file = word_take(&at, "");
    require(line->name != NULL && names != NULL && line->file != NULL && line->file[0] == '/', false);
    for (const char *name = names; *name != '\0'; name += *name == ',') {
        require(line->who.n_items < CONFIG_LIST_MAX, false);
        char *who = word_take(&name, ",");
        require(who != NULL, false);
        line->who.item[line->who.n_items++] = who;
    }
    return true;
}

/* A key that was read, with the state of the file that it was read from. */
static struct kept {
    char *file;
    struct stat state;
    EVP_PKEY *pkey;
} kept[CONFIG_LIST_MAX];
static const struct config *followed;                    /* whose lines `kept` goes by; a reference */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */

static bool is_named(const struct config *config, const char *file)
{
    bool named = false;
    for (unsigned i = 0; i < config->lsa_keys.n_items && !named; i++) {
        AUTO_LINE struct line line = {0};
        named = line_read(config->lsa_keys.item[i], &line) && strcmp(line.file, file) == 0;
    }
    return named;
}

/* OpenSSL wipes a private key's numbers when it frees them; who signs with one just now has a reference of his own. A request that began under an
 * older configuration, and comes late, leads nobody back to it. */
void keys_follow(const struct config *config)
{
    const struct config *old = config;
    pthread_mutex_lock(&lock);
    if (followed == NULL || config->number > followed->number) {
        old = followed;
        followed = config_retain(config);
        for (size_t i = 0; i < COUNT_OF(kept); i++)
            if (kept[i].file != NULL && !is_named(config, kept[i].file)) {
                EVP_PKEY_free(kept[i].pkey);
                mem_free(kept[i].file);
                kept[i] = (struct kept){0};
            }
    }
    pthread_mutex_unlock(&lock);
    if (old != config)
        config_release(old);
}

static EVP_PKEY *kept_find(const char *file, const struct stat *state)
{
    EVP_PKEY *found = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < COUNT_OF(kept) && found == NULL; i++)
        if (kept[i].file != NULL && strcmp(kept[i].file, file) == 0 && file_state_equal(&kept[i].state, state) &&
            EVP_PKEY_up_ref(kept[i].pkey) == 1)
            found = kept[i].pkey;
    pthread_mutex_unlock(&lock);
    return found;
}

/* In the place of what the file was before, or in a free one, or in that of another file, which is read again when it is wanted. Not at all for
 * a request that began under another configuration, which may name the file alone. */
static void kept_put(const struct config *config, const char *file, const struct stat *state, EVP_PKEY *pkey)
{
    static size_t next;
    char *copy = mem_strdup(file);
    struct kept *place = NULL, old = {0};
    if (copy == NULL || EVP_PKEY_up_ref(pkey) != 1) {
        mem_free(copy);
        return;
    }
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (kept[i].file != NULL && strcmp(kept[i].file, file) == 0)
            place = &kept[i];
    for (size_t i = 0; i < COUNT_OF(kept) && place == NULL; i++)
        if (kept[i].file == NULL)
            place = &kept[i];
    if (place == NULL)
        place = &kept[next++ % COUNT_OF(kept)];
    old = (struct kept){.file = copy, .pkey = pkey};
    if (config == followed) {
        old = *place;
        *place = (struct kept){.file = copy, .state = *state, .pkey = pkey};
    }
    pthread_mutex_unlock(&lock);
    EVP_PKEY_free(old.pkey);
    mem_free(old.file);
}

/* Its own state before it is read: a file that changes in between is read again next time. */
static SECURITY_STATUS file_key(const struct config *config, const char *file, EVP_PKEY **pkey)
{
    struct stat state;
    require(stat(file, &state) == 0, NTE_BAD_KEYSET);
    *pkey = kept_find(file, &state);
    if (*pkey != NULL)
        return SEC_E_OK;
    try(key_open(file, NULL, pkey));
    kept_put(config, file, &state, *pkey);
    return SEC_E_OK;
}

/* Who may not have a key learns no more than who names one that is not there. */
static SECURITY_STATUS key_of(const struct job *job, const struct config *config, EVP_PKEY **pkey)
{
    const char *name = lsa_text(&job->message, LSA_KEY_NAME);
    for (unsigned i = 0; i < config->lsa_keys.n_items; i++) {
        AUTO_LINE struct line line = {0};
        if (!line_read(config->lsa_keys.item[i], &line) || strcmp(line.name, name) != 0 ||
            !is_one_of(&line.who, job->uid))
            continue;
        if (file_key(config, line.file, pkey) == SEC_E_OK)
            return SEC_E_OK;
        log_line("key %s: %s", line.name, *cause_text() != '\0' ? cause_text() : "there is no such file");
        cause_drop(); /* the daemon's files are no business of its callers */
        return cause_set(NTE_BAD_KEYSET, "the security authority cannot read its key \"%.64s\": its log says why",
                         name);
    }
    return cause_set(NTE_BAD_KEYSET, "the security authority keeps no key \"%.64s\" for user %u (\"key\" in its [lsa])",
                     name, (unsigned)job->uid);
}

static SECURITY_STATUS public_half(EVP_PKEY *pkey, struct writer *spki)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    require(len > 0, cause_set(NTE_BAD_KEY_STATE, "OpenSSL does not tell the public half of this key"));
    writer_bytes(spki, der, (size_t)len);
    OPENSSL_free(der);
    return writer_finish(spki) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS run_key(struct job *job, const struct config *config)
{
    EVP_PKEY *pkey = NULL;
    AUTO_WRITER struct writer spki = writer_growing(512);
    try(key_of(job, config, &pkey));
    SECURITY_STATUS status = public_half(pkey, &spki);
    EVP_PKEY_free(pkey);
    if (status == SEC_E_OK)
        lsa_bytes_write(&job->reply, LSA_VALUE, writer_slice_of(&spki));
    return status;
}

static SECURITY_STATUS sign_with(const struct job *job, EVP_PKEY *pkey, struct writer *signature)
{
    struct slice meant = job->message.field[LSA_KEY_HASH];
    uint8_t hash[KEPT_KEY_HASH_LEN];
    AUTO_WRITER struct writer spki = writer_growing(512);
    try(public_half(pkey, &spki));
    require(EVP_Q_digest(NULL, "SHA256", NULL, spki.data, spki.len, hash, NULL) == 1, SEC_E_INSUFFICIENT_MEMORY);
    require(meant.len == sizeof hash && secret_equal(meant.data, hash, sizeof hash),
            cause_set(NTE_BAD_KEYSET, "the security authority has another key of the name \"%.64s\" by now",
                      lsa_text(&job->message, LSA_KEY_NAME)));
    uint32_t scheme = (uint32_t)lsa_number(&job->message, LSA_SCHEME);
    return key_scheme_sign(pkey, scheme <= UINT16_MAX ? (uint16_t)scheme : 0, job->message.field[LSA_TOKEN], signature);
}

SECURITY_STATUS run_sign(struct job *job, const struct config *config)
{
    EVP_PKEY *pkey = NULL;
    AUTO_WRITER struct writer signature = writer_growing(512);
    try(key_of(job, config, &pkey));
    SECURITY_STATUS status = sign_with(job, pkey, &signature);
    EVP_PKEY_free(pkey);
    if (status == SEC_E_OK)
        lsa_bytes_write(&job->reply, LSA_VALUE, writer_slice_of(&signature));
    return status;
}

void keys_check(const struct config *config)
{
    keys_follow(config);
    for (unsigned i = 0; i < config->lsa_keys.n_items; i++) {
        AUTO_LINE struct line line = {0};
        EVP_PKEY *pkey = NULL;
        cause_clear();
        if (!line_read(config->lsa_keys.item[i], &line))
            log_line("\"key = %s\": takes a name, who may use it, and the absolute path of a file",
                     config->lsa_keys.item[i]);
        else if (file_key(config, line.file, &pkey) != SEC_E_OK)
            log_line("key %s: %s", line.name, *cause_text() != '\0' ? cause_text() : "there is no such file");
        EVP_PKEY_free(pkey);
    }
    cause_clear();
}
