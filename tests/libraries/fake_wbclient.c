/*
 * Stands in for Samba's libwbclient: a domain FAKE, S-1-5-21-7-7-7, of which user alice (RID 1000) is uid 71000, group staff (RID 2000) gid
 * 72000, and "Domain Users" gid 70513. RID 666 makes winbind fail. Logons, names of domains and hangs are as a test says (fake_wbclient.h).
 */
#include "fake_wbclient.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NOT_MAPPED ((wbcErr)14) /* of later Sambas */

struct wbcContext {
    int unused;
};

static const struct {
    uint32_t rid, id;
    enum wbcIdType id_type;
    enum wbcSidType sid_type;
    const char *name;
} known[] = {{1000, 71000, WBC_ID_TYPE_UID, WBC_SID_NAME_USER, "alice"},
             {2000, 72000, WBC_ID_TYPE_GID, WBC_SID_NAME_DOM_GRP, "staff"},
             {513, 70513, WBC_ID_TYPE_GID, WBC_SID_NAME_DOM_GRP, "Domain Users"}};
#define KNOWN (sizeof known / sizeof known[0])

static struct fake_wbclient control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

fake_wbclient_lock_function fake_wbclient_lock;
struct fake_wbclient *fake_wbclient_lock(void)
{
    pthread_mutex_lock(&lock);
    return &control;
}

