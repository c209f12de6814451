#include "lsa/logon.h"

#include "access/behalf.h"
#include "accounts/accounts.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/registry.h"
#include "core/status.h"
#include "core/trace.h"
#include <stdio.h>
#include <string.h>

#define LEGS_MAX 8 /* NTLM has three, Kerberos two */

/* A client and a server of one package in one process. */
struct duo {
    const struct package_authority *table;
    void *client_credential, *server_credential, *client, *server;
    bool lent; /* the client's credential is somebody else's */
    const char *target;
    struct writer to_server, to_client, record;
};

static void duo_release(struct duo *duo)
{
    if (duo->client != NULL)
        duo->table->abandon(duo->client);
    if (duo->server != NULL)
        duo->table->abandon(duo->server);
    if (duo->client_credential != NULL && !duo->lent)
        duo->table->release(duo->client_credential);
    if (duo->server_credential != NULL)
        duo->table->release(duo->server_credential);
    writer_release(&duo->to_server);
    writer_release(&duo->to_client);
    writer_release(&duo->record);
}

static SECURITY_STATUS server_acquire(struct duo *duo, const struct config *config, uint32_t use)
{
    int64_t expiry;
    const struct acquire_request server = {.config = config, .use = use};
    return duo->table->acquire(&server, &duo->server_credential, &expiry);
}

static SECURITY_STATUS duo_acquire(struct duo *duo, const struct acquire_request *client)
{
    int64_t expiry;
    try(duo->table->acquire(client, &duo->client_credential, &expiry));
    return server_acquire(duo, client->config, SECPKG_CRED_INBOUND);
}

/* A channel that both ends have, and a service that this computer is: policies that ask every client for them are met here too. */
static const struct {
    SEC_CHANNEL_BINDINGS header;
    char name[16];
} channel = {.header = {.cbApplicationDataLength = 16, .dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS)},
             .name = "opensspi-logon:"};

static SECURITY_STATUS client_step(struct duo *duo)
{
    const struct step_in in = {.token = writer_slice_of(&duo->to_client),
                               .bindings = slice_of(&channel, sizeof channel),
                               .target = duo->target,
                               .flags = ISC_REQ_INTEGRITY};
    struct step_out out = {.token = writer_growing(512), .record = writer_growing(512)};
    SECURITY_STATUS status = duo->table->initiate(duo->client_credential, &duo->client, &in, &out);
    writer_release(&out.record);
    writer_release(&duo->to_server);
    duo->to_server = out.token;
    return status;
}

static SECURITY_STATUS server_step(struct duo *duo)
{
    const struct step_in in = {.token = writer_slice_of(&duo->to_server),
                               .bindings = slice_of(&channel, sizeof channel)};
    struct step_out out = {.token = writer_growing(512), .record = writer_growing(512)};
    SECURITY_STATUS status = duo->table->accept(duo->server_credential, &duo->server, &in, &out);
    writer_release(&duo->to_client);
    writer_release(&duo->record);
    duo->to_client = out.token;
    duo->record = out.record;
    return status;
}

/* Only the server's word counts: it is done when the password is proved. */
static SECURITY_STATUS duo_run(struct duo *duo)
{
    for (int leg = 0; leg < LEGS_MAX; leg++) {
        SECURITY_STATUS status = client_step(duo);
        if (status < 0)
            return status;
        status = server_step(duo);
        if (status != SEC_I_CONTINUE_NEEDED)
            return status;
    }
    return cause_set(SEC_E_INTERNAL_ERROR, "a logon's handshake with itself does not end");
}

/* For Kerberos the service whose key only this computer and the KDC have; for NTLM one that its server takes: where `targets` lists some, no other.
 * */
