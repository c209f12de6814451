#include "support/kerberos_forge.h"

#include "base/time.h"
#include "base/utf16.h"
#include "unit/kerberos/pac_builder.h"
#include "wire/der.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Not assert: fuzz targets are built with it switched off. */
#define SURE(condition)                                                     \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

struct krb_key forge_key(int32_t enctype, uint8_t seed)
{
    struct krb_key key = {0};
    uint8_t bytes[KRB_KEY_MAX];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(seed * 37 + i * 11 + 1);
    SURE(krb_key_set(&key, enctype, slice_of(bytes, krb_enctype_key_len(enctype))));
    return key;
}

void forge_begin(struct forge *forge, int32_t enctype)
{
    static uint32_t n_requests; /* no two alike, or the second is a replay */
    int64_t now = (int64_t)time(NULL);
    *forge = (struct forge){
        .service = forge_key(enctype, 1),
        .session = forge_key(enctype, 2),
        .subkey = forge_key(enctype, 3),
        .server = FORGE_SERVER,
        .client = FORGE_CLIENT,
        .kvno = 2,
        .flags = UINT32_C(0x40e10000), /* forwardable, renewable, initial, pre-authenticated, enc-pa-rep */
        .auth_time = now - 60,
        .start_time = now - 30,
        .end_time = now + 36000,
        .transited_type = 1,
        .transited = "",
        .checksum_type = GSS_CHECKSUM_TYPE,
        .checksum = {.flags = GSS_MUTUAL | GSS_REPLAY | GSS_SEQUENCE | GSS_CONF | GSS_INTEG},
        .time = now,
        .microseconds = __atomic_add_fetch(&n_requests, 1, __ATOMIC_RELAXED) % 1000000,
        .seq = 0x12345678,
        .options = KRB_AP_MUTUAL_REQUIRED,
    };
}

struct krb_name forge_name(const char *text)
{
    struct krb_name name = {.type = 1};
    const char *at = strrchr(text, '@');
    SURE(at != NULL);
    name.realm = slice_of_text(at + 1);
    while (text <= at && name.n_parts < KRB_NAME_PARTS) {
        size_t len = strcspn(text, "/@");
        name.part[name.n_parts++] = slice_of(text, len);
        text += len + 1;
    }
    return name;
}

static void integer(struct writer *writer, unsigned n, int64_t value)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    der_write_integer(writer, DER_INTEGER, value);
    der_end(writer, field);
}

static void content(struct writer *writer, unsigned n, uint8_t tag, struct slice bytes)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n));
    der_write(writer, tag, bytes);
    der_end(writer, field);
}

static void name(struct writer *writer, unsigned n_realm, const char *text)
{
    struct krb_name parsed = forge_name(text);
    content(writer, n_realm, DER_GENERAL_STRING, parsed.realm);
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n_realm + 1));
    krb_name_write(writer, &parsed);
    der_end(writer, field);
}

static void when(struct writer *writer, unsigned n, int64_t seconds)
{
    char text[32];
    time_t value = (time_t)seconds;
    struct tm parts;
    SURE(gmtime_r(&value, &parts) != NULL && strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts) == 15);
    content(writer, n, DER_GENERALIZED_TIME, slice_of_text(text));
}

static void key_field(struct writer *writer, unsigned n, const struct krb_key *key)
{
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n)), body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, key->enctype);
    content(writer, 1, DER_OCTET_STRING, slice_of(key->bytes, key->len));
    der_end(writer, body);
    der_end(writer, field);
}

static void flags_field(struct writer *writer, unsigned n, uint32_t flags)
{
    const uint8_t bits[5] = {0, (uint8_t)(flags >> 24), (uint8_t)(flags >> 16), (uint8_t)(flags >> 8), (uint8_t)flags};
    content(writer, n, DER_BIT_STRING, slice_of(bits, sizeof bits));
}

