#include "kerberos/krb.h"

#include "base/memory.h"
#include "base/result.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/status.h"
#include "core/target.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

SECURITY_STATUS krb_context_new(krb5_context *krb)
{
    krb5_error_code code = krb5_init_context(krb);
    return code == 0 ? SEC_E_OK
                     : cause_set(SEC_E_INTERNAL_ERROR,
                                 "the Kerberos library cannot start: error %ld; is krb5.conf right?", (long)code);
}

void krb_pool_init(struct krb_pool *pool)
{
    pthread_mutex_init(&pool->lock, NULL);
}

void krb_pool_release(struct krb_pool *pool)
{
    for (unsigned i = 0; i < pool->n_idle; i++)
        krb5_free_context(pool->idle[i]);
    pthread_mutex_destroy(&pool->lock);
}

SECURITY_STATUS krb_pool_take(struct krb_pool *pool, krb5_context *krb)
{
    krb5_context taken = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->n_idle > 0)
        taken = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->lock);
    if (taken == NULL)
        try(krb_context_new(&taken));
    *krb = taken;
    return SEC_E_OK;
}

void krb_context_clean(krb5_context krb)
{
    krb5_clear_error_message(krb);
    krb_clock_set(krb, (struct krb_clock){0});
}

void krb_pool_give(struct krb_pool *pool, krb5_context krb)
{
    krb_context_clean(krb);
    pthread_mutex_lock(&pool->lock);
    if (pool->n_idle < COUNT_OF(pool->idle)) {
        pool->idle[pool->n_idle++] = krb;
        krb = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    if (krb != NULL)
        krb5_free_context(krb);
}

struct krb_clock krb_clock_get(krb5_context krb)
{
    struct krb_clock clock = {0};
    (void)krb5_get_time_offsets(krb, &clock.seconds, &clock.microseconds);
    return clock;
}

void krb_clock_set(krb5_context krb, struct krb_clock clock)
{
    struct krb_clock now = krb_clock_get(krb);
    struct timespec real;
    if (now.seconds == clock.seconds && now.microseconds == clock.microseconds)
        return;
    /* The library is told what time it is, and takes the difference to its own clock. */
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t microseconds = (int64_t)real.tv_nsec / 1000 + clock.microseconds;
    int64_t seconds = (int64_t)real.tv_sec + clock.seconds;
    if (microseconds < 0 || microseconds >= 1000000) {
        int64_t carry = microseconds < 0 ? -1 : 1;
        seconds += carry;
        microseconds -= carry * 1000000;
    }
    (void)krb5_set_real_time(krb, (krb5_timestamp)seconds, (krb5_int32)microseconds);
}

int64_t krb_time_unique(struct krb_clock clock)
{
    /* One word that all threads write, where krb5_us_timeofday has a lock. On its own cache line. */
    static struct {
        _Alignas(64) _Atomic int64_t time;
    } last;
    int64_t given, before = atomic_load_explicit(&last.time, memory_order_acquire);
    do {
        /* After the look at `before`: else a thread that waited here would take what others were given meanwhile for a clock that was set back. */
        struct timespec real;
        clock_gettime(CLOCK_REALTIME, &real);
        int64_t now = (int64_t)real.tv_sec * KRB_MICROSECONDS + real.tv_nsec / 1000;
        bool ahead = before >= now && before - now < KRB_MICROSECONDS; /* by more: the clock was set back */
        given = ahead ? before + 1 : now;
    } while (
        !atomic_compare_exchange_weak_explicit(&last.time, &before, given, memory_order_acquire, memory_order_acquire));
    return given + (int64_t)clock.seconds * KRB_MICROSECONDS + clock.microseconds;
}

/* spec/protocols.md (Kerberos), RFC 4120 7.5.9, and krb5's own codes. */
static const struct {
    krb5_error_code code;
    SECURITY_STATUS status;
} meanings[] = {
    {ENOMEM, SEC_E_INSUFFICIENT_MEMORY},
    {ENOENT, SEC_E_NO_CREDENTIALS}, /* of keytabs and caches */
    {EACCES, SEC_E_NO_CREDENTIALS},
    {KRB5KRB_AP_ERR_SKEW, SEC_E_TIME_SKEW},
    {KRB5_KDCREP_SKEW, SEC_E_TIME_SKEW},
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, SEC_E_TARGET_UNKNOWN},
    {KRB5KDC_ERR_MUST_USE_USER2USER, SEC_E_TARGET_UNKNOWN},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {KRB5KRB_AP_WRONG_PRINC, SEC_E_WRONG_PRINCIPAL},
    {KRB5KRB_AP_ERR_NOT_US, SEC_E_WRONG_PRINCIPAL},
    {KRB5KRB_AP_ERR_BADMATCH, SEC_E_WRONG_PRINCIPAL},
    {KRB5KDC_ERR_SERVER_NOMATCH, SEC_E_WRONG_PRINCIPAL}, /* user-to-user: the peer's ticket is not the target's */
    {KRB5KRB_AP_ERR_BADKEYVER, SEC_E_WRONG_PRINCIPAL},
    {KRB5KRB_AP_ERR_NOKEY, SEC_E_WRONG_PRINCIPAL},
    {KRB5KRB_AP_ERR_ILL_CR_TKT, SEC_E_WRONG_PRINCIPAL}, /* a realm on the way that is not trusted */
    {KRB5_KT_KVNONOTFOUND, SEC_E_WRONG_PRINCIPAL},
    {KRB5_KT_NOTFOUND, SEC_E_WRONG_PRINCIPAL},
    {KRB5_KDC_UNREACH, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {KRB5_REALM_CANT_RESOLVE, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {KRB5_REALM_UNKNOWN, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {KRB5_CONFIG_NODEFREALM, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {ETIMEDOUT, SEC_E_NO_AUTHENTICATING_AUTHORITY},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, SEC_E_CONTEXT_EXPIRED},
    {KRB5KRB_AP_ERR_TKT_NYV, SEC_E_TIME_SKEW},
    {KRB5KRB_AP_ERR_REPEAT, SEC_E_OUT_OF_SEQUENCE},
    {KRB5KRB_AP_ERR_MODIFIED, SEC_E_MESSAGE_ALTERED},
    {KRB5_MUTUAL_FAILED, SEC_E_MUTUAL_AUTH_FAILED},
    {KRB5_FCC_NOFILE, SEC_E_NO_CREDENTIALS},
    {KRB5_CC_NOTFOUND, SEC_E_NO_CREDENTIALS},
    {KRB5_CC_END, SEC_E_NO_CREDENTIALS},
    {KRB5_NO_TKT_SUPPLIED, SEC_E_NO_CREDENTIALS},
    {KRB5_CC_NOMEM, SEC_E_INSUFFICIENT_MEMORY},
    {KRB5KDC_ERR_PREAUTH_FAILED, SEC_E_LOGON_DENIED},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, SEC_E_LOGON_DENIED},
    {KRB5KDC_ERR_CLIENT_REVOKED, (SECURITY_STATUS)STATUS_ACCOUNT_DISABLED},
    {KRB5KDC_ERR_NAME_EXP, (SECURITY_STATUS)STATUS_ACCOUNT_EXPIRED},
    {KRB5KDC_ERR_KEY_EXP, (SECURITY_STATUS)STATUS_PASSWORD_EXPIRED},
    {KRB5KDC_ERR_POLICY, SEC_E_LOGON_DENIED},
    {KRB5KDC_ERR_BADOPTION, SEC_E_DELEGATION_POLICY},
    {KRB5KDC_ERR_ETYPE_NOSUPP, SEC_E_KDC_UNKNOWN_ETYPE},
    {KRB5_BAD_ENCTYPE, SEC_E_KDC_UNKNOWN_ETYPE},
    {KRB5_PROG_ETYPE_NOSUPP, SEC_E_KDC_UNKNOWN_ETYPE},
    {KRB5KRB_AP_ERR_MSG_TYPE, SEC_E_INVALID_TOKEN},
    {KRB5KRB_AP_ERR_BADVERSION, SEC_E_INVALID_TOKEN},
    {KRB5_BADMSGTYPE, SEC_E_INVALID_TOKEN},
    {KRB5_PARSE_MALFORMED, SEC_E_TARGET_UNKNOWN},
    {KRB5KRB_AP_ERR_INAPP_CKSUM, SEC_E_INVALID_TOKEN},
};

/* Caches and keytabs that are not there, closed to us, or not what they should be: for whoever wants to use them, all the same. */
static bool is_of_storage(krb5_error_code code)
{
    static const krb5_error_code codes[] = {
        ENOENT,
        EACCES,
        EPERM,
        ENOTDIR,
        EISDIR,
        KRB5_FCC_PERM,
        KRB5_FCC_INTERNAL,
        KRB5_CC_FORMAT,
        KRB5_CC_IO,
        KRB5_CC_BADNAME,
        KRB5_CC_NOSUPP,
        KRB5_CC_UNKNOWN_TYPE,
        KRB5_CCACHE_BADVNO,
        KRB5_KCM_NO_SERVER,
        KRB5_KT_NOTFOUND,
        KRB5_KT_BADNAME,
        KRB5_KT_IOERR,
        KRB5_KT_UNKNOWN_TYPE,
        KRB5_KEYTAB_BADVNO,
        KRB5_KT_KVNONOTFOUND,
        KRB5_KT_FORMAT,
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* What means something else when somebody wants to act for another. */
static SECURITY_STATUS status_of_forwarding(krb5_error_code code)
{
    switch (code) {
    case KRB5KDC_ERR_BADOPTION: /* MS-SFU 3.2.5.2.2: not allowed to, or the evidence may not be forwarded */
    case KRB5KDC_ERR_POLICY:
    case KRB5_TKT_NOT_FORWARDABLE:
        return SEC_E_DELEGATION_POLICY;
    case KRB5KDC_ERR_PADATA_TYPE_NOSUPP: /* so libkrb5 says that the KDC ignored the request for a user */
        return SEC_E_NO_S4U_PROT_SUPPORT;
    default:
        return SEC_E_OK;
    }
}

/* RFC 4556 3.1.3; what libkrb5 finds wrong with the certificate, its key or the KDC's has no code of its own. */
static SECURITY_STATUS status_of_certificate(krb5_error_code code)
{
    switch (code) {
    case KRB5KDC_ERR_CLIENT_NAME_MISMATCH:
        return SEC_E_PKINIT_NAME_MISMATCH;
    case KRB5KDC_ERR_CLIENT_NOT_TRUSTED:
    case KRB5KDC_ERR_CANT_VERIFY_CERTIFICATE:
        return SEC_E_ISSUING_CA_UNTRUSTED;
    case KRB5KDC_ERR_REVOKED_CERTIFICATE:
        return SEC_E_SMARTCARD_CERT_REVOKED;
    case KRB5KDC_ERR_INVALID_CERTIFICATE:
        return SEC_E_CERT_UNKNOWN;
    case KRB5KDC_ERR_KDC_NOT_TRUSTED:
        return SEC_E_ISSUING_CA_UNTRUSTED_KDC;
    default:
        return SEC_E_PKINIT_CLIENT_FAILURE;
    }
}

static SECURITY_STATUS status_of(krb5_error_code code, enum krb_stage stage)
{
    if (stage == KRB_STAGE_FORWARD) {
        SECURITY_STATUS status = status_of_forwarding(code);
        if (status != SEC_E_OK)
            return status;
    }
    if ((stage == KRB_STAGE_LOGON || stage == KRB_STAGE_CERTIFICATE || stage == KRB_STAGE_TICKET) &&
        is_of_storage(code))
        return SEC_E_NO_CREDENTIALS;
    if ((stage == KRB_STAGE_LOGON || stage == KRB_STAGE_CERTIFICATE) && code == KRB5_PARSE_MALFORMED)
        return SEC_E_LOGON_DENIED; /* the user's name: nobody has it */
    if (code == KRB5KRB_AP_ERR_BAD_INTEGRITY) {
        if (stage == KRB_STAGE_LOGON)
            return SEC_E_LOGON_DENIED;
        return stage == KRB_STAGE_ACCEPT ? SEC_E_WRONG_PRINCIPAL : SEC_E_MESSAGE_ALTERED;
    }
    if (code >= ASN1_BAD_TIMEFORMAT && code <= ASN1_BAD_TIMEFORMAT + 32) /* the whole table of decoding errors */
        return SEC_E_INVALID_TOKEN;
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (meanings[i].code == code)
            return meanings[i].status;
    if (stage == KRB_STAGE_ACCEPT)
        return SEC_E_INVALID_TOKEN;
    if (stage == KRB_STAGE_CERTIFICATE)
        return status_of_certificate(code);
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS krb_status(krb5_context krb, krb5_error_code code, enum krb_stage stage, const char *doing)
{
    require(code != 0, SEC_E_OK);
    const char *text = krb5_get_error_message(krb, code);
    SECURITY_STATUS status = cause_set(status_of(code, stage), "%s: %s", doing, text);
    krb5_free_error_message(krb, text);
    return status;
}

int64_t krb_filetime(krb5_timestamp time)
{
    return filetime_from_unix((time_t)(uint32_t)time);
}

const char *krb_keytab_path(const char *name)
{
    if (strncmp(name, "FILE:", 5) == 0)
        return name + 5;
    return name[0] == '/' ? name : NULL;
}

/* The host part of a service name decides its realm: "service/host[:port][/name]". */
static krb5_error_code realm_fill(krb5_context krb, krb5_principal principal)
{
    char text[TARGET_HOST_SIZE] = {0}, host[TARGET_HOST_SIZE];
    char **realms = NULL;
    const krb5_data *second = principal->length >= 2 ? &principal->data[1] : NULL;
    size_t len = second != NULL ? second->length : 0;
    if (len >= sizeof text)
        return KRB5_PARSE_MALFORMED;
    if (len > 0)
        memcpy(text, second->data, len);
    target_host(text, host);
    krb5_error_code code = krb5_get_host_realm(krb, len > 0 ? host : NULL, &realms);
    if (code == 0)
        code = krb5_set_principal_realm(krb, principal, realms[0]); /* "" lets the KDC refer us */
    krb5_free_host_realm(krb, realms);
    return code;
}

static krb5_error_code service_parse(krb5_context krb, const char *target, krb5_principal *principal)
{
    krb5_error_code code = krb5_parse_name_flags(krb, target, KRB5_PRINCIPAL_PARSE_REQUIRE_REALM, principal);
    if (code == 0)
        (*principal)->type = KRB5_NT_SRV_INST;
    if (code != KRB5_PARSE_MALFORMED)
        return code;
    code = krb5_parse_name_flags(krb, target, KRB5_PRINCIPAL_PARSE_NO_REALM, principal);
    if (code != 0)
        return code;
    (*principal)->type = KRB5_NT_SRV_INST;
    code = realm_fill(krb, *principal);
    if (code != 0) {
        krb5_free_principal(krb, *principal);
        *principal = NULL;
    }
    return code;
}

/* "DOMAIN\user" */
static krb5_error_code account_parse(krb5_context krb, const char *target, const char *backslash,
                                     krb5_principal *principal)
{
    size_t domain_len = (size_t)(backslash - target), user_len = strlen(backslash + 1);
    AUTO_FREE char *name = mem_zalloc(user_len + 1 + domain_len + 1);
    if (name == NULL)
        return ENOMEM;
    memcpy(name, backslash + 1, user_len);
    name[user_len] = '@';
    for (size_t i = 0; i < domain_len; i++) { /* realms are upper case by convention, domains in any */
        char letter = target[i];
        if (letter >= 'a' && letter <= 'z')
            letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[letter - 'a'];
        name[user_len + 1 + i] = letter;
    }
    return krb5_parse_name(krb, name, principal);
}

SECURITY_STATUS krb_target_parse(krb5_context krb, const char *target, enum krb_target kind, krb5_principal *principal)
{
    krb5_error_code code;
    *principal = NULL;
    const char *backslash = strchr(target, '\\'), *at = strchr(target, '@');
    if (strchr(target, '/') != NULL)
        code = service_parse(krb, target, principal);
    else if (backslash != NULL)
        code = account_parse(krb, target, backslash, principal);
    else if (at != NULL && kind == KRB_TARGET_SERVICE) { /* GSS-API's "service@host" */
        AUTO_FREE char *name = mem_strdup(target);
        require(name != NULL, SEC_E_INSUFFICIENT_MEMORY);
        name[at - target] = '/';
        code = service_parse(krb, name, principal);
    } else if (at != NULL && kind == KRB_TARGET_ENTERPRISE)
        code = krb5_parse_name_flags(krb, target, KRB5_PRINCIPAL_PARSE_ENTERPRISE, principal);
    else
        code = krb5_parse_name(krb, target, principal);
    return krb_status(krb, code, KRB_STAGE_TICKET, "the target name");
}

bool krb_target_means(krb5_context krb, krb5_const_principal target, krb5_const_principal principal)
{
    return target->realm.length > 0 ? krb5_principal_compare(krb, target, principal)
                                    : krb5_principal_compare_any_realm(krb, target, principal);
}
