#include "credssp/credential.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/user_file.h"
#include "credssp/package.h"
#include "credssp/packed.h"
#include "credssp/request.h"

#define SCHANNEL_USE_BLACKLISTS
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>

#define TS_CREDENTIALS_MAX 65536 /* with seal and frame it fits into CREDSSP_TOKEN_MAX */

/* The CREDSSP_CRED itself: CREDSSP_CRED_EX holds one, and begins with a Type that tells. */
static const CREDSSP_CRED *cred_of(const void *auth_data)
{
    const CREDSSP_CRED *cred = auth_data;
    if (cred != NULL && cred->Type == CredsspCredEx)
        cred = &((const CREDSSP_CRED_EX *)auth_data)->Cred;
    return cred;
}

static SECURITY_STATUS cred_check(const void *auth_data)
{
    const CREDSSP_CRED *cred = cred_of(auth_data);
    require(cred != NULL, SEC_E_OK);
    if ((const void *)cred != auth_data) {
        const CREDSSP_CRED_EX *ex = auth_data;
        require(ex->Version == CREDSSP_CRED_EX_VERSION,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a CREDSSP_CRED_EX of version %u", (unsigned)ex->Version));
        require((ex->Flags & ~(ULONG)CREDSSP_FLAG_REDIRECT) == 0,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "unknown flags 0x%x in a CREDSSP_CRED_EX", (unsigned)ex->Flags));
    }
    switch (cred->Type) {
    case CredsspPasswordCreds:
    case CredsspSchannelCreds:
    case CredsspCertificateCreds:
    case CredsspSubmitBufferBoth:
    case CredsspSubmitBufferBothOld:
        return SEC_E_OK;
    default:
        return cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a CREDSSP_CRED of type %u", (unsigned)cred->Type);
    }
}

static bool redirects(const void *auth_data)
{
    return cred_of(auth_data) != auth_data &&
           (((const CREDSSP_CRED_EX *)auth_data)->Flags & CREDSSP_FLAG_REDIRECT) != 0;
}

const void *credssp_identity_in(const void *auth_data)
{
    const CREDSSP_CRED *cred = cred_of(auth_data);
    if (cred_check(auth_data) != SEC_E_OK) /* what it points at is not known; acquiring says the same */
        return NULL;
    return cred != NULL && cred->Type != CredsspSchannelCreds ? cred->pSpnegoCred : NULL;
}

/* The program's structure for Schannel, with what CredSSP adds: sessions are not taken up again (MS-CSSP 3.1.5, step 1). */
union tls_structure {
    DWORD version;
    SCHANNEL_CRED v4;
    SCH_CREDENTIALS v5;
};

/* Its flags; NULL for a version that Schannel will refuse. */
static DWORD *tls_structure_copy(const void *given, union tls_structure *own)
{
    memcpy(&own->version, given, sizeof own->version);
    if (own->version == SCHANNEL_CRED_VERSION) {
        memcpy(&own->v4, given, sizeof own->v4);
        return &own->v4.dwFlags;
    }
    if (own->version != SCH_CREDENTIALS_VERSION)
        return NULL;
    memcpy(&own->v5, given, sizeof own->v5);
    return &own->v5.dwFlags;
}

/* TSSSP has no TLS of its own: what pSchannelCred asks of it can be done by the program alone. Only a wish for validation is refused, since it would
 * go unheard. */