static void addresses(struct writer *writer)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct der_mark field = der_begin(writer, DER_CONTEXT(9)), list = der_begin(writer, DER_SEQUENCE),
                    one = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, 2);
    content(writer, 1, DER_OCTET_STRING, slice_of(loopback, sizeof loopback));
    der_end(writer, one);
    der_end(writer, list);
    der_end(writer, field);
}

void forge_ticket_part(struct writer *writer, const struct forge *forge)
{
    struct der_mark whole = der_begin(writer, DER_APPLICATION(3)), body = der_begin(writer, DER_SEQUENCE);
    flags_field(writer, 0, forge->flags);
    key_field(writer, 1, &forge->session);
    name(writer, 2, forge->client);
    struct der_mark field = der_begin(writer, DER_CONTEXT(4)), transited = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, forge->transited_type);
    content(writer, 1, DER_OCTET_STRING, slice_of_text(forge->transited));
    der_end(writer, transited);
    der_end(writer, field);
    when(writer, 5, forge->auth_time);
    if (!forge->no_start_time)
        when(writer, 6, forge->start_time);
    when(writer, 7, forge->end_time);
    if (forge->renew_till != 0)
        when(writer, 8, forge->renew_till);
    if (forge->with_addresses)
        addresses(writer);
    if (forge->authorization.data != NULL)
        content(writer, 10, DER_SEQUENCE, forge->authorization);
    der_end(writer, body);
    der_end(writer, whole);
}

static krb5_context krb5(void)
{
    static _Thread_local krb5_context context; /* each thread's own, and kept */
    if (context == NULL)
        SURE(krb5_init_context(&context) == 0);
    return context;
}

static krb5_keyblock keyblock_of(const struct krb_key *key)
{
    return (krb5_keyblock){
        .enctype = key->enctype, .length = key->len, .contents = (krb5_octet *)(uintptr_t)key->bytes};
}

void forge_encrypt(struct writer *writer, const struct krb_key *key, int32_t usage, struct slice plain)
{
    krb5_keyblock block = keyblock_of(key);
    krb5_data in = {.data = (char *)(uintptr_t)plain.data, .length = (unsigned)plain.len};
    size_t len;
    SURE(krb5_c_encrypt_length(krb5(), key->enctype, plain.len, &len) == 0);
    krb5_enc_data out = {.ciphertext = {.data = (char *)writer_room(writer, len), .length = (unsigned)len}};
    SURE(out.ciphertext.data != NULL);
    SURE(krb5_c_encrypt(krb5(), &block, usage, NULL, &in, &out) == 0);
}

void forge_checksum(const struct krb_key *key, int32_t usage, struct slice text, uint8_t *mac, size_t mac_len)
{
    krb5_keyblock block = keyblock_of(key);
    krb5_data in = {.data = (char *)(uintptr_t)text.data, .length = (unsigned)text.len};
    krb5_checksum sum = {0};
    SURE(krb5_c_make_checksum(krb5(), krb_checksum_type(key->enctype), &block, usage, &in, &sum) == 0);
    SURE(sum.length == mac_len);
    memcpy(mac, sum.contents, mac_len);
    krb5_free_checksum_contents(krb5(), &sum);
}

static void encrypted(struct writer *writer, unsigned n, const struct krb_key *key, int32_t usage, const uint32_t *kvno,
                      struct slice plain)
{
    AUTO_WRITER struct writer cipher = writer_growing(plain.len + 64);
    forge_encrypt(&cipher, key, usage, plain);
    struct der_mark field = der_begin(writer, (uint8_t)DER_CONTEXT(n)), body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, key->enctype);
    if (kvno != NULL)
        integer(writer, 1, *kvno);
    content(writer, 2, DER_OCTET_STRING, writer_slice_of(&cipher));
    der_end(writer, body);
    der_end(writer, field);
}

void forge_ticket_around(struct writer *writer, const struct forge *forge, struct slice plain)
{
    struct der_mark whole = der_begin(writer, DER_APPLICATION(1)), body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, 5);
    name(writer, 1, forge->server);
    encrypted(writer, 3, &forge->service, KRB_USAGE_TICKET, forge->no_kvno ? NULL : &forge->kvno, plain);
    der_end(writer, body);
    der_end(writer, whole);
}

