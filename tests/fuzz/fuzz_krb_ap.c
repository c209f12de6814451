/*
 * Every decoder of the AP exchange. The first byte chooses one. What is read can be written and read again, and says the same.
 */
#include "base/memory.h"
#include "fuzz/world.h"
#include "kerberos/ap.h"
#include <string.h>

static void name_use(const struct krb_name *name)
{
    struct krb_name again;
    AUTO_WRITER struct writer writer = writer_growing(64);
    MUST(name->n_parts >= 1 && name->n_parts <= KRB_NAME_PARTS);
    krb_name_write(&writer, name);
    struct reader reader = reader_of(writer_slice_of(&writer));
    MUST(krb_name_read(&reader, &again) == WIRE_OK);
    again.realm = name->realm;
    MUST(krb_name_equal(name, &again) && again.type == name->type);
    mem_free(krb_name_text(name));
}

static void authorization_use(struct slice list, int depth)
{
    struct reader reader = reader_of(list), inside;
    struct krb_authdata element;
    int32_t enctype;
    if (list.data == NULL || depth > 8)
        return;
    while (krb_authdata_next(&reader, &element) == WIRE_OK) {
        if (krb_authdata_inside(element.data, &inside) != WIRE_OK)
            continue;
        authorization_use(reader_rest(&inside), depth + 1);
        while (krb_etype_list_next(&inside, &enctype) == WIRE_OK)
            ;
    }
}

static void ticket_part(struct slice in)
{
    struct krb_ticket_part part;
    if (krb_ticket_part_parse(in, &part) != WIRE_OK)
        return;
    MUST(krb_enctype_key_len(part.key.enctype) == part.key.len && part.key.len > 0);
    MUST(part.auth_time >= 0 && part.start_time >= 0 && part.end_time >= 0);
    name_use(&part.client);
    authorization_use(part.authorization, 0);
}

static void request(struct slice in)
{
    struct krb_ap_req first, second;
    AUTO_WRITER struct writer writer = writer_growing(in.len + 16);
    if (krb_ap_req_parse(in, &first) != WIRE_OK)
        return;
    name_use(&first.ticket.server);
    krb_ap_req_write(&writer, &first);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(krb_ap_req_parse(writer_slice_of(&writer), &second) == WIRE_OK);
    MUST(first.options == second.options && slice_equal(first.ticket_message, second.ticket_message));
    MUST(slice_equal(first.authenticator.cipher, second.authenticator.cipher));
}

static void authenticator(struct slice in)
{
    struct krb_authenticator first, second;
    AUTO_WRITER struct writer writer = writer_growing(in.len + 16);
    if (krb_authenticator_parse(in, &first) != WIRE_OK)
        return;
    name_use(&first.client);
    authorization_use(first.authorization, 0);
    MUST(first.microseconds <= 999999);
    krb_authenticator_write(&writer, &first, NULL);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(krb_authenticator_parse(writer_slice_of(&writer), &second) == WIRE_OK);
    MUST(first.seq == second.seq && first.time == second.time && first.microseconds == second.microseconds);
    MUST(first.has_checksum == second.has_checksum && slice_equal(first.checksum, second.checksum));
    MUST(memcmp(&first.subkey, &second.subkey, sizeof first.subkey) == 0);
}

static void reply_part(struct slice in)
{
    struct krb_ap_rep_part first, second;
    AUTO_WRITER struct writer writer = writer_growing(in.len + 16);
    if (krb_ap_rep_part_parse(in, &first) != WIRE_OK)
        return;
    krb_ap_rep_part_write(&writer, &first);
    MUST(writer_finish(&writer) == WIRE_OK);
    MUST(krb_ap_rep_part_parse(writer_slice_of(&writer), &second) == WIRE_OK);
    MUST(first.has_seq == second.has_seq && first.seq == second.seq && first.time == second.time);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct krb_ticket ticket;
    struct krb_encrypted part;
    struct krb_cred cred;
    struct krb_cred_info info;
    if (size == 0)
        return 0;
    struct slice in = slice_of(data + 1, size - 1);
    switch (data[0] % 9) {
    case 0:
        if (krb_ticket_parse(in, &ticket) == WIRE_OK)
            name_use(&ticket.server);
        break;
    case 1:
        ticket_part(in);
        break;
    case 2:
        request(in);
        break;
    case 3:
        authenticator(in);
        break;
    case 4:
        (void)!krb_ap_rep_parse(in, &part);
        break;
    case 5:
        reply_part(in);
        break;
    case 6:
        authorization_use(in, 0);
        break;
    case 7:
        if (krb_cred_parse(in, &cred) == WIRE_OK)
            MUST(cred.ticket_message.len > 0);
        break;
    default:
        if (krb_cred_info_parse(in, &info) == WIRE_OK) {
            name_use(&info.client);
            name_use(&info.server);
        }
        break;
    }
    return 0;
}
