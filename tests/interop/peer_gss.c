/*
 * GSSAPI's mechanisms in the interop tests. gss-ntlmssp: a client's password and a server's accounts come from
 * NTLM_USER_FILE; the locale must be a UTF-8 one for names beyond ASCII. MIT's Kerberos (package=Kerberos): ticket
 * cache and keytab come from the environment. MIT's SPNEGO (package=Negotiate) over both, in the order of mechs=.
 * build: peer krb5-gssapi
 */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <locale.h>
#include <stdint.h>

#include "peer_line.h"

/* Flags and an option that gss-ntlmssp defines beside GSSAPI's. */
#define IDENTIFY_FLAG 0x2000
#define DATAGRAM_FLAG 0x10000

static gss_OID_desc ntlm = {10, (void *)(uintptr_t) "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_desc set_seq_num = {11, (void *)(uintptr_t) "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x01"};
static gss_OID_desc krb5 = {9, (void *)(uintptr_t) "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego = {6, (void *)(uintptr_t) "\x2b\x06\x01\x05\x05\x02"};
static gss_OID mechanism = &ntlm;
static gss_OID_set_desc mechanism_only = {1, &ntlm};

static gss_cred_id_t credential = GSS_C_NO_CREDENTIAL, delegated = GSS_C_NO_CREDENTIAL;
static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static gss_name_t target = GSS_C_NO_NAME, peer_name = GSS_C_NO_NAME;
static bool is_server;
static OM_uint32 asked, granted;
static struct gss_channel_bindings_struct bindings;
static gss_channel_bindings_t bindings_given = GSS_C_NO_CHANNEL_BINDINGS;

static void fail(OM_uint32 major, OM_uint32 minor, const char *what)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored, more = 0;
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, mechanism, &more, &text);
    reply("error 0x%08x %s: %.*s", (unsigned)major, what, (int)text.length, (char *)text.value);
    gss_release_buffer(&ignored, &text);
}

static OM_uint32 flags_of(const struct line *line)
{
    static const struct {
        const char *word;
        OM_uint32 flag;
    } known[] = {
        {"integrity", GSS_C_INTEG_FLAG}, {"confidentiality", GSS_C_CONF_FLAG},
        {"replay", GSS_C_REPLAY_FLAG},   {"sequence", GSS_C_SEQUENCE_FLAG},
        {"identify", IDENTIFY_FLAG},     {"datagram", DATAGRAM_FLAG},
        {"mutual", GSS_C_MUTUAL_FLAG},   {"dce", GSS_C_DCE_STYLE},
        {"deleg", GSS_C_DELEG_FLAG},
    };
    OM_uint32 flags = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (line_flag(line, known[i].word))
            flags |= known[i].flag;
    return flags;
}

static OM_uint32 name_import(const char *text, gss_OID type, gss_name_t *name)
{
    OM_uint32 minor;
    gss_buffer_desc buffer = {strlen(text), (void *)(uintptr_t)text};
    return gss_import_name(&minor, &buffer, type, name);
}

/* What SPNEGO may offer or accept, most preferred first. */
static OM_uint32 mechs_set(const char *words, OM_uint32 *minor)
{
    gss_OID_desc oids[2];
    gss_OID_set_desc set = {0, oids};
    while (words != NULL && *words != '\0' && set.count < 2) {
        size_t len = strcspn(words, ",");
        oids[set.count++] = len == 4 && memcmp(words, "krb5", 4) == 0 ? krb5 : ntlm;
        words += len + (words[len] == ',');
    }
    return set.count > 0 ? gss_set_neg_mechs(minor, credential, &set) : GSS_S_COMPLETE;
}

static OM_uint32 credential_acquire(const struct line *line, OM_uint32 *minor)
{
    if (is_server || line_value(line, "user") == NULL)
        return gss_acquire_cred(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanism_only,
                                is_server ? GSS_C_ACCEPT : GSS_C_INITIATE, &credential, NULL, NULL);
    char text[256];
    gss_name_t user = GSS_C_NO_NAME;
    snprintf(text, sizeof text, "%s\\%s", line_value(line, "domain"), line_value(line, "user"));
    OM_uint32 major = name_import(text, GSS_C_NT_USER_NAME, &user), ignored;
    if (!GSS_ERROR(major))
        major =
            gss_acquire_cred(minor, user, GSS_C_INDEFINITE, &mechanism_only, GSS_C_INITIATE, &credential, NULL, NULL);
    gss_release_name(&ignored, &user);
    return major;
}

static void step(struct bytes token)
{
    OM_uint32 major, minor;
    gss_buffer_desc in = {token.len, token.data}, out = GSS_C_EMPTY_BUFFER;
    if (is_server)
        major = gss_accept_sec_context(&minor, &context, credential, &in, bindings_given, &peer_name, NULL, &out,
                                       &granted, NULL, &delegated);
    else
        major = gss_init_sec_context(&minor, credential, &context, target, mechanism, asked, 0, bindings_given,
                                     token.len > 0 ? &in : GSS_C_NO_BUFFER, NULL, &out, &granted, NULL);
    if (GSS_ERROR(major))
        fail(major, minor, is_server ? "gss_accept_sec_context" : "gss_init_sec_context");
    else
        reply_bytes((major & GSS_S_CONTINUE_NEEDED) != 0 ? "token" : "done", out.value, out.length);
    gss_release_buffer(&minor, &out);
}

