#include "kerberos/keys.h"

#include "base/file_state.h"
#include "base/lazy.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/name.h"
#include "kerberos/password_keys.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A FILE keytab would be opened, locked and read from its start for every ticket; its keys are few, and they change with the file. So they are
 * kept here, and read anew when the file's status has changed: a key roll-over counts at the next handshake. */

/* Whose: of the keytab that was given or set, else of the server's password if it has one, else of the configuration's keytab, else of libkrb5's. */

#define KEYS_MAX 4096 /* a keytab of a thousand services with four types each */

/* What all keys of a type together may take of a ticket without anybody noticing: a third of a millisecond. */
#define QUICK_BYTES ((size_t)64 << 10)

#define PREPARED_SIZE (KERBEROS_KEY_USES * sizeof(struct krb_prepared))

static void prepared_free(void *prepared)
{
    secret_block_free(prepared, PREPARED_SIZE);
}

void kerberos_keys_put(struct kerberos_keys *keys)
{
    if (keys == NULL || atomic_fetch_sub_explicit(&keys->n_references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < keys->n_keys; i++) {
        mem_free(keys->keys[i].principal);
        prepared_free(atomic_load(&keys->keys[i].prepared));
    }
    secret_block_free(keys, keys->size);
}

const struct krb_prepared *kerberos_key_prepared(const struct kerberos_key *key)
{
    return atomic_load_explicit(&key->prepared, memory_order_acquire);
}

static void *prepared_make(const void *key)
{
    static const struct krb_purpose purposes[KERBEROS_KEY_USES] = {
        [KERBEROS_OPENS_TICKET] = {KRB_DECRYPTING, KRB_USAGE_TICKET},
        [KERBEROS_VERIFIES_PAC] = {KRB_SIGNING, KRB_USAGE_PAC},
    };
    struct krb_prepared *made = secret_block_alloc(PREPARED_SIZE);
    if (made == NULL || krb_prepare(key, purposes, KERBEROS_KEY_USES, made))
        return made;
    prepared_free(made);
    return NULL;
}

void kerberos_key_prepare(struct kerberos_key *key)
{
    (void)lazy_get(&key->prepared, prepared_make, prepared_free, &key->key);
}

static struct kerberos_keys *keys_retain(struct kerberos_keys *keys)
{
    atomic_fetch_add_explicit(&keys->n_references, 1, memory_order_relaxed);
    return keys;
}

/* Most often they are those that are held already: then nothing is counted, and nothing written that other threads read. */
static void keys_hold(struct kerberos_keys **held, struct kerberos_keys *keys)
{
    if (keys == *held)
        return;
    struct kerberos_keys *old = *held;
    *held = keys_retain(keys);
    kerberos_keys_put(old);
}

/* The credential's own, from now on or none; by who is in all lanes. Takes `keys`. */
static void keys_become(struct kerberos_credential *credential, struct kerberos_keys *keys)
{
    kerberos_keys_put(credential->keys);
    kerberos_keys_put(credential->renewed);
    credential->keys = keys;
    credential->renewed = NULL;
    kerberos_kits_purge(credential);
}

uint32_t kerberos_enctypes_permitted(krb5_context krb)
{
    krb5_enctype *list = NULL;
    uint32_t bits = 0;
    if (krb5_get_permitted_enctypes(krb, &list) != 0)
        return 0;
    for (const krb5_enctype *enctype = list; *enctype != 0; enctype++)
        if (krb_enctype_key_len(*enctype) != 0)
            bits |= KERBEROS_ENCTYPE_BIT(*enctype);
    krb5_free_enctypes(krb, list);
    return bits;
}

/* A keytab is walked twice: to count, and to take. */
struct walk {
    krb5_context krb;
    krb5_principal wanted; /* NULL: any */
    struct kerberos_keys *keys;
    size_t n_seen;
};

/* Takes one entry if it is the server's, with a name that text can say, and of a type that is ours. ENOMEM is the only error. */
static krb5_error_code entry_take(struct walk *walk, const krb5_keytab_entry *entry)
{
    struct kerberos_keys *keys = walk->keys;
    struct krb_name name;
    struct kerberos_key taken = {.kvno = (uint32_t)entry->vno};
    bool ours = walk->wanted == NULL || krb_target_means(walk->krb, walk->wanted, entry->principal);
    if (!ours || !krb_name_of(entry->principal, &name) || !krb_name_has_text(&name) ||
        !krb_key_set(&taken.key, entry->key.enctype, slice_of(entry->key.contents, entry->key.length))) {
        keys->n_foreign++;
        return 0;
    }
    taken.principal = krb_name_text(&name);
    if (taken.principal != NULL)
        keys->keys[keys->n_keys++] = taken;
    krb_key_wipe(&taken.key);
    return taken.principal != NULL ? 0 : ENOMEM;
}

/* The second time the keytab may have grown: no more is taken than was counted. */
static krb5_error_code keytab_walk(struct walk *walk, krb5_keytab keytab)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    size_t n_seen = 0, limit = walk->keys != NULL ? walk->n_seen : KEYS_MAX;
    krb5_error_code code = krb5_kt_start_seq_get(walk->krb, keytab, &cursor);
    if (code != 0)
        return code;
    while (n_seen < limit && (code = krb5_kt_next_entry(walk->krb, keytab, &entry, &cursor)) == 0) {
        n_seen++;
        if (walk->keys != NULL)
            code = entry_take(walk, &entry);
        krb5_free_keytab_entry_contents(walk->krb, &entry);
        if (code != 0)
            break;
    }
    krb5_error_code end = krb5_kt_end_seq_get(walk->krb, keytab, &cursor);
    walk->n_seen = n_seen;
    return code == KRB5_KT_END || code == 0 ? end : code;
}

