#include "certificates/trust.h"

#include "base/memory.h"
#include "base/time.h"
#include "certificates/deltas.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "certificates/usage.h"
#include "core/cause.h"
#include "core/config.h"
#include <openssl/x509v3.h>
#include <string.h>

void trust_verdict_release(struct trust_verdict *verdict)
{
    sk_X509_pop_free(verdict->chain, X509_free);
    verdict->chain = NULL;
}

/* What OpenSSL finds wrong, in Windows' words. Whatever is not here is a fault all the same (CERT_TRUST_INVALID_EXTENSION). */
static const struct {
    int error;
    DWORD bits;
    bool of_chain; /* no single element's */
} faults[] = {
    {X509_V_ERR_CERT_NOT_YET_VALID, CERT_TRUST_IS_NOT_TIME_VALID, false},
    {X509_V_ERR_CERT_HAS_EXPIRED, CERT_TRUST_IS_NOT_TIME_VALID, false},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, CERT_TRUST_IS_NOT_TIME_VALID, false},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, CERT_TRUST_IS_NOT_TIME_VALID, false},
    {X509_V_ERR_CERT_REVOKED, CERT_TRUST_IS_REVOKED, false},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_EE_KEY_TOO_SMALL, CERT_TRUST_HAS_WEAK_SIGNATURE | CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_CA_KEY_TOO_SMALL, CERT_TRUST_HAS_WEAK_SIGNATURE | CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_CA_MD_TOO_WEAK, CERT_TRUST_HAS_WEAK_SIGNATURE | CERT_TRUST_IS_NOT_SIGNATURE_VALID, false},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CERT_TRUST_IS_UNTRUSTED_ROOT, false},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, CERT_TRUST_IS_UNTRUSTED_ROOT, false},
    {X509_V_ERR_CERT_UNTRUSTED, CERT_TRUST_IS_UNTRUSTED_ROOT, false},
    {X509_V_ERR_CERT_REJECTED, CERT_TRUST_IS_EXPLICIT_DISTRUST, false},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, CERT_TRUST_IS_PARTIAL_CHAIN, true},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERT_TRUST_IS_PARTIAL_CHAIN, true},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERT_TRUST_IS_PARTIAL_CHAIN, true},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, CERT_TRUST_IS_PARTIAL_CHAIN, true},
    {X509_V_ERR_INVALID_CA, CERT_TRUST_INVALID_BASIC_CONSTRAINTS, false},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, CERT_TRUST_INVALID_BASIC_CONSTRAINTS, false},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, CERT_TRUST_INVALID_BASIC_CONSTRAINTS, false},
    {X509_V_ERR_INVALID_PURPOSE, CERT_TRUST_IS_NOT_VALID_FOR_USAGE, false},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT, false},
    {X509_V_ERR_INVALID_POLICY_EXTENSION, CERT_TRUST_INVALID_POLICY_CONSTRAINTS, false},
    {X509_V_ERR_NO_EXPLICIT_POLICY, CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY, false},
    {X509_V_ERR_PERMITTED_VIOLATION, CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT, false},
    {X509_V_ERR_EXCLUDED_VIOLATION, CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT, false},
    {X509_V_ERR_SUBTREE_MINMAX, CERT_TRUST_INVALID_NAME_CONSTRAINTS, false},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT, false},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, CERT_TRUST_INVALID_NAME_CONSTRAINTS, false},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, CERT_TRUST_INVALID_NAME_CONSTRAINTS, false},
    {X509_V_ERR_UNABLE_TO_GET_CRL, CERT_TRUST_REVOCATION_STATUS_UNKNOWN, false},
#define OFFLINE (CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION)
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, OFFLINE, false},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, OFFLINE, false},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, OFFLINE, false},
    {X509_V_ERR_CRL_NOT_YET_VALID, OFFLINE, false},
    {X509_V_ERR_CRL_HAS_EXPIRED, OFFLINE, false},
    {X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, OFFLINE, false},
    {X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, OFFLINE, false},
    {X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, OFFLINE, false},
    {X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, OFFLINE, false},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, OFFLINE, false},
    {X509_V_ERR_CRL_PATH_VALIDATION_ERROR, OFFLINE, false},
};

/* Signatures of lists, of one examination: above it there is an end, and no answer. Lists of a hostile store may all bear one name. */
#define LISTS_VERIFIED_MAX 4096

