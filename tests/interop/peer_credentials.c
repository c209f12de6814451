/*
 * Credentials in interop tests: what peer_sspi.h does, and
 *
 *   acquire KEY=VALUE ...   as client and server, but takes no step: use=in|out|both; packed=password|keytab|cert data=HEX makes an EX2 identity with
 *                           packed credentials, as=hash|keytab|x509 says what the password is                                   -> ok
 *   set NUMBER TEXT [wide]  an attribute of the credential, "-" for an empty text                                              -> ok
 *   settings HEX            KDC proxy settings                                                                                 -> ok
 *   credential | cache      its name; its ticket cache                                                     -> credential | cache TEXT
 *   names | env NAME VALUE  as peer_opensspi
 *   expiry                  when it ends, as a FILETIME in local time                                                    -> expiry N
 *   delegated [alone]       a credential to act for the context's client, with the own one or without                          -> ok
 *   s4u USER [wide]         a credential to act for somebody                                                                   -> ok
 *   act KEY=VALUE ...       first step of a client with that credential: target= flags=
 *   impersonate | revert    the context's client; the process                                                                  -> ok
 *   duplicate LEVEL         impersonates a duplicate of the thread's token                                                     -> ok
 *   log-on USER DOMAIN PASSWORD TYPE PROVIDER   impersonates who logs on so                                                    -> ok
 *   s4u-log-on USER         impersonates whom LsaLogonUser logs on on the service's own word (KERB_S4U_LOGON)                  -> ok
 *   acting PACKAGE [both] [list=PACKAGES]       the thread's own credential, which act takes                                   -> ok
 *   who                     whom the kernel takes the thread for, and whom its credential is                        -> who UID NAME
 *   change USER OLD NEW     a password                                                                                         -> ok
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <stdint.h>
#include <unistd.h>
#include <ntsecapi.h>
#include <win32/processthreadsapi.h>
#include <win32/securitybaseapi.h>
#include <win32/winbase.h>

#include "peer_sspi.h"

static CredHandle behalf; /* made by delegated and s4u, until act takes it */
static bool has_behalf;
static TimeStamp expiry;

static SEC_WCHAR *wide_of(const char *text)
{
    size_t len = strlen(text);
    SEC_WCHAR *wide = calloc(len + 1, sizeof *wide); /* the tests' texts are ASCII */
    if (wide == NULL)
        abort();
    for (size_t i = 0; i < len; i++)
        wide[i] = (unsigned char)text[i];
    return wide;
}

static void outcome(SECURITY_STATUS status, const char *what)
{
    if (status == SEC_E_OK)
        reply("ok");
    else
        fail(status, what);
}

struct packed {
    SEC_WINNT_AUTH_IDENTITY_EX2 head;
    SEC_WCHAR user[64], domain[64];
    SEC_WINNT_AUTH_PACKED_CREDENTIALS credentials;
    unsigned char data[4096];
};

static unsigned short put_wide(SEC_WCHAR *to, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    for (size_t i = 0; i < len; i++)
        to[i] = (unsigned char)text[i];
    return (unsigned short)(len * sizeof *to);
}

static const GUID *type_of(const char *word)
{
    return strcmp(word, "keytab") == 0 ? &SEC_WINNT_AUTH_DATA_TYPE_KEYTAB
           : strcmp(word, "cert") == 0 ? &SEC_WINNT_AUTH_DATA_TYPE_CERT
                                       : &SEC_WINNT_AUTH_DATA_TYPE_FIDO;
}

static void packed_fill(struct packed *packed, const struct line *line)
{
    struct bytes data = bytes_read(line_value(line, "data"));
    memset(packed, 0, sizeof *packed);
    if (data.len > sizeof packed->data)
        abort();
    packed->head.Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2;
    packed->head.cbHeaderLength = sizeof packed->head;
    packed->head.cbStructureLength = sizeof *packed;
    packed->head.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
    packed->head.UserOffset = offsetof(struct packed, user);
    packed->head.UserLength = put_wide(packed->user, line_value(line, "user"));
    packed->head.DomainOffset = offsetof(struct packed, domain);
    packed->head.DomainLength = put_wide(packed->domain, line_value(line, "domain"));
    packed->head.PackedCredentialsOffset = offsetof(struct packed, credentials);
    packed->head.PackedCredentialsLength = (unsigned short)(sizeof packed->credentials + data.len);
    packed->credentials.cbHeaderLength = sizeof packed->credentials;
    packed->credentials.cbStructureLength = packed->head.PackedCredentialsLength;
    packed->credentials.AuthData.CredType = *type_of(line_value(line, "packed"));
    packed->credentials.AuthData.CredData.ByteArrayOffset = sizeof packed->credentials;
    packed->credentials.AuthData.CredData.ByteArrayLength = (unsigned short)data.len;
    memcpy(packed->data, data.data, data.len);
    free(data.data);
}

