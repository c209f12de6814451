#include "lsa/logon.h"

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
    const char *target;
    struct writer to_server, to_client, record;
};

static void duo_release(struct duo *duo)
{
    if (duo->client != NULL)
        duo->table->abandon(duo->client);
    if (duo->server != NULL)
        duo->table->abandon(duo->server);
    if (duo->client_credential != NULL)
        duo->table->release(duo->client_credential);
    if (duo->server_credential != NULL)
        duo->table->release(duo->server_credential);
    writer_release(&duo->to_server);
    writer_release(&duo->to_client);
    writer_release(&duo->record);
}

static SECURITY_STATUS duo_acquire(struct duo *duo, const struct logon_request *request)
{
    int64_t expiry;
    const struct acquire_request client = {
        .config = request->config, .use = SECPKG_CRED_OUTBOUND, .identity = request->identity};
    const struct acquire_request server = {.config = request->config, .use = SECPKG_CRED_INBOUND};
    try(duo->table->acquire(&client, &duo->client_credential, &expiry));
    return duo->table->acquire(&server, &duo->server_credential, &expiry);
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

/* What the logon leaves to act with, where that is wanted and the package can. */
static SECURITY_STATUS behalf_of_logon(const struct logon_request *request, const struct package *package,
                                       void *credential, const struct behalf **behalf)
{
    AUTO_SECRET struct secret kept = {0};
    *behalf = NULL;
    if (!request->keeps || package->authority->keep == NULL)
        return SEC_E_OK;
    try(package->authority->keep(credential, &kept));
    *behalf = behalf_new(package, secret_slice(&kept), NULL, SecurityImpersonation);
    return *behalf != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS token_of_record(const struct logon_request *request, struct slice record,
                                       const struct behalf *behalf, const struct token **token)
{
    struct session *session = NULL;
    try(session_open(record, &session));
    const struct session_facts *facts = &session->facts;
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    if ((facts->flags & ASC_RET_NULL_SESSION) == 0) { /* an empty name with an empty password is nobody's logon */
        const struct token_request wanted = {
            .package = session->package->info.name,
            .identity = facts->identity,
            .client = facts->client,
            .authority = facts->authority,
            .expiry = facts->expiry,
            .logon = request->logon,
            .primary = request->primary,
            .level = SecurityImpersonation,
            .behalf = behalf,
        };
        status = token_of_client(&wanted, request->config, token);
    }
    session_close(session);
    return status;
}

static SECURITY_STATUS logon_by(const struct package *package, const char *target, const struct logon_request *request,
                                const struct token **token)
{
    struct duo duo = {.table = package->authority, .target = target};
    AUTO_BEHALF const struct behalf *behalf = NULL;
    SECURITY_STATUS status = duo_acquire(&duo, request);
    if (status == SEC_E_OK)
        status = duo_run(&duo);
    if (status == SEC_E_OK)
        status = writer_finish(&duo.record) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK)
        status = behalf_of_logon(request, package, duo.client_credential, &behalf);
    if (status == SEC_E_OK)
        status = token_of_record(request, writer_slice_of(&duo.record), behalf, token);
    duo_release(&duo);
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

/* For Kerberos the service whose key only this computer and the KDC have. */
static char *own_service(const struct config *config, bool kerberos)
{
    if (kerberos && config->access_logon_service != NULL)
        return mem_strdup(config->access_logon_service);
    size_t len = strlen("host/") + strlen(config->dns_computer) + 1;
    char *service = mem_zalloc(len);
    if (service != NULL)
        snprintf(service, len, "host/%s", config->dns_computer);
    return service;
}

static SECURITY_STATUS logon_by_name(const char *name, const struct logon_request *request, const struct token **token)
{
    const struct package *package = registry_find(name);
    require(package != NULL,
            cause_set(SEC_E_SECPKG_NOT_FOUND, "this library was built without %s, which this logon needs", name));
    AUTO_FREE char *target = own_service(request->config, strcmp(name, "Kerberos") == 0);
    require(target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = logon_by(package, target, request, token);
    TRACE("logon", "%s\\%s by %s: 0x%08x", request->identity->domain != NULL ? request->identity->domain : "",
          request->identity->user != NULL ? request->identity->user : "", name, (unsigned)status);
    return status;
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

SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token)
{
    bool ours = request->provider == LOGON_BY_STORES ||
                (request->provider == LOGON_BY_DOMAIN && domain_is_ours(request->config, request->identity));
    if (ours)
        return logon_by_name("NTLM", request, token);
    SECURITY_STATUS status = logon_by_name("Kerberos", request, token);
    if (request->provider != LOGON_BY_DOMAIN || account_refused(status) || !accounts_ask_domains(request->config))
        return status;
    cause_clear(); /* no keytab, no KDC: winbind's word is as good */
    return logon_by_name("NTLM", request, token);
}