void forge_ticket(struct writer *writer, const struct forge *forge)
{
    AUTO_WRITER struct writer plain = writer_growing(1024);
    forge_ticket_part(&plain, forge);
    forge_ticket_around(writer, forge, writer_slice_of(&plain));
}

/* Authorization data behind the fields that are there. */
static void restrictions_add(struct writer *writer, struct slice authenticator, struct slice restrictions)
{
    struct reader reader = reader_of(authenticator);
    struct slice inside, fields;
    SURE(der_read(&reader, DER_APPLICATION(2), &inside) == WIRE_OK);
    reader = reader_of(inside);
    SURE(der_read(&reader, DER_SEQUENCE, &fields) == WIRE_OK);
    struct der_mark whole = der_begin(writer, DER_APPLICATION(2)), body = der_begin(writer, DER_SEQUENCE);
    writer_slice(writer, fields);
    content(writer, 8, DER_SEQUENCE, restrictions);
    der_end(writer, body);
    der_end(writer, whole);
}

void forge_authenticator(struct writer *writer, const struct forge *forge)
{
    AUTO_WRITER struct writer bytes = writer_growing(64), plain = writer_growing(512);
    gss_checksum_write(&bytes, &forge->checksum);
    const struct krb_authenticator authenticator = {
        .client = forge_name(forge->authenticator_client != NULL ? forge->authenticator_client : forge->client),
        .has_checksum = !forge->no_checksum,
        .checksum_type = forge->checksum_type,
        .checksum = writer_slice_of(&bytes),
        .time = forge->time,
        .microseconds = forge->microseconds,
        .subkey = forge->subkey,
        .seq = forge->seq,
    };
    if (forge->restrictions.data == NULL) {
        const struct krb_initiator_data told = {.enctypes = forge->enctypes, .n_enctypes = forge->n_enctypes};
        krb_authenticator_write(writer, &authenticator, &told);
        return;
    }
    krb_authenticator_write(&plain, &authenticator, NULL);
    restrictions_add(writer, writer_slice_of(&plain), forge->restrictions);
}

void forge_request(struct writer *writer, const struct forge *forge, const struct slice *ticket,
                   const struct slice *authenticator)
{
    AUTO_WRITER struct writer own_ticket = writer_growing(1024), plain = writer_growing(512);
    if (ticket == NULL)
        forge_ticket(&own_ticket, forge);
    if (authenticator == NULL)
        forge_authenticator(&plain, forge);
    struct der_mark whole = der_begin(writer, DER_APPLICATION(14)), body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, 5);
    integer(writer, 1, 14);
    flags_field(writer, 2, forge->options);
    struct der_mark field = der_begin(writer, DER_CONTEXT(3));
    writer_slice(writer, ticket != NULL ? *ticket : writer_slice_of(&own_ticket));
    der_end(writer, field);
    encrypted(writer, 4, forge->authenticator_key.enctype != 0 ? &forge->authenticator_key : &forge->session,
              KRB_USAGE_AP_REQ, NULL, authenticator != NULL ? *authenticator : writer_slice_of(&plain));
    der_end(writer, body);
    der_end(writer, whole);
    SURE(writer_finish(writer) == WIRE_OK);
}

void forge_token(struct writer *writer, const struct forge *forge)
{
    AUTO_WRITER struct writer request = writer_growing(2048);
    if (forge->raw) {
        forge_request(writer, forge, NULL, NULL);
        return;
    }
    forge_request(&request, forge, NULL, NULL);
    krb_token_write(writer, KRB_FRAMED, TOKEN_AP_REQ, writer_slice_of(&request));
}

void forge_authdata(struct writer *writer, int32_t type, struct slice data)
{
    struct der_mark body = der_begin(writer, DER_SEQUENCE);
    integer(writer, 0, type);
    content(writer, 1, DER_OCTET_STRING, data);
    der_end(writer, body);
}