static void identity_fill(SEC_WINNT_AUTH_IDENTITY_A *identity, const struct line *line)
{
    const char *user = line_value(line, "user"), *domain = line_value(line, "domain");
    const char *password = line_value(line, "password"), *as = line_value(line, "as");
    memset(identity, 0, sizeof *identity);
    identity->User = (void *)(uintptr_t)user;
    identity->UserLength = user != NULL ? (ULONG)strlen(user) : 0;
    identity->Domain = (void *)(uintptr_t)domain;
    identity->DomainLength = domain != NULL ? (ULONG)strlen(domain) : 0;
    identity->Password = (void *)(uintptr_t)password;
    identity->PasswordLength = password != NULL ? (ULONG)strlen(password) : 0;
    identity->Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
    if (as != NULL)
        identity->Flags |= strcmp(as, "keytab") == 0 ? OPENSSPI_AUTH_IDENTITY_KEYTAB
                           : strcmp(as, "x509") == 0 ? OPENSSPI_AUTH_IDENTITY_X509
                                                     : OPENSSPI_AUTH_IDENTITY_NT_HASH;
}

static void acquire(const struct line *line)
{
    static struct packed packed;
    SEC_WINNT_AUTH_IDENTITY_A identity;
    void *given = NULL;
    const char *use = line_value(line, "use"), *name = line_value(line, "target");
    const char *named = line_value(line, "package");
    is_server = use != NULL && strcmp(use, "out") != 0;
    snprintf(package, sizeof package, "%s", named != NULL ? named : "Kerberos");
    is_sized = true;
    asked = flags_of(line);
    free(target);
    target = name != NULL ? strdup(name) : NULL;
    if (line_value(line, "packed") != NULL) {
        packed_fill(&packed, line);
        given = &packed;
    } else if (line_value(line, "user") != NULL || line_value(line, "password") != NULL) {
        identity_fill(&identity, line);
        given = &identity;
    }
    ULONG bits = !is_server ? SECPKG_CRED_OUTBOUND : strcmp(use, "both") == 0 ? SECPKG_CRED_BOTH : SECPKG_CRED_INBOUND;
    outcome(table->AcquireCredentialsHandleA((void *)(uintptr_t)line_value(line, "principal"), package, bits, NULL,
                                             given, NULL, NULL, &credential, &expiry),
            "AcquireCredentialsHandle");
}

static void set(const struct line *line)
{
    ULONG attribute = (ULONG)strtoul(line_word(line, 1), NULL, 0);
    const char *text = strcmp(line_word(line, 2), "-") == 0 ? "" : line_word(line, 2);
    SECURITY_STATUS status;
    if (line->n_words > 3) {
        SEC_WCHAR *wide = wide_of(text);
        status = SetCredentialsAttributesW(&credential, attribute, wide, (ULONG)(strlen(text) * sizeof *wide));
        free(wide);
    } else
        status = SetCredentialsAttributesA(&credential, attribute, (void *)(uintptr_t)text, (ULONG)strlen(text));
    outcome(status, "SetCredentialsAttributes");
}

static void settings(const char *hex)
{
    struct bytes data = bytes_read(hex);
    outcome(SetCredentialsAttributesW(&credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, data.data, (ULONG)data.len),
            "SetCredentialsAttributes");
    free(data.data);
}

static void text_show(const char *word, ULONG attribute)
{
    SecPkgCredentials_NamesA names;
    SECURITY_STATUS status = QueryCredentialsAttributesA(&credential, attribute, &names);
    if (status != SEC_E_OK) {
        fail(status, "QueryCredentialsAttributes");
        return;
    }
    reply("%s %s", word, names.sUserName);
    FreeContextBuffer(names.sUserName);
}

static void behalf_drop(void)
{
    if (has_behalf)
        table->FreeCredentialsHandle(&behalf);
    has_behalf = false;
}

