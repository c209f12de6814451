#include "kerberos/settings.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include "crypto/random.h"
#include "kerberos/keys.h"
#include "kerberos/keytab_file.h"
#include "kerberos/proxy.h"
#include <errno.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

static krb5_error_code entry_add(krb5_context krb, krb5_keytab keytab, const struct keytab_entry *read)
{
    krb5_data components[KEYTAB_COMPONENTS_MAX];
    for (unsigned i = 0; i < read->n_components; i++)
        components[i] = krb_data(read->component[i]);
    krb5_principal_data name = {
        .magic = KV5M_PRINCIPAL,
        .realm = krb_data(read->realm),
        .data = components,
        .length = (krb5_int32)read->n_components,
        .type = (krb5_int32)read->name_type,
    };
    krb5_keytab_entry entry = {
        .magic = KV5M_KEYTAB_ENTRY,
        .principal = &name,
        .timestamp = (krb5_timestamp)read->timestamp,
        .vno = read->kvno,
        .key = {.magic = KV5M_KEYBLOCK,
                .enctype = read->enctype,
                .length = (unsigned)read->key.len,
                .contents = (krb5_octet *)(uintptr_t)read->key.data},
    };
    return krb5_kt_add_entry(krb, keytab, &entry); /* copies */
}

/* Fills one of libkrb5's MEMORY keytabs, which the source then holds. */
static SECURITY_STATUS keytab_fill(krb5_context krb, krb5_keytab keytab, struct slice file)
{
    struct reader reader = reader_of(file);
    struct keytab_entry entry;
    enum wire_result result;
    unsigned n_entries = 0;
    const char *words = "the identity's keytab is damaged, or of another version";
    require(keytab_file_begin(&reader) == WIRE_OK, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "%s", words));
    while ((result = keytab_file_next(&reader, &entry)) == WIRE_OK) {
        try(krb_status(krb, entry_add(krb, keytab, &entry), KRB_STAGE_LOGON, "keeping the identity's keytab"));
        n_entries++;
    }
    require(result == WIRE_SHORT, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "%s", words));
    require(n_entries > 0, cause_set(SEC_E_NO_CREDENTIALS, "the identity's keytab is empty"));
    return SEC_E_OK;
}

