/*
 * The whole acceptor. An input is a list of changes (world_mutate): to what is encrypted in the ticket, to the authenticator, to the PAC before it is
 * signed, and to the token at last; changes that the key protects are made before it does, so that the fuzzer gets behind it. Or a token as it
 * stands.
 */
#include "fuzz/world.h"
#include "support/kerberos_forge.h"
#include "support/kerberos_loop.h"
#include "unit/kerberos/pac_builder.h"

#include <string.h>

#define CHANGE_TICKET 0x01
#define CHANGE_AUTHENTICATOR 0x02
#define CHANGE_LOGON_INFO 0x04
#define CHANGE_PAC 0x08
#define CHANGE_TOKEN 0x10
#define WITH_PAC 0x20
#define WHOLE_TOKEN 0x40
#define RAW 0x80

#define ROOM 4096

static CredHandle credential;

static void start(void)
{
    if (credential.dwLower != 0)
        return;
    kerberos_loop_configure(NULL, NULL, NULL);
    atexit(kerberos_loop_cleanup);
    MUST(AcquireCredentialsHandleA(NULL, (char *)(uintptr_t) "Kerberos", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                   &credential, NULL) == SEC_E_OK);
}

/* Applies changes to what a writer holds. */
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

static void pac_make(struct reader *input, uint8_t mode, struct forge *forge, struct writer *list)
{
    static uint8_t room[ROOM], pac_room[ROOM];
    static const struct logon_recipe recipe = {.user_id = 1105,
                                               .primary_group_id = 513,
                                               .user_flags = 0x220,
                                               .n_groups = 2,
                                               .n_extra_sids = 1,
                                               .n_resource_groups = 1,
                                               .attributes = 7,
                                               .step = 1};
    AUTO_WRITER struct writer info = writer_growing(512), pac = writer_growing(1024), element = writer_growing(1024);
    logon_info_write(&info, &recipe);
    const struct pac_part part = {1, changed(input, (mode & CHANGE_LOGON_INFO) != 0, &info, room)};
    forge_pac(&pac, forge, &part, 1);
    forge_authdata(&element, KRB_AD_WIN2K_PAC, changed(input, (mode & CHANGE_PAC) != 0, &pac, pac_room));
    forge_if_relevant(list, writer_slice_of(&element));
    forge->authorization = writer_slice_of(list);
}

static void token_make(struct reader *input, uint8_t mode, struct writer *token)
{
    static const int32_t types[] = {KRB_AES256_SHA1, KRB_RC4_HMAC, KRB_AES128_SHA256, KRB_AES256_SHA384};
    static uint8_t part_room[ROOM], authenticator_room[ROOM];
    struct forge forge;
    AUTO_WRITER struct writer list = writer_growing(1024), part = writer_growing(1024),
                              authenticator = writer_growing(512), ticket = writer_growing(1024),
                              request = writer_growing(2048);
    uint8_t style = world_u8(input);
    forge_begin(&forge, types[style & 3]);
    forge.raw = (mode & RAW) != 0;
    forge.checksum.flags |= (style & 4) != 0 ? GSS_DCE_STYLE : 0;
    if ((style & 8) != 0)
        forge.checksum.flags |= GSS_DELEG, forge.checksum.credential = slice_of_text("a KRB-CRED");
    if ((mode & WITH_PAC) != 0)
        pac_make(input, mode, &forge, &list);
    forge_ticket_part(&part, &forge);
    forge_ticket_around(&ticket, &forge, changed(input, (mode & CHANGE_TICKET) != 0, &part, part_room));
    forge_authenticator(&authenticator, &forge);
    struct slice whole = writer_slice_of(&ticket),
                 plain = changed(input, (mode & CHANGE_AUTHENTICATOR) != 0, &authenticator, authenticator_room);
    forge_request(&request, &forge, &whole, &plain);
    if (forge.raw)
        writer_slice(token, writer_slice_of(&request));
    else
        krb_token_write(token, KRB_FRAMED, TOKEN_AP_REQ, writer_slice_of(&request));
}

static void deliver(struct slice token, ULONG flags)
{
    static uint8_t out[WORLD_TOKEN_MAX];
    CtxtHandle context = {0};
    ULONG out_len;
    SECURITY_STATUS status = world_accept(&credential, &context, flags, token, out, &out_len);
    if (status < 0)
        return;
    world_query(&context);
    if (status == SEC_I_CONTINUE_NEEDED)
        MUST(world_accept(&credential, &context, flags, slice_of(out, out_len), out, &out_len) < 0); /* its own reply */
    MUST(DeleteSecurityContext(&context) == SEC_E_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(slice_of(data, size));
    start();
    world_reset();
    uint8_t mode = world_u8(&input);
    ULONG flags = (world_u8(&input) & 1) != 0 ? ASC_REQ_EXTENDED_ERROR : 0;
    if ((mode & WHOLE_TOKEN) != 0) {
        deliver(reader_rest(&input), flags);
        return 0;
    }
    static uint8_t room[ROOM];
    AUTO_WRITER struct writer token = writer_growing(2048);
    token_make(&input, mode, &token);
    deliver(changed(&input, (mode & CHANGE_TOKEN) != 0, &token, room), flags);
    return 0;
}