static void behalf_given(SECURITY_STATUS status, const char *what)
{
    has_behalf = status == SEC_E_OK;
    outcome(status, what);
}

static void delegated(const struct line *line)
{
    behalf_drop();
    behalf_given(
        OpenSspiAcquireDelegatedCredentials(&context, line->n_words > 1 ? NULL : &credential, &behalf, &expiry),
        "OpenSspiAcquireDelegatedCredentials");
}

static void names_show(void)
{
    SecPkgContext_NamesA names;
    SECURITY_STATUS status = table->QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK) {
        fail(status, "SECPKG_ATTR_NAMES");
        return;
    }
    reply("names %s", names.sUserName);
    table->FreeContextBuffer(names.sUserName);
}

static void environment_set(const char *name, const char *value)
{
    reply(setenv(name, value, 1) == 0 ? "ok" : "error 0 setenv");
}

static void s4u(const struct line *line)
{
    SECURITY_STATUS status;
    behalf_drop();
    if (line->n_words > 2) {
        SEC_WCHAR *wide = wide_of(line_word(line, 1));
        status = OpenSspiAcquireS4uCredentialsW(&credential, wide, &behalf, &expiry);
        free(wide);
    } else
        status = OpenSspiAcquireS4uCredentialsA(&credential, line->word[1], &behalf, &expiry);
    behalf_given(status, "OpenSspiAcquireS4uCredentials");
}

/* The helper is a client from then on; where that fails, everything is as it was, and can be tried again. */
static void act(const struct line *line)
{
    CredHandle own = credential;
    CtxtHandle served = context;
    bool was_server = is_server, had_context = has_context;
    const char *name = line_value(line, "target");
    is_server = false;
    has_context = false;
    asked = flags_of(line);
    free(target);
    target = name != NULL ? strdup(name) : NULL;
    credential = behalf;
    step(NULL);
    if (!has_context) {
        credential = own;
        context = served;
        is_server = was_server;
        has_context = had_context;
        return;
    }
    has_behalf = false;
    table->FreeCredentialsHandle(&own);
    if (had_context)
        table->DeleteSecurityContext(&served);
}

static void answered(BOOL good, const char *what)
{
    if (good)
        reply("ok");
    else
        fail((SECURITY_STATUS)GetLastError(), what);
}

static void duplicate(int level)
{
    HANDLE own, copy;
    BOOL good = OpenThreadToken(GetCurrentThread(), TOKEN_ALL_ACCESS, TRUE, &own);
    if (good) {
        good = DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, (SECURITY_IMPERSONATION_LEVEL)level, TokenImpersonation,
                                &copy);
        CloseHandle(own);
    }
    if (good) {
        good = SetThreadToken(NULL, copy);
        CloseHandle(copy);
    }
    answered(good, "DuplicateTokenEx");
}

static void log_on(const struct line *line)
{
    HANDLE token;
    BOOL good = LogonUserA(line_word(line, 1), line_word(line, 2), line_word(line, 3), (DWORD)atoi(line_word(line, 4)),
                           (DWORD)atoi(line_word(line, 5)), &token);
    if (good) {
        good = ImpersonateLoggedOnUser(token);
        CloseHandle(token);
    }
    answered(good, "LogonUser");
}

/* Of a logon process: only its tokens can be acted with. */
static NTSTATUS s4u_token(const char *user, HANDLE *token)
{
    struct {
        KERB_S4U_LOGON logon;
        SEC_WCHAR user[64];
    } block = {.logon = {.MessageType = KerbS4ULogon}};
    char own_name[] = "tests", kerberos[] = "Kerberos";
    LSA_STRING name = {5, 5, own_name}, package_name = {8, 8, kerberos};
    TOKEN_SOURCE source = {.SourceName = "tests"};
    LSA_OPERATIONAL_MODE mode;
    QUOTA_LIMITS quotas;
    HANDLE lsa;
    ULONG number, profile_len;
    void *profile = NULL;
    LUID luid;
    NTSTATUS substatus, status = LsaRegisterLogonProcess(&name, &lsa, &mode);
    if (status != 0)
        return status;
    block.logon.ClientUpn.Buffer = block.user;
    block.logon.ClientUpn.Length = put_wide(block.user, user);
    block.logon.ClientUpn.MaximumLength = block.logon.ClientUpn.Length;
    status = LsaLookupAuthenticationPackage(lsa, &package_name, &number);
    if (status == 0)
        status = LsaLogonUser(lsa, &name, Network, number, &block, sizeof block, NULL, &source, &profile, &profile_len,
                              &luid, token, &quotas, &substatus);
    LsaDeregisterLogonProcess(lsa);
    return status;
}

