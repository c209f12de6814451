#include "support/domain_world.h"

#include "base/memory.h"
#include "core/late.h"
#include "crypto/ntlm_response.h"
#include "support/ntlm_loop.h"
#include "support/place.h"
#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define PATIENCE_MS 60000
#define GROUPS_USUAL 7

struct domain_seen domain_seen;
void (*domain_alter)(struct fake_answer *answer);
static char library_path[160];
static fake_wbclient_lock_function *library_lock;
static fake_wbclient_unlock_function *library_unlock;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;

static void file_copy(const char *from, const char *to)
{
    static char bytes[4 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert(in != NULL && out != NULL);
    size_t len = fread(bytes, 1, sizeof bytes, in);
    assert(len < sizeof bytes && fwrite(bytes, 1, len, out) == len);
    fclose(in);
    fclose(out);
}

const char *domain_begin(void)
{
    static unsigned number;
    loop_configure(NULL); /* for its directory */
    snprintf(library_path, sizeof library_path, "%s/wbclient-%u.so", loop_directory(), number++);
    file_copy(TEST_LIBRARIES "/fake_wbclient.so", library_path);
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    assert(library != NULL);
    void *lock = dlsym(library, "fake_wbclient_lock"), *unlock = dlsym(library, "fake_wbclient_unlock");
    assert(lock != NULL && unlock != NULL);
    memcpy(&library_lock, &lock, sizeof lock);
    memcpy(&library_unlock, &unlock, sizeof unlock);
    domain_seen = (struct domain_seen){0};
    domain_alter = NULL;
    domain_lock()->logon = domain_controller;
    domain_unlock();
    return library_path;
}

const char *domain_library(void)
{
    return library_path;
}

const struct domain_world domain_world[DOMAIN_WORLD] = {{"FAKE", "FAKE.TEST", 7},
                                                        {"FRIEND", "friend.test", 8},
                                                        {"OLD", "old.test", 6},
                                                        {"EXAMPLE", "example.test", 5},
                                                        {"UNLISTED", "unlisted.test", 4}};

static struct fake_wbclient *held;

struct fake_wbclient *domain_lock(void)
{
    return held = library_lock();
}

struct fake_wbclient *domain_lock_held(void)
{
    return held;
}

void domain_unlock(void)
{
    library_unlock();
}

void domain_hang(bool hangs)
{
    domain_lock()->hangs = hangs;
    domain_unlock();
}

static void moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void domain_await_hanging(unsigned n)
{
    for (int i = 0; i < PATIENCE_MS; i++, moment()) {
        bool there = domain_lock()->n_hanging >= n;
        domain_unlock();
        if (there)
            return;
    }
    fputs("nobody asks winbind\n", stderr);
    abort();
}

void domain_await_quiet(void)
{
    for (int i = 0; i < PATIENCE_MS && late_abandoned(LATE_WINBIND) > 0; i++)
        moment();
    assert(late_abandoned(LATE_WINBIND) == 0);
}

static void seen_set(const struct wbcAuthUserParams *asked)
{
    pthread_mutex_lock(&seen_lock);
    domain_seen.n_logons++;
    snprintf(domain_seen.user, sizeof domain_seen.user, "%s", asked->account_name);
    snprintf(domain_seen.domain, sizeof domain_seen.domain, "%s", asked->domain_name);
    snprintf(domain_seen.workstation, sizeof domain_seen.workstation, "%s", asked->workstation_name);
    memcpy(domain_seen.challenge, asked->password.response.challenge, 8);
    domain_seen.nt_len = asked->password.response.nt_length;
    domain_seen.lm_len = asked->password.response.lm_length;
    if (domain_seen.nt_len <= sizeof domain_seen.nt && domain_seen.nt_len > 0)
        memcpy(domain_seen.nt, asked->password.response.nt_data, domain_seen.nt_len);
    domain_seen.flags = asked->flags;
    domain_seen.parameters = asked->parameter_control;
    domain_seen.level = asked->level;
    pthread_mutex_unlock(&seen_lock);
}

static void refuse(struct fake_answer *answer, uint32_t nt_status)
{
    static char word[] = "NT_STATUS_WORD";
    answer->error = WBC_ERR_AUTH_ERROR;
    answer->failure = (struct wbcAuthErrorInfo){.nt_status = nt_status, .nt_string = word, .authoritative = 1};
}

/* Which domain's alice is asked for; of FAKE, S-1-5-21-7-7-7, where nothing else is said. */
static size_t domain_of(const struct wbcAuthUserParams *params)
{
    const char *at = strchr(params->account_name, '@');
    const char *asked = *params->domain_name == '\0' && at != NULL ? at + 1 : params->domain_name;
    for (size_t i = 0; i < COUNT_OF(domain_world); i++)
        if (strcasecmp(asked, domain_world[i].name) == 0 || strcasecmp(asked, domain_world[i].dns) == 0)
            return i;
    return 0;
}

/* alice, in "Domain Users", twice in staff, and in a group that only denies. As libwbclient tells it: without attributes of the first two. */
static void describe(const struct wbcAuthUserParams *asked, struct fake_answer *answer)
{
    static char name[] = "Alice", full_name[] = "Alice Example";
    size_t at = domain_of(asked);
    char *domain = (char *)(uintptr_t)domain_world[at].name, *dns = (char *)(uintptr_t)domain_world[at].dns;
    uint32_t n = domain_world[at].number;
    static const struct {
        uint32_t rid, attributes;
    } sids[] = {{1000, 0}, {513, 0}, {2000, GROUPS_USUAL}, {2000, GROUPS_USUAL}, {3000, 0x10}};
    answer->user.account_name = name;
    answer->user.full_name = full_name;
    answer->user.domain_name = domain;
    answer->user.dns_domain_name = dns;
    answer->user.logon_time = 1;
    answer->user.logoff_time = answer->user.kickoff_time = INT64_MAX;
    answer->user.pass_last_set_time = 1600000000;
    answer->user.pass_must_change_time = DOMAIN_TIME;
    for (size_t i = 0; i < COUNT_OF(sids); i++)
        answer->sids[answer->n_sids++] =
            (struct wbcSidWithAttr){{1, 5, {0, 0, 0, 0, 0, 5}, {21, n, n, n, sids[i].rid}}, sids[i].attributes};
}

void domain_controller(const struct wbcAuthUserParams *asked, struct fake_answer *answer)
{
    static const uint8_t password[] = "P\0a\0s\0s\0w\0o\0r\0d\0001\0!";
    struct key16 hash, lm_hash, key;
    struct hmac_md5_key v2_key;
    seen_set(asked);
    if (strncmp(asked->account_name, "nt-", 3) == 0) {
        refuse(answer, (uint32_t)strtoul(asked->account_name + 3, NULL, 16));
        return;
    }
    ntlm_nt_hash(slice_of(password, 20), &hash);
    bool has_lm = ntlm_lm_hash(slice_of(password, 20), &lm_hash);
    bool has_v2 = ntlm_v2_key(&hash, asked->account_name, asked->domain_name, &v2_key) == WIRE_OK;
    const struct ntlm_response_input input = {
        .nt_hash = &hash,
        .lm_hash = has_lm ? &lm_hash : NULL,
        .v2_key = &v2_key,
        .challenge = asked->password.response.challenge,
        .lm_response = slice_of(asked->password.response.lm_data, asked->password.response.lm_length),
        .nt_response = slice_of(asked->password.response.nt_data, asked->password.response.nt_length),
        .allow_v1 = true, /* whoever asks decides what may go */
        .allow_lm = true,
    };
    if (strcasecmp(asked->account_name, "alice") != 0 && strncasecmp(asked->account_name, "alice@", 6) != 0)
        refuse(answer, 0xC0000064);
    else if (!has_v2 || ntlm_response_verify(&input, &key) == NTLM_RESPONSE_WRONG)
        refuse(answer, 0xC000006A);
    else {
        describe(asked, answer);
        memcpy(answer->user.user_session_key, key.bytes, sizeof key.bytes);
        if (domain_alter != NULL)
            domain_alter(answer);
    }
}

void domain_configure(const char *stores, unsigned seconds, const char *extra)
{
    char path[128], list[256] = "", text[2048];
    const char *sam = strstr(stores, "sam");
    if (sam != NULL)
        snprintf(list, sizeof list, "%.*ssam:%s/sam%s", (int)(sam - stores), stores, loop_directory(), sam + 3);
    snprintf(text, sizeof text,
             "[names]\ncomputer = HOST\ndns_computer = host.example.test\ndns_domain = example.test\n"
             "[accounts]\nstores = %s\n[access]\nwinbind_library = %s\nwinbind_seconds = %u\n[ntlm]\n%s",
             sam != NULL ? list : stores, library_path, seconds, extra != NULL ? extra : "");
    place_file(loop_directory(), "domain.conf", text);
    snprintf(path, sizeof path, "%s/domain.conf", loop_directory());
    setenv("OPENSSPI_CONFIG", path, 1);
}
