/*
 * Our side of the interop tests, through the public interface alone.
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <fcntl.h>
#include <secext.h>
#include <stdint.h>
#include <unistd.h>
#include <win32/sddl.h>
#include <win32/winbase.h>

#include "peer_sspi.h"

static void key_show(void)
{
    SecPkgContext_SessionKey key;
    SECURITY_STATUS status = table->QueryContextAttributesA(&context, SECPKG_ATTR_SESSION_KEY, &key);
    if (status != SEC_E_OK) {
        fail(status, "SECPKG_ATTR_SESSION_KEY");
        return;
    }
    reply_bytes("key", key.SessionKey, key.SessionKeyLength);
    table->FreeContextBuffer(key.SessionKey);
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

static void target_show(void)
{
    SecPkgContext_ClientSpecifiedTarget named;
    SECURITY_STATUS status = QueryContextAttributesW(&context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &named);
    if (status != SEC_E_OK) {
        fail(status, "SECPKG_ATTR_CLIENT_SPECIFIED_TARGET");
        return;
    }
    char text[256];
    size_t len = 0;
    for (const SEC_WCHAR *at = named.sTargetName; at[len] != 0 && len + 1 < sizeof text; len++)
        text[len] = (char)at[len];
    text[len] = '\0';
    reply("target %s", text);
    table->FreeContextBuffer(named.sTargetName);
}

static void context_export(void)
{
    SecBuffer packed = {0, 0, NULL};
    SECURITY_STATUS status = table->ExportSecurityContext(&context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL);
    if (status != SEC_E_OK) {
        fail(status, "ExportSecurityContext");
        return;
    }
    has_context = false;
    reply_bytes("exported", packed.pvBuffer, packed.cbBuffer);
    table->FreeContextBuffer(packed.pvBuffer);
}

static void context_import(const char *hex, const char *which)
{
    struct bytes record = bytes_read(hex);
    if (which != NULL)
        snprintf(package, sizeof package, "%s", which);
    is_sized = strcmp(package, "NTLM") != 0;
    SecBuffer packed = {(ULONG)record.len, SECBUFFER_TOKEN, record.data};
    SECURITY_STATUS status = table->ImportSecurityContextA(package, &packed, NULL, &context);
    free(record.data);
    has_context = status == SEC_E_OK;
    if (has_context)
        reply("ok");
    else
        fail(status, "ImportSecurityContext");
}

/* From here on the SASL functions walk the handshakes. */
static void sasl_begin(void)
{
    static SecurityFunctionTableA with_sasl;
    with_sasl = *table;
    with_sasl.InitializeSecurityContextA = SaslInitializeSecurityContextA;
    with_sasl.AcceptSecurityContext = SaslAcceptSecurityContext;
    table = &with_sasl;
    reply("ok");
}

/* option NUMBER gets, option NUMBER HEX sets. */
static void sasl_option(const struct line *line)
{
    ULONG option = (ULONG)strtoul(line_word(line, 1), NULL, 10), needed = 0;
    unsigned char value[2048];
    SECURITY_STATUS status;
    if (line->n_words == 2) {
        status = SaslGetContextOption(&context, option, value, sizeof value, &needed);
        if (status == SEC_E_OK)
            reply_bytes("option", value, needed);
    } else {
        struct bytes given = bytes_read(line_word(line, 2));
        status = SaslSetContextOption(&context, option, given.data, (ULONG)given.len);
        free(given.data);
        if (status == SEC_E_OK)
            reply("ok");
    }
    if (status != SEC_E_OK)
        fail(status, "SASL option");
}

/* What Negotiate chose, and how far it is. */
static void chosen_show(void)
{
    SecPkgContext_NegotiationInfoA info;
    SECURITY_STATUS status = table->QueryContextAttributesA(&context, SECPKG_ATTR_NEGOTIATION_INFO, &info);
    if (status == SEC_E_OK) {
        reply("chosen %s %u", info.PackageInfo->Name, (unsigned)info.NegotiationState);
        table->FreeContextBuffer(info.PackageInfo);
    } else
        fail(status, "QueryContextAttributes");
}

static char said[65536]; /* a token in one line */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list arguments;
    size_t at = strlen(said);
    va_start(arguments, format);
    vsnprintf(said + at, sizeof said - at, format, arguments);
    va_end(arguments);
}

static bool say_sid(const char *word, PSID sid)
{
    LPSTR text;
    if (!ConvertSidToStringSidA(sid, &text))
        return false;
    say("%s%s", word, text);
    return LocalFree(text) == NULL;
}