static SECURITY_STATUS bare_check(const struct acquire_request *request)
{
    const CREDSSP_CRED *cred = cred_of(request->auth_data);
    union tls_structure own;
    DWORD *flags = cred != NULL && cred->pSchannelCred != NULL ? tls_structure_copy(cred->pSchannelCred, &own) : NULL;
    require(flags == NULL || (*flags & SCH_CRED_AUTO_CRED_VALIDATION) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TSSSP validates no server: who has the TLS connection does"));
    return SEC_E_OK;
}

/* Schannel's credential: as the program wants it, or a client's default, which leaves validation to the binding of the server's key. */
static SECURITY_STATUS tls_acquire(struct credssp_credential *credential, const struct acquire_request *request,
                                   int64_t *expiry)
{
    static const SCH_CREDENTIALS defaults = {
        .dwVersion = SCH_CREDENTIALS_VERSION,
        .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS,
    };
    const CREDSSP_CRED *cred = cred_of(request->auth_data);
    const void *given = cred != NULL ? cred->pSchannelCred : NULL;
    union tls_structure own;
    require(given != NULL || request->use == SECPKG_CRED_OUTBOUND,
            cause_set(SEC_E_NO_CREDENTIALS, "a CredSSP server needs a certificate: pSchannelCred of its CREDSSP_CRED"));
    DWORD *flags = tls_structure_copy(given != NULL ? given : &defaults, &own);
    if (flags != NULL) {
        credential->validates = (*flags & SCH_CRED_AUTO_CRED_VALIDATION) != 0;
        credential->name_passed = (*flags & SCH_CRED_NO_SERVERNAME_CHECK) != 0;
        *flags |= SCH_CRED_DISABLE_RECONNECTS;
    }
    struct acquire_request inner = {
        .package = credential->tls,
        .config = request->config,
        .use = request->use,
        .auth_data = &own,
    };
    return credential->tls->authority->acquire(&inner, &credential->tls_credential, expiry);
}

/* What the client will hand over: what the program gave, else what the user file keeps. */
static SECURITY_STATUS identity_find(struct credssp_credential *credential, const struct acquire_request *request)
{
    if (request->use != SECPKG_CRED_OUTBOUND)
        return SEC_E_OK;
    const struct identity *given = request->identity;
    if (identity_kind(given) != IDENTITY_DEFAULT) {
        credential->source = CREDSSP_SOURCE_FRESH;
        credential->identity.proof_kind = given->proof_kind;
        return identity_copy(&credential->identity, given) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    if (request->config->user_file == NULL)
        return SEC_E_OK;
    SECURITY_STATUS status = user_file_find(request->config->user_file, request->principal, NULL,
                                            given != NULL ? given->domain : NULL, &credential->identity);
    require(status == SEC_E_OK || status == SEC_E_NO_CREDENTIALS, status);
    if (status == SEC_E_NO_CREDENTIALS) {
        cause_drop();
        return SEC_E_OK;
    }
    credential->source = CREDSSP_SOURCE_SAVED;
    if (given != NULL && given->packages != NULL) /* with which packages is the program's to say */
        credential->identity.packages = mem_strdup(given->packages);
    return given == NULL || given->packages == NULL || credential->identity.packages != NULL
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

/* The only package that the identity's list leaves, or NULL: its tokens go out as they are, without SPNEGO, which peers want that know none
 * (MS-CSSP 2.2.1 allows it). */
static const struct package *only_package(const struct identity *identity)
{
    const struct package *only = NULL, *package;
    if (identity == NULL || identity->packages == NULL)
        return NULL;
    for (size_t i = 0; (package = registry_at(i)) != NULL; i++) {
        if (!package_is_negotiable(package) || identity_forbids(identity, package->info.name))
            continue;
        if (only != NULL)
            return NULL;
        only = package;
    }
    return only;
}

static SECURITY_STATUS inner_acquire(struct credssp_credential *credential, const struct acquire_request *request,
                                     int64_t *expiry)
{
    const struct package *only = request->use == SECPKG_CRED_OUTBOUND ? only_package(request->identity) : NULL;
    credential->inner = registry_find("Negotiate");
    require(credential->inner != NULL && credential->inner->authority->acquire != NULL,
            cause_set(SEC_E_SECPKG_NOT_FOUND, "CREDSSP needs Negotiate, which is not here"));
    struct acquire_request inner = *request;
    inner.package = credential->inner;
    inner.auth_data = NULL;
    if (credential->source == CREDSSP_SOURCE_SAVED)
        inner.identity = &credential->identity; /* who authenticates is who is handed over */
    try(credential_acquire_chosen(credential->inner, &inner, &credential->inner_credential));
    if (only != NULL) {
        /* What policy keeps out of Negotiate would have failed: it counts although the tokens go without SPNEGO. */
        credential_put(STEAL(credential->inner_credential));
        credential->inner = inner.package = only;
        try(credential_acquire_chosen(only, &inner, &credential->inner_credential));
    }
    *expiry = credential->inner_credential->expiry;
    return SEC_E_OK;
}

static SECURITY_STATUS parts_acquire(struct credssp_credential *credential, const struct acquire_request *request,
                                     int64_t *expiry)
{
    int64_t tls_expiry = INT64_MAX, inner_expiry = INT64_MAX;
    require(request->use == SECPKG_CRED_OUTBOUND || request->use == SECPKG_CRED_INBOUND,
            cause_set(SEC_E_NO_CREDENTIALS, "a CredSSP credential is for one direction"));
    const struct config *config = request->config;
    credential->use = request->use;
    require(config->credssp_min_version <= config->credssp_max_version,
            cause_set(SEC_E_INTERNAL_ERROR, "min_version %u in [credssp] is above max_version %u",
                      config->credssp_min_version, config->credssp_max_version));
    try(cred_check(request->auth_data));
    credential->redirects = request->use == SECPKG_CRED_OUTBOUND && redirects(request->auth_data);
    credential->bare = request->package == &tsssp_package;
    if (credential->bare)
        try(bare_check(request));
    else
        credential->tls = registry_find("Schannel");
    require(credential->bare || credential->tls != NULL,
            cause_set(SEC_E_SECPKG_NOT_FOUND, "CREDSSP needs Schannel, which is not here"));
    try(identity_find(credential, request));
    if (!credential->bare)
        try(tls_acquire(credential, request, &tls_expiry));
    try(inner_acquire(credential, request, &inner_expiry));
    *expiry = tls_expiry < inner_expiry ? tls_expiry : inner_expiry;
    return SEC_E_OK;
}

SECURITY_STATUS credssp_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    struct credssp_credential *acquired = mem_zalloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (pthread_mutex_init(&acquired->lock, NULL) != 0) {
        mem_free(acquired);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    atomic_init(&acquired->n_references, 1);
    acquired->config = config_retain(request->config);
    SECURITY_STATUS status = parts_acquire(acquired, request, expiry);
    if (status != SEC_E_OK) {
        credssp_release(acquired);
        return status;
    }
    *credential = acquired;
    return SEC_E_OK;
}

struct credssp_credential *credssp_retain(struct credssp_credential *credential)
{
    atomic_fetch_add_explicit(&credential->n_references, 1, memory_order_relaxed);
    return credential;
}

void credssp_release(void *credential)
{
    struct credssp_credential *released = credential;
    if (atomic_fetch_sub_explicit(&released->n_references, 1, memory_order_acq_rel) != 1)
        return;
    credential_put(released->inner_credential);
    if (released->tls_credential != NULL)
        released->tls->authority->release(released->tls_credential);
    identity_release(&released->identity);
    secret_release(&released->ts_credentials);
    pthread_mutex_destroy(&released->lock);
    config_release(released->config);
    mem_free(released);
}

/* Names are the inner credential's, algorithms and protocols the channel's. */
SECURITY_STATUS credssp_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    const struct credssp_credential *asked = credential;
    bool of_tls = attribute == SECPKG_ATTR_SUPPORTED_ALGS || attribute == SECPKG_ATTR_CIPHER_STRENGTHS ||
                  attribute == SECPKG_ATTR_SUPPORTED_PROTOCOLS;
    const struct package_authority *inner = asked->inner_credential->authority;
    if (of_tls) {
        require(asked->tls != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return asked->tls->authority->query_credential(asked->tls_credential, attribute, value);
    }
    require(inner->query_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->query_credential(asked->inner_credential->own, attribute, value);
}

SECURITY_STATUS credssp_ts_credentials(struct credssp_credential *credential, struct secret *copy)
{
    pthread_mutex_lock(&credential->lock);
    bool copied = credential->ts_credentials.len == 0 ||
                  secret_set(copy, credential->ts_credentials.data, credential->ts_credentials.len);
    pthread_mutex_unlock(&credential->lock);
    return copied ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* OPENSSPI_CRED_ATTR_TS_CREDENTIALS: in DER, or packed as SECPKG_ATTR_CREDS_2 gives them; no bytes take back what was set. */
static SECURITY_STATUS ts_credentials_set(struct credssp_credential *credential, struct slice given)
{
    AUTO_WRITER struct writer der = writer_growing(512);
    AUTO_SECRET struct secret now = {0};
    struct ts_credentials parsed;
    require((credential->use & SECPKG_CRED_OUTBOUND) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "it is a client that hands credentials over"));
    if (given.len > 0 && ts_credentials_parse(given, &parsed) != WIRE_OK) {
        try(packed_read(given, &parsed));
        ts_credentials_write(&der, &parsed);
        require(writer_finish(&der) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
        given = writer_slice_of(&der);
    }
    require(given.len <= TS_CREDENTIALS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "credentials of %zu bytes fit into no TSRequest", given.len));
    require(given.len == 0 || secret_set(&now, given.data, given.len), SEC_E_INSUFFICIENT_MEMORY);
    pthread_mutex_lock(&credential->lock);
    struct secret old = credential->ts_credentials;
    credential->ts_credentials = now;
    pthread_mutex_unlock(&credential->lock);
    now = old;
    return SEC_E_OK;
}

SECURITY_STATUS credssp_set_credential(void *credential, uint32_t attribute, const void *value, size_t len)
{
    struct credssp_credential *changed = credential;
    if (attribute == OPENSSPI_CRED_ATTR_TS_CREDENTIALS)
        return ts_credentials_set(changed, slice_of(value, len));
    const struct package_authority *inner = changed->inner_credential->authority;
    require(inner->set_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return inner->set_credential(changed->inner_credential->own, attribute, value, len);
}
