#include "kerberos/keytab.h"

#include "core/cause.h"
#include "core/trace.h"
#include "crypto/random.h"
#include <stdio.h>
#include <string.h>

/* A FILE keytab is opened, locked and read from its start for every ticket; its keys are few, and they change with the file. So they are kept
 * in one of libkrb5's MEMORY keytabs, and read anew when the file's status has changed: a key roll-over counts at the next handshake. */

static bool state_equal(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* The file behind a keytab's name, or NULL when it is of another type. */
static const char *file_of(const char *name)
{
    if (strncmp(name, "FILE:", 5) == 0)
        return name + 5;
    return name[0] == '/' ? name : NULL;
}

static krb5_error_code entries_copy(krb5_context krb, krb5_keytab from, krb5_keytab to)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(krb, from, &cursor);
    if (code != 0)
        return code;
    while ((code = krb5_kt_next_entry(krb, from, &entry, &cursor)) == 0) {
        code = krb5_kt_add_entry(krb, to, &entry);
        krb5_free_keytab_entry_contents(krb, &entry);
        if (code != 0)
            break;
    }
    krb5_error_code end = krb5_kt_end_seq_get(krb, from, &cursor);
    return code == KRB5_KT_END ? end : code;
}

/* Under the credential's lock. */
static krb5_error_code keytab_load(struct kerberos_credential *credential, krb5_context krb, const char *name)
{
    char memory_name[64];
    uint64_t random;
    krb5_keytab file = NULL, memory = NULL;
    if (!random_bytes(&random, sizeof random))
        return KRB5_CRYPTO_INTERNAL;
    snprintf(memory_name, sizeof memory_name, "MEMORY:opensspi-%016llx", (unsigned long long)random);
    krb5_error_code code = krb5_kt_resolve(krb, name, &file);
    if (code == 0)
        code = krb5_kt_resolve(krb, memory_name, &memory);
    if (code == 0)
        code = entries_copy(krb, file, memory);
    if (file != NULL)
        krb5_kt_close(krb, file);
    if (code != 0) {
        if (memory != NULL)
            krb5_kt_close(krb, memory);
        return code;
    }
    if (credential->memory_keytab != NULL)
        krb5_kt_close(krb, credential->memory_keytab);
    credential->memory_keytab = memory;
    memcpy(credential->memory_keytab_name, memory_name, sizeof memory_name);
    TRACE("kerberos", "read the keytab %s", name);
    return 0;
}

static krb5_error_code keytab_open(struct kerberos_credential *credential, krb5_context krb, const char *name,
                                   krb5_keytab *keytab)
{
    struct stat now;
    const char *path = file_of(name);
    if (path == NULL || stat(path, &now) != 0)
        return krb5_kt_resolve(krb, name, keytab);
    if (credential->memory_keytab == NULL || !state_equal(&now, &credential->keytab_state)) {
        krb5_error_code code = keytab_load(credential, krb, name);
        if (code != 0)
            return code;
        credential->keytab_state = now; /* of before the reading: a change in between is seen next time */
    }
    return krb5_kt_resolve(krb, credential->memory_keytab_name, keytab);
}

SECURITY_STATUS kerberos_keytab_get(struct kerberos_credential *credential, krb5_context krb, krb5_keytab *keytab)
{
    char name[1024];
    krb5_error_code code = 0;
    if (credential->keytab != NULL)
        snprintf(name, sizeof name, "%s", credential->keytab);
    else
        code = krb5_kt_default_name(krb, name, sizeof name);
    if (code == 0) {
        pthread_mutex_lock(&credential->lock);
        code = keytab_open(credential, krb, name, keytab);
        pthread_mutex_unlock(&credential->lock);
    }
    return krb_status(krb, code, KRB_STAGE_ACCEPT, "opening the keytab");
}
