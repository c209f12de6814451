#include "certificates/chain.h"

#include "base/memory.h"
#include "certificates/internal.h"
#include "certificates/openssl.h"
#include "certificates/store.h"
#include "certificates/usage.h"
#include "core/cause.h"
#include <string.h>

#define ENGINE_STORES_MAX 64 /* additional stores of an engine */

struct engine {
    HCERTSTORE restricted, exclusive; /* held */
    HCERTSTORE additional[ENGINE_STORES_MAX];
    unsigned n_additional;
};

/* The caller's structure and what it points to. */
struct chain {
    CERT_CHAIN_CONTEXT context; /* first */
    CERT_SIMPLE_CHAIN simple, *simples[1];
    CERT_CHAIN_ELEMENT element[TRUST_CHAIN_MAX], *elements[TRUST_CHAIN_MAX];
    struct trust_verdict verdict;
    struct arena arena;
};

static void engine_destroy(void *object)
{
    struct engine *engine = object;
    store_put(engine->restricted);
    store_put(engine->exclusive);
    for (unsigned i = 0; i < engine->n_additional; i++)
        store_put(engine->additional[i]);
}

/* NULL is no store, and fine. */
static SECURITY_STATUS store_hold(HCERTSTORE store, HCERTSTORE *place)
{
    if (store == NULL)
        return SEC_E_OK;
    require(store_take(store) == SEC_E_OK, E_INVALIDARG);
    *place = store;
    return SEC_E_OK;
}

/* Flags about caches, threads and fetching, of which there is nothing here, and those that are done. Others ask for what would not happen. */
#define CACHING_FLAGS                                                                                 \
    (CERT_CHAIN_CACHE_END_CERT | CERT_CHAIN_THREAD_STORE_SYNC | CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL | \
     CERT_CHAIN_USE_LOCAL_MACHINE_STORE)
#define ENGINE_FLAGS (CACHING_FLAGS | CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE | CERT_CHAIN_ENABLE_SHARE_STORE)
#define CHAIN_FLAGS                                                                                             \
    (CACHING_FLAGS | CERT_CHAIN_DISABLE_PASS1_QUALITY_FILTERING | CERT_CHAIN_RETURN_LOWER_QUALITY_CONTEXTS |    \
     CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE | CERT_CHAIN_DISABLE_AIA | CERT_CHAIN_REVOCATION_CHECK_END_CERT | \
     CERT_CHAIN_REVOCATION_CHECK_CHAIN | CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT |                       \
     CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY | CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT)

static SECURITY_STATUS engine_fill(const CERT_CHAIN_ENGINE_CONFIG *config, struct engine *engine)
{
    bool has_exclusive =
        config->cbSize >= offsetof(CERT_CHAIN_ENGINE_CONFIG, hExclusiveRoot) + sizeof config->hExclusiveRoot;
    try(store_hold(config->hRestrictedRoot, &engine->restricted));
    if (has_exclusive)
        try(store_hold(config->hExclusiveRoot, &engine->exclusive));
    for (DWORD i = 0; i < config->cAdditionalStore; i++) {
        try(store_hold(config->rghAdditionalStore[i], &engine->additional[i]));
        engine->n_additional = i + 1;
    }
    return SEC_E_OK;
}

