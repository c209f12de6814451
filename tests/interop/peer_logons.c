/*
 * A service that logs users on who are not there (KERB_S4U_LOGON), and goes on as them: what peer_opensspi does, and
 *
 *   service user= password= domain= keytab=   its own credential for both directions; without a user its keytab's     -> ok
 *   log-on USER                               logs the user on by S4U2Self, and impersonates                        -> ok
 *   who                                       whom the kernel takes the thread for                        -> who UID LEVEL
 *   go package= target= flags=                first step of a client with the thread's own credential
 *   revert                                                                                                          -> ok
 *
 * build: internal
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <stdint.h>
#include <unistd.h>

#include "access/impersonation.h"
#include "core/handle.h"
#include "lsa/authority.h"
#include "peer_sspi.h"
#include <win32/securitybaseapi.h>

static CredHandle service;
static bool has_service;

static void outcome(SECURITY_STATUS status, const char *what)
{
    if (status == SEC_E_OK)
        reply("ok");
    else
        fail(status, what);
}

static void service_acquire(const struct line *line)
{
    static char kerberos[] = "Kerberos";
    const char *user = line_value(line, "user"), *domain = line_value(line, "domain");
    const char *password = line_value(line, "password"), *keytab = line_value(line, "keytab");
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        .User = (void *)(uintptr_t)user,
        .UserLength = user != NULL ? (ULONG)strlen(user) : 0,
        .Domain = (void *)(uintptr_t)domain,
        .DomainLength = domain != NULL ? (ULONG)strlen(domain) : 0,
        .Password = (void *)(uintptr_t)password,
        .PasswordLength = password != NULL ? (ULONG)strlen(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
    SECURITY_STATUS status = table->AcquireCredentialsHandleA(
        NULL, kerberos, SECPKG_CRED_BOTH, NULL, user != NULL ? &identity : NULL, NULL, NULL, &service, NULL);
    has_service = status == SEC_E_OK;
    if (has_service && keytab != NULL)
        status = SetCredentialsAttributesA(&service, OPENSSPI_CRED_ATTR_KEYTAB, (void *)(uintptr_t)keytab,
                                           (ULONG)strlen(keytab));
    outcome(status, "the service's credential");
}

static SECURITY_STATUS token_get(const struct config *config, const char *user, const struct token **token)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    SECURITY_STATUS status = handle_get(&service, HANDLE_CREDENTIAL, &ref);
    return status == SEC_E_OK ? authority()->logon_s4u(config, user, ref.object, token) : status;
}

static SECURITY_STATUS logged_on(const char *user, const struct config **config, const struct token **token)
{
    AS_PROCESS_SCOPE;
    SECURITY_STATUS status = config_get(config);
    return status == SEC_E_OK ? token_get(*config, user, token) : status;
}

static void log_on(const char *user)
{
    const struct config *config = NULL;
    const struct token *token = NULL;
    SECURITY_STATUS status = logged_on(user, &config, &token);
    if (status == SEC_E_OK)
        status = impersonation_begin(token, config);
    token_release(token);
    config_release(config);
    outcome(status, "logon_s4u");
}

static void go(const struct line *line)
{
    const char *named = line_value(line, "package"), *name = line_value(line, "target");
    is_server = false;
    is_sized = true;
    asked = flags_of(line);
    free(target);
    target = name != NULL ? strdup(name) : NULL;
    snprintf(package, sizeof package, "%s", named != NULL ? named : "Kerberos");
    SECURITY_STATUS status = table->AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                                              NULL, &credential, NULL);
    if (status == SEC_E_OK)
        step_again();
    else
        fail(status, "AcquireCredentialsHandle");
}

static bool own_command(const struct line *line)
{
    const struct token *token = impersonation_current();
    if (line_is(line, "service"))
        service_acquire(line);
    else if (line_is(line, "log-on") && line->n_words == 2)
        log_on(line_word(line, 1));
    else if (line_is(line, "who"))
        reply("who %d %d", (int)geteuid(), token != NULL ? (int)token->level : -1);
    else if (line_is(line, "go"))
        go(line);
    else if (line_is(line, "revert")) {
        RevertToSelf();
        reply("ok");
    } else
        return false;
    return true;
}

int main(void)
{
    table = InitSecurityInterfaceA();
    command_more = own_command;
    cause = OpenSspiLastErrorText;
    if (table == NULL)
        return 1;
    int code = commands_run();
    RevertToSelf(); /* a leak check at the end is the process's own */
    if (has_service)
        FreeCredentialsHandle(&service);
    return code;
}
