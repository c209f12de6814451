#include "kerberos/source.h"

#include "base/memory.h"
#include "base/result.h"
#include "core/cause.h"
#include "kerberos/kdc.h"
#include "kerberos/proxy.h"

struct kerberos_source *kerberos_source_new(void)
{
    struct kerberos_source *source = secret_block_alloc(sizeof *source);
    if (source != NULL) {
        atomic_init(&source->n_references, 1);
        kerberos_refusals_init(&source->refusals);
    }
    return source;
}

struct kerberos_source *kerberos_source_retain(struct kerberos_source *source)
{
    atomic_fetch_add_explicit(&source->n_references, 1, memory_order_relaxed);
    return source;
}

/* One of libkrb5's MEMORY keytabs lives while it is open somewhere, and is open in a context. */
static void memory_keytab_close(krb5_keytab keytab)
{
    krb5_context krb;
    if (keytab != NULL && krb5_init_context(&krb) == 0) {
        krb5_kt_close(krb, keytab);
        krb5_free_context(krb);
    }
}

void kerberos_source_put(struct kerberos_source *source)
{
    if (source == NULL || atomic_fetch_sub_explicit(&source->n_references, 1, memory_order_acq_rel) != 1)
        return;
    kerberos_refusals_release(&source->refusals);
    lease_put(source->lease);
    memory_keytab_close(source->memory_keytab);
    mem_free(source->cache);
    mem_free(source->client);
    mem_free(source->keytab);
    mem_free(source->certificate);
    mem_free(source->anchors);
    mem_free(source->proxy);
    mem_free(source->refusal);
    mem_free(source->proof_name);
    mem_free(source->server_keytab);
    secret_release(&source->password);
    secret_release(&source->pin);
    secret_block_free(source, sizeof *source);
}

static bool secret_copy(struct secret *to, const struct secret *from)
{
    return from->data == NULL || secret_set(to, from->data, from->len);
}

static bool keytab_copy(krb5_keytab *to, const struct kerberos_source *from)
{
    krb5_context krb;
    char name[128];
    *to = NULL;
    if (from->memory_keytab == NULL)
        return true;
    require(krb5_init_context(&krb) == 0, false);
    bool opened =
        krb5_kt_get_name(krb, from->memory_keytab, name, sizeof name) == 0 && krb5_kt_resolve(krb, name, to) == 0;
    krb5_free_context(krb);
    return opened;
}

struct kerberos_source *kerberos_source_copy(struct kerberos_source *source, struct kerberos_source *settings)
{
    struct kerberos_source *copy = kerberos_source_new();
    require(copy != NULL, NULL);
    copy->logon = source->logon;
    copy->cache_first = source->cache_first;
    copy->cache_last = source->cache_last;
    copy->explicit_logon = source->explicit_logon;
    copy->proxy_forced = settings->proxy_forced;
    copy->forwardable = source->forwardable;
    copy->lent = source->lent;
    copy->lease = lease_retain(source->lease);
    copy->proof = settings->proof;
    if (source->refusal != NULL) /* the session's password stays what it is */
        copy->refusals.until =
            kerberos_refusals_until(settings->logon == source->logon ? &settings->refusals : &source->refusals);
    bool copied =
        mem_text_copy(&copy->cache, source->cache) && mem_text_copy(&copy->client, source->client) &&
        mem_text_copy(&copy->keytab, source->keytab) && mem_text_copy(&copy->certificate, source->certificate) &&
        mem_text_copy(&copy->anchors, settings->anchors) && mem_text_copy(&copy->proxy, settings->proxy) &&
        mem_text_copy(&copy->refusal, source->refusal) && mem_text_copy(&copy->proof_name, settings->proof_name) &&
        mem_text_copy(&copy->server_keytab, settings->server_keytab) && keytab_copy(&copy->memory_keytab, source) &&
        secret_copy(&copy->password, &source->password) && secret_copy(&copy->pin, &settings->pin);
    if (!copied) {
        kerberos_source_put(copy);
        return NULL;
    }
    return copy;
}

SECURITY_STATUS kerberos_source_context(const struct kerberos_source *source, krb5_context *krb)
{
    krb5_context made = NULL;
    try(krb_context_new(&made));
    if (source->proxy != NULL) {
        krb5_context through = NULL;
        krb5_error_code code = krb_proxy_context(made, source->proxy, source->proxy_forced, &through);
        krb5_free_context(made);
        made = through;
        require(code == 0, cause_set(SEC_E_INTERNAL_ERROR, "the KDC proxy cannot be set up: error %ld", (long)code));
    }
    kdc_context_prepare(made);
    *krb = made;
    return SEC_E_OK;
}

krb5_error_code kerberos_source_cache(const struct kerberos_source *source, krb5_context krb, krb5_ccache *cache)
{
    krb5_principal principal = NULL;
    if (source->cache != NULL)
        return krb5_cc_resolve(krb, source->cache, cache);
    if (source->client == NULL)
        return krb5_cc_default(krb, cache);
    krb5_error_code code = krb5_parse_name(krb, source->client, &principal);
    if (code == 0)
        code = krb5_cc_cache_match(krb, principal, cache);
    krb5_free_principal(krb, principal);
    return code;
}

const char *kerberos_source_cache_words(const struct kerberos_source *source)
{
    return source->lent ? "the logon session's tickets" : "no password was given; the ticket cache";
}