/* What the callback fills; X509_verify_cert goes on after every fault, so that all are found. */
struct examination {
    struct trust_verdict *verdict;
    const STACK_OF(X509_CRL) * complete; /* every complete list at hand, whoever signed it */
    unsigned n_verified;
    bool out_of_memory, too_many;
};

static void fault_note(struct examination *examination, int error, int depth, X509 *x509)
{
    struct trust_verdict *verdict = examination->verdict;
    DWORD bits = CERT_TRUST_INVALID_EXTENSION;
    bool of_chain = false;
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (faults[i].error == error) {
            bits = faults[i].bits;
            of_chain = faults[i].of_chain;
        }
    /* A certificate that says where its list is fetched, and nobody fetches: offline. */
    if (error == X509_V_ERR_UNABLE_TO_GET_CRL && x509 != NULL &&
        X509_get_ext_by_NID(x509, NID_crl_distribution_points, -1) >= 0)
        bits |= CERT_TRUST_IS_OFFLINE_REVOCATION;
    if (!of_chain && depth >= 0 && depth < TRUST_CHAIN_MAX)
        verdict->element[depth].dwErrorStatus |= bits;
    verdict->whole.dwErrorStatus |= bits;
}

/* RFC 5280 4.1.2.5: the last second is within the time, and for OpenSSL it is not. */
static bool is_last_second(X509_STORE_CTX *context, X509 *x509)
{
    time_t before = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context)) - 1;
    return x509 != NULL && X509_cmp_time(X509_get0_notAfter(x509), &before) > 0;
}

static int verify_step(int good, X509_STORE_CTX *context)
{
    struct examination *examination = X509_STORE_CTX_get_app_data(context);
    int error = X509_STORE_CTX_get_error(context);
    if (good ||
        (error == X509_V_ERR_CERT_HAS_EXPIRED && is_last_second(context, X509_STORE_CTX_get_current_cert(context))))
        return 1;
    if (error == X509_V_ERR_OUT_OF_MEM) {
        examination->out_of_memory = true;
        return 0;
    }
    fault_note(examination, error, X509_STORE_CTX_get_error_depth(context), X509_STORE_CTX_get_current_cert(context));
    return 1;
}

/* Whose key must have signed this list for element `depth`: the one that OpenSSL will verify it by, or NULL. */
static X509 *list_signer(const STACK_OF(X509) * chain, int depth, const X509_CRL *list)
{
    X509 *signer = NULL;
    int n_elements = sk_X509_num(chain);
    AUTHORITY_KEYID *id = X509_CRL_get_ext_d2i(list, NID_authority_key_identifier, NULL, NULL);
    for (int i = depth + 1 < n_elements ? depth + 1 : depth; i < n_elements && signer == NULL; i++) {
        X509 *x509 = sk_X509_value(chain, i);
        if (X509_NAME_cmp(X509_get_subject_name(x509), X509_CRL_get_issuer(list)) == 0 &&
            X509_check_akid(x509, id) == X509_V_OK)
            signer = x509;
    }
    AUTHORITY_KEYID_free(id);
    return signer;
}

/* The lists of this issuer for the element that is looked at. OpenSSL would choose one by name and time and verify it afterwards: a stranger's list
 * could hide the authority's own. It chooses among those that its key has signed. */
static STACK_OF(X509_CRL) * lists_find(const X509_STORE_CTX *context, const X509_NAME *issuer)
{
    struct examination *examination = X509_STORE_CTX_get_app_data(context);
    const STACK_OF(X509_CRL) *all = examination->complete;
    int depth = X509_STORE_CTX_get_error_depth(context), n_refused = 0;
    STACK_OF(X509_CRL) *found = sk_X509_CRL_new_null();
    examination->out_of_memory |= found == NULL;
    for (int i = 0; found != NULL && !examination->too_many && i < sk_X509_CRL_num(all); i++) {
        X509_CRL *list = sk_X509_CRL_value(all, i);
        if (X509_NAME_cmp(X509_CRL_get_issuer(list), issuer) != 0)
            continue;
        X509 *signer = list_signer(X509_STORE_CTX_get0_chain(context), depth, list);
        examination->too_many = signer != NULL && ++examination->n_verified > LISTS_VERIFIED_MAX;
        if (signer == NULL || examination->too_many || X509_CRL_verify(list, X509_get0_pubkey(signer)) != 1)
            n_refused++;
        else if (sk_X509_CRL_push(found, list) > 0)
            X509_CRL_up_ref(list);
        else
            examination->out_of_memory = true;
    }
    if (n_refused > 0 && sk_X509_CRL_num(found) == 0)
        fault_note(examination, X509_V_ERR_CRL_SIGNATURE_FAILURE, depth, NULL);
    return found;
}

