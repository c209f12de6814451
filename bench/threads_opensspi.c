/*
 * Independent contexts in several threads at once: threads_opensspi PACKAGE TARGET THREADS. Prints nanoseconds of all threads together an operation:
 * with n processors and n threads an n-th of one thread's.
 */
#include "measure.h"

#include <pthread.h>
#include <sspi.h>
#include <stdatomic.h>

#include "ntlm_identity.h"

#define THREADS_MAX 64
#define FLAGS (ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define SERVER_FLAGS (ASC_REQ_INTEGRITY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)
#define TOKEN_MAX 8192
#define ROUNDS 8
#define ROUND_NS 250000000u
#define MESSAGE_LEN 1024

static char *package, *target;
static CredHandle client_credential, server_credential;

struct pair {
    CtxtHandle client, server;
    unsigned char to_server[TOKEN_MAX], to_client[TOKEN_MAX], message[MESSAGE_LEN], token[256];
    ULONG trailer;
};

/* Nothing that one thread writes lies on another's cache lines. */
struct worker {
    _Alignas(128) pthread_t thread;
    void (*work)(struct pair *);
    struct pair pair;
    uint64_t done;
};

static atomic_int running;

static void handshake(struct pair *pair)
{
    SecBuffer forth = {TOKEN_MAX, SECBUFFER_TOKEN, pair->to_server},
              back = {TOKEN_MAX, SECBUFFER_TOKEN, pair->to_client};
    SecBufferDesc forth_list = {SECBUFFER_VERSION, 1, &forth}, back_list = {SECBUFFER_VERSION, 1, &back};
    ULONG attributes;
    SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
    for (int first = 1; client == SEC_I_CONTINUE_NEEDED || server == SEC_I_CONTINUE_NEEDED; first = 0) {
        forth.cbBuffer = TOKEN_MAX;
        client = InitializeSecurityContextA(&client_credential, first ? NULL : &pair->client, target, FLAGS, 0,
                                            SECURITY_NATIVE_DREP, first ? NULL : &back_list, 0, &pair->client,
                                            &forth_list, &attributes, NULL);
        measure_check(client >= 0, "the client's step");
        if (forth.cbBuffer == 0)
            break;
        back.cbBuffer = TOKEN_MAX;
        server = AcceptSecurityContext(&server_credential, first ? NULL : &pair->server, &forth_list, SERVER_FLAGS,
                                       SECURITY_NATIVE_DREP, &pair->server, &back_list, &attributes, NULL);
        measure_check(server >= 0, "the server's step");
    }
    measure_check(client == SEC_E_OK && server == SEC_E_OK, "the handshake");
}

static void handshake_once(struct pair *pair)
{
    handshake(pair);
    DeleteSecurityContext(&pair->client);
    DeleteSecurityContext(&pair->server);
}

static void message_once(struct pair *pair)
{
    SecBuffer buffers[2] = {{pair->trailer, SECBUFFER_TOKEN, pair->token},
                            {MESSAGE_LEN, SECBUFFER_DATA, pair->message}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop;
    measure_check(EncryptMessage(&pair->client, 0, &list, 0) == SEC_E_OK &&
                      DecryptMessage(&pair->server, &list, 0, &qop) == SEC_E_OK,
                  "a message");
}

static void *worker_run(void *own)
{
    struct worker *worker = own;
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        worker->work(&worker->pair);
        worker->done++;
    }
    return NULL;
}

static void round_of(const char *workload, struct worker *workers, unsigned n, void (*work)(struct pair *))
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t done = 0;
        atomic_store(&running, 1);
        uint64_t start = measure_now();
        for (unsigned i = 0; i < n; i++) {
            workers[i].work = work;
            workers[i].done = 0;
            measure_check(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) == 0, "starting a thread");
        }
        struct timespec wait = {0, ROUND_NS};
        nanosleep(&wait, NULL);
        atomic_store(&running, 0);
        for (unsigned i = 0; i < n; i++) {
            pthread_join(workers[i].thread, NULL);
            done += workers[i].done;
        }
        best = measure_better(best, measure_now() - start, done);
    }
    printf("%s\t%.1f\n", workload, best);
}

int main(int argc, char **argv)
{
    unsigned n = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    struct worker *workers = aligned_alloc(_Alignof(struct worker), THREADS_MAX * sizeof *workers);
    char name[64];
    measure_check(n >= 1 && n <= THREADS_MAX && workers != NULL, "reading the arguments");
    memset(workers, 0, THREADS_MAX * sizeof *workers);
    package = argv[1];
    target = argv[2];
    void *identity = strcmp(package, "NTLM") == 0 ? ntlm_identity() : NULL;
    measure_check(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, identity, NULL, NULL,
                                            &client_credential, NULL) == SEC_E_OK &&
                      AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                &server_credential, NULL) == SEC_E_OK,
                  "acquiring credentials");
    for (unsigned i = 0; i < n; i++) {
        SecPkgContext_Sizes sizes;
        handshake(&workers[i].pair);
        measure_check(QueryContextAttributesA(&workers[i].pair.client, SECPKG_ATTR_SIZES, &sizes) == SEC_E_OK,
                      "asking for the sizes");
        workers[i].pair.trailer = sizes.cbSecurityTrailer;
    }
    snprintf(name, sizeof name, "%s seal and unseal, 1 KiB", package);
    round_of(name, workers, n, message_once);
    snprintf(name, sizeof name, "%s handshake", package);
    round_of(name, workers, n, handshake_once);
    free(workers);
    return 0;
}