static void start(const struct line *line)
{
    OM_uint32 minor = 0;
    is_server = line_is(line, "server");
    asked = flags_of(line);
    const char *name = line_value(line, "target");
    const char *application_data = line_value(line, "bindings");
    const char *package = line_value(line, "package");
    if (package != NULL)
        mechanism = mechanism_only.elements = strcmp(package, "Negotiate") == 0 ? &spnego : &krb5;
    if (name != NULL && !is_server)
        name_import(name, GSS_C_NT_HOSTBASED_SERVICE, &target);
    if (application_data != NULL) {
        struct bytes data = bytes_read(application_data);
        bindings.application_data.length = data.len;
        bindings.application_data.value = data.data;
        bindings_given = &bindings;
    }
    OM_uint32 major = credential_acquire(line, &minor);
    if (!GSS_ERROR(major))
        major = mechs_set(line_value(line, "mechs"), &minor);
    if (GSS_ERROR(major))
        fail(major, minor, "gss_acquire_cred");
    else if (is_server)
        reply("ok");
    else
        step((struct bytes){NULL, 0});
}

static void message_sign(struct bytes text)
{
    OM_uint32 minor, ignored;
    gss_buffer_desc plain = {text.len, text.data}, mic = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &plain, &mic);
    if (GSS_ERROR(major))
        fail(major, minor, "gss_get_mic");
    else
        reply_bytes("mic", mic.value, mic.length);
    gss_release_buffer(&ignored, &mic);
}

static void message_verify(struct bytes text, struct bytes signature)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {text.len, text.data}, mic = {signature.len, signature.data};
    OM_uint32 major = gss_verify_mic(&minor, context, &plain, &mic, NULL);
    if (major != GSS_S_COMPLETE)
        fail(major, minor, "gss_verify_mic");
    else
        reply("ok");
    free(signature.data);
}

static void message_seal(struct bytes text)
{
    OM_uint32 minor, ignored;
    gss_buffer_desc plain = {text.len, text.data}, sealed = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &plain, NULL, &sealed);
    if (GSS_ERROR(major))
        fail(major, minor, "gss_wrap");
    else
        reply_bytes("sealed", sealed.value, sealed.length);
    gss_release_buffer(&ignored, &sealed);
}

static void message_unseal(struct bytes all)
{
    OM_uint32 minor, ignored;
    gss_buffer_desc sealed = {all.len, all.data}, plain = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_unwrap(&minor, context, &sealed, &plain, NULL, NULL);
    if (major != GSS_S_COMPLETE)
        fail(major, minor, "gss_unwrap");
    else
        reply_bytes("plain", plain.value, plain.length);
    gss_release_buffer(&ignored, &plain);
}

#define PARTS 4 /* head, text, tail, token */

static void dce_message(const struct line *line)
{
    OM_uint32 minor, ignored;
    bool seals = line_is(line, "dseal");
    struct bytes part[PARTS];
    gss_iov_buffer_desc iov[PARTS] = {{GSS_IOV_BUFFER_TYPE_SIGN_ONLY, GSS_C_EMPTY_BUFFER},
                                      {GSS_IOV_BUFFER_TYPE_DATA, GSS_C_EMPTY_BUFFER},
                                      {GSS_IOV_BUFFER_TYPE_SIGN_ONLY, GSS_C_EMPTY_BUFFER},
                                      {GSS_IOV_BUFFER_TYPE_HEADER, GSS_C_EMPTY_BUFFER}};
    for (int i = 0; i < PARTS; i++) {
        part[i] = bytes_read(line_word(line, i + 1));
        iov[i].buffer = (gss_buffer_desc){part[i].len, part[i].data};
    }
    if (seals)
        iov[3] = (gss_iov_buffer_desc){GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, GSS_C_EMPTY_BUFFER};
    OM_uint32 major = seals ? gss_wrap_iov(&minor, context, 1, GSS_C_QOP_DEFAULT, NULL, iov, PARTS)
                            : gss_unwrap_iov(&minor, context, NULL, NULL, iov, PARTS);
    if (major != GSS_S_COMPLETE)
        fail(major, minor, seals ? "gss_wrap_iov" : "gss_unwrap_iov");
    else if (seals)
        reply_two("dsealed", iov[3].buffer.value, iov[3].buffer.length, part[1].data, part[1].len);
    else
        reply_bytes("plain", iov[1].buffer.value, iov[1].buffer.length);
    gss_release_iov_buffer(&ignored, iov, PARTS);
    for (int i = 0; i < PARTS; i++)
        free(part[i].data);
}