static SECURITY_STATUS keytab_keep(struct kerberos_source *source, krb5_context krb, struct slice file)
{
    uint64_t random[2];
    char name[64];
    krb5_keytab keytab;
    require(random_bytes(random, sizeof random), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    snprintf(name, sizeof name, "MEMORY:opensspi-%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    source->keytab = mem_strdup(name);
    require(source->keytab != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(krb_status(krb, krb5_kt_resolve(krb, name, &keytab), KRB_STAGE_LOGON, "keeping the identity's keytab"));
    source->memory_keytab = keytab;
    return keytab_fill(krb, keytab, file);
}

static SECURITY_STATUS proof_text(const struct identity *identity, char **text)
{
    *text = mem_dup(identity->proof.data, identity->proof.len);
    return *text != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS kerberos_source_prove(struct kerberos_source *source, const struct identity *identity)
{
    krb5_context krb;
    switch (identity->proof_kind) {
    case IDENTITY_KEYTAB:
        source->logon = LOGON_KEYTAB;
        return proof_text(identity, &source->keytab);
    case IDENTITY_KEYTAB_FILE:
        source->logon = LOGON_KEYTAB;
        try(kerberos_source_context(source, &krb));
        SECURITY_STATUS status = keytab_keep(source, krb, secret_slice(&identity->proof));
        krb5_free_context(krb);
        return status;
    case IDENTITY_CERTIFICATE:
        require(source->client != NULL,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate does not say whose it is: name the user"));
        source->logon = LOGON_CERTIFICATE;
        return proof_text(identity, &source->certificate);
    default:
        return SEC_E_OK;
    }
}

/* Replaces a text by another, or by nothing when that is empty. */
static SECURITY_STATUS text_set(char **field, struct slice value)
{
    char *copy = value.len > 0 ? mem_dup(value.data, value.len) : NULL;
    require(value.len == 0 || copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    mem_free(*field);
    *field = copy;
    return SEC_E_OK;
}

static SECURITY_STATUS pin_set(struct kerberos_source *source, struct slice value)
{
    secret_release(&source->pin);
    if (value.len == 0)
        return SEC_E_OK;
    require(secret_alloc(&source->pin, value.len + 1), SEC_E_INSUFFICIENT_MEMORY);
    memcpy(source->pin.data, value.data, value.len);
    return SEC_E_OK;
}

/* What a credential can be given to get its tickets with instead of what it was acquired with. The last one set counts. */
static const struct kerberos_proof {
    uint32_t attribute;
    enum kerberos_logon logon;
} proofs[] = {
    {OPENSSPI_CRED_ATTR_CCACHE, LOGON_NONE},
    {OPENSSPI_CRED_ATTR_CLIENT_KEYTAB, LOGON_KEYTAB},
    {OPENSSPI_CRED_ATTR_X509_IDENTITY, LOGON_CERTIFICATE},
};

static SECURITY_STATUS proof_set(struct kerberos_source *source, const struct kerberos_proof *proof, struct slice name)
{
    require(proof->logon != LOGON_CERTIFICATE || name.len == 0 || source->client != NULL,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate does not say whose it is: name the user"));
    source->proof = name.len > 0 ? proof : NULL;
    return text_set(&source->proof_name, name);
}

static SECURITY_STATUS setting_take(const struct kerberos_credential *credential, struct kerberos_source *source,
                                    uint32_t attribute, struct slice value)
{
    for (size_t i = 0; i < COUNT_OF(proofs); i++)
        if (proofs[i].attribute == attribute)
            return proof_set(source, &proofs[i], value);
    switch (attribute) {
    case SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS: {
        char *proxies = NULL;
        try(krb_proxy_settings_read(value, &proxies, &source->proxy_forced));
        mem_free(source->proxy);
        source->proxy = proxies;
        return SEC_E_OK;
    }
    case OPENSSPI_CRED_ATTR_KEYTAB:
        require((credential->use & SECPKG_CRED_INBOUND) != 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a client's credential has no server's keys"));
        return text_set(&source->server_keytab, value);
    case OPENSSPI_CRED_ATTR_X509_ANCHORS:
        return text_set(&source->anchors, value);
    case OPENSSPI_CRED_ATTR_PIN:
        return pin_set(source, value);
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Kerberos credentials let no attribute %u be set",
                         (unsigned)attribute);
    }
}

/* Tickets by this and no longer by a password or a logon session. */
static SECURITY_STATUS logon_set(struct kerberos_source *source, enum kerberos_logon logon, const char *name)
{
    char **field = logon == LOGON_NONE     ? &source->cache
                   : logon == LOGON_KEYTAB ? &source->keytab
                                           : &source->certificate;
    source->logon = logon;
    source->lent = false;
    source->refusals.until = 0; /* another key is another matter */
    mem_free(STEAL(source->refusal));
    secret_release(&source->password);
    lease_put(STEAL(source->lease));
    return text_set(field, slice_of_text(name));
}

/* What the settings make of the source that the credential was acquired with: its proof alone; else the server's keytab stands for the server itself
 * where that asks KDCs, unless it is a client as well that was told who it is, by its program or its logon session; else what it was. */
static SECURITY_STATUS source_settle(const struct kerberos_credential *credential, struct kerberos_source *source)
{
    bool is_client = (credential->use & SECPKG_CRED_OUTBOUND) != 0;
    if (source->proof != NULL) {
        source->cache_first = source->cache_last = false;
        return logon_set(source, source->proof->logon, source->proof_name);
    }
    if (source->server_keytab != NULL && !(is_client && source->explicit_logon))
        return logon_set(source, LOGON_KEYTAB, source->server_keytab);
    return SEC_E_OK;
}

static SECURITY_STATUS copy_change(const struct kerberos_credential *credential, struct kerberos_source *copy,
                                   uint32_t attribute, struct slice value, char **keytab)
{
    try(setting_take(credential, copy, attribute, value));
    if (copy->server_keytab != NULL)
        require((*keytab = mem_strdup(copy->server_keytab)) != NULL, SEC_E_INSUFFICIENT_MEMORY);
    else if ((credential->use & SECPKG_CRED_INBOUND) != 0)
        try(kerberos_server_keytab(copy, keytab)); /* as it was acquired */
    return source_settle(credential, copy);
}

/* The source with the attribute set, not in use yet, and the server's keytab: of what was acquired and the settings, whatever came in between. */
static SECURITY_STATUS source_make(struct kerberos_credential *credential, uint32_t attribute, struct slice value,
                                   struct kerberos_source **source, char **keytab)
{
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    struct kerberos_source *now = kerberos_source_retain(credential->source);
    struct kerberos_source *acquired =
        kerberos_source_retain(credential->acquired != NULL ? credential->acquired : credential->source);
    kerberos_lane_leave(lane);
    bool sealed = now->logon == LOGON_SEALED || credential->evidence != NULL;
    struct kerberos_source *made = sealed ? NULL : kerberos_source_copy(acquired, now);
    kerberos_source_put(acquired);
    kerberos_source_put(now);
    require(!sealed, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a credential to act for somebody else cannot be changed"));
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = copy_change(credential, made, attribute, value, keytab);
    if (status == SEC_E_OK)
        *source = made;
    else
        kerberos_source_put(made);
    return status;
}

static void swap_in(struct kerberos_credential *credential, krb5_context krb, struct kerberos_source *source,
                    char **keytab)
{
    kerberos_lanes_lock(credential->lanes);
    struct kerberos_source *old = credential->source;
    krb5_creds *tgt = STEAL(credential->tgt);
    credential->source = source;
    credential->cache_state = (struct stat){0};
    kerberos_keys_put(STEAL(credential->keys));
    kerberos_keys_put(STEAL(credential->renewed));
    kerberos_tickets_drop(credential, krb); /* and idle kits' keys */
    mem_free(STEAL(credential->keys_name));
    char *old_keytab = credential->keytab;
    credential->keytab = *keytab;
    *keytab = old_keytab;
    if (credential->acquired == NULL)
        credential->acquired = STEAL(old);
    kerberos_lanes_unlock(credential->lanes);
    krb5_free_creds(krb, tgt);
    kerberos_source_put(old);
}

SECURITY_STATUS kerberos_set_credential(void *credential, uint32_t attribute, const void *value, size_t len)
{
    struct kerberos_credential *changed = credential;
    krb5_context krb;
    AUTO_FREE char *keytab = NULL;
    struct kerberos_source *source = NULL;
    try(source_make(changed, attribute, slice_of(value, len), &source, &keytab));
    SECURITY_STATUS status = krb_pool_take(&changed->pool, &krb);
    if (status != SEC_E_OK) {
        kerberos_source_put(source);
        return status;
    }
    swap_in(changed, krb, source, &keytab);
    status = kerberos_name_refresh(changed, krb);
    krb_pool_give(&changed->pool, krb);
    TRACE("kerberos", "attribute 0x%x of a credential set: 0x%08x", (unsigned)attribute, (unsigned)status);
    return status;
}

/* Puts the first ticket into a memory cache that lives as long as the credential. */
static SECURITY_STATUS cache_export(struct kerberos_credential *credential, krb5_context krb, krb5_creds *tgt,
                                    const char **name)
{
    krb5_ccache cache = NULL;
    char *full = NULL;
    krb5_error_code code = credential->exported != NULL ? krb5_cc_resolve(krb, credential->exported, &cache)
                                                        : krb5_cc_new_unique(krb, "MEMORY", NULL, &cache);
    if (code == 0)
        code = krb5_cc_initialize(krb, cache, tgt->client);
    if (code == 0)
        code = krb5_cc_store_cred(krb, cache, tgt);
    if (code == 0 && credential->exported == NULL) {
        code = krb5_cc_get_full_name(krb, cache, &full);
        if (code == 0 && (credential->exported = mem_strdup(full)) == NULL)
            code = ENOMEM;
        krb5_free_string(krb, full);
    }
    if (cache != NULL && credential->exported == NULL)
        krb5_cc_destroy(krb, cache);
    else if (cache != NULL)
        krb5_cc_close(krb, cache);
    *name = credential->exported;
    return krb_status(krb, code, KRB_STAGE_TICKET, "filling a ticket cache in memory");
}

static SECURITY_STATUS private_cache(struct kerberos_credential *credential, krb5_context krb, const char **name)
{
    krb5_creds *tgt = NULL;
    try(kerberos_tgt_get(credential, krb, &tgt));
    kerberos_lanes_lock(credential->lanes);
    SECURITY_STATUS status = cache_export(credential, krb, tgt, name);
    kerberos_lanes_unlock(credential->lanes);
    krb5_free_creds(krb, tgt);
    return status;
}

static SECURITY_STATUS named_cache(struct kerberos_credential *credential, const struct kerberos_source *source,
                                   krb5_context krb, const char **name)
{
    krb5_ccache cache = NULL;
    char *full = NULL;
    (void)krb5_cc_set_default_name(krb, NULL); /* KRB5CCNAME as it is now */
    krb5_error_code code = kerberos_source_cache(source, krb, &cache);
    if (code == 0)
        code = krb5_cc_get_full_name(krb, cache, &full);
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_TICKET, "naming the ticket cache");
    if (status == SEC_E_OK)
        status = kerberos_text_keep(credential, full, name);
    krb5_free_string(krb, full);
    return status;
}

SECURITY_STATUS kerberos_cache_name(struct kerberos_credential *credential, const char **name)
{
    krb5_context krb;
    require(credential->evidence == NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "what is got by S4U2Proxy is in no cache"));
    try(krb_pool_take(&credential->pool, &krb));
    struct kerberos_source *source = kerberos_credential_source(credential);
    SECURITY_STATUS status = kerberos_source_private(source) ? private_cache(credential, krb, name)
                                                             : named_cache(credential, source, krb, name);
    kerberos_source_put(source);
    krb_pool_give(&credential->pool, krb);
    return status;
}