SECURITY_STATUS chain_engine_create(const CERT_CHAIN_ENGINE_CONFIG *config, HCERTCHAINENGINE *handle)
{
    const size_t oldest = offsetof(CERT_CHAIN_ENGINE_CONFIG, hExclusiveRoot);
    require(config->cbSize >= oldest && config->cbSize <= sizeof *config,
            cause_set(E_INVALIDARG, "CERT_CHAIN_ENGINE_CONFIG.cbSize is %u", config->cbSize));
    bool people = config->cbSize >= offsetof(CERT_CHAIN_ENGINE_CONFIG, dwExclusiveFlags) &&
                  config->hExclusiveTrustedPeople != NULL;
    require(config->hRestrictedTrust == NULL && config->hRestrictedOther == NULL && !people,
            cause_set(E_INVALIDARG, "engines know no trust lists and no trusted people here"));
    bool exclusive = config->cbSize >= offsetof(CERT_CHAIN_ENGINE_CONFIG, dwExclusiveFlags) + sizeof(DWORD) &&
                     config->dwExclusiveFlags != 0;
    require((config->dwFlags & ~(DWORD)ENGINE_FLAGS) == 0 && !exclusive,
            cause_set(E_INVALIDARG, "engines know no flags 0x%x, and none for exclusive roots", config->dwFlags));
    require(config->cAdditionalStore <= ENGINE_STORES_MAX &&
                (config->cAdditionalStore == 0 || config->rghAdditionalStore != NULL),
            cause_set(E_INVALIDARG, "more than %d additional stores, or none at all", ENGINE_STORES_MAX));
    struct engine *engine = live_alloc(LIVE_ENGINE, sizeof *engine, engine_destroy);
    require(engine != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = engine_fill(config, engine);
    if (status == SEC_E_OK)
        *handle = engine;
    else
        (void)live_user_drop(engine, LIVE_ENGINE);
    return status;
}

static void chain_destroy(void *object)
{
    struct chain *chain = object;
    for (unsigned i = 0; i < chain->simple.cElement; i++)
        live_unhold(chain->element[i].pCertContext);
    trust_verdict_release(&chain->verdict);
    arena_release(&chain->arena);
}

/* Makes the elements. The end certificate is the caller's own context when it is one of ours, with its properties. They are held: a user of theirs, a
 * store closed by force or a caller could take away. */
static SECURITY_STATUS chain_fill(struct chain *chain, PCCERT_CONTEXT leaf)
{
    STACK_OF(X509) *x509s = chain->verdict.chain;
    for (unsigned i = 0; i < chain->verdict.n_elements; i++) {
        CERT_CHAIN_ELEMENT *element = &chain->element[i];
        *element = (CERT_CHAIN_ELEMENT){.cbSize = sizeof *element, .TrustStatus = chain->verdict.element[i]};
        try(usage_of_chain(&chain->arena, x509s, (int)i, &element->pApplicationUsage));
        if (i == 0 && live_hold(leaf, LIVE_CERTIFICATE)) {
            element->pCertContext = leaf;
        } else {
            struct certificate *certificate;
            try(certificate_new(sk_X509_value(x509s, (int)i), X509_ASN_ENCODING, &certificate));
            element->pCertContext = &certificate_retain(certificate)->context;
            (void)live_user_drop(certificate, LIVE_CERTIFICATE);
        }
        chain->elements[i] = element;
        chain->simple.cElement = i + 1;
    }
    chain->simple.cbSize = sizeof chain->simple;
    chain->simple.TrustStatus = chain->verdict.whole;
    chain->simple.rgpElement = chain->elements;
    chain->simples[0] = &chain->simple;
    chain->context.cbSize = sizeof chain->context;
    chain->context.TrustStatus = chain->verdict.whole;
    chain->context.cChain = 1;
    chain->context.rgpChain = chain->simples;
    return SEC_E_OK;
}

/* CERT_CHAIN_PARA as it is with CERT_CHAIN_PARA_HAS_EXTRA_FIELDS. */
struct longer_para {
    DWORD size;
    CERT_USAGE_MATCH usage, issuance_policy;
    DWORD url_timeout;
    BOOL check_freshness;
    DWORD freshness;
    LPFILETIME cache_resync;
    const void *strong_signatures;
    DWORD strong_flags;
};

/* The wishes of the longer form that would make the examination stricter are refused; those about fetching change nothing. */
static SECURITY_STATUS longer_check(const CERT_CHAIN_PARA *parameters)
{
    struct longer_para longer = {0};
    memcpy(&longer, parameters, parameters->cbSize < sizeof longer ? parameters->cbSize : sizeof longer);
    require(longer.issuance_policy.Usage.cUsageIdentifier == 0,
            cause_set(E_INVALIDARG, "chains are not examined for issuance policies here"));
    require(!longer.check_freshness, cause_set(E_INVALIDARG, "the age of revocation lists cannot be limited here"));
    require(longer.strong_signatures == NULL,
            cause_set(E_INVALIDARG, "how strong signatures must be, the configuration says, not pStrongSignPara"));
    return SEC_E_OK;
}

static SECURITY_STATUS usages_read(const CERT_CHAIN_PARA *parameters, struct trust_question *question)
{
    if (parameters == NULL)
        return SEC_E_OK;
    const CERT_USAGE_MATCH *match = &parameters->RequestedUsage;
    require(parameters->cbSize >= offsetof(struct longer_para, usage) + sizeof *match,
            cause_set(E_INVALIDARG, "CERT_CHAIN_PARA.cbSize is %u", parameters->cbSize));
    try(longer_check(parameters));
    require(match->dwType == USAGE_MATCH_TYPE_AND || match->dwType == USAGE_MATCH_TYPE_OR,
            cause_set(E_INVALIDARG, "purposes are matched by AND or OR, not by %u", match->dwType));
    require(match->Usage.cUsageIdentifier <= TRUST_USAGES_MAX &&
                (match->Usage.cUsageIdentifier == 0 || match->Usage.rgpszUsageIdentifier != NULL),
            cause_set(E_INVALIDARG, "more than %d purposes, or none where some were announced", TRUST_USAGES_MAX));
    question->any_usage = match->dwType == USAGE_MATCH_TYPE_OR;
    for (DWORD i = 0; i < match->Usage.cUsageIdentifier; i++) {
        require(match->Usage.rgpszUsageIdentifier[i] != NULL, cause_set(E_INVALIDARG, "a purpose is missing"));
        question->usage[question->n_usages++] = match->Usage.rgpszUsageIdentifier[i];
    }
    return SEC_E_OK;
}

static enum trust_revocation revocation_of(DWORD flags)
{
    if ((flags & CERT_CHAIN_REVOCATION_CHECK_CHAIN) != 0)
        return REVOCATION_CHAIN;
    if ((flags & CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT) != 0)
        return REVOCATION_EXCLUDE_ROOT;
    return (flags & CERT_CHAIN_REVOCATION_CHECK_END_CERT) != 0 ? REVOCATION_END : REVOCATION_NONE;
}

/* The roots that both the system and the engine's restricted store have. */
static SECURITY_STATUS restrict_roots(HCERTSTORE restricted, struct store *to)
{
    AUTO_OPENSSL(x509s) STACK_OF(X509) *roots = sk_X509_new_null();
    AUTO_OPENSSL(x509s) STACK_OF(X509) *allowed = NULL;
    require(roots != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(system_roots(roots));
    try(store_certificates(restricted, &allowed));
    for (int i = 0; i < sk_X509_num(roots); i++)
        for (int k = 0; k < sk_X509_num(allowed); k++)
            if (X509_cmp(sk_X509_value(roots, i), sk_X509_value(allowed, k)) == 0)
                try(store_add(to, sk_X509_value(roots, i), NULL, CERT_STORE_ADD_USE_EXISTING, NULL));
    return SEC_E_OK;
}

/* The engine's roots. `own` receives a store of this call, where it takes one. */
static SECURITY_STATUS roots_choose(const struct engine *engine, HCERTSTORE *roots, struct store **own)
{
    *roots = engine->exclusive;
    if (engine->exclusive != NULL || engine->restricted == NULL)
        return SEC_E_OK;
    *roots = *own = store_new();
    require(*own != NULL, SEC_E_INSUFFICIENT_MEMORY);
    return restrict_roots(engine->restricted, *own);
}

/* `additional` is held. */
static SECURITY_STATUS chain_build(const struct engine *engine, const struct certificate *leaf, PCCERT_CONTEXT context,
                                   HCERTSTORE additional, const struct trust_question *asked, struct chain *chain)
{
    struct store *own = NULL;
    HCERTSTORE extra[2 + ENGINE_STORES_MAX] = {leaf->context.hCertStore, additional};
    struct trust_question question = *asked;
    SECURITY_STATUS status = SEC_E_OK;
    question.extra = extra;
    question.n_extra = 2;
    for (unsigned i = 0; engine != NULL && i < engine->n_additional; i++)
        extra[question.n_extra++] = engine->additional[i];
    if (engine != NULL)
        status = roots_choose(engine, &question.roots, &own);
    if (status == SEC_E_OK)
        status = certificate_verify(leaf->x509, NULL, &question, &chain->verdict);
    if (status == SEC_E_OK)
        status = chain_fill(chain, context);
    if (own != NULL)
        (void)live_user_drop(own, LIVE_STORE);
    return status;
}

static void unhold(void *place)
{
    live_unhold(*(void **)place);
}
#define AUTO_HELD __attribute__((cleanup(unhold)))

SECURITY_STATUS chain_get(HCERTCHAINENGINE handle, PCCERT_CONTEXT context, int64_t at, HCERTSTORE extra,
                          const CERT_CHAIN_PARA *parameters, DWORD flags, PCCERT_CHAIN_CONTEXT *result)
{
    AUTO_CERTIFICATE struct certificate *leaf = NULL;
    AUTO_HELD struct engine *engine = NULL;
    AUTO_HELD HCERTSTORE additional = NULL;
    struct trust_question question = {.at = at, .revocation = revocation_of(flags)};
    require((flags & ~(DWORD)CHAIN_FLAGS) == 0,
            cause_set(E_INVALIDARG, "CertGetCertificateChain knows no flags 0x%x", flags & ~(DWORD)CHAIN_FLAGS));
    try(usages_read(parameters, &question));
    if (handle != HCCE_CURRENT_USER && handle != HCCE_LOCAL_MACHINE) {
        require(live_hold(handle, LIVE_ENGINE),
                cause_set(E_INVALIDARG, "this is not, or no longer, a chain engine of this library"));
        engine = handle;
    }
    try(store_hold(extra, &additional));
    SECURITY_STATUS status = certificate_take(context, &leaf);
    require(status == SEC_E_OK, status == SEC_E_INSUFFICIENT_MEMORY ? status : E_INVALIDARG);
    struct chain *chain = live_alloc(LIVE_CHAIN, sizeof *chain, chain_destroy);
    require(chain != NULL, SEC_E_INSUFFICIENT_MEMORY);
    status = chain_build(engine, leaf, context, additional, &question, chain);
    if (status == SEC_E_OK) {
        chain->context.dwCreateFlags = flags;
        *result = &chain->context;
    } else {
        (void)live_user_drop(chain, LIVE_CHAIN);
    }
    return status;
}

/* Policies. */

/* Faults that dwFlags says to pass over; those about revocation depend on the place in the chain. */
static void flags_apply(struct trust_verdict *verdict, DWORD flags, DWORD *ignored)
{
    static const struct {
        DWORD flag, bits;
    } map[] = {
        {CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG, CERT_TRUST_IS_NOT_TIME_VALID},
        {CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG, CERT_TRUST_IS_NOT_TIME_NESTED},
        {CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG, CERT_TRUST_INVALID_BASIC_CONSTRAINTS},
        {CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG, CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_PARTIAL_CHAIN},
        {CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG, CERT_TRUST_IS_NOT_VALID_FOR_USAGE},
        {CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG,
         CERT_TRUST_INVALID_NAME_CONSTRAINTS | CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT |
             CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT | CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT |
             CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT},
        {CERT_CHAIN_POLICY_IGNORE_INVALID_POLICY_FLAG, CERT_TRUST_INVALID_POLICY_CONSTRAINTS},
        {CERT_CHAIN_POLICY_IGNORE_NOT_SUPPORTED_CRITICAL_EXT_FLAG, CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT},
    };
    const DWORD unknown = CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;
    for (size_t i = 0; i < COUNT_OF(map); i++)
        if ((flags & map[i].flag) != 0)
            *ignored |= map[i].bits;
    for (unsigned e = 0; e < verdict->n_elements; e++) {
        bool self_signed = (verdict->element[e].dwInfoStatus & CERT_TRUST_IS_SELF_SIGNED) != 0;
        DWORD flag = e == 0 ? CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG
                            : (self_signed ? CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG
                                           : CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG);
        if ((flags & flag) != 0)
            verdict->element[e].dwErrorStatus &= ~unknown;
    }
}

/* fdwChecks. */
static DWORD checks_ignore(DWORD checks)
{
    DWORD ignored = 0;
    if ((checks & SECURITY_FLAG_IGNORE_REVOCATION) != 0)
        ignored |= CERT_TRUST_IS_REVOKED | CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;
    if ((checks & SECURITY_FLAG_IGNORE_UNKNOWN_CA) != 0)
        ignored |= CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_PARTIAL_CHAIN;
    if ((checks & SECURITY_FLAG_IGNORE_WRONG_USAGE) != 0)
        ignored |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
    if ((checks & SECURITY_FLAG_IGNORE_CERT_DATE_INVALID) != 0)
        ignored |= CERT_TRUST_IS_NOT_TIME_VALID | CERT_TRUST_IS_NOT_TIME_NESTED;
    return ignored;
}

/* The chain must be one of a server or a client, whatever it was built for. */
static void role_examine(struct trust_verdict *verdict, DWORD role)
{
    const char *oid = role == AUTHTYPE_SERVER ? szOID_PKIX_KP_SERVER_AUTH : szOID_PKIX_KP_CLIENT_AUTH;
    for (unsigned e = 0; e < verdict->n_elements; e++) {
        X509 *x509 = sk_X509_value(verdict->chain, (int)e);
        if (!usage_allowed(x509, oid, e == 0))
            verdict->element[e].dwErrorStatus |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
        if (e >= verdict->first_root && !usage_trusted(x509, oid))
            verdict->element[e].dwErrorStatus |= CERT_TRUST_IS_EXPLICIT_DISTRUST;
    }
}

static SECURITY_STATUS ssl_judge(struct trust_verdict *verdict, const SSL_EXTRA_CERT_CHAIN_POLICY_PARA *extra,
                                 const char *server_name, DWORD ignored, LONG *element)
{
    if (extra == NULL)
        return trust_judge(verdict, ignored, element);
    ignored |= checks_ignore(extra->fdwChecks);
    if (extra->dwAuthType != 0)
        role_examine(verdict, extra->dwAuthType);
    SECURITY_STATUS code = trust_judge(verdict, ignored, element);
    if (code == SEC_E_OK && server_name != NULL && extra->dwAuthType != AUTHTYPE_CLIENT &&
        (extra->fdwChecks & SECURITY_FLAG_IGNORE_CERT_CN_INVALID) == 0) {
        code = trust_name(verdict, server_name);
        *element = code == SEC_E_OK ? -1 : 0;
    }
    return code;
}

SECURITY_STATUS chain_policy(LPCSTR policy, PCCERT_CHAIN_CONTEXT context, const CERT_CHAIN_POLICY_PARA *parameters,
                             const char *server_name, CERT_CHAIN_POLICY_STATUS *status)
{
    OPENSSL_QUIET;
    bool ssl = policy == CERT_CHAIN_POLICY_SSL;
    const SSL_EXTRA_CERT_CHAIN_POLICY_PARA *extra = ssl && parameters != NULL ? parameters->pvExtraPolicyPara : NULL;
    require(ssl || policy == CERT_CHAIN_POLICY_BASE,
            cause_set(ERROR_FILE_NOT_FOUND, "there are the policies BASE and SSL, and no others"));
    require(
        extra == NULL ||
            ((extra->cbSize == 0 || extra->cbSize >= sizeof *extra) && /* 0 is forgotten, as on Windows */
             (extra->dwAuthType == 0 || extra->dwAuthType == AUTHTYPE_CLIENT || extra->dwAuthType == AUTHTYPE_SERVER)),
        cause_set(E_INVALIDARG, "SSL_EXTRA_CERT_CHAIN_POLICY_PARA makes no sense"));
    require(live_hold(context, LIVE_CHAIN),
            cause_set(E_INVALIDARG, "this is not, or no longer, a chain of this library"));
    struct trust_verdict verdict = ((const struct chain *)(const void *)context)->verdict; /* its chain is borrowed */
    DWORD ignored = 0;
    LONG element = -1;
    flags_apply(&verdict, parameters == NULL ? 0 : parameters->dwFlags, &ignored);
    SECURITY_STATUS code = ssl_judge(&verdict, extra, server_name, ignored, &element);
    live_unhold(context);
    status->dwError = (DWORD)code;
    status->lChainIndex = code == SEC_E_OK ? -1 : 0;
    status->lElementIndex = element;
    return SEC_E_OK;
}