static char *own_service(const struct config *config, const struct package *package)
{
    if (text_equal_fold(package->info.name, "Kerberos") && config->access_logon_service != NULL)
        return mem_strdup(config->access_logon_service);
    if (text_equal_fold(package->info.name, "NTLM") && config->ntlm_targets.n_items > 0)
        return mem_strdup(config->ntlm_targets.item[0]);
    size_t len = strlen("host/") + strlen(config->dns_computer) + 1;
    char *service = mem_zalloc(len);
    if (service != NULL)
        snprintf(service, len, "host/%s", config->dns_computer);
    return service;
}

static SECURITY_STATUS record_open(struct slice record, struct session **session)
{
    struct session *opened = NULL;
    try(session_open(record, &opened));
    if ((opened->facts.flags & ASC_RET_NULL_SESSION) != 0) {
        session_close(opened);
        return cause_set(SEC_E_LOGON_DENIED, "an empty name with an empty password is nobody's logon");
    }
    *session = opened;
    return SEC_E_OK;
}

void logon_proof_release(struct logon_proof *proof)
{
    writer_release(&proof->record);
    secret_release(&proof->kept);
    credential_put(proof->service);
    *proof = (struct logon_proof){0};
}

/* The handshake of a duo that has its credentials, or the status with which that failed. Releases the duo. */
static SECURITY_STATUS duo_prove(struct duo *duo, SECURITY_STATUS status, struct logon_proof *proof)
{
    struct session *session = NULL;
    if (status == SEC_E_OK)
        status = duo_run(duo);
    if (status == SEC_E_OK)
        status = writer_finish(&duo->record) == WIRE_OK ? record_open(writer_slice_of(&duo->record), &session)
                                                        : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) {
        session_close(session);
        writer_release(&proof->record);
        proof->record = duo->record;
        duo->record = (struct writer){0};
    }
    if (status == SEC_E_OK && proof->keeps && !duo->lent && duo->table->keep != NULL)
        status = duo->table->keep(duo->client_credential, &proof->kept);
    duo_release(duo);
    return status;
}

