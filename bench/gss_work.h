/*
 * Work through GSSAPI: included by one program per mechanism. The program sets what follows, then calls the functions at the end.
 * Client and server in one process, one thread.
 */
#ifndef OPENSSPI_BENCH_GSS_WORK_H
#define OPENSSPI_BENCH_GSS_WORK_H

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "measure.h"

static gss_OID_desc mechanism;
static gss_name_t target;
static OM_uint32 client_flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
static int in_place; /* messages by gss_wrap_iov, in the caller's buffers, instead of gss_wrap */

static gss_cred_id_t client_credential, server_credential;
static gss_ctx_id_t established_client, established_server;

enum { HEADER, DATA, PADDING, TRAILER, PARTS };

static struct {
    gss_buffer_desc token; /* what gss_wrap or gss_get_mic gave */
    gss_iov_buffer_desc iov[PARTS];
    unsigned char room[PARTS][128]; /* for all but DATA */
    unsigned char *message;
} slots[MEASURE_BATCH_MAX];

static void check(OM_uint32 major, const char *what)
{
    measure_check(!GSS_ERROR(major), what);
}

static gss_name_t name_import(const char *text, gss_OID type)
{
    OM_uint32 minor;
    gss_name_t name;
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    check(gss_import_name(&minor, &buffer, type, &name), "importing a name");
    return name;
}

/* The user is GSS_C_NO_NAME for default credentials. */
static void credentials_acquire(gss_name_t user)
{
    OM_uint32 minor;
    gss_OID_set_desc set = {1, &mechanism};
    check(gss_acquire_cred(&minor, user, GSS_C_INDEFINITE, &set, GSS_C_INITIATE, &client_credential, NULL, NULL),
          "the client's credential");
    check(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &set, GSS_C_ACCEPT, &server_credential, NULL, NULL),
          "the server's credential");
}

static void handshake(gss_ctx_id_t *client, gss_ctx_id_t *server)
{
    OM_uint32 minor, major, server_major = GSS_S_CONTINUE_NEEDED;
    gss_buffer_desc forth = GSS_C_EMPTY_BUFFER, back = GSS_C_EMPTY_BUFFER;
    *client = GSS_C_NO_CONTEXT;
    *server = GSS_C_NO_CONTEXT;
    do {
        major = gss_init_sec_context(&minor, client_credential, client, target, &mechanism, client_flags, 0, NULL,
                                     &back, NULL, &forth, NULL, NULL);
        check(major, "the client's step");
        gss_release_buffer(&minor, &back);
        if (forth.length > 0)
            check(server_major = gss_accept_sec_context(&minor, server, server_credential, &forth, NULL, NULL, NULL,
                                                        &back, NULL, NULL, NULL),
                  "the server's step");
        gss_release_buffer(&minor, &forth);
    } while (major == GSS_S_CONTINUE_NEEDED);
    gss_release_buffer(&minor, &back);
    measure_check(server_major == GSS_S_COMPLETE, "accepting");
}

static void handshake_once(void)
{
    OM_uint32 minor;
    gss_ctx_id_t client, server;
    handshake(&client, &server);
    gss_delete_sec_context(&minor, &client, NULL);
    gss_delete_sec_context(&minor, &server, NULL);
}

static void seal(unsigned slot, size_t len)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {len, slots[slot].message};
    check(gss_wrap(&minor, established_client, 1, 0, &plain, NULL, &slots[slot].token), "gss_wrap");
}

static void unseal(unsigned slot, size_t len)
{
    OM_uint32 minor;
    gss_buffer_desc opened = GSS_C_EMPTY_BUFFER;
    check(gss_unwrap(&minor, established_server, &slots[slot].token, &opened, NULL, NULL), "gss_unwrap");
    measure_check(opened.length == len, "the length of an unsealed message");
    gss_release_buffer(&minor, &slots[slot].token);
    gss_release_buffer(&minor, &opened);
}

static void seal_in_place(unsigned slot, size_t len)
{
    static const OM_uint32 types[PARTS] = {GSS_IOV_BUFFER_TYPE_HEADER, GSS_IOV_BUFFER_TYPE_DATA,
                                           GSS_IOV_BUFFER_TYPE_PADDING, GSS_IOV_BUFFER_TYPE_TRAILER};
    OM_uint32 minor;
    gss_iov_buffer_desc *iov = slots[slot].iov;
    for (int i = 0; i < PARTS; i++)
        iov[i] = (gss_iov_buffer_desc){types[i], {sizeof slots[slot].room[i], slots[slot].room[i]}};
    iov[DATA].buffer = (gss_buffer_desc){len, slots[slot].message};
    check(gss_wrap_iov(&minor, established_client, 1, 0, NULL, iov, PARTS), "gss_wrap_iov");
}

static void unseal_in_place(unsigned slot, size_t len)
{
    OM_uint32 minor;
    (void)len;
    check(gss_unwrap_iov(&minor, established_server, NULL, NULL, slots[slot].iov, PARTS), "gss_unwrap_iov");
}

static void sign(unsigned slot, size_t len)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {len, slots[slot].message};
    check(gss_get_mic(&minor, established_client, 0, &plain, &slots[slot].token), "gss_get_mic");
}

static void verify(unsigned slot, size_t len)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {len, slots[slot].message};
    check(gss_verify_mic(&minor, established_server, &plain, &slots[slot].token, NULL), "gss_verify_mic");
    gss_release_buffer(&minor, &slots[slot].token);
}

/* All messages of one established pair; see measure_sizes for the label. */
__attribute__((unused)) static void run_messages(const char *label)
{
    static const struct measure_messages seals = {"seal", "unseal", seal, unseal};
    static const struct measure_messages seals_in_place = {"seal", "unseal", seal_in_place, unseal_in_place};
    static const struct measure_messages signs = {"sign", "verify", sign, verify};
    handshake(&established_client, &established_server);
    for (unsigned slot = 0; slot < MEASURE_BATCH_MAX; slot++)
        slots[slot].message = calloc(1, slot < measure_batch(65536)   ? 65536
                                        : slot < measure_batch(16384) ? 16384
                                                                      : 1024);
    measure_sizes(in_place ? &seals_in_place : &seals, label);
    if (!in_place && label == NULL)
        measure_sizes(&signs, label);
}

static gss_ctx_id_t memory_client[MEASURE_PAIRS], memory_server[MEASURE_PAIRS];

static void pair_make(unsigned pair)
{
    handshake(&memory_client[pair], &memory_server[pair]);
}

static void pair_delete(unsigned pair)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &memory_client[pair], NULL);
    gss_delete_sec_context(&minor, &memory_server[pair], NULL);
}

__attribute__((unused)) static void run_memory(void)
{
    measure_memory(pair_make, pair_delete);
}

#endif
