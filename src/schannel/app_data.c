#include "schannel/app_data.h"

#include "base/fork.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/time.h"
#include <string.h>

struct app_data_entry {
    uint8_t identity[SESSION_IDENTITY_LEN];
    int64_t since; /* steady_now of the put */
    struct secret data;
};

/* One for all tables, so that a child of fork finds it free. Secrets are taken under it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(lock, FORK_RANK_CONFIG)

static struct app_data_entry *entry_at(struct app_data *table, unsigned index)
{
    return &table->entry[(table->first + index) % APP_DATA_SESSIONS_MAX];
}

static void oldest_drop(struct app_data *table)
{
    secret_release(&entry_at(table, 0)->data);
    table->first = (table->first + 1) % APP_DATA_SESSIONS_MAX;
    table->n_entries--;
}

void app_data_release(struct app_data *table)
{
    while (table->n_entries > 0)
        oldest_drop(table);
    mem_free(table->entry);
    table->entry = NULL;
}

/* Sessions that nobody can resume any more need no data. Entries stand in the order in which their sessions got theirs first, so the oldest are found
 * at once. */
static struct app_data_entry *entry_find(struct app_data *table, const uint8_t *identity)
{
    int64_t now = steady_now();
    while (table->n_entries > 0 && now - entry_at(table, 0)->since >= table->lifespan)
        oldest_drop(table);
    for (unsigned i = table->n_entries; i-- > 0;)
        if (memcmp(entry_at(table, i)->identity, identity, SESSION_IDENTITY_LEN) == 0)
            return entry_at(table, i);
    return NULL;
}

static bool put_locked(struct app_data *table, const uint8_t *identity, struct slice data)
{
    if (table->entry == NULL)
        table->entry = mem_zalloc_array(APP_DATA_SESSIONS_MAX, sizeof table->entry[0]);
    require(table->entry != NULL, false);
    struct app_data_entry *entry = entry_find(table, identity);
    if (entry != NULL)
        return secret_set(&entry->data, data.data, data.len);
    struct secret copy = {0};
    require(secret_set(&copy, data.data, data.len), false);
    if (table->n_entries == APP_DATA_SESSIONS_MAX)
        oldest_drop(table);
    entry = entry_at(table, table->n_entries++);
    memcpy(entry->identity, identity, SESSION_IDENTITY_LEN);
    entry->since = steady_now();
    entry->data = copy;
    return true;
}

bool app_data_put(struct app_data *table, const uint8_t identity[SESSION_IDENTITY_LEN], struct slice data)
{
    pthread_mutex_lock(&lock);
    bool kept = put_locked(table, identity, data);
    pthread_mutex_unlock(&lock);
    return kept;
}

bool app_data_get(struct app_data *table, const uint8_t identity[SESSION_IDENTITY_LEN], struct secret *data)
{
    pthread_mutex_lock(&lock);
    const struct app_data_entry *entry = table->entry != NULL ? entry_find(table, identity) : NULL;
    bool found = entry != NULL && secret_set(data, entry->data.data, entry->data.len);
    pthread_mutex_unlock(&lock);
    return found;
}