/* Everything the chain may be built of; no lists where nobody asks for revocation. `complete` are those of `crls` that are no deltas. */
struct material {
    STACK_OF(X509) * roots, *others;
    STACK_OF(X509_CRL) * crls, *complete;
};

static void material_release(struct material *material)
{
    sk_X509_pop_free(material->roots, X509_free);
    sk_X509_pop_free(material->others, X509_free);
    sk_X509_CRL_pop_free(material->crls, X509_CRL_free);
    sk_X509_CRL_free(material->complete);
}

static SECURITY_STATUS store_append(HCERTSTORE store, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * crls)
{
    if (store == NULL)
        return SEC_E_OK;
    try(store_take(store));
    SECURITY_STATUS status = store_collect(store, certificates, crls);
    store_put(store);
    return status;
}

static SECURITY_STATUS complete_choose(struct material *material)
{
    if (material->crls == NULL)
        return SEC_E_OK;
    material->complete = sk_X509_CRL_new_null();
    require(material->complete != NULL, SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < sk_X509_CRL_num(material->crls); i++) {
        X509_CRL *list = sk_X509_CRL_value(material->crls, i);
        require(crl_is_delta(list) || sk_X509_CRL_push(material->complete, list) > 0, SEC_E_INSUFFICIENT_MEMORY);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS material_gather(const struct trust_question *question, STACK_OF(X509) * sent,
                                       struct material *material)
{
    material->roots = sk_X509_new_null();
    material->others = sk_X509_new_null();
    if (question->revocation != REVOCATION_NONE)
        material->crls = sk_X509_CRL_new_null();
    require(material->roots != NULL && material->others != NULL &&
                (material->crls != NULL || question->revocation == REVOCATION_NONE),
            SEC_E_INSUFFICIENT_MEMORY);
    for (int i = 0; i < sk_X509_num(sent); i++) {
        require(sk_X509_push(material->others, sk_X509_value(sent, i)) > 0, SEC_E_INSUFFICIENT_MEMORY);
        X509_up_ref(sk_X509_value(sent, i));
    }
    for (unsigned i = 0; i < question->n_extra; i++)
        try(store_append(question->extra[i], material->others, material->crls));
    try(system_intermediates(material->others, material->crls));
    try(question->roots != NULL ? store_append(question->roots, material->roots, material->crls)
                                : system_roots(material->roots));
    return complete_choose(material);
}

static SECURITY_STATUS security_level(int *level)
{
    const struct config *config;
    try(config_get(&config));
    *level = (int)config->certificates_security_level;
    config_release(config);
    return SEC_E_OK;
}

static unsigned long crl_flags(enum trust_revocation revocation)
{
    if (revocation == REVOCATION_NONE)
        return 0;
    return X509_V_FLAG_CRL_CHECK | (revocation == REVOCATION_END ? 0 : X509_V_FLAG_CRL_CHECK_ALL);
}

/* By what OpenSSL compares the roots' trust settings while it builds the chain. For what it cannot ask they do not count there, but afterwards
 * (distrust_examine). */
static int trust_setting(const struct trust_question *question)
{
    static const struct {
        const char *usage;
        int setting;
    } settings[] = {
        {szOID_PKIX_KP_SERVER_AUTH, X509_TRUST_SSL_SERVER}, {szOID_PKIX_KP_CLIENT_AUTH, X509_TRUST_SSL_CLIENT},
        {szOID_PKIX_KP_EMAIL_PROTECTION, X509_TRUST_EMAIL}, {szOID_PKIX_KP_CODE_SIGNING, X509_TRUST_OBJECT_SIGN},
        {szOID_PKIX_KP_TIMESTAMP_SIGNING, X509_TRUST_TSA},
    };
    if (question->n_usages == 0)
        return X509_TRUST_DEFAULT; /* any purpose */
    for (size_t i = 0; question->n_usages == 1 && i < COUNT_OF(settings); i++)
        if (strcmp(settings[i].usage, question->usage[0]) == 0)
            return settings[i].setting;
    return X509_TRUST_COMPAT; /* trusts every self-signed root */
}

static SECURITY_STATUS chain_verify(X509_STORE *store, X509 *leaf, const struct material *material,
                                    const struct trust_question *question, struct trust_verdict *verdict)
{
    struct examination examination = {.verdict = verdict, .complete = material->complete};
    int level = 2;
    try(security_level(&level));
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    require(context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (X509_STORE_CTX_init(context, store, leaf, material->others) != 1) {
        X509_STORE_CTX_free(context);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    X509_STORE_CTX_set0_trusted_stack(context, material->roots);
    X509_STORE_CTX_set_app_data(context, &examination);
    X509_STORE_CTX_set_verify_cb(context, verify_step);
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_depth(parameters, TRUST_CHAIN_MAX - 2); /* intermediates */
    X509_VERIFY_PARAM_set_auth_level(parameters, level);
    X509_VERIFY_PARAM_set_trust(parameters, trust_setting(question));
    /* Whichever policies the issuers allow: without a word on them OpenSSL accepts none where one is required. A failure is that. */
    (void)X509_VERIFY_PARAM_add0_policy(parameters, OBJ_nid2obj(NID_any_policy));
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_POLICY_CHECK | crl_flags(question->revocation));
    int64_t at = question->at != 0 ? question->at : filetime_now();
    X509_VERIFY_PARAM_set_time(parameters, filetime_to_unix(at));
    int result = X509_verify_cert(context);
    STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(context);
    int n_untrusted = X509_STORE_CTX_get_num_untrusted(context);
    X509_STORE_CTX_free(context);
    if (examination.too_many) {
        sk_X509_pop_free(chain, X509_free);
        return cause_set(CRYPT_E_NO_REVOCATION_CHECK, "more than %d revocation lists would have to be verified",
                         LISTS_VERIFIED_MAX);
    }
    if (examination.out_of_memory || result != 1 || chain == NULL ||
        sk_X509_num(chain) == 0) { /* with our callback only a failure of OpenSSL itself ends it */
        sk_X509_pop_free(chain, X509_free);
        return examination.out_of_memory
                   ? SEC_E_INSUFFICIENT_MEMORY
                   : cause_set(SEC_E_INTERNAL_ERROR, "OpenSSL could not examine the certificate's chain");
    }
    while (sk_X509_num(chain) > TRUST_CHAIN_MAX)
        X509_free(sk_X509_pop(chain));
    verdict->chain = chain;
    verdict->n_elements = (unsigned)sk_X509_num(chain);
    verdict->first_root = n_untrusted < 0 ? 0 : (unsigned)n_untrusted;
    return SEC_E_OK;
}

/* Purposes: all of them must be allowed by each element, or one. */
static void usages_examine(const struct trust_question *question, struct trust_verdict *verdict)
{
    for (unsigned e = 0; e < verdict->n_elements; e++) {
        unsigned allowed = 0;
        for (unsigned i = 0; i < question->n_usages; i++)
            allowed += usage_allowed(sk_X509_value(verdict->chain, (int)e), question->usage[i], e == 0) ? 1 : 0;
        if (question->n_usages > 0 && (question->any_usage ? allowed == 0 : allowed < question->n_usages)) {
            verdict->element[e].dwErrorStatus |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
            verdict->whole.dwErrorStatus |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
        }
    }
}

/* Purposes that the roots' trust settings refuse: one of them, or all where one would be enough. Without any OpenSSL has compared. */
static void distrust_examine(const struct trust_question *question, struct trust_verdict *verdict)
{
    for (unsigned e = verdict->first_root; question->n_usages > 0 && e < verdict->n_elements; e++) {
        unsigned trusted = 0;
        for (unsigned i = 0; i < question->n_usages; i++)
            trusted += usage_trusted(sk_X509_value(verdict->chain, (int)e), question->usage[i]) ? 1 : 0;
        if (question->any_usage ? trusted == 0 : trusted < question->n_usages) {
            verdict->element[e].dwErrorStatus |= CERT_TRUST_IS_EXPLICIT_DISTRUST;
            verdict->whole.dwErrorStatus |= CERT_TRUST_IS_EXPLICIT_DISTRUST;
        }
    }
}

/* What deltas add to the complete lists that OpenSSL has looked into. */
static void deltas_examine(const struct trust_question *question, const STACK_OF(X509_CRL) * lists,
                           struct trust_verdict *verdict)
{
    unsigned n_asked = question->revocation == REVOCATION_END ? 1 : verdict->n_elements;
    for (unsigned e = 0; lists != NULL && e < n_asked && e < verdict->n_elements; e++) {
        X509 *subject = sk_X509_value(verdict->chain, (int)e);
        bool last = e + 1 == verdict->n_elements; /* its own issuer, or of one not at hand */
        X509 *issuer = last ? subject : sk_X509_value(verdict->chain, (int)e + 1);
        if (deltas_revoke(lists, subject, issuer)) {
            verdict->element[e].dwErrorStatus |= CERT_TRUST_IS_REVOKED;
            verdict->whole.dwErrorStatus |= CERT_TRUST_IS_REVOKED;
        }
    }
}

/* The root's own revocation does not count when it is left out. */
static void root_spare(const struct trust_question *question, struct trust_verdict *verdict)
{
    const DWORD revocation =
        CERT_TRUST_IS_REVOKED | CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;
    unsigned last = verdict->n_elements - 1;
    const X509 *root = sk_X509_value(verdict->chain, (int)last);
    /* An issuer that its trust settings make the chain's end is its root. */
    bool anchor = verdict->first_root <= last && (verdict->whole.dwErrorStatus & CERT_TRUST_IS_PARTIAL_CHAIN) == 0;
    bool own_issuer = X509_NAME_cmp(X509_get_subject_name(root), X509_get_issuer_name(root)) == 0;
    if (question->revocation != REVOCATION_EXCLUDE_ROOT || !(anchor || own_issuer))
        return;
    verdict->element[last].dwErrorStatus &= ~revocation;
    verdict->whole.dwErrorStatus &= ~revocation;
    for (unsigned e = 0; e < last; e++)
        verdict->whole.dwErrorStatus |= verdict->element[e].dwErrorStatus & revocation;
}

static void infos_examine(const struct trust_question *question, struct trust_verdict *verdict)
{
    for (unsigned e = 0; e < verdict->n_elements; e++) {
        X509 *x509 = sk_X509_value(verdict->chain, (int)e);
        bool own_issuer = (X509_get_extension_flags(x509) & EXFLAG_SS) != 0;
        DWORD info = X509_get0_authority_key_id(x509) != NULL ? CERT_TRUST_HAS_KEY_MATCH_ISSUER
                                                              : CERT_TRUST_HAS_NAME_MATCH_ISSUER;
        if (own_issuer)
            info = CERT_TRUST_IS_SELF_SIGNED | CERT_TRUST_HAS_NAME_MATCH_ISSUER;
        if (own_issuer || e + 1 < verdict->n_elements)
            verdict->element[e].dwInfoStatus |= info | CERT_TRUST_HAS_PREFERRED_ISSUER;
    }
    if ((verdict->whole.dwErrorStatus & CERT_TRUST_IS_PARTIAL_CHAIN) == 0)
        verdict->whole.dwInfoStatus |= CERT_TRUST_HAS_PREFERRED_ISSUER;
    if (question->roots != NULL &&
        (verdict->whole.dwErrorStatus & (CERT_TRUST_IS_PARTIAL_CHAIN | CERT_TRUST_IS_UNTRUSTED_ROOT)) == 0)
        verdict->whole.dwInfoStatus |= CERT_TRUST_IS_FROM_EXCLUSIVE_TRUST_STORE;
}

SECURITY_STATUS certificate_verify(X509 *leaf, STACK_OF(X509) * others, const struct trust_question *question,
                                   struct trust_verdict *verdict)
{
    OPENSSL_QUIET;
    __attribute__((cleanup(material_release))) struct material material = {0};
    struct trust_verdict found = {0};
    require(leaf != NULL && question->n_usages <= TRUST_USAGES_MAX,
            cause_set(SEC_E_INVALID_PARAMETER, "no certificate, or more purposes than %d", TRUST_USAGES_MAX));
    try(material_gather(question, others, &material));
    X509_STORE *store = X509_STORE_new();
    require(store != NULL, SEC_E_INSUFFICIENT_MEMORY);
    X509_STORE_set_lookup_crls(store, lists_find);
    SECURITY_STATUS status = chain_verify(store, leaf, &material, question, &found);
    X509_STORE_free(store);
    try(status);
    usages_examine(question, &found);
    distrust_examine(question, &found);
    deltas_examine(question, material.crls, &found);
    root_spare(question, &found);
    infos_examine(question, &found);
    *verdict = found;
    return SEC_E_OK;
}
