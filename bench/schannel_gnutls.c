/*
 * The same through GnuTLS with push and pull functions: schannel_gnutls EC_CERT EC_KEY RSA_CERT RSA_KEY.
 * build: peer gnutls
 */
#include "measure.h"

#include <errno.h>
#include <gnutls/gnutls.h>

#define RECORD_MAX 16500

struct end {
    gnutls_session_t session;
    unsigned char in[1 << 16];
    size_t in_at, in_len;
    struct end *peer;
    unsigned char *to; /* a record goes here instead of to the peer */
};

static struct end client, server;
static gnutls_certificate_credentials_t of_client, of_server, ec, rsa;
static gnutls_datum_t ticket_key, kept;
static gnutls_priority_t priority;
static int resume;
static unsigned char *records;

static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t len)
{
    struct end *end = pointer;
    if (end->to != NULL) {
        memcpy(end->to, data, len);
        return (ssize_t)len;
    }
    if (end->peer->in_at == end->peer->in_len)
        end->peer->in_at = end->peer->in_len = 0;
    measure_check(len <= sizeof end->peer->in - end->peer->in_len, "room");
    memcpy(end->peer->in + end->peer->in_len, data, len);
    end->peer->in_len += len;
    return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t len)
{
    struct end *end = pointer;
    size_t left = end->in_len - end->in_at, n_bytes = len < left ? len : left;
    if (n_bytes == 0) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    memcpy(data, end->in + end->in_at, n_bytes);
    end->in_at += n_bytes;
    return (ssize_t)n_bytes;
}

static int ready(gnutls_transport_ptr_t pointer, unsigned ms)
{
    const struct end *end = pointer;
    (void)ms;
    return end->in_len > end->in_at;
}

static void end_make(struct end *end, struct end *peer, unsigned flags, gnutls_certificate_credentials_t credentials)
{
    end->in_at = end->in_len = 0;
    end->peer = peer;
    end->to = NULL;
    measure_check(gnutls_init(&end->session, flags | GNUTLS_NONBLOCK) == 0 &&
                      gnutls_priority_set(end->session, priority) == 0 &&
                      gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, credentials) == 0,
                  "session");
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
    gnutls_transport_set_pull_timeout_function(end->session, ready);
}

static void establish(void)
{
    char none[16];
    end_make(&client, &server, GNUTLS_CLIENT, of_client);
    end_make(&server, &client, GNUTLS_SERVER, of_server);
    gnutls_server_name_set(client.session, GNUTLS_NAME_DNS, "server.test", 11);
    gnutls_session_ticket_enable_server(server.session, &ticket_key);
    if (resume && kept.data != NULL)
        gnutls_session_set_data(client.session, kept.data, kept.size);
    int a = GNUTLS_E_AGAIN, b = GNUTLS_E_AGAIN;
    for (int i = 0; i < 20 && (a != 0 || b != 0); i++) {
        a = a != 0 ? gnutls_handshake(client.session) : 0;
        b = b != 0 ? gnutls_handshake(server.session) : 0;
    }
    measure_check(a == 0 && b == 0, "handshake");
    (void)gnutls_record_recv(client.session, none, sizeof none); /* the ticket */
    if (resume) {
        gnutls_free(kept.data);
        gnutls_session_get_data2(client.session, &kept);
    }
}

static void finish(void)
{
    gnutls_deinit(client.session);
    gnutls_deinit(server.session);
}

static void handshake(void)
{
    establish();
    finish();
}

static void make(unsigned slot, size_t len)
{
    client.to = records + (size_t)slot * RECORD_MAX;
    measure_check(gnutls_record_send(client.session, client.to, len) == (ssize_t)len, "send");
}

static void take(unsigned slot, size_t len)
{
    unsigned char *record = records + (size_t)slot * RECORD_MAX;
    memcpy(server.in, record, len + 22);
    server.in_at = 0;
    server.in_len = len + 22;
    measure_check(gnutls_record_recv(server.session, record, len) == (ssize_t)len, "recv");
}

static gnutls_certificate_credentials_t credentials_make(const char *certificate, const char *key)
{
    gnutls_certificate_credentials_t made;
    measure_check(gnutls_certificate_allocate_credentials(&made) == 0 &&
                      (certificate == NULL ||
                       gnutls_certificate_set_x509_key_file(made, certificate, key, GNUTLS_X509_FMT_PEM) == 0),
                  "credentials");
    return made;
}

int main(int argc, char **argv)
{
    measure_check(argc == 5 &&
                      gnutls_priority_init(
                          &priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM:-GROUP-ALL:+GROUP-X25519",
                          NULL) == 0,
                  "start");
    gnutls_session_ticket_key_generate(&ticket_key);
    of_client = credentials_make(NULL, NULL);
    of_server = ec = credentials_make(argv[1], argv[2]);
    rsa = credentials_make(argv[3], argv[4]);
    measure("handshake ECDSA", handshake);
    of_server = rsa;
    measure("handshake RSA", handshake);
    of_server = ec;
    resume = 1;
    measure("handshake resumed", handshake);
    establish();
    records = calloc(MEASURE_BATCH_MAX, RECORD_MAX);
    const struct measure_messages work = {"seal", "unseal", make, take};
    measure_messages(&work, 1024, "");
    measure_messages(&work, 16384, "");
    finish();
    free(records);
    return 0;
}
