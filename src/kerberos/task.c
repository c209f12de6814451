#include "kerberos/task.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include <string.h>

uint64_t kerberos_deadline(const struct kerberos_credential *credential)
{
    return late_deadline(credential->config->kerberos_kdc_seconds);
}

bool kerberos_ticket_lives(const krb5_creds *creds)
{
    return (int64_t)(uint32_t)creds->times.endtime > (int64_t)filetime_to_unix(filetime_now()) + TICKET_MARGIN_SECONDS;
}

void kerberos_task_free(struct kerberos_task *task)
{
    if (task == NULL)
        return;
    if (task->krb != NULL) {
        krb5_free_creds(task->krb, task->tgt);
        krb5_free_creds(task->krb, task->service);
        krb5_free_creds(task->krb, task->creds);
        krb5_free_context(task->krb);
    }
    kerberos_source_put(task->source);
    mem_free(task->name);
    secret_release(&task->ticket);
    secret_release(&task->bytes);
    mem_free(task);
}

static SECURITY_STATUS task_fill(struct kerberos_task *task, struct kerberos_credential *credential, const char *name)
{
    krb5_error_code code = 0;
    task->name = mem_strdup(name);
    require(name == NULL || task->name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(kerberos_source_context(task->source, &task->krb));
    struct kerberos_lane *lane = kerberos_lane_enter(credential->lanes);
    /* else it is another identity's by now, or was purged */
    if (credential->tgt != NULL && credential->source == task->source && credential->tgt_era == task->era)
        code = krb5_copy_creds(task->krb, credential->tgt, &task->tgt);
    kerberos_lane_leave(lane);
    return code == 0 ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS kerberos_task_new(struct kerberos_credential *credential, const char *name,
                                  SECURITY_STATUS (*work)(struct kerberos_task *task, krb5_ccache cache),
                                  struct kerberos_task **task)
{
    struct kerberos_task *made = mem_zalloc(sizeof *made);
    require(made != NULL, SEC_E_INSUFFICIENT_MEMORY);
    made->work = work;
    made->source = kerberos_credential_source(credential);
    made->era = lease_era(made->source->lease);
    SECURITY_STATUS status = lease_check(made->source->lease);
    if (status == SEC_E_OK)
        status = task_fill(made, credential, name);
    if (status != SEC_E_OK) {
        kerberos_task_free(made);
        return status;
    }
    *task = made;
    return SEC_E_OK;
}

static SECURITY_STATUS log_on(struct kerberos_task *task)
{
    krb5_creds creds = {0};
    krb5_creds *copy = NULL;
    bool of_session = task->source->refusal != NULL && task->source->logon == LOGON_PASSWORD;
    SECURITY_STATUS status = of_session || task->for_peer
                                 ? kerberos_source_log_on_sparing(task->source, task->krb, task->deadline, &creds)
                                 : kerberos_source_log_on(task->source, task->krb, &creds);
    try(status);
    krb5_error_code code = krb5_copy_creds(task->krb, &creds, &copy);
    krb5_free_cred_contents(task->krb, &creds);
    require(code == 0, SEC_E_INSUFFICIENT_MEMORY);
    krb5_free_creds(task->krb, task->tgt);
    task->tgt = copy;
    task->logged_on = true;
    return SEC_E_OK;
}

/* Works with a cache of its own that holds the first ticket. */
static SECURITY_STATUS work_privately(struct kerberos_task *task)
{
    krb5_ccache cache = NULL;
    if (task->work == NULL)
        return SEC_E_OK;
    krb5_error_code code = krb5_cc_new_unique(task->krb, "MEMORY", NULL, &cache);
    if (code == 0)
        code = krb5_cc_initialize(task->krb, cache, task->tgt->client);
    if (code == 0)
        code = krb5_cc_store_cred(task->krb, cache, task->tgt);
    SECURITY_STATUS status = krb_status(task->krb, code, KRB_STAGE_TICKET, "filling a ticket cache in memory");
    if (status == SEC_E_OK)
        status = task->work(task, cache);
    if (cache != NULL)
        krb5_cc_destroy(task->krb, cache);
    return status;
}

krb5_error_code kerberos_tgt_of_cache(krb5_context krb, krb5_ccache cache, krb5_creds *tgt)
{
    krb5_creds wanted = {0};
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.client);
    if (code == 0) {
        const krb5_data *realm = &wanted.client->realm;
        code = krb5_build_principal_ext(krb, &wanted.server, realm->length, realm->data,
                                        (unsigned)strlen(KRB5_TGS_NAME), KRB5_TGS_NAME, realm->length, realm->data, 0);
    }
    if (code == 0)
        code = krb5_cc_retrieve_cred(krb, cache, KRB5_TC_SUPPORTED_KTYPES, &wanted, tgt);
    krb5_free_cred_contents(krb, &wanted);
    return code;
}

static krb5_error_code tgt_take(struct kerberos_task *task, krb5_ccache cache)
{
    krb5_creds found = {0};
    krb5_error_code code = kerberos_tgt_of_cache(task->krb, cache, &found);
    if (code != 0)
        return code;
    krb5_free_creds(task->krb, task->tgt);
    task->tgt = NULL;
    code = krb5_copy_creds(task->krb, &found, &task->tgt);
    krb5_free_cred_contents(task->krb, &found);
    return code;
}

static SECURITY_STATUS work_with_cache(struct kerberos_task *task)
{
    krb5_ccache cache = NULL;
    krb5_context krb = task->krb;
    const char *words = kerberos_source_cache_words(task->source);
    SECURITY_STATUS status = krb_status(krb, kerberos_source_cache(task->source, krb, &cache), KRB_STAGE_TICKET, words);
    if (status == SEC_E_OK && task->work != NULL)
        status = task->work(task, cache);
    else if (status == SEC_E_OK) {
        status = krb_status(krb, tgt_take(task, cache), KRB_STAGE_TICKET, words);
        if (status == SEC_E_OK && (task->tgt == NULL || krb_filetime(task->tgt->times.endtime) <= filetime_now()))
            status = cause_set(SEC_E_CONTEXT_EXPIRED, "the tickets in the cache have ended");
    }
    if (cache != NULL)
        krb5_cc_close(krb, cache);
    return status;
}

static bool wants_logon(SECURITY_STATUS status)
{
    return status == SEC_E_NO_CREDENTIALS || status == SEC_E_CONTEXT_EXPIRED;
}

static SECURITY_STATUS task_work(void *data)
{
    struct kerberos_task *task = data;
    const struct kerberos_source *source = task->source;
    if (source->logon == LOGON_NONE || source->cache_first) {
        SECURITY_STATUS status = work_with_cache(task);
        if (source->logon == LOGON_NONE || !wants_logon(status))
            return status;
        cause_drop();
    }
    if (source->logon == LOGON_SEALED) {
        require(task->tgt != NULL, cause_set(SEC_E_NO_CREDENTIALS, "this delegated credential has no tickets"));
        return work_privately(task);
    }
    if (task->tgt != NULL && kerberos_ticket_lives(task->tgt)) {
        SECURITY_STATUS status = work_privately(task);
        if (!wants_logon(status))
            return status;
        cause_drop(); /* the first ticket has ended: log on anew */
    }
    SECURITY_STATUS status = log_on(task);
    if (status == SEC_E_OK)
        return work_privately(task);
    return source->cache_last && status == SEC_E_NO_CREDENTIALS ? work_with_cache(task) : status;
}

static void task_drop(void *data)
{
    kerberos_task_free(data);
}

SECURITY_STATUS kerberos_task_run(struct kerberos_credential *credential, struct kerberos_task **task,
                                  uint64_t deadline)
{
    static const struct late_work work = {task_work, task_drop};
    const struct kerberos_source *source = (*task)->source;
    void *data = *task;
    (*task)->deadline = deadline;
    if (source->lent && source->lease != NULL)
        source->lease->refresh(source->lease);
    SECURITY_STATUS status = kdc_run(&work, &data, deadline);
    *task = data;
    if (data == NULL || !(*task)->logged_on)
        return status;
    krb5_creds *copy = NULL, *old = NULL;
    if (krb5_copy_creds((*task)->krb, (*task)->tgt, &copy) == 0) {
        kerberos_lanes_lock(credential->lanes);
        if (credential->source == (*task)->source) { /* not given another one in the meantime */
            old = credential->tgt;
            credential->tgt = copy;
            credential->tgt_era = (*task)->era;
            copy = NULL;
        }
        kerberos_lanes_unlock(credential->lanes);
    }
    krb5_free_creds((*task)->krb, old);
    krb5_free_creds((*task)->krb, copy);
    TRACE("kerberos", "logged on: 0x%08x", (unsigned)status);
    return status;
}