/* "level=2 source=NTLM user=SID primary=SID unix=UID:GID groups=SID,SID" */
static bool say_token(HANDLE token)
{
    static _Alignas(8) BYTE room[65536];
    const TOKEN_STATISTICS *statistics = (void *)room;
    const TOKEN_SOURCE *source = (void *)room;
    const TOKEN_USER *user = (void *)room;
    const TOKEN_PRIMARY_GROUP *primary = (void *)room;
    const OPENSSPI_TOKEN_UNIX_IDS *ids = (void *)room;
    const TOKEN_GROUPS *groups = (void *)room;
    DWORD len;
    said[0] = '\0';
    if (!GetTokenInformation(token, TokenStatistics, room, sizeof room, &len))
        return false;
    say("level=%d", (int)statistics->ImpersonationLevel);
    if (!GetTokenInformation(token, TokenSource, room, sizeof room, &len))
        return false;
    say(" source=%.8s", source->SourceName);
    if (!GetTokenInformation(token, TokenUser, room, sizeof room, &len) || !say_sid(" user=", user->User.Sid))
        return false;
    if (!GetTokenInformation(token, TokenPrimaryGroup, room, sizeof room, &len) ||
        !say_sid(" primary=", primary->PrimaryGroup))
        return false;
    if (!GetTokenInformation(token, OPENSSPI_TOKEN_UNIX, room, sizeof room, &len))
        return false;
    if (ids->Mapped)
        say(" unix=%u:%u", (unsigned)ids->User, (unsigned)ids->Group);
    else
        say(" unix=-");
    if (!GetTokenInformation(token, TokenGroups, room, sizeof room, &len))
        return false;
    for (DWORD i = 0; i < groups->GroupCount; i++)
        if (!say_sid(i == 0 ? " groups=" : ",", groups->Groups[i].Sid))
            return false;
    return true;
}

static void token_say(HANDLE token)
{
    bool good = say_token(token);
    if (CloseHandle(token) && good)
        reply("who %s", said);
    else
        fail((SECURITY_STATUS)GetLastError(), "GetTokenInformation");
}

static void who(void)
{
    HANDLE token;
    SECURITY_STATUS status = table->QuerySecurityContextToken(&context, &token);
    if (status == SEC_E_OK)
        token_say(token);
    else
        fail(status, "QuerySecurityContextToken");
}

static void logon(const struct line *line)
{
    HANDLE token;
    if (LogonUserA(line_word(line, 1), line_word(line, 2), line_word(line, 3), LOGON32_LOGON_NETWORK,
                   LOGON32_PROVIDER_DEFAULT, &token))
        token_say(token);
    else
        fail((SECURITY_STATUS)GetLastError(), "LogonUser");
}

/* Domain, user, old and new password. */
static void password_change(const struct line *line)
{
    SecBufferDesc none = {SECBUFFER_VERSION, 0, NULL};
    char *words[5];
    for (int i = 1; i < 5; i++)
        words[i] = (char *)(uintptr_t)line_word(line, i);
    SECURITY_STATUS status = table->ChangeAccountPasswordA((char *)(uintptr_t) "NTLM", words[1], words[2], words[3],
                                                           words[4], FALSE, 0, &none);
    if (status == SEC_E_OK)
        reply("ok");
    else
        fail(status, "ChangeAccountPassword");
}

/* Can the client's rights open this file? */
static void client_reads(const char *path)
{
    SECURITY_STATUS status = table->ImpersonateSecurityContext(&context);
    if (status != SEC_E_OK) {
        fail(status, "ImpersonateSecurityContext");
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0;
    if (read)
        close(fd);
    unsigned uid = (unsigned)geteuid();
    char name[256] = "-";
    ULONG n = sizeof name;
    if (!GetUserNameExA(NameUserPrincipal, name, &n))
        snprintf(name, sizeof name, "-");
    status = table->RevertSecurityContext(&context);
    if (status == SEC_E_OK)
        reply("%s %u %s", read ? "yes" : "no", uid, name);
    else
        fail(status, "RevertSecurityContext");
}

static bool own_command(const struct line *line)
{
    if (line_is(line, "key"))
        key_show();
    else if (line_is(line, "names"))
        names_show();
    else if (line_is(line, "chosen"))
        chosen_show();
    else if (line_is(line, "target"))
        target_show();
    else if (line_is(line, "who"))
        who();
    else if (line_is(line, "logon") && line->n_words == 4)
        logon(line);
    else if (line_is(line, "passwd") && line->n_words == 5)
        password_change(line);
    else if (line_is(line, "reads") && line->n_words == 2)
        client_reads(line_word(line, 1));
    else if (line_is(line, "export"))
        context_export();
    else if (line_is(line, "import"))
        context_import(line_word(line, 1), line_value(line, "package"));
    else if (line_is(line, "sasl"))
        sasl_begin();
    else if (line_is(line, "option") && line->n_words >= 2)
        sasl_option(line);
    else if (line_is(line, "env") && line->n_words == 3)
        reply(setenv(line_word(line, 1), line_word(line, 2), 1) == 0 ? "ok" : "error 0 setenv");
    else
        return false;
    return true;
}

int main(void)
{
    table = InitSecurityInterfaceA();
    command_more = own_command;
    cause = OpenSspiLastErrorText;
    return table != NULL ? commands_run() : 1;
}