static void s4u_log_on(const char *user)
{
    HANDLE token;
    NTSTATUS status = s4u_token(user, &token);
    if (status != 0) {
        fail((SECURITY_STATUS)status, "LsaLogonUser");
        return;
    }
    BOOL good = ImpersonateLoggedOnUser(token);
    CloseHandle(token);
    answered(good, "ImpersonateLoggedOnUser");
}

static void acting(const struct line *line)
{
    const char *list = line_value(line, "list");
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION, .Length = sizeof identity, .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    identity.PackageList = (void *)(uintptr_t)list;
    identity.PackageListLength = list != NULL ? (ULONG)strlen(list) : 0;
    const char *wanted = line_word(line, 1);
    behalf_drop();
    snprintf(package, sizeof package, "%s", wanted != NULL ? wanted : "");
    is_sized = true;
    behalf_given(table->AcquireCredentialsHandleA(NULL, package,
                                                  line_word(line, 2) != NULL && strcmp(line_word(line, 2), "both") == 0
                                                      ? SECPKG_CRED_BOTH
                                                      : SECPKG_CRED_OUTBOUND,
                                                  NULL, list != NULL ? &identity : NULL, NULL, NULL, &behalf, &expiry),
                 "AcquireCredentialsHandle");
}

static void who_show(void)
{
    SecPkgCredentials_NamesA names;
    SECURITY_STATUS status =
        has_behalf ? QueryCredentialsAttributesA(&behalf, SECPKG_CRED_ATTR_NAMES, &names) : SEC_E_NO_CREDENTIALS;
    reply("who %d %s", (int)geteuid(), status == SEC_E_OK ? names.sUserName : "-");
    if (status == SEC_E_OK)
        FreeContextBuffer(names.sUserName);
}

static void change(const struct line *line)
{
    static char name[] = "Kerberos";
    outcome(ChangeAccountPasswordA(name, NULL, line->word[1], line->word[2], line->word[3], FALSE, 0, NULL),
            "ChangeAccountPassword");
}

static bool thread_command(const struct line *line)
{
    if (line_is(line, "impersonate"))
        outcome(table->ImpersonateSecurityContext(&context), "ImpersonateSecurityContext");
    else if (line_is(line, "revert"))
        answered(RevertToSelf(), "RevertToSelf");
    else if (line_is(line, "duplicate") && line->n_words == 2)
        duplicate(atoi(line->word[1]));
    else if (line_is(line, "log-on") && line->n_words == 6)
        log_on(line);
    else if (line_is(line, "s4u-log-on") && line->n_words == 2)
        s4u_log_on(line->word[1]);
    else if (line_is(line, "acting") && line->n_words >= 2)
        acting(line);
    else if (line_is(line, "who"))
        who_show();
    else
        return false;
    return true;
}

static bool own_command(const struct line *line)
{
    if (thread_command(line))
        return true;
    if (line_is(line, "acquire"))
        acquire(line);
    else if (line_is(line, "set") && line->n_words >= 3)
        set(line);
    else if (line_is(line, "settings"))
        settings(line_word(line, 1));
    else if (line_is(line, "credential"))
        text_show("credential", SECPKG_CRED_ATTR_NAMES);
    else if (line_is(line, "cache"))
        text_show("cache", OPENSSPI_CRED_ATTR_CCACHE);
    else if (line_is(line, "names"))
        names_show();
    else if (line_is(line, "env") && line->n_words == 3)
        environment_set(line_word(line, 1), line_word(line, 2));
    else if (line_is(line, "expiry"))
        reply("expiry %lld", (long long)(((uint64_t)(uint32_t)expiry.HighPart << 32) | (uint32_t)expiry.LowPart));
    else if (line_is(line, "delegated"))
        delegated(line);
    else if (line_is(line, "s4u") && line->n_words >= 2)
        s4u(line);
    else if (line_is(line, "act"))
        act(line);
    else if (line_is(line, "change") && line->n_words == 4)
        change(line);
    else
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
    behalf_drop();
    return code;
}
