/*
 * The same through OpenSSL with memory BIOs: schannel_openssl EC_CERT EC_KEY RSA_CERT RSA_KEY.
 * build: peer libssl libcrypto
 */
#include "measure.h"

#include <openssl/ssl.h>

#define RECORD_MAX 16500

static SSL_CTX *client_ctx, *server_ctx;
static SSL *client, *server;
static SSL_SESSION *kept;
static int resume;
static unsigned char *records, scratch[16384];

static SSL_CTX *ctx_make(const SSL_METHOD *method, const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    measure_check(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1, "context");
    if (certificate != NULL)
        measure_check(SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
                          SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1,
                      "certificate");
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return ctx;
}

/* The client of the other programs checks no chain. */
static int chain_pass(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int session_keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* What one side wrote goes into the other's BIO. */
static void pass(SSL *from, SSL *to)
{
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(from), &bytes);
    if (len > 0)
        BIO_write(SSL_get_rbio(to), bytes, (int)len);
    (void)BIO_reset(SSL_get_wbio(from));
}

static void establish(void)
{
    size_t len;
    client = SSL_new(client_ctx);
    server = SSL_new(server_ctx);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    SSL_set_tlsext_host_name(client, "server.test");
    if (resume && kept != NULL)
        SSL_set_session(client, kept);
    SSL_do_handshake(client);
    pass(client, server);
    SSL_do_handshake(server);
    pass(server, client);
    measure_check(SSL_do_handshake(client) == 1, "client");
    pass(client, server);
    measure_check(SSL_do_handshake(server) == 1, "server");
    pass(server, client);
    (void)SSL_read_ex(client, scratch, sizeof scratch, &len); /* the ticket */
}

static void finish(void)
{
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
}

static void handshake(void)
{
    establish();
    finish();
}

static void make(unsigned slot, size_t len)
{
    size_t done;
    unsigned char *record = records + (size_t)slot * RECORD_MAX;
    measure_check(SSL_write_ex(client, record, len, &done) == 1, "SSL_write");
    measure_check(BIO_read(SSL_get_wbio(client), record, RECORD_MAX) == (int)len + 22, "BIO_read");
}

static void take(unsigned slot, size_t len)
{
    size_t done;
    unsigned char *record = records + (size_t)slot * RECORD_MAX;
    BIO_write(SSL_get_rbio(server), record, (int)len + 22);
    measure_check(SSL_read_ex(server, record, len, &done) == 1 && done == len, "SSL_read");
}

int main(int argc, char **argv)
{
    measure_check(argc == 5, "arguments");
    client_ctx = ctx_make(TLS_client_method(), NULL, NULL);
    server_ctx = ctx_make(TLS_server_method(), argv[1], argv[2]);
    SSL_CTX *rsa = ctx_make(TLS_server_method(), argv[3], argv[4]), *ec = server_ctx;
    SSL_CTX_set_cert_verify_callback(client_ctx, chain_pass, NULL);
    measure("handshake ECDSA", handshake);
    server_ctx = rsa;
    measure("handshake RSA", handshake);
    server_ctx = ec;
    SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_ctx, session_keep);
    resume = 1;
    measure("handshake resumed", handshake);
    establish();
    records = calloc(MEASURE_BATCH_MAX, RECORD_MAX);
    const struct measure_messages work = {"seal", "unseal", make, take};
    measure_messages(&work, 1024, "");
    measure_messages(&work, 16384, "");
    finish();
    free(records);
    SSL_SESSION_free(kept);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(ec);
    SSL_CTX_free(rsa);
    return 0;
}
