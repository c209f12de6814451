/*
 * Per-message tokens exchanged with MIT's GSSAPI in one process: MIT makes both ends of a context, and beside each stands a session of ours with the
 * same key and the same numbers. Whatever one end of either kind sends, the other end of the other kind opens.
 *
 * krb_messages SERVICE [dce]: SERVICE is a principal whose key the default keytab has; the default cache has a ticket. Prints what was done.
 *
 * build: internal krb5-gssapi
 */
#include "core/session.h"
#include "crypto/random.h"
#include "kerberos/session.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX ((size_t)1 << 20)
#define EXTRA 256

/* MIT's gss_unwrap loses one byte for each empty message. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgssapi_krb5";
}

static unsigned n_checks;

#define MUST(condition)                                                                   \
    do {                                                                                  \
        n_checks++;                                                                       \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #condition); \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

static void gss_check(const char *what, OM_uint32 major, OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;
    n_checks++;
    if (!GSS_ERROR(major) && (major & ~(OM_uint32)GSS_S_CONTINUE_NEEDED) == 0)
        return;
    gss_display_status(&ignored, major, GSS_C_GSS_CODE, GSS_C_NO_OID, &more, &text);
    fprintf(stderr, "%s: %08x %.*s", what, major, (int)text.length, (char *)text.value);
    more = 0;
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
    fprintf(stderr, ": %.*s\n", (int)text.length, (char *)text.value);
    exit(1);
}

/* The call first, then the code that it left in `minor`. */
#define gss_must(what, call, minor)        \
    do {                                   \
        OM_uint32 gss_major = (call);      \
        gss_check(what, gss_major, minor); \
    } while (0)

/* One end: MIT's context and our session of the same side. */
struct end {
    gss_ctx_id_t gss;
    void *session;
    int32_t enctype;
    bool dce;
};

