/*
 * TSRequest and TSCredentials: whatever is accepted lies within the input, and what is written anew from it reads the same.
 */
#include "credssp/packed.h"
#include "credssp/request.h"
#include "fuzz/world.h"

static void check_request(struct slice input)
{
    struct ts_request request, again;
    if (ts_request_parse(input, &request) != WIRE_OK)
        return;
    world_inside(input, request.nego_token);
    world_inside(input, request.auth_info);
    world_inside(input, request.pub_key_auth);
    MUST(request.nonce.data == NULL || request.nonce.len == TS_NONCE_LEN);
    AUTO_WRITER struct writer bytes = writer_growing(256);
    ts_request_write(&bytes, &request);
    MUST(writer_finish(&bytes) == WIRE_OK && bytes.len <= input.len);
    MUST(ts_request_parse(writer_slice_of(&bytes), &again) == WIRE_OK && again.version == request.version);
    MUST(again.has_error == request.has_error && again.error == request.error);
    MUST(slice_equal(again.nego_token, request.nego_token) && slice_equal(again.auth_info, request.auth_info));
    MUST(slice_equal(again.pub_key_auth, request.pub_key_auth) && slice_equal(again.nonce, request.nonce));
}

static void check_credentials(struct slice input)
{
    struct ts_credentials credentials, again;
    AUTO_SECRET struct secret packed = {0};
    if (ts_credentials_parse(input, &credentials) != WIRE_OK)
        return;
    const struct slice pieces[] = {credentials.domain, credentials.user,      credentials.password,
                                   credentials.pin,    credentials.container, credentials.logon.cred};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        world_inside(input, pieces[i]);
    MUST(credentials.n_supplemental <= TS_SUPPLEMENTAL_MAX);
    AUTO_WRITER struct writer bytes = writer_growing(256);
    ts_credentials_write(&bytes, &credentials);
    MUST(writer_finish(&bytes) == WIRE_OK && bytes.len <= input.len);
    MUST(ts_credentials_parse(writer_slice_of(&bytes), &again) == WIRE_OK && again.type == credentials.type);
    MUST(slice_equal(again.password, credentials.password) && slice_equal(again.pin, credentials.pin));
    MUST(again.n_supplemental == credentials.n_supplemental);
    (void)packed_write(&credentials, &packed);
}

/* A program's block: what is taken of it lies in it, is handed over as it is, and packs again. */
static void check_packed(struct slice input)
{
    struct ts_credentials credentials, again;
    AUTO_SECRET struct secret packed = {0};
    AUTO_WRITER struct writer bytes = writer_growing(256);
    if (packed_read(input, &credentials) != SEC_E_OK)
        return;
    const struct slice pieces[] = {credentials.domain,     credentials.user, credentials.password,
                                   credentials.pin,        credentials.card, credentials.reader,
                                   credentials.container,  credentials.csp,  credentials.user_hint,
                                   credentials.domain_hint};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        world_inside(input, pieces[i]);
    ts_credentials_write(&bytes, &credentials);
    MUST(writer_finish(&bytes) == WIRE_OK);
    MUST(ts_credentials_parse(writer_slice_of(&bytes), &again) == WIRE_OK && again.type == credentials.type);
    MUST(slice_equal(again.password, credentials.password) && slice_equal(again.pin, credentials.pin));
    MUST(slice_equal(again.reader, credentials.reader) && again.key_spec == credentials.key_spec);
    MUST(packed_write(&again, &packed) == SEC_E_OK);
    MUST(packed_read(secret_slice(&packed), &again) == SEC_E_OK && slice_equal(again.pin, credentials.pin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_request(slice_of(data, size));
    check_credentials(slice_of(data, size));
    check_packed(slice_of(data, size));
    return 0;
}