fake_wbclient_unlock_function fake_wbclient_unlock;
void fake_wbclient_unlock(void)
{
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Every question begins here. */
static void asked(void)
{
    pthread_mutex_lock(&lock);
    control.n_hanging++;
    pthread_cond_broadcast(&changed);
    while (control.hangs)
        pthread_cond_wait(&changed, &lock);
    control.n_hanging--;
    pthread_mutex_unlock(&lock);
}

struct wbcContext *wbcCtxCreate(void)
{
    struct wbcContext *context = calloc(1, sizeof *context);
    pthread_mutex_lock(&lock);
    control.n_contexts += context != NULL;
    control.n_created += context != NULL;
    pthread_mutex_unlock(&lock);
    return context;
}

void wbcCtxFree(struct wbcContext *context)
{
    pthread_mutex_lock(&lock);
    control.n_contexts--;
    pthread_mutex_unlock(&lock);
    free(context);
}

void wbcFreeMemory(void *block)
{
    free(block);
}

static int rid_of(const struct wbcDomainSid *sid, uint32_t *rid)
{
    const uint32_t domain[] = {21, 7, 7, 7};
    *rid = sid->num_auths == 5 ? sid->sub_auths[4] : 0;
    return sid->num_auths == 5 && memcmp(sid->sub_auths, domain, sizeof domain) == 0;
}

static struct wbcDomainSid sid_of(uint32_t rid)
{
    return (struct wbcDomainSid){1, 5, {0, 0, 0, 0, 0, 5}, {21, 7, 7, 7, rid}};
}

wbcErr wbcCtxSidsToUnixIds(struct wbcContext *context, const struct wbcDomainSid *sids, uint32_t n_sids,
                           struct wbcUnixId *ids)
{
    (void)context;
    asked();
    for (uint32_t i = 0; i < n_sids; i++) {
        uint32_t rid;
        pthread_mutex_lock(&lock);
        ids[i] = control.id_of_all;
        pthread_mutex_unlock(&lock);
        if (!rid_of(&sids[i], &rid))
            continue;
        if (rid == 666)
            return WBC_ERR_WINBIND_NOT_AVAILABLE;
        for (size_t at = 0; at < KNOWN; at++)
            if (known[at].rid == rid) {
                ids[i].type = known[at].id_type;
                ids[i].id.uid = known[at].id;
            }
    }
    return WBC_ERR_SUCCESS;
}

static wbcErr sid_of_id(uint32_t id, enum wbcIdType type, struct wbcDomainSid *sid)
{
    asked();
    for (size_t at = 0; at < KNOWN; at++)
        if (known[at].id == id && known[at].id_type == type) {
            *sid = sid_of(known[at].rid);
            return WBC_ERR_SUCCESS;
        }
    return NOT_MAPPED;
}

wbcErr wbcCtxUidToSid(struct wbcContext *context, uid_t uid, struct wbcDomainSid *sid)
{
    (void)context;
    return sid_of_id(uid, WBC_ID_TYPE_UID, sid);
}

wbcErr wbcCtxGidToSid(struct wbcContext *context, gid_t gid, struct wbcDomainSid *sid)
{
    (void)context;
    return sid_of_id(gid, WBC_ID_TYPE_GID, sid);
}

wbcErr wbcCtxLookupSid(struct wbcContext *context, const struct wbcDomainSid *sid, char **domain, char **name,
                       enum wbcSidType *type)
{
    uint32_t rid;
    (void)context;
    asked();
    if (!rid_of(sid, &rid))
        return WBC_ERR_DOMAIN_NOT_FOUND;
    for (size_t at = 0; at < KNOWN; at++)
        if (known[at].rid == rid) {
            pthread_mutex_lock(&lock);
            *domain = strdup(control.lies_domain != NULL ? control.lies_domain : "FAKE");
            *name = strdup(control.lies_name != NULL ? control.lies_name : known[at].name);
            pthread_mutex_unlock(&lock);
            *type = known[at].sid_type;
            return WBC_ERR_SUCCESS;
        }
    return NOT_MAPPED;
}

wbcErr wbcCtxLookupName(struct wbcContext *context, const char *domain, const char *name, struct wbcDomainSid *sid,
                        enum wbcSidType *type)
{
    (void)context;
    asked();
    pthread_mutex_lock(&lock);
    wbcErr error = control.name_error;
    pthread_mutex_unlock(&lock);
    if (error != WBC_ERR_SUCCESS)
        return error;
    if (strcasecmp(domain, "FAKE") != 0)
        return WBC_ERR_DOMAIN_NOT_FOUND;
    for (size_t at = 0; at < KNOWN; at++)
        if (strcasecmp(known[at].name, name) == 0) {
            *sid = sid_of(known[at].rid);
            pthread_mutex_lock(&lock);
            if (control.lies_number != 0)
                sid->sub_auths[3] = control.lies_number;
            pthread_mutex_unlock(&lock);
            *type = known[at].sid_type;
            return WBC_ERR_SUCCESS;
        }
    return NOT_MAPPED;
}

/* A copy that wbcFreeMemory frees as a whole; the texts stay the test's. */
static void *copy_of(const void *data, size_t len)
{
    void *copy = malloc(len);
    if (copy != NULL)
        memcpy(copy, data, len);
    return copy;
}

wbcErr wbcCtxInterfaceDetails(struct wbcContext *context, struct wbcInterfaceDetails **details)
{
    static char computer[] = "SERVER", domain[] = "FAKE", dns[] = "fake.test";
    (void)context;
    asked();
    pthread_mutex_lock(&lock);
    wbcErr error = control.details_error;
    struct wbcInterfaceDetails answer = control.details;
    bool none = control.no_details;
    control.n_details++;
    pthread_mutex_unlock(&lock);
    if (answer.netbios_name == NULL) {
        answer.netbios_name = computer;
        answer.netbios_domain = domain;
        answer.dns_domain = dns;
        answer.winbind_separator = '+';
    }
    if (error == WBC_ERR_SUCCESS && !none)
        *details = copy_of(&answer, sizeof answer);
    return error;
}

wbcErr wbcCtxListTrusts(struct wbcContext *context, struct wbcDomainInfo **domains, size_t *n_domains)
{
    (void)context;
    asked();
    pthread_mutex_lock(&lock);
    wbcErr error = control.trusts_error;
    *n_domains = control.n_trusts;
    if (error == WBC_ERR_SUCCESS && control.n_trusts <= sizeof control.trusts / sizeof control.trusts[0])
        *domains = copy_of(control.trusts, sizeof control.trusts);
    if (control.n_to_hold > 0) {
        control.n_to_hold--;
        control.n_held++;
        pthread_cond_broadcast(&changed);
        while (control.holds)
            pthread_cond_wait(&changed, &lock);
        control.n_held--;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

wbcErr wbcCtxCheckTrustCredentials(struct wbcContext *context, const char *domain, struct wbcAuthErrorInfo **failure)
{
    static char word[] = "NT_STATUS_ACCESS_DENIED";
    const struct wbcAuthErrorInfo told = {.nt_status = 0xC0000022, .nt_string = word};
    (void)context;
    (void)domain;
    asked();
    pthread_mutex_lock(&lock);
    wbcErr error = control.trust_check_error;
    control.n_trust_checks++;
    pthread_mutex_unlock(&lock);
    if (error == WBC_ERR_AUTH_ERROR)
        *failure = copy_of(&told, sizeof told);
    return error;
}

/* The user and the SIDs in one block. */
static struct wbcAuthUserInfo *user_of(const struct fake_answer *answer)
{
    size_t sids_len = sizeof answer->sids[0] * answer->n_sids;
    struct wbcAuthUserInfo *user = malloc(sizeof *user + sids_len);
    if (user == NULL)
        return NULL;
    *user = answer->user;
    user->num_sids = answer->n_sids;
    user->sids = (struct wbcSidWithAttr *)(void *)(user + 1);
    memcpy(user->sids, answer->sids, sids_len);
    return user;
}

wbcErr wbcCtxAuthenticateUserEx(struct wbcContext *context, const struct wbcAuthUserParams *params,
                                struct wbcAuthUserInfo **info, struct wbcAuthErrorInfo **failure)
{
    (void)context;
    asked();
    pthread_mutex_lock(&lock);
    void (*logon)(const struct wbcAuthUserParams *, struct fake_answer *) = control.logon;
    pthread_mutex_unlock(&lock);
    struct fake_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL || logon == NULL) {
        free(answer);
        return WBC_ERR_WINBIND_NOT_AVAILABLE;
    }
    logon(params, answer);
    wbcErr error = answer->error;
    if (error == WBC_ERR_SUCCESS && !answer->no_details)
        *info = user_of(answer);
    if (error == WBC_ERR_AUTH_ERROR && !answer->no_details)
        *failure = copy_of(&answer->failure, sizeof answer->failure);
    free(answer);
    return error;
}

wbcErr wbcCtxChangeUserPasswordEx(struct wbcContext *context, const struct wbcChangePasswordParams *params,
                                  struct wbcAuthErrorInfo **failure, enum wbcPasswordChangeRejectReason *reason,
                                  struct wbcUserPasswordPolicyInfo **policy)
{
    (void)context;
    asked();
    pthread_mutex_lock(&lock);
    void (*change)(const struct wbcChangePasswordParams *, struct fake_answer *) = control.change;
    pthread_mutex_unlock(&lock);
    struct fake_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL || change == NULL) {
        free(answer);
        return WBC_ERR_WINBIND_NOT_AVAILABLE;
    }
    change(params, answer);
    wbcErr error = answer->error;
    if (error != WBC_ERR_SUCCESS) {
        *failure = copy_of(&answer->failure, sizeof answer->failure);
        *reason = WBC_PWD_CHANGE_PASSWORD_TOO_SHORT;
        *policy = calloc(1, sizeof **policy);
    }
    free(answer);
    return error;
}