static const gss_OID_desc krb5_mechanism = {9, (char *)(uintptr_t) "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

static void handshake(const char *service, bool dce, gss_ctx_id_t *initiator, gss_ctx_id_t *acceptor)
{
    OM_uint32 minor, major_i = GSS_S_CONTINUE_NEEDED, major_a = GSS_S_CONTINUE_NEEDED, flags = GSS_C_MUTUAL_FLAG;
    gss_buffer_desc name_text = {strlen(service), (char *)(uintptr_t)service}, to = {0, NULL}, back = {0, NULL};
    gss_name_t name;
    flags |= GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG | (dce ? GSS_C_DCE_STYLE : 0);
    gss_must("import_name", gss_import_name(&minor, &name_text, (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, &name),
             minor);
    *initiator = *acceptor = GSS_C_NO_CONTEXT;
    while (major_i == GSS_S_CONTINUE_NEEDED || major_a == GSS_S_CONTINUE_NEEDED) {
        major_i =
            gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, initiator, name, (gss_OID)(uintptr_t)&krb5_mechanism,
                                 flags, 0, GSS_C_NO_CHANNEL_BINDINGS, &back, NULL, &to, NULL, NULL);
        gss_must("init_sec_context", major_i, minor);
        gss_release_buffer(&minor, &back);
        if (to.length == 0)
            continue;
        major_a = gss_accept_sec_context(&minor, acceptor, GSS_C_NO_CREDENTIAL, &to, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                         NULL, &back, NULL, NULL, NULL);
        gss_must("accept_sec_context", major_a, minor);
        gss_release_buffer(&minor, &to);
    }
    gss_release_name(&minor, &name);
}

static void seed_key(struct kerberos_session_seed *seed, const gss_krb5_lucid_key_t *key)
{
    MUST(key->length <= sizeof seed->key);
    seed->enctype = (int32_t)key->type;
    seed->key_len = key->length;
    memcpy(seed->key, key->data, key->length);
}

/* Exported and imported twice: one copy tells key and numbers and dies of it, the other lives on. */
static void end_open(struct end *end, bool dce, bool initiator)
{
    OM_uint32 minor;
    gss_buffer_desc exported;
    gss_ctx_id_t copy;
    gss_krb5_lucid_context_v1_t *lucid;
    struct kerberos_session_seed seed = {.dce_style = dce};
    uint8_t own[256];
    struct writer writer = writer_fixed(own, sizeof own);
    gss_must("export", gss_export_sec_context(&minor, &end->gss, &exported), minor);
    gss_must("import", gss_import_sec_context(&minor, &exported, &end->gss), minor);
    gss_must("import", gss_import_sec_context(&minor, &exported, &copy), minor);
    gss_release_buffer(&minor, &exported);
    gss_must("lucid", gss_krb5_export_lucid_sec_context(&minor, &copy, 1, (void **)&lucid), minor);
    seed.send_seq = lucid->send_seq;
    seed.receive_seq = lucid->recv_seq;
    seed.acceptor_subkey = lucid->protocol == 1 && lucid->cfx_kd.have_acceptor_subkey != 0;
    seed_key(&seed, lucid->protocol == 0   ? &lucid->rfc1964_kd.ctx_key
                    : seed.acceptor_subkey ? &lucid->cfx_kd.acceptor_subkey
                                           : &lucid->cfx_kd.ctx_key);
    end->enctype = seed.enctype;
    end->dce = dce;
    gss_must("free lucid", gss_krb5_free_lucid_sec_context(&minor, lucid), minor);
    kerberos_session_seed_write(&writer, &seed);
    uint32_t flags = ISC_RET_MUTUAL_AUTH | ISC_RET_CONFIDENTIALITY | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT;
    flags |= initiator ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY;
    MUST(kerberos_session_table.open(writer_slice_of(&writer), flags, initiator, &end->session) == SEC_E_OK);
}

static uint8_t text[MESSAGE_MAX], wire[MESSAGE_MAX + EXTRA];

static size_t trailer_of(const struct end *end)
{
    struct attribute value;
    MUST(kerberos_session_table.query(end->session, SECPKG_ATTR_SIZES, &value) == SEC_E_OK);
    return value.sizes.trailer;
}

static struct message message_of(uint8_t *token, size_t token_len, uint8_t *data, size_t len)
{
    struct message message;
    message.token = (struct slice_mut){token, token_len};
    message.padding = message.stream = message.stream_data = (struct slice_mut){0};
    message.data[0] = (struct segment){.data = data, .len = len};
    message.n_data = 1;
    return message;
}

static void mic_to_ours(struct end *from, struct end *to, size_t len)
{
    OM_uint32 minor;
    uint32_t qop = 7;
    gss_buffer_desc plain = {len, text}, mic;
    gss_must("get_mic", gss_get_mic(&minor, from->gss, 0, &plain, &mic), minor);
    struct message message = message_of(mic.value, mic.length, text, len);
    MUST(kerberos_session_table.verify(to->session, &message, 0, &qop) == SEC_E_OK);
    MUST(kerberos_session_table.verify(to->session, &message, 0, &qop) == SEC_E_OUT_OF_SEQUENCE);
    MUST(qop == 7);
    gss_release_buffer(&minor, &mic);
}

static void mic_to_mit(struct end *from, struct end *to, size_t len)
{
    OM_uint32 minor;
    uint8_t token[EXTRA];
    struct message message = message_of(token, sizeof token, text, len);
    MUST(kerberos_session_table.sign(from->session, 0, &message, 0) == SEC_E_OK);
    gss_buffer_desc plain = {len, text}, mic = {message.token.len, token};
    gss_must("verify_mic", gss_verify_mic(&minor, to->gss, &plain, &mic, NULL), minor);
}

/* gss_wrap, opened as a STREAM and, from the lengths we report, as TOKEN and DATA, whatever its rotation. */
static void wrap_to_ours(struct end *from, struct end *to, size_t len, bool encrypt, bool stream)
{
    OM_uint32 minor;
    int state;
    uint32_t qop = 7;
    gss_buffer_desc plain = {len, text}, wrapped;
    gss_must("wrap", gss_wrap(&minor, from->gss, encrypt, 0, &plain, &state, &wrapped), minor);
    MUST((state != 0) == encrypt);
    size_t padding = to->enctype == 23 ? 1 : 0, token_len = wrapped.length - len - padding;
    uint8_t *bytes = wrapped.value;
    struct message message = message_of(bytes, token_len, bytes + token_len, len);
    message.padding = (struct slice_mut){bytes + token_len + len, padding};
    if (stream) {
        message = message_of(NULL, 0, NULL, 0);
        message.stream = (struct slice_mut){bytes, wrapped.length};
    }
    MUST(kerberos_session_table.unseal(to->session, &message, 0, &qop) == SEC_E_OK);
    MUST(qop == (encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT));
    struct slice_mut out = stream ? message.stream_data : (struct slice_mut){bytes + token_len, len};
    MUST(out.len == len && (len == 0 || memcmp(out.data, text, len) == 0));
    gss_release_buffer(&minor, &wrapped);
}

static void wrap_to_mit(struct end *from, struct end *to, size_t len, bool encrypt)
{
    OM_uint32 minor;
    int state;
    uint8_t token[EXTRA], padding[8];
    struct message message = message_of(token, trailer_of(from), wire + EXTRA / 2, len);
    memcpy(wire + EXTRA / 2, text, len);
    message.padding = (struct slice_mut){padding, sizeof padding};
    MUST(kerberos_session_table.seal(from->session, encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT, &message, 0) == SEC_E_OK);
    uint8_t *start = wire + EXTRA / 2 - message.token.len;
    memcpy(start, token, message.token.len);
    memcpy(wire + EXTRA / 2 + len, padding, message.padding.len);
    gss_buffer_desc wrapped = {message.token.len + len + message.padding.len, start}, plain;
    gss_must("unwrap", gss_unwrap(&minor, to->gss, &wrapped, &plain, &state, NULL), minor);
    MUST((state != 0) == encrypt && plain.length == len && (len == 0 || memcmp(plain.value, text, len) == 0));
    gss_release_buffer(&minor, &plain);
}

static gss_iov_buffer_desc iov_of(OM_uint32 type, void *data, size_t len)
{
    return (gss_iov_buffer_desc){.type = type, .buffer = {len, data}};
}

static const char head[] = "a header that is signed", foot[] = "and a trailer too";

/* DCE style as RPC uses it: everything in its place, header and trailer signed and not encrypted. */
static void iov_to_ours(struct end *from, struct end *to, size_t len, bool encrypt)
{
    OM_uint32 minor;
    int state;
    uint32_t qop = 7;
    memcpy(wire, text, len);
    gss_iov_buffer_desc iov[4] = {
        iov_of(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, (char *)(uintptr_t)head, sizeof head),
        iov_of(GSS_IOV_BUFFER_TYPE_DATA, wire, len),
        iov_of(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, (char *)(uintptr_t)foot, sizeof foot),
        iov_of(GSS_IOV_BUFFER_TYPE_HEADER | GSS_IOV_BUFFER_FLAG_ALLOCATE, NULL, 0),
    };
    gss_must("wrap_iov", gss_wrap_iov(&minor, from->gss, encrypt, 0, &state, iov, 4), minor);
    if (encrypt && len == 1)
        printf("dce header of MIT: %zu bytes, ec %u, rrc %u\n", iov[3].buffer.length,
               (unsigned)((uint8_t *)iov[3].buffer.value)[5], (unsigned)((uint8_t *)iov[3].buffer.value)[7]);
    struct message message =
        message_of(iov[3].buffer.value, iov[3].buffer.length, (uint8_t *)(uintptr_t)head, sizeof head);
    message.data[0].read_only = true;
    message.data[1] = (struct segment){.data = wire, .len = len};
    message.data[2] = (struct segment){.data = (uint8_t *)(uintptr_t)foot, .len = sizeof foot, .read_only = true};
    message.n_data = 3;
    MUST(!encrypt || iov[3].buffer.length == trailer_of(to));
    MUST(kerberos_session_table.unseal(to->session, &message, 0, &qop) == SEC_E_OK);
    MUST(qop == (encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT));
    MUST(len == 0 || memcmp(wire, text, len) == 0);
    gss_release_iov_buffer(&minor, iov, 4);
}

static void iov_to_mit(struct end *from, struct end *to, size_t len, bool encrypt)
{
    OM_uint32 minor;
    int state;
    uint8_t token[EXTRA];
    memcpy(wire, text, len);
    struct message message = message_of(token, trailer_of(from), (uint8_t *)(uintptr_t)head, sizeof head);
    message.data[0].read_only = true;
    message.data[1] = (struct segment){.data = wire, .len = len / 2};
    message.data[2] = (struct segment){.data = wire + len / 2, .len = len - len / 2};
    message.data[3] = (struct segment){.data = (uint8_t *)(uintptr_t)foot, .len = sizeof foot, .read_only = true};
    message.n_data = 4;
    MUST(kerberos_session_table.seal(from->session, encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT, &message, 0) == SEC_E_OK);
    gss_iov_buffer_desc iov[4] = {
        iov_of(GSS_IOV_BUFFER_TYPE_HEADER, token, message.token.len),
        iov_of(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, (char *)(uintptr_t)head, sizeof head),
        iov_of(GSS_IOV_BUFFER_TYPE_DATA, wire, len),
        iov_of(GSS_IOV_BUFFER_TYPE_SIGN_ONLY, (char *)(uintptr_t)foot, sizeof foot),
    };
    gss_must("unwrap_iov", gss_unwrap_iov(&minor, to->gss, &state, NULL, iov, 4), minor);
    MUST((state != 0) == encrypt && (len == 0 || memcmp(wire, text, len) == 0));
}

/* As many messages as go in one call, of all lengths, and every other one in parts: MIT opens them one by one, and what it sealed is opened together.
 * */
static void several(struct end *from, struct end *to)
{
    static const size_t lengths[MESSAGES_TOGETHER] = {0, 4096, 1, 64, 70000, 17, 1280, 1000};
    static uint8_t place[MESSAGES_TOGETHER][EXTRA + 70000 + EXTRA];
    OM_uint32 minor;
    struct message messages[MESSAGES_TOGETHER];
    struct session_message list[MESSAGES_TOGETHER];
    gss_buffer_desc wrapped[MESSAGES_TOGETHER], plain;
    for (unsigned i = 0; i < MESSAGES_TOGETHER; i++) {
        size_t len = lengths[i], first = i % 2 == 0 ? len : len / 3;
        memcpy(place[i] + EXTRA, text + i, len);
        messages[i] = message_of(place[i] + EXTRA - trailer_of(from), trailer_of(from), place[i] + EXTRA, first);
        messages[i].data[1] = (struct segment){.data = place[i] + EXTRA + first, .len = len - first};
        messages[i].n_data = 2;
        list[i] = (struct session_message){.state = from->session, .message = &messages[i]};
    }
    kerberos_session_table.seal_several(list, MESSAGES_TOGETHER);
    for (unsigned i = 0; i < MESSAGES_TOGETHER; i++) {
        MUST(list[i].status == SEC_E_OK && messages[i].token.len == trailer_of(from));
        gss_buffer_desc sealed = {trailer_of(from) + lengths[i], messages[i].token.data};
        gss_must("unwrap", gss_unwrap(&minor, to->gss, &sealed, &plain, NULL, NULL), minor);
        MUST(plain.length == lengths[i] && (plain.length == 0 || memcmp(plain.value, text + i, plain.length) == 0));
        gss_release_buffer(&minor, &plain);
    }
    for (unsigned i = 0; i < MESSAGES_TOGETHER; i++) {
        gss_buffer_desc clear = {lengths[i], text + i};
        gss_must("wrap", gss_wrap(&minor, from->gss, 1, 0, &clear, NULL, &wrapped[i]), minor);
        messages[i] = message_of(NULL, 0, NULL, 0);
        messages[i].n_data = 0;
        messages[i].stream = (struct slice_mut){wrapped[i].value, wrapped[i].length};
        list[i] = (struct session_message){.state = to->session, .message = &messages[i]};
    }
    kerberos_session_table.unseal_several(list, MESSAGES_TOGETHER);
    for (unsigned i = 0; i < MESSAGES_TOGETHER; i++) {
        struct slice_mut out = messages[i].stream_data;
        MUST(list[i].status == SEC_E_OK && list[i].qop == 0 && out.len == lengths[i]);
        MUST(out.len == 0 || memcmp(out.data, text + i, out.len) == 0);
        gss_release_buffer(&minor, &wrapped[i]);
    }
}

static void exchange(struct end *from, struct end *to)
{
    if (!from->dce && from->enctype != 23) /* RC4's messages are of other layouts, and go one by one as all others do */
        several(from, to);
    static const size_t lengths[] = {0, 1, 15, 16, 17, 31, 64, 127, 128, 4095, 65536, 70000, MESSAGE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        mic_to_ours(from, to, len);
        mic_to_mit(from, to, len);
        for (int encrypt = 0; encrypt < 2; encrypt++) {
            if (from->dce) {
                iov_to_ours(from, to, len, encrypt != 0);
                iov_to_mit(from, to, len, encrypt != 0);
                continue;
            }
            wrap_to_ours(from, to, len, encrypt != 0, true);
            wrap_to_ours(from, to, len, encrypt != 0, false);
            wrap_to_mit(from, to, len, encrypt != 0);
        }
    }
}

int main(int argc, char **argv)
{
    OM_uint32 minor;
    struct end initiator = {0}, acceptor = {0};
    bool dce = argc > 2 && strcmp(argv[2], "dce") == 0;
    MUST(argc > 1 && random_bytes(text, sizeof text));
    handshake(argv[1], dce, &initiator.gss, &acceptor.gss);
    end_open(&initiator, dce, true);
    end_open(&acceptor, dce, false);
    exchange(&initiator, &acceptor);
    exchange(&acceptor, &initiator);
    printf("enctype %d%s: %u checks\n", initiator.enctype, dce ? " dce" : "", n_checks);
    kerberos_session_table.close(initiator.session);
    kerberos_session_table.close(acceptor.session);
    gss_delete_sec_context(&minor, &initiator.gss, NULL);
    gss_delete_sec_context(&minor, &acceptor.gss, NULL);
    return 0;
}