static krb5_error_code keys_read(krb5_context krb, const char *name, krb5_principal wanted, struct kerberos_keys **keys)
{
    krb5_keytab keytab = NULL;
    struct walk walk = {.krb = krb, .wanted = wanted};
    krb5_error_code code = krb5_kt_resolve(krb, name, &keytab);
    if (code == 0)
        code = keytab_walk(&walk, keytab);
    if (code == 0) {
        size_t size = sizeof *walk.keys + walk.n_seen * sizeof walk.keys->keys[0];
        walk.keys = secret_block_alloc(size);
        if (walk.keys == NULL)
            code = ENOMEM;
        else {
            atomic_init(&walk.keys->n_references, 1);
            walk.keys->size = size;
            code = keytab_walk(&walk, keytab);
        }
    }
    if (keytab != NULL)
        krb5_kt_close(krb, keytab);
    if (code != 0) {
        kerberos_keys_put(walk.keys);
        return code;
    }
    walk.keys->permitted = kerberos_enctypes_permitted(krb);
    TRACE("kerberos", "read %zu keys from the keytab %s", walk.keys->n_keys, name);
    *keys = walk.keys;
    return 0;
}

static SECURITY_STATUS keys_load(krb5_context krb, const char *name, krb5_principal wanted, struct kerberos_keys **keys)
{
    krb5_error_code code = keys_read(krb, name, wanted, keys);
    if (code == 0 || code == ENOMEM)
        return krb_status(krb, code, KRB_STAGE_ACCEPT, "reading the keytab");
    const char *text = krb5_get_error_message(krb, code);
    SECURITY_STATUS status = cause_set(SEC_E_NO_CREDENTIALS, "the keytab %s cannot be read: %s", name, text);
    krb5_free_error_message(krb, text);
    return status;
}

#define KEYTAB_NAME_MAX ((size_t)1023)

