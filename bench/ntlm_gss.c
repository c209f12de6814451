/*
 * NTLM by gss-ntlmssp through GSSAPI; accounts from NTLM_USER_FILE.
 * build: peer krb5-gssapi
 */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>

#include "measure.h"

#include <string.h>

static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};
static gss_cred_id_t client_credential, server_credential;
static gss_name_t target;
static gss_ctx_id_t established_client, established_server;
static unsigned char *message;

static void check(OM_uint32 major, const char *what)
{
    measure_check(!GSS_ERROR(major), what);
}

static void handshake(gss_ctx_id_t *client, gss_ctx_id_t *server)
{
    OM_uint32 minor, major;
    gss_buffer_desc a = GSS_C_EMPTY_BUFFER, b = GSS_C_EMPTY_BUFFER, c = GSS_C_EMPTY_BUFFER, d = GSS_C_EMPTY_BUFFER;
    OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    *client = GSS_C_NO_CONTEXT;
    *server = GSS_C_NO_CONTEXT;
    major = gss_init_sec_context(&minor, client_credential, client, target, &ntlm_oid, flags, 0, NULL, NULL, NULL, &a,
                                 NULL, NULL);
    check(major, "NEGOTIATE");
    major = gss_accept_sec_context(&minor, server, server_credential, &a, NULL, NULL, NULL, &b, NULL, NULL, NULL);
    check(major, "CHALLENGE");
    major = gss_init_sec_context(&minor, client_credential, client, target, &ntlm_oid, flags, 0, NULL, &b, NULL, &c,
                                 NULL, NULL);
    check(major, "AUTHENTICATE");
    major = gss_accept_sec_context(&minor, server, server_credential, &c, NULL, NULL, NULL, &d, NULL, NULL, NULL);
    check(major, "accepting");
    gss_release_buffer(&minor, &a);
    gss_release_buffer(&minor, &b);
    gss_release_buffer(&minor, &c);
    gss_release_buffer(&minor, &d);
}

static void handshake_once(void *data)
{
    OM_uint32 minor;
    gss_ctx_id_t client, server;
    (void)data;
    handshake(&client, &server);
    gss_delete_sec_context(&minor, &client, NULL);
    gss_delete_sec_context(&minor, &server, NULL);
}

static void seal_with(size_t len, int both)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {len, message}, sealed = GSS_C_EMPTY_BUFFER, opened = GSS_C_EMPTY_BUFFER;
    check(gss_wrap(&minor, established_client, 1, 0, &plain, NULL, &sealed), "gss_wrap");
    if (both)
        check(gss_unwrap(&minor, established_server, &sealed, &opened, NULL, NULL), "gss_unwrap");
    gss_release_buffer(&minor, &sealed);
    gss_release_buffer(&minor, &opened);
}

static void seal_pair(void *data)
{
    seal_with(*(size_t *)data, 1);
}

static void seal_only(void *data)
{
    seal_with(*(size_t *)data, 0);
}

static void sign_pair(void *data)
{
    OM_uint32 minor;
    gss_buffer_desc plain = {*(size_t *)data, message}, mic = GSS_C_EMPTY_BUFFER;
    check(gss_get_mic(&minor, established_client, 0, &plain, &mic), "gss_get_mic");
    check(gss_verify_mic(&minor, established_server, &plain, &mic, NULL), "gss_verify_mic");
    gss_release_buffer(&minor, &mic);
}

int main(void)
{
    static size_t sizes[] = {64, 1024, 16384, 65536};
    char name[64];
    OM_uint32 minor;
    gss_buffer_desc user = {13, (void *)"EXAMPLE\\alice"}, service = {11, (void *)"test@server"};
    gss_name_t user_name;
    check(gss_import_name(&minor, &user, GSS_C_NT_USER_NAME, &user_name), "the user's name");
    check(gss_import_name(&minor, &service, GSS_C_NT_HOSTBASED_SERVICE, &target), "the service's name");
    check(gss_acquire_cred(&minor, user_name, GSS_C_INDEFINITE, &ntlm_set, GSS_C_INITIATE, &client_credential, NULL,
                           NULL),
          "the client's credential");
    check(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &ntlm_set, GSS_C_ACCEPT, &server_credential, NULL,
                           NULL),
          "the server's credential");
    message = calloc(1, 65536);
    measure("handshake", handshake_once, NULL);
    handshake(&established_client, &established_server);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(name, sizeof name, "sign+verify %zu", sizes[i]);
        measure(name, sign_pair, &sizes[i]);
        snprintf(name, sizeof name, "seal+unseal %zu", sizes[i]);
        measure(name, seal_pair, &sizes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(name, sizeof name, "seal %zu", sizes[i]);
        measure(name, seal_only, &sizes[i]);
    }
    return 0;
}
