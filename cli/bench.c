/* `sspi bench`: how fast handshakes and messages are here, client and server in this process. bench/ compares with others. */
#include "peer.h"

#include "base/time.h"

#include <string.h>
#include <sspi_ext.h>

#define LEGS_MAX 32
#define BLOCK_LEN 16384

/* A whole handshake between the two; the contexts stay. */
static SECURITY_STATUS shake(struct peer *client, struct peer *server)
{
    SecBuffer to_client = {0}, to_server = {0};
    SECURITY_STATUS client_status = SEC_I_CONTINUE_NEEDED, server_status = SEC_I_CONTINUE_NEEDED;
    size_t n_extra;
    for (unsigned leg = 0; leg < LEGS_MAX; leg++) {
        if (client_status != SEC_E_OK) {
            client_status = peer_step(client, slice_of(to_client.pvBuffer, to_client.cbBuffer), &to_server, &n_extra);
            if (to_client.pvBuffer != NULL)
                FreeContextBuffer(to_client.pvBuffer);
            to_client = (SecBuffer){0};
            if (client_status < 0)
                return client_status;
        }
        if (server_status != SEC_E_OK) {
            server_status = peer_step(server, slice_of(to_server.pvBuffer, to_server.cbBuffer), &to_client, &n_extra);
            if (to_server.pvBuffer != NULL)
                FreeContextBuffer(to_server.pvBuffer);
            to_server = (SecBuffer){0};
            if (server_status < 0)
                return server_status;
        }
        if (client_status == SEC_E_OK && server_status == SEC_E_OK)
            break;
    }
    if (to_client.pvBuffer != NULL)
        FreeContextBuffer(to_client.pvBuffer);
    if (to_server.pvBuffer != NULL)
        FreeContextBuffer(to_server.pvBuffer);
    return client_status == SEC_E_OK ? server_status : client_status;
}

static int measure_handshakes(struct peer *client, struct peer *server, uint64_t ms, double *rate)
{
    uint64_t start = monotonic_ms(), now = start;
    unsigned long n = 0;
    do {
        peer_forget(client);
        peer_forget(server);
        SECURITY_STATUS status = shake(client, server);
        if (status != SEC_E_OK)
            return cli_sspi_status("the handshake failed", status);
        n++;
        now = monotonic_ms();
    } while (now - start < ms);
    *rate = (double)n * 1000 / (double)(now > start ? now - start : 1);
    return CLI_OK;
}

static int measure_messages(struct peer *client, struct peer *server, uint64_t ms, double *megabytes)
{
    static const uint8_t text[BLOCK_LEN];
    unsigned long n = 0;
    uint64_t start = monotonic_ms(), now = start;
    SECURITY_STATUS status = peer_ready(client);
    if (status == SEC_E_OK)
        status = peer_ready(server);
    if (status != SEC_E_OK)
        return cli_sspi_status("the context tells no sizes", status);
    do {
        AUTO_WRITER struct writer sealed = writer_growing(BLOCK_LEN + 256);
        AUTO_WRITER struct writer opened = writer_growing(BLOCK_LEN);
        status = peer_protect(client, slice_of(text, sizeof(text)), &sealed);
        if (status == SEC_E_OK)
            status = peer_unprotect(server, writer_slice_of(&sealed), &opened);
        n++;
        now = monotonic_ms();
    } while (status == SEC_E_OK && now - start < ms);
    if (status != SEC_E_OK)
        return cli_sspi_status("a message failed", status);
    *megabytes = (double)n * BLOCK_LEN / 1e6 * 1000 / (double)(now > start ? now - start : 1);
    return CLI_OK;
}

static int bench_run(const struct cli_options *options)
{
    AUTO_PEER struct peer client = {0}, server = {0};
    struct cli_options inbound = *options;
    const ULONG flags = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY;
    int64_t seconds = 1;
    double rate = 0, megabytes = 0;
    if (options->seconds != NULL)
        try(cli_number("seconds", options->seconds, &seconds));
    inbound.user = NULL;
    try(peer_open(&client, options, true, flags | ISC_REQ_INTEGRITY));
    if (client.stream)
        return cli_misuse("TLS is measured by bench/ of the source tree; this measures packages with messages");
    try(peer_open(&server, &inbound, false, flags | ASC_REQ_INTEGRITY));
    if (client.target == NULL)
        client.target = "host/localhost";
    try(measure_handshakes(&client, &server, (uint64_t)seconds * 1000, &rate));
    try(measure_messages(&client, &server, (uint64_t)seconds * 1000, &megabytes));
    if (options->json)
        printf("{\"package\": \"%s\", \"handshakes_per_second\": %.1f, \"sealed_megabytes_per_second\": %.3f}\n",
               client.package, rate, megabytes);
    else
        printf("%s: %.0f handshakes a second (both sides), %.0f MB a second sealed and opened\n", client.package, rate,
               megabytes);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"", "",
     "Measures handshakes and sealed messages between a client and a server in this process; the user must be one of "
     "this computer's accounts, or have a keytab here",
     OPTION_PACKAGE | OPTION_USER | OPTION_TARGET | OPTION_JSON | OPTION_SECONDS, 0, 0, bench_run},
};

const struct cli_family cli_bench = {"bench", "how fast handshakes and messages are here", commands, 1};