void forge_if_relevant(struct writer *writer, struct slice list)
{
    AUTO_WRITER struct writer inside = writer_growing(list.len + 8);
    der_write(&inside, DER_SEQUENCE, list);
    forge_authdata(writer, KRB_AD_IF_RELEVANT, writer_slice_of(&inside));
}

#define PARTS_MAX 16

void forge_pac(struct writer *writer, const struct forge *forge, const struct pac_part *more, size_t n_more)
{
    uint8_t signature[2][4 + KRB_MAC_MAX] = {{0}}, mac[KRB_MAC_MAX];
    const struct krb_profile *profile = krb_profile_find(forge->service.enctype);
    size_t mac_len = profile != NULL ? profile->mac_len : 16;
    uint32_t type = (uint32_t)krb_checksum_type(forge->service.enctype);
    struct pac_part parts[PARTS_MAX];
    char user[128];
    AUTO_WRITER struct writer info = writer_growing(64);
    SURE(n_more <= PARTS_MAX - 3 && strcspn(forge->client, "@") < sizeof user);
    memcpy(user, forge->client, strcspn(forge->client, "@"));
    user[strcspn(forge->client, "@")] = '\0';
    writer_u64le(&info, (uint64_t)filetime_from_unix((time_t)forge->auth_time));
    writer_u16le(&info, (uint16_t)utf16le_len(user));
    SURE(utf16le_write(&info, user) == WIRE_OK);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++)
            signature[i][j] = (uint8_t)(type >> (8 * j));
    if (n_more > 0)
        memcpy(parts, more, n_more * sizeof *more);
    parts[n_more] = (struct pac_part){10, writer_slice_of(&info)};
    parts[n_more + 1] = (struct pac_part){6, slice_of(signature[0], 4 + mac_len)};
    parts[n_more + 2] = (struct pac_part){7, slice_of(signature[1], 4 + mac_len)};
    size_t begin = writer->len;
    pac_write(writer, parts, n_more + 3);
    SURE(writer_finish(writer) == WIRE_OK);
    forge_checksum(&forge->service, KRB_USAGE_PAC, slice_of(writer->data + begin, writer->len - begin), mac, mac_len);
    const struct krb_key kdc = forge_key(forge->service.enctype, 9);
    size_t kdc_at = writer->len - (4 + mac_len + 7) / 8 * 8, server_at = kdc_at - (4 + mac_len + 7) / 8 * 8;
    writer_patch_bytes(writer, server_at + 4, mac, mac_len);
    forge_checksum(&kdc, KRB_USAGE_PAC, slice_of(mac, mac_len), mac, mac_len);
    writer_patch_bytes(writer, kdc_at + 4, mac, mac_len);
    SURE(writer_finish(writer) == WIRE_OK);
}

size_t forge_delegated(enum kerberos_delegated kind, const char *server, uint8_t bytes[FORGE_DELEGATED_MAX])
{
    krb5_context krb;
    krb5_creds creds = {.keyblock = {.enctype = 18,
                                     .length = 32,
                                     .contents = (krb5_octet *)(uintptr_t) "0123456789abcdef0123456789abcdef"},
                        .times = {.endtime = (krb5_timestamp)(time(NULL) + 3600)},
                        .ticket = {KV5M_DATA, 6, (char *)(uintptr_t) "ticket"}};
    krb5_data *packed;
    SURE(krb5_init_context(&krb) == 0);
    SURE(krb5_parse_name(krb, FORGE_CLIENT, &creds.client) == 0);
    SURE(krb5_parse_name(krb, server, &creds.server) == 0);
    SURE(krb5_marshal_credentials(krb, &creds, &packed) == 0);
    size_t len = 1 + (size_t)packed->length;
    SURE(len <= FORGE_DELEGATED_MAX);
    bytes[0] = (uint8_t)kind;
    memcpy(bytes + 1, packed->data, packed->length);
    krb5_free_data(krb, packed);
    krb5_free_principal(krb, creds.client);
    krb5_free_principal(krb, creds.server);
    krb5_free_context(krb);
    return len;
}