static SECURITY_STATUS duo_check(const struct package *package)
{
    require(!package->info.chooses && package->authority->initiate != NULL && package->authority->accept != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s logs nobody on", package->info.name));
    return SEC_E_OK;
}

SECURITY_STATUS logon_prove(const struct package *package, const struct acquire_request *client,
                            struct logon_proof *proof)
{
    struct duo duo = {.table = package->authority};
    try(duo_check(package));
    AUTO_FREE char *target = own_service(client->config, package);
    require(target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    duo.target = target;
    proof->package = package;
    return duo_prove(&duo, duo_acquire(&duo, client), proof);
}

SECURITY_STATUS logon_prove_s4u(const struct package *package, const struct config *config, void *credential,
                                struct logon_proof *proof)
{
    /* Without a target it is the service whose credential it is. */
    struct duo duo = {.table = package->authority, .client_credential = credential, .lent = true};
    try(duo_check(package));
    proof->package = package;
    /* A server that is a client as well keeps the ticket, to go on with (S4U2Proxy). */
    return duo_prove(&duo, server_acquire(&duo, config, SECPKG_CRED_BOTH), proof);
}

/* What the logon left to act with: its user's own, or for a user who was not there what the service may get. */
static SECURITY_STATUS behalf_of_proof(const struct logon_request *request, const struct logon_proof *proof,
                                       struct slice delegated, const struct behalf **behalf)
{
    *behalf = NULL;
    if (proof->kept.len > 0)
        *behalf = behalf_new(proof->package, secret_slice(&proof->kept), NULL, SecurityImpersonation);
    else if (proof->service != NULL && delegated.len > 0 && request->config->kerberos_s4u2proxy)
        *behalf = behalf_new(proof->package, delegated, proof->service, SecurityImpersonation);
    else
        return SEC_E_OK;
    return *behalf != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS logon_token(const struct logon_request *request, const struct logon_proof *proof,
                            const struct token **token)
{
    struct session *session = NULL;
    AUTO_BEHALF const struct behalf *behalf = NULL;
    try(record_open(writer_slice_of(&proof->record), &session));
    const struct session_facts *facts = &session->facts;
    SECURITY_STATUS status = behalf_of_proof(request, proof, facts->delegated, &behalf);
    const struct token_request wanted = {
        .package = session_package(session)->info.name,
        .identity = facts->identity,
        .client = facts->client,
        .authority = facts->authority,
        .expiry = facts->expiry,
        .logon = request->logon,
        .primary = request->primary,
        .level = request->level,
        .behalf = behalf,
    };
    if (status == SEC_E_OK)
        status = token_of_client(&wanted, request->config, token);
    session_close(session);
    return status;
}

static bool domain_is_ours(const struct config *config, const struct identity *identity)
{
    const char *domain = identity->domain;
    if (domain == NULL || *domain == '\0')
        return identity->user == NULL || strchr(identity->user, '@') == NULL;
    return strcmp(domain, ".") == 0 || text_equal_fold(domain, config->computer) ||
           text_equal_fold(domain, config->domain);
}

enum logon_provider logon_provider_of(const struct package *package)
{
    if (package->info.chooses)
        return LOGON_BY_DOMAIN;
    return text_equal_fold(package->info.name, "Kerberos") ? LOGON_BY_KERBEROS : LOGON_BY_STORES;
}

SECURITY_STATUS logon_package(const struct config *config, const struct identity *identity,
                              enum logon_provider provider, const struct package **package)
{
    bool ours = provider == LOGON_BY_STORES || (provider == LOGON_BY_DOMAIN && domain_is_ours(config, identity));
    const char *name = ours ? "NTLM" : "Kerberos";
    *package = registry_find(name);
    return *package != NULL
               ? SEC_E_OK
               : cause_set(SEC_E_SECPKG_NOT_FOUND, "this library was built without %s, which this logon needs", name);
}

/* Was it the account that was refused? To try again by another way would count a wrong password twice. */
static bool account_refused(SECURITY_STATUS status)
{
    static const SECURITY_STATUS refusals[] = {
        SEC_E_OK,
        SEC_E_LOGON_DENIED,
        SEC_E_INSUFFICIENT_MEMORY,
        STATUS_ACCOUNT_DISABLED,
        STATUS_ACCOUNT_EXPIRED,
        STATUS_PASSWORD_EXPIRED,
        STATUS_PASSWORD_MUST_CHANGE,
        STATUS_ACCOUNT_LOCKED_OUT,
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        if (status == refusals[i])
            return true;
    return false;
}

bool logon_other_way(const struct config *config, enum logon_provider provider, const struct package *package,
                     SECURITY_STATUS status)
{
    return provider == LOGON_BY_DOMAIN && !account_refused(status) && text_equal_fold(package->info.name, "Kerberos") &&
           accounts_ask_domains(config);
}

SECURITY_STATUS logon_prove_by(const struct config *config, const struct identity *identity,
                               enum logon_provider provider, struct logon_proof *proof)
{
    const struct package *package;
    const struct acquire_request client = {.config = config, .use = SECPKG_CRED_OUTBOUND, .identity = identity};
    try(logon_package(config, identity, provider, &package));
    SECURITY_STATUS status = logon_prove(package, &client, proof);
    if (logon_other_way(config, provider, package, status)) {
        cause_drop();
        try(logon_package(config, identity, LOGON_BY_STORES, &package));
        status = logon_prove(package, &client, proof);
    }
    TRACE("logon", "%s\\%s by %s: 0x%08x", identity->domain != NULL ? identity->domain : "",
          identity->user != NULL ? identity->user : "", package->info.name, (unsigned)status);
    return status;
}

SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token)
{
    AUTO_PROOF struct logon_proof proof = {.keeps = request->keeps};
    try(logon_prove_by(request->config, request->identity, request->provider, &proof));
    return logon_token(request, &proof, token);
}
