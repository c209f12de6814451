/*
 * What a client gets for its AP-REQ: AP-REP, with changes before and after it is encrypted, KRB-ERROR with changes, or anything. Only the honest one
 * ends well.
 */
#include "fuzz/world.h"
#include "kerberos/krb.h"
#include "support/kerberos_forge.h"
#include "support/kerberos_loop.h"

#include <string.h>

#define CHANGE_PART 0x01
#define CHANGE_TOKEN 0x02
#define AN_ERROR 0x04
#define WHOLE_TOKEN 0x08
#define DCE 0x10
#define ROOM 4096

static CredHandle credential;
static struct forge forge;
static krb5_context krb;

static void start(void)
{
    if (credential.dwLower != 0)
        return;
    kerberos_loop_configure(NULL, NULL, NULL);
    atexit(kerberos_loop_cleanup);
    forge_begin(&forge, KRB_AES256_SHA1);
    kerberos_loop_ticket(&forge);
    MUST(krb5_init_context(&krb) == 0);
    MUST(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t) "Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                   &credential, NULL) == SEC_E_OK);
}

static struct slice changed(struct reader *input, bool wanted, const struct writer *writer, uint8_t room[ROOM])
{
    MUST(writer->len <= ROOM);
    memcpy(room, writer->data, writer->len);
    size_t len = writer->len;
    if (wanted) {
        struct reader own = reader_of(world_bytes(input, world_u8(input)));
        len = world_mutate(&own, room, len, ROOM);
    }
    return slice_of(room, len);
}

/* Time and microseconds of the request, which the reply repeats. */
static void request_read(struct slice token, struct krb_authenticator *authenticator)
{
    enum krb_token id;
    struct slice message, plain;
    enum krb_framing framing;
    struct krb_ap_req request;
    AUTO_SECRET struct secret buffer = {0};
    MUST(krb_token_parse(token, &id, &message, &framing) == WIRE_OK && id == TOKEN_AP_REQ);
    MUST(krb_ap_req_parse(message, &request) == WIRE_OK);
    MUST(krb_decrypt(&forge.session, KRB_USAGE_AP_REQ, request.authenticator.cipher, &buffer, &plain));
    MUST(krb_authenticator_parse(plain, authenticator) == WIRE_OK);
}

static void reply_make(struct reader *input, uint8_t mode, const struct krb_authenticator *authenticator,
                       struct writer *token)
{
    static uint8_t room[ROOM];
    AUTO_WRITER struct writer plain = writer_growing(128), cipher = writer_growing(256), message = writer_growing(256);
    const struct krb_ap_rep_part part = {.time = authenticator->time,
                                         .microseconds = authenticator->microseconds,
                                         .subkey = forge_key(KRB_AES256_SHA1, 4),
                                         .has_seq = true,
                                         .seq = 77};
    krb_ap_rep_part_write(&plain, &part);
    forge_encrypt(&cipher, &forge.session, KRB_USAGE_AP_REP, changed(input, (mode & CHANGE_PART) != 0, &plain, room));
    const struct krb_encrypted encrypted = {.enctype = KRB_AES256_SHA1, .cipher = writer_slice_of(&cipher)};
    krb_ap_rep_write(&message, &encrypted);
    if ((mode & DCE) != 0)
        writer_slice(token, writer_slice_of(&message));
    else
        krb_token_write(token, KRB_FRAMED, TOKEN_AP_REP, writer_slice_of(&message));
}

static void error_make(struct reader *input, struct writer *token)
{
    krb5_error error = {.error = world_u8(input), .stime = 1800000000};
    krb5_data encoded;
    MUST(krb5_build_principal(krb, &error.server, sizeof FORGE_REALM - 1, FORGE_REALM, "host", "server", NULL) == 0);
    MUST(krb5_mk_error(krb, &error, &encoded) == 0);
    krb_token_write(token, KRB_FRAMED, TOKEN_ERROR, krb_slice(&encoded));
    krb5_free_data_contents(krb, &encoded);
    krb5_free_principal(krb, error.server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[ROOM], request[WORLD_TOKEN_MAX], out[WORLD_TOKEN_MAX];
    struct reader input = reader_of(slice_of(data, size));
    struct krb_authenticator authenticator = {0};
    CtxtHandle context = {0};
    ULONG len;
    AUTO_WRITER struct writer token = writer_growing(512);
    start();
    world_reset();
    uint8_t mode = world_u8(&input);
    ULONG flags = ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ((mode & DCE) != 0 ? ISC_REQ_USE_DCE_STYLE : 0);
    MUST(world_initiate(&credential, &context, flags, slice_of(NULL, 0), request, &len) == SEC_I_CONTINUE_NEEDED);
    request_read(slice_of(request, len), &authenticator);
    if ((mode & WHOLE_TOKEN) != 0)
        writer_slice(&token, world_bytes(&input, reader_left(&input)));
    else if ((mode & AN_ERROR) != 0)
        error_make(&input, &token);
    else
        reply_make(&input, mode, &authenticator, &token);
    bool honest = (mode & (WHOLE_TOKEN | AN_ERROR | CHANGE_PART | CHANGE_TOKEN)) == 0;
    struct slice given = token.len > 0 ? changed(&input, (mode & CHANGE_TOKEN) != 0, &token, room) : slice_of(NULL, 0);
    SECURITY_STATUS status = world_initiate(&credential, &context, flags, given, out, &len);
    MUST(status == SEC_E_OK || status < 0); /* whatever an error says, it is not success, and nothing more is due */
    MUST(!honest || status == SEC_E_OK);
    MUST(status < 0 || (mode & (WHOLE_TOKEN | AN_ERROR)) == 0); /* without the key nobody ends it well */
    if (status == SEC_E_OK)
        world_query(&context);
    MUST(DeleteSecurityContext(&context) == SEC_E_OK);
    return 0;
}
