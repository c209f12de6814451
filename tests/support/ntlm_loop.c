#include "support/ntlm_loop.h"

#include "support/identity.h"
#include "support/lsa_daemon.h"
#include "support/place.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[PLACE_LEN];

void loop_configure(const char *extra)
{
    char text[4096];
    if (place_make(directory))
        /* NT hashes of "Password1!" and "Other2?" */
        place_file(directory, "sam",
                   "alice:EXAMPLE::7facdc498ed1680c4fd1448319a8c04f:::\n"
                   "bob:EXAMPLE::e260eef0818bfe4c442989ce7073eee6:::\n");
    snprintf(
        text, sizeof text,
        "[names]\ncomputer = SERVER\ndomain = EXAMPLE\ndns_computer = server.example.test\ndns_domain = example.test\n"
        "[accounts]\nstores = sam:%s/sam\n%s%s",
        directory, extra != NULL ? extra : "", lsa_daemon_section(directory));
    place_configure(directory, text);
    lsa_daemon_ensure();
}

const char *loop_directory(void)
{
    return directory;
}

void loop_cleanup(void)
{
    lsa_daemon_stop();
    place_remove(directory);
}

int loop_teardown(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

static char daemon_socket[PLACE_LEN + 16];

void loop_daemon_configure(const char *more)
{
    char extra[2048];
    loop_configure(NULL); /* makes the directory */
    snprintf(daemon_socket, sizeof daemon_socket, "%s/lsa.sock", directory);
    snprintf(extra, sizeof extra, "[lsa]\nmode = daemon\nsocket = %s\n%s", daemon_socket, more);
    loop_configure(extra);
}

void loop_daemon_start(void)
{
    int opened = chmod(directory, 0755);
    assert(opened == 0);
    lsa_daemon_start(daemon_socket);
}

const char *loop_daemon_socket(void)
{
    return daemon_socket;
}

void loop_acquire(struct loop *loop)
{
    const char *user = loop->user != NULL ? loop->user : "alice";
    const char *domain = loop->domain != NULL ? loop->domain : "EXAMPLE";
    const char *password = loop->password != NULL ? loop->password : "Password1!";
    SEC_WINNT_AUTH_IDENTITY_A identity = identity_of(user, domain, password);
    char *package = (char *)(uintptr_t)(loop->package != NULL ? loop->package : "NTLM");
    loop->client_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                    &loop->client_credential, NULL);
    loop->server_status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                    &loop->server_credential, NULL);
}

static SEC_CHANNEL_BINDINGS *bindings_make(const void *data, size_t len)
{
    SEC_CHANNEL_BINDINGS *bindings = calloc(1, sizeof *bindings + len);
    assert(bindings != NULL);
    bindings->cbApplicationDataLength = (ULONG)len;
    bindings->dwApplicationDataOffset = sizeof *bindings;
    memcpy(bindings + 1, data, len);
    return bindings;
}

struct end {
    unsigned char token[LOOP_TOKEN_MAX];
    ULONG len;
    SecBuffer in[2], out;
    SecBufferDesc in_list, out_list;
};

static void end_prepare(struct end *mine, struct end *peer, SEC_CHANNEL_BINDINGS *bindings, size_t bindings_len)
{
    mine->in[0] = (SecBuffer){peer->len, SECBUFFER_TOKEN, peer->token};
    mine->in_list = (SecBufferDesc){SECBUFFER_VERSION, 1, mine->in};
    if (bindings != NULL) {
        mine->in[1] = (SecBuffer){(ULONG)(sizeof *bindings + bindings_len), SECBUFFER_CHANNEL_BINDINGS, bindings};
        mine->in_list.cBuffers = 2;
    }
    mine->out = (SecBuffer){sizeof mine->token, SECBUFFER_TOKEN, mine->token};
    mine->out_list = (SecBufferDesc){SECBUFFER_VERSION, 1, &mine->out};
}