/* Which keytab, now; in a lane. What was given stays where it is, a name of libkrb5's comes into `room`. */
static SECURITY_STATUS keytab_name(const struct kerberos_credential *credential, krb5_context krb,
                                   char room[KEYTAB_NAME_MAX + 1], const char **name)
{
    const char *given = credential->keytab;
    if (given == NULL && credential->config != NULL)
        given = credential->config->kerberos_keytab;
    *name = given != NULL ? given : room;
    if (given == NULL)
        return krb_status(krb, krb5_kt_default_name(krb, room, KEYTAB_NAME_MAX + 1), KRB_STAGE_ACCEPT,
                          "naming the keytab");
    return strlen(given) <= KEYTAB_NAME_MAX
               ? SEC_E_OK
               : cause_set(SEC_E_NO_CREDENTIALS, "the keytab's name is longer than %zu bytes", KEYTAB_NAME_MAX);
}

/* Was it made of the identity's bytes? Then nobody else knows its name, and nothing changes it. In a lane. */
static bool keytab_is_private(const struct kerberos_credential *credential, krb5_context krb, const char *name)
{
    char own[KEYTAB_NAME_MAX + 1];
    krb5_keytab keytab = credential->source->memory_keytab;
    return keytab != NULL && krb5_kt_get_name(krb, keytab, own, sizeof own) == 0 && strcmp(own, name) == 0;
}

/* Are those in memory what the keytab holds? In a lane. *watched: its file can be looked at, and `now` is what it is; or it needs no looking at. */
static bool keys_are_current(const struct kerberos_credential *credential, krb5_context krb, const char *name,
                             struct stat *now, bool *watched)
{
    const char *path = krb_keytab_path(name);
    *now = (struct stat){0};
    *watched = path != NULL ? stat(path, now) == 0 : keytab_is_private(credential, krb, name);
    return *watched && credential->keys != NULL && credential->keys_name != NULL &&
           strcmp(name, credential->keys_name) == 0 && file_state_equal(now, &credential->keytab_state);
}

