#include "kerberos/behalf.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Service for User (MS-SFU). libkrb5 exports this one, and its own kvno calls it, but no header declares it. */
extern krb5_error_code KRB5_CALLCONV krb5_get_credentials_for_user(krb5_context context, krb5_flags options,
                                                                   krb5_ccache ccache, krb5_creds *in_creds,
                                                                   krb5_data *certificate, krb5_creds **out_creds);

/* "DOMAIN\user" as "user@DOMAIN"; others as they stand. */
static char *user_name(const char *user)
{
    const char *backslash = strchr(user, '\\');
    const struct identity parts = {.user = (char *)(uintptr_t)(backslash != NULL ? backslash + 1 : user),
                                   .domain = backslash != NULL ? mem_dup(user, (size_t)(backslash - user)) : NULL};
    char *name = backslash != NULL && parts.domain == NULL ? NULL : kerberos_client_name(&parts);
    mem_free(parts.domain);
    return name;
}

/* A domain's NetBIOS name is by custom the first label of its DNS name, which is its realm. */
static bool is_netbios_name(const char *name, const krb5_data *realm)
{
    size_t len = strlen(name);
    return len > 0 && len < realm->length && realm->data[len] == '.' && strncasecmp(name, realm->data, len) == 0;
}

enum user_form { USER_PRINCIPAL, USER_OF_SERVICES_REALM, USER_ENTERPRISE };

static krb5_error_code user_parse(const struct kerberos_task *task, const krb5_data *realm, enum user_form form,
                                  krb5_principal *user)
{
    int flags = form == USER_ENTERPRISE          ? KRB5_PRINCIPAL_PARSE_ENTERPRISE
                : form == USER_OF_SERVICES_REALM ? KRB5_PRINCIPAL_PARSE_IGNORE_REALM
                                                 : 0;
    krb5_error_code code = krb5_parse_name_flags(task->krb, task->name, flags, user);
    if (code == 0 && form == USER_OF_SERVICES_REALM) {
        AUTO_FREE char *name = mem_dup(realm->data, realm->length);
        code = name != NULL ? krb5_set_principal_realm(task->krb, *user, name) : ENOMEM;
    }
    return code;
}

static krb5_error_code self_as(struct kerberos_task *task, krb5_ccache cache, enum user_form form)
{
    krb5_context krb = task->krb;
    krb5_creds wanted = {0};
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.server);
    const char *at = strchr(task->name, '@');
    if (code == 0 && form == USER_OF_SERVICES_REALM && !is_netbios_name(at + 1, &wanted.server->realm))
        code = KRB5_REALM_UNKNOWN;
    if (code == 0)
        code = user_parse(task, &wanted.server->realm, form, &wanted.client);
    if (code == 0)
        code = krb5_get_credentials_for_user(krb, KRB5_GC_CANONICALIZE | KRB5_GC_NO_STORE, cache, &wanted, NULL,
                                             &task->creds);
    late_checkpoint();
    krb5_free_cred_contents(krb, &wanted);
    return code;
}

static bool is_no_realm(krb5_error_code code)
{
    return code == KRB5_REALM_UNKNOWN || code == KRB5_REALM_CANT_RESOLVE || code == KRB5_KDC_UNREACH ||
           code == KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN;
}

static SECURITY_STATUS self(struct kerberos_task *task, krb5_ccache cache)
{
    krb5_error_code code = self_as(task, cache, USER_PRINCIPAL);
    /* As in a logon: what follows the @ may be a domain's NetBIOS name, or a UPN's suffix, and then the service's own KDC knows what is meant. */
    for (int form = USER_OF_SERVICES_REALM; form <= USER_ENTERPRISE && is_no_realm(code) && strchr(task->name, '@');
         form++) {
        krb5_error_code next = self_as(task, cache, (enum user_form)form);
        if (next != KRB5_REALM_UNKNOWN)
            code = next;
    }
    return krb_status(task->krb, code, KRB_STAGE_FORWARD, "getting a ticket in the user's name (S4U2Self)");
}

SECURITY_STATUS kerberos_s4u_self(struct kerberos_credential *service, krb5_context krb, const char *user,
                                  krb5_creds **creds)
{
    struct kerberos_task *task;
    AUTO_FREE char *name = user_name(user);
    require(name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    try(kerberos_task_new(service, name, self, &task));
    SECURITY_STATUS status = kerberos_task_run(service, &task, kerberos_deadline(service));
    if (status == SEC_E_OK) {
        krb_clock_set(krb, krb_clock_get(task->krb));
        *creds = STEAL(task->creds);
    }
    TRACE("kerberos", "S4U2Self for %s: 0x%08x", name, (unsigned)status);
    kerberos_task_free(task);
    return status;
}

SECURITY_STATUS kerberos_s4u_proxy(struct kerberos_task *task, krb5_ccache cache)
{
    krb5_context krb = task->krb;
    krb5_creds wanted = {0};
    try(krb_target_parse(krb, task->name, KRB_TARGET_SERVICE, &wanted.server));
    krb5_error_code code = krb5_cc_get_principal(krb, cache, &wanted.client);
    wanted.second_ticket = task->service->ticket;
    if (code == 0)
        code = krb5_get_credentials(krb, KRB5_GC_CANONICALIZE | KRB5_GC_CONSTRAINED_DELEGATION | KRB5_GC_NO_STORE,
                                    cache, &wanted, &task->creds);
    late_checkpoint();
    SECURITY_STATUS status =
        krb_status(krb, code, KRB_STAGE_FORWARD, "getting a ticket for the service in the client's name (S4U2Proxy)");
    if (status == SEC_E_OK && !krb5_principal_compare(krb, task->creds->client, task->service->client)) {
        krb5_free_creds(krb, task->creds);
        task->creds = NULL;
        status = cause_set(SEC_E_DELEGATION_POLICY, "the KDC gave a ticket in another name than the client's");
    }
    wanted.second_ticket = (krb5_data){0};
    krb5_free_cred_contents(krb, &wanted);
    return status;
}
