/*
 * Our side of the interop tests, through the public interface alone.
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <stdint.h>

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