bool loop_run(struct loop *loop)
{
    static _Thread_local struct end client, server;
    SEC_CHANNEL_BINDINGS *client_bindings =
        loop->client_bindings != NULL ? bindings_make(loop->client_bindings, loop->client_bindings_len) : NULL;
    SEC_CHANNEL_BINDINGS *server_bindings =
        loop->server_bindings != NULL ? bindings_make(loop->server_bindings, loop->server_bindings_len) : NULL;
    bool datagram = (loop->client_flags & ISC_REQ_DATAGRAM) != 0;
    if (!loop->keep_credentials)
        loop_acquire(loop);
    if (loop->client_status != SEC_E_OK || loop->server_status != SEC_E_OK)
        return false;
    memset(&loop->client, 0, sizeof loop->client);
    memset(&loop->server, 0, sizeof loop->server);
    client.len = server.len = 0;
    loop->client_status = loop->server_status = SEC_I_CONTINUE_NEEDED;
    loop->legs = 0;
    while (loop->legs < 10) {
        if (loop->client_status == SEC_I_CONTINUE_NEEDED) {
            end_prepare(&client, &server, client_bindings, loop->client_bindings_len);
            bool first = loop->client.dwLower == 0 && loop->client.dwUpper == 0;
            loop->client_status = InitializeSecurityContextA(
                first ? &loop->client_credential : NULL, first ? NULL : &loop->client, (char *)(uintptr_t)loop->target,
                loop->client_flags, 0, SECURITY_NATIVE_DREP, first && client_bindings == NULL ? NULL : &client.in_list,
                0, &loop->client, &client.out_list, &loop->client_attributes, NULL);
            client.len = client.out.cbBuffer;
            loop->legs++;
            if (loop->client_status < 0)
                break;
            if (loop->alter != NULL)
                loop->alter(loop, loop->legs, client.token, &client.len);
        }
        if (loop->server_status == SEC_I_CONTINUE_NEEDED && (client.len > 0 || datagram)) {
            end_prepare(&server, &client, server_bindings, loop->server_bindings_len);
            bool first = loop->server.dwLower == 0 && loop->server.dwUpper == 0;
            loop->server_status =
                AcceptSecurityContext(first ? &loop->server_credential : NULL, first ? NULL : &loop->server,
                                      &server.in_list, loop->server_flags, SECURITY_NATIVE_DREP, &loop->server,
                                      &server.out_list, &loop->server_attributes, NULL);
            server.len = server.out.cbBuffer;
            loop->legs++;
            if (loop->server_status < 0)
                break;
            if (loop->alter != NULL)
                loop->alter(loop, loop->legs, server.token, &server.len);
        }
        if (loop->client_status == SEC_E_OK && loop->server_status == SEC_E_OK)
            break;
    }
    free(client_bindings);
    free(server_bindings);
    return loop->client_status == SEC_E_OK && loop->server_status == SEC_E_OK;
}

void loop_end(struct loop *loop)
{
    if (loop->client.dwLower != 0)
        DeleteSecurityContext(&loop->client);
    if (loop->server.dwLower != 0)
        DeleteSecurityContext(&loop->server);
    if (!loop->keep_credentials) {
        FreeCredentialsHandle(&loop->client_credential);
        FreeCredentialsHandle(&loop->server_credential);
    }
    memset(&loop->client, 0, sizeof loop->client);
    memset(&loop->server, 0, sizeof loop->server);
}

static SECURITY_STATUS through(CtxtHandle *from, CtxtHandle *to, const char *text, bool seal)
{
    unsigned char data[1024], signature[128];
    size_t len = strlen(text);
    assert(len <= sizeof data);
    memcpy(data, text, len);
    SecBuffer buffers[2] = {{sizeof signature, SECBUFFER_TOKEN, signature}, {(ULONG)len, SECBUFFER_DATA, data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = seal ? EncryptMessage(from, 0, &list, 0) : MakeSignature(from, 0, &list, 0);
    if (status != SEC_E_OK)
        return status;
    if (seal && len > 8 && memcmp(data, text, len) == 0)
        return SEC_E_ENCRYPT_FAILURE;
    status = seal ? DecryptMessage(to, &list, 0, NULL) : VerifySignature(to, &list, 0, NULL);
    if (status == SEC_E_OK && memcmp(data, text, len) != 0)
        return SEC_E_DECRYPT_FAILURE;
    return status;
}

SECURITY_STATUS loop_seal(CtxtHandle *from, CtxtHandle *to, const char *text)
{
    return through(from, to, text, true);
}

SECURITY_STATUS loop_sign(CtxtHandle *from, CtxtHandle *to, const char *text)
{
    return through(from, to, text, false);
}