static void key_show(void)
{
    OM_uint32 minor, ignored;
    gss_buffer_set_t found = GSS_C_NO_BUFFER_SET;
    OM_uint32 major = gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &found);
    if (GSS_ERROR(major) || found == NULL || found->count < 1)
        fail(major, minor, "gss_inquire_sec_context_by_oid");
    else
        reply_bytes("key", found->elements[0].value, found->elements[0].length);
    gss_release_buffer_set(&ignored, &found);
}

static void step_again(void)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_name(&minor, &peer_name);
    if (is_server)
        reply("ok");
    else
        step((struct bytes){NULL, 0});
}

static void names_show(void)
{
    OM_uint32 minor;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_display_name(&minor, peer_name, &text, NULL);
    if (GSS_ERROR(major))
        fail(major, minor, "gss_display_name");
    else
        reply("names %.*s", (int)text.length, (char *)text.value);
    gss_release_buffer(&minor, &text);
}

/* Whose tickets the client has forwarded; asked of the KDC, they give one for the service that is named. */
static void delegated_show(const char *service)
{
    OM_uint32 minor, ignored;
    gss_name_t owner = GSS_C_NO_NAME, next = GSS_C_NO_NAME;
    gss_ctx_id_t second = GSS_C_NO_CONTEXT;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER, out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_inquire_cred(&minor, delegated, &owner, NULL, NULL, NULL);
    if (delegated == GSS_C_NO_CREDENTIAL)
        major = GSS_S_NO_CRED;
    if (!GSS_ERROR(major))
        major = gss_display_name(&minor, owner, &text, NULL);
    if (!GSS_ERROR(major))
        major = name_import(service, GSS_C_NT_HOSTBASED_SERVICE, &next);
    if (!GSS_ERROR(major))
        major = gss_init_sec_context(&minor, delegated, &second, next, mechanism, 0, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                     GSS_C_NO_BUFFER, NULL, &out, NULL, NULL);
    if (GSS_ERROR(major))
        fail(major, minor, "the delegated credential");
    else
        reply("delegated %.*s", (int)text.length, (char *)text.value);
    gss_delete_sec_context(&ignored, &second, GSS_C_NO_BUFFER);
    gss_release_buffer(&ignored, &text);
    gss_release_buffer(&ignored, &out);
    gss_release_name(&ignored, &owner);
    gss_release_name(&ignored, &next);
}

static void chosen_show(void)
{
    OM_uint32 minor;
    gss_OID chosen = GSS_C_NO_OID;
    OM_uint32 major = gss_inquire_context(&minor, context, NULL, NULL, NULL, &chosen, NULL, NULL, NULL);
    if (GSS_ERROR(major) || chosen == GSS_C_NO_OID)
        fail(major, minor, "gss_inquire_context");
    else
        reply("chosen %s", chosen->length == ntlm.length && memcmp(chosen->elements, ntlm.elements, ntlm.length) == 0
                               ? "NTLM"
                               : "Kerberos");
}

static void sequence_set(const char *text)
{
    OM_uint32 minor = 0;
    uint32_t number = text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 0;
    gss_buffer_desc value = {sizeof number, &number};
    OM_uint32 major = gss_set_sec_context_option(&minor, &context, &set_seq_num, &value);
    if (GSS_ERROR(major))
        fail(major, minor, "gss_set_sec_context_option");
    else
        reply("ok");
}

static void command(const struct line *line)
{
    static const char *const of_bytes[] = {"token", "sign", "verify", "seal", "unseal"};
    bool takes_bytes = false;
    for (size_t i = 0; i < sizeof of_bytes / sizeof of_bytes[0]; i++)
        takes_bytes = takes_bytes || line_is(line, of_bytes[i]);
    struct bytes text = bytes_read(takes_bytes ? line_word(line, 1) : NULL);
    if (line_is(line, "client") || line_is(line, "server"))
        start(line);
    else if (line_is(line, "token"))
        step(text);
    else if (line_is(line, "sign"))
        message_sign(text);
    else if (line_is(line, "verify"))
        message_verify(text, bytes_read(line_word(line, 2)));
    else if (line_is(line, "seal"))
        message_seal(text);
    else if (line_is(line, "unseal"))
        message_unseal(text);
    else if (line_is(line, "delegated"))
        delegated_show(line_word(line, 1));
    else if (line_is(line, "seq"))
        sequence_set(line_word(line, 1));
    else if (line_is(line, "dseal") || line_is(line, "dunseal"))
        dce_message(line);
    else if (line_is(line, "again"))
        step_again();
    else if (line_is(line, "key"))
        key_show();
    else if (line_is(line, "names"))
        names_show();
    else if (line_is(line, "chosen"))
        chosen_show();
    else if (line_is(line, "attributes"))
        reply("attributes 0x%08x", (unsigned)granted);
    else
        reply("error 0 unknown command");
    free(text.data);
}

int main(void)
{
    struct line line;
    OM_uint32 minor;
    setlocale(LC_ALL, "");
    alarm(1200); /* a helper never outlives its test */
    while (line_read(&line))
        command(&line);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential);
    gss_release_cred(&minor, &delegated);
    gss_release_name(&minor, &target);
    gss_release_name(&minor, &peer_name);
    free(bindings.application_data.value);
    return 0;
}
