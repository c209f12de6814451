/* MS-PAC 2.8 and RFC 4120: whether a PAC is what the KDC wrote for this server and this client. */
#include "kerberos/pac_verify.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include <string.h>

#define SIGNATURE_MAX 64 /* longer ones are of no type that exists */

/* The PAC in pieces, zeros in place of the two signatures (MS-PAC 2.8.1): server and KDC, in either order. */
static size_t pieces_without(struct slice bytes, struct slice first, struct slice second, struct slice pieces[5])
{
    static const uint8_t zeros[SIGNATURE_MAX];
    size_t n_pieces = 0;
    if (second.data < first.data) {
        struct slice swapped = first;
        first = second;
        second = swapped;
    }
    const struct slice holes[] = {first, second};
    const uint8_t *at = bytes.data;
    for (size_t i = 0; i < COUNT_OF(holes); i++) {
        if (holes[i].len == 0)
            continue;
        pieces[n_pieces++] = slice_of(at, (size_t)(holes[i].data - at));
        pieces[n_pieces++] = slice_of(zeros, holes[i].len);
        at = holes[i].data + holes[i].len;
    }
    pieces[n_pieces++] = slice_of(at, (size_t)(bytes.data + bytes.len - at));
    return n_pieces;
}

static SECURITY_STATUS signature_verify(struct slice bytes, const struct pac *pac, const struct krb_key *key,
                                        const struct krb_prepared *prepared)
{
    struct slice pieces[5];
    const struct pac_signature *server = &pac->server_checksum;
    struct slice kdc = pac->has_kdc_checksum ? pac->kdc_checksum.checksum : slice_of(NULL, 0);
    require(pac->has_server_checksum, cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC has no server signature"));
    require(server->checksum.len <= SIGNATURE_MAX && kdc.len <= SIGNATURE_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC has signatures that are too long"));
    require(server->type == (uint32_t)krb_checksum_type(key->enctype),
            cause_set(SEC_E_MESSAGE_ALTERED, "the PAC's server signature is of type %d, the key of type %d",
                      (int)server->type, key->enctype));
    size_t n_pieces = pieces_without(bytes, server->checksum, kdc, pieces);
    require(prepared != NULL ? krb_prepared_verify(prepared, pieces, n_pieces, server->checksum)
                             : krb_checksum_verify(key, KRB_USAGE_PAC, pieces, n_pieces, server->checksum),
            cause_set(SEC_E_MESSAGE_ALTERED, "the PAC's server signature is wrong: somebody changed the PAC"));
    return SEC_E_OK;
}

/* The name without realm and without escapes is what KDCs write. */
static bool client_named(const char *text, const struct krb_name *client)
{
    size_t left = strlen(text);
    for (unsigned i = 0; i < client->n_parts; i++) {
        const struct slice part = client->part[i];
        if (i > 0) {
            require(left > 0 && *text == '/', false);
            text++, left--;
        }
        require(left >= part.len && memcmp(text, part.data, part.len) == 0, false);
        text += part.len;
        left -= part.len;
    }
    return left == 0;
}

SECURITY_STATUS kerberos_pac_verify(struct slice bytes, const struct pac *pac, const struct krb_key *key,
                                    const struct krb_prepared *prepared, const struct krb_name *client,
                                    int64_t auth_time)
{
    try(signature_verify(bytes, pac, key, prepared));
    require(pac->has_client_info, cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC does not say whose it is"));
    require(filetime_to_unix(pac->client_info.auth_time) == (time_t)auth_time &&
                client_named(pac->client_info.name, client),
            cause_set(SEC_E_MESSAGE_ALTERED, "the ticket's PAC is of another client or another logon"));
    return SEC_E_OK;
}