/* By who is in all lanes. `wanted`: of these keys only, NULL: of all. */
static SECURITY_STATUS keytab_read(struct kerberos_credential *credential, krb5_context krb, krb5_principal wanted,
                                   struct kerberos_keys **keys)
{
    char room[KEYTAB_NAME_MAX + 1];
    const char *name;
    struct stat now = {0};
    bool watched;
    struct kerberos_keys *loaded = NULL;
    try(keytab_name(credential, krb, room, &name));
    if (keys_are_current(credential, krb, name, &now, &watched)) { /* another thread was first */
        keys_hold(keys, credential->keys);
        return SEC_E_OK;
    }
    AUTO_FREE char *name_copy = mem_strdup(name);
    require(name_copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(keys_load(krb, name, wanted, &loaded));
    keys_hold(keys, loaded);
    if (!watched) {
        kerberos_keys_put(loaded); /* the caller's alone */
        return SEC_E_OK;
    }
    keys_become(credential, loaded);
    mem_free(credential->keys_name);
    credential->keys_name = STEAL(name_copy);
    credential->keytab_state = now; /* of before the reading: a change in between is seen next time */
    return SEC_E_OK;
}

/* In a lane. *current: were the keys in memory those of the keytab, and *keys are they? */
static SECURITY_STATUS keytab_keys(const struct kerberos_credential *credential, krb5_context krb,
                                   struct kerberos_keys **keys, bool *current)
{
    char room[KEYTAB_NAME_MAX + 1];
    const char *name;
    struct stat now;
    bool watched;
    try(keytab_name(credential, krb, room, &name));
    *current = keys_are_current(credential, krb, name, &now, &watched);
    if (*current)
        keys_hold(keys, credential->keys);
    return SEC_E_OK;
}

static SECURITY_STATUS password_keys_list(krb5_context krb, const char *principal, const struct password_keys *made,
                                          struct kerberos_keys **keys)
{
    size_t size = sizeof **keys + made->n_keys * sizeof(*keys)->keys[0];
    struct kerberos_keys *list = secret_block_alloc(size);
    require(list != NULL, SEC_E_INSUFFICIENT_MEMORY);
    atomic_init(&list->n_references, 1);
    list->size = size;
    list->permitted = kerberos_enctypes_permitted(krb);
    for (unsigned i = 0; i < made->n_keys; i++) {
        struct kerberos_key *key = &list->keys[list->n_keys];
        const krb5_keyblock *block = &made->key[i];
        if (!krb_key_set(&key->key, block->enctype, slice_of(block->contents, block->length))) {
            list->n_foreign++;
            continue;
        }
        list->n_keys++;
        key->principal = mem_strdup(principal);
        if (key->principal == NULL) {
            kerberos_keys_put(list);
            return SEC_E_INSUFFICIENT_MEMORY;
        }
    }
    *keys = list;
    return SEC_E_OK;
}

/* Are the keys in memory those of the password? In a lane. */
static bool password_keys_wanted(const struct kerberos_credential *credential)
{
    /* Who is a client as well has given the client's password; then a keytab is the server's, if there is one. */
    return credential->source->logon == LOGON_PASSWORD && credential->use == SECPKG_CRED_INBOUND &&
           credential->keytab == NULL;
}

/* A KDC may be asked for the salts: outside of the lanes. */
static SECURITY_STATUS password_keys_make(struct kerberos_credential *credential, krb5_context krb,
                                          const struct kerberos_source *source, struct kerberos_keys **keys)
{
    struct password_keys made = {0};
    AUTO_FREE char *principal = NULL;
    bool by_name = false;
    /* first: what fails here has the KDC asked for nobody */
    try(kerberos_password_principal(krb, source->client, credential->server, &principal, &by_name));
    try(kerberos_password_keys(credential, &made));
    struct kerberos_keys *list = NULL;
    SECURITY_STATUS status = password_keys_list(krb, principal, &made, &list);
    password_keys_release(krb, &made);
    require(status == SEC_E_OK, status);
    list->by_name = by_name;
    *keys = list;
    return SEC_E_OK;
}

/* Made once for a credential, as salts do not change while a password stays; again where they open nothing. */
static SECURITY_STATUS password_keys_get(struct kerberos_credential *credential, krb5_context krb,
                                         const struct kerberos_source *source, struct kerberos_keys **keys)
{
    struct kerberos_keys *list = NULL;
    try(password_keys_make(credential, krb, source, &list));
    keys_hold(keys, list);
    kerberos_lanes_lock(credential->lanes);
    if (credential->source == source && password_keys_wanted(credential)) /* not changed in the meantime */
        keys_become(credential, keys_retain(list));                       /* also of another thread that was as fast */
    kerberos_lanes_unlock(credential->lanes);
    kerberos_keys_put(list);
    return SEC_E_OK;
}

/* One try; not *done where the keytab has to be read. */
static SECURITY_STATUS keys_recall(struct kerberos_credential *credential, krb5_context krb,
                                   struct kerberos_keys **keys, bool *done)
{
    struct kerberos_source *source = NULL;
    SECURITY_STATUS status = SEC_E_OK;
    *done = true;
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    if (!password_keys_wanted(credential))
        status = keytab_keys(credential, krb, keys, done);
    else if (credential->keys != NULL)
        keys_hold(keys, credential->keys);
    else
        source = kerberos_source_retain(credential->source);
    kerberos_lane_leave(lane);
    if (source != NULL)
        status = password_keys_get(credential, krb, source, keys);
    kerberos_source_put(source);
    return status;
}

/* Reads the keytab, unless it is the password's keys that are wanted by now: then not *done. */
static SECURITY_STATUS keytab_load(struct kerberos_credential *credential, krb5_context krb,
                                   struct kerberos_keys **keys, bool *done)
{
    krb5_principal wanted = NULL;
    SECURITY_STATUS status = SEC_E_OK;
    if (credential->server != NULL) /* DNS may be asked for its realm: outside of the lanes */
        try(krb_target_parse(krb, credential->server, KRB_TARGET_SERVICE, &wanted));
    kerberos_lanes_lock(credential->lanes);
    *done = !password_keys_wanted(credential);
    if (*done)
        status = keytab_read(credential, krb, wanted, keys);
    kerberos_lanes_unlock(credential->lanes);
    krb5_free_principal(krb, wanted);
    return status;
}

SECURITY_STATUS kerberos_keys_get(struct kerberos_credential *credential, krb5_context krb, struct kerberos_keys **keys)
{
    bool done = false;
    while (!done) { /* when the source was changed in between, who it is now is looked at anew */
        try(keys_recall(credential, krb, keys, &done));
        if (!done)
            try(keytab_load(credential, krb, keys, &done));
    }
    return SEC_E_OK;
}

#define SALTS_PAUSE_SECONDS 60

/* Whoever takes the turn is the only one until its wait for the KDC and the pause are over. */
static bool salts_turn(struct kerberos_credential *credential)
{
    int64_t now = steady_now(), due = atomic_load(&credential->salts_due);
    int64_t next = now + (int64_t)(credential->config->kerberos_kdc_seconds + SALTS_PAUSE_SECONDS) * FILETIME_SECOND;
    return now >= due && atomic_compare_exchange_strong(&credential->salts_due, &due, next);
}

/* Others may have to open their tickets with them: the one for whom they were made may have come with junk. */
static void renewed_keep(struct kerberos_credential *credential, const struct kerberos_source *source,
                         struct kerberos_keys *keys)
{
    kerberos_lanes_lock(credential->lanes);
    if (credential->source == source) {
        kerberos_keys_put(credential->renewed);
        credential->renewed = keys_retain(keys);
    }
    kerberos_lanes_unlock(credential->lanes);
}

bool kerberos_keys_renew(struct kerberos_credential *credential, krb5_context krb, struct kerberos_keys **keys,
                         struct kerberos_keys **former)
{
    struct kerberos_source *source = NULL;
    struct kerberos_keys *list = NULL, *renewed = NULL;
    bool others = false;
    *former = NULL;
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    if (password_keys_wanted(credential) && credential->keys != NULL) {
        others = credential->keys != *keys;
        if (others) /* another thread was first */
            keys_hold(keys, credential->keys);
        else {
            source = kerberos_source_retain(credential->source);
            renewed = credential->renewed != NULL ? keys_retain(credential->renewed) : NULL;
        }
    }
    kerberos_lane_leave(lane);
    if (source == NULL)
        return others;
    bool turn = salts_turn(credential);
    if (turn && password_keys_make(credential, krb, source, &list) == SEC_E_OK) {
        TRACE("kerberos", "the password's keys were made anew, as none opened a ticket");
        renewed_keep(credential, source, list);
        kerberos_keys_put(renewed);
        renewed = list;
    }
    kerberos_source_put(source);
    if (renewed != NULL) {
        *former = *keys;
        *keys = renewed;
    }
    return turn ||
           renewed != NULL; /* where no others were made, they are tried again to say what is wrong with the ticket */
}

void kerberos_keys_adopt(struct kerberos_credential *credential, struct kerberos_keys *former,
                         struct kerberos_keys *keys)
{
    kerberos_lanes_lock(credential->lanes);
    if (credential->keys == former && password_keys_wanted(credential))
        keys_become(credential, keys_retain(keys));
    kerberos_lanes_unlock(credential->lanes);
}

static size_t count_of_type(const struct kerberos_keys *keys, int32_t enctype)
{
    size_t n_keys = 0;
    for (size_t i = 0; i < keys->n_keys; i++)
        n_keys += keys->keys[i].key.enctype == enctype ? 1 : 0;
    return n_keys;
}

bool kerberos_keys_take_long(struct kerberos_credential *credential, const struct krb_encrypted *part)
{
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    const struct kerberos_keys *keys = credential->keys;
    size_t n_quick = QUICK_BYTES / kerberos_key_cost(part->cipher.len);
    bool salts = password_keys_wanted(credential) && steady_now() >= atomic_load(&credential->salts_due);
    bool longer = keys == NULL || salts || (keys->n_keys > n_quick && count_of_type(keys, part->enctype) > n_quick);
    kerberos_lane_leave(lane);
    return longer;
}
