/*
 * build: pkg
 *
 * soak SECONDS THREADS PACKAGE,DOMAIN,TARGET...: whole handshakes, broken ones, messages both ways, altered messages, exports, and contexts and
 * credentials that end at any moment, in all threads at once, as a random walk (SOAK_SEED). A wrong answer ends it with 1. Every tenth of the time it
 * prints what was done and what memory is in use; with 2400 seconds and more, memory at the end must be what it was after the first third.
 */
#include "messages.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define WORLDS_MAX 16
#define THREADS_MAX 64
#define MESSAGES_MAX 20
#define REPORTS 10
#define FLAT_SECONDS \
    2400 /* from then on memory is judged: Kerberos' replay cache, which keeps ten minutes, is full by a third of it */

struct world {
    char *package, *domain, *target;
};

static struct world worlds[WORLDS_MAX];
static int n_worlds;
static atomic_int stop, wrong;
static atomic_ulong handshakes, refusals, messages, altered, exports;

struct walk {
    uint64_t random;
    int number;
    struct {
        CredHandle client, server;
        int there;
    } credentials[WORLDS_MAX];
};

static _Thread_local struct walk *walk;

static unsigned pick(unsigned below)
{
    walk->random ^= walk->random << 13;
    walk->random ^= walk->random >> 7;
    walk->random ^= walk->random << 17;
    return below > 1 ? (unsigned)(walk->random >> 33) % below : 0;
}

static void complain(const char *what, SECURITY_STATUS status)
{
    fprintf(stderr, "thread %d, %s: %s: %s (%s)\n", walk->number, package, what, OpenSspiStatusName(status),
            OpenSspiLastErrorText());
    atomic_store(&wrong, 1);
    atomic_store(&stop, 1);
}

/* One bit of one message of the handshake. */
static _Thread_local unsigned alter_in;

static void alter(unsigned char *bytes, ULONG length)
{
    if (length > 0 && alter_in > 0 && --alter_in == 0)
        bytes[pick(length)] ^= (unsigned char)(1U << pick(8));
}

static int credentials_take(int world)
{
    if (walk->credentials[world].there && pick(50) == 0) {
        FreeCredentialsHandle(&walk->credentials[world].client);
        FreeCredentialsHandle(&walk->credentials[world].server);
        walk->credentials[world].there = 0;
    }
    if (!walk->credentials[world].there) {
        SECURITY_STATUS status = acquire(&client, 0);
        if (status == SEC_E_OK)
            status = acquire(&server, 1);
        if (status != SEC_E_OK) {
            complain("AcquireCredentialsHandle", status);
            return 0;
        }
        walk->credentials[world].client = client.credential;
        walk->credentials[world].server = server.credential;
        walk->credentials[world].there = 1;
    }
    client.credential = walk->credentials[world].client;
    server.credential = walk->credentials[world].server;
    return 1;
}

/* A sealed message, perhaps altered on its way. 0: the context is not to be used any more. */
static int message(struct side *from, struct side *to)
{
    struct text text;
    SecBuffer buffers[4];
    SecBufferDesc list;
    unsigned char expected[MESSAGE_MAX];
    ULONG length = 1 + pick(pick(4) == 0 ? MESSAGE_MAX : 100);
    SecBuffer plain = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = room_for(from, 1, length, &text);
    if (status != SEC_E_OK) {
        complain("sizes", status);
        return 0;
    }
    list_of(&text, buffers, &list);
    for (ULONG i = 0; i < length; i++)
        expected[i] = (unsigned char)pick(256);
    memcpy(buffers[1].pvBuffer, expected, length);
    status = EncryptMessage(&from->context, 0, &list, 0);
    if (status != SEC_E_OK) {
        complain("EncryptMessage", status);
        return 0;
    }
    int change = pick(30) == 0;
    if (change)
        ((unsigned char *)buffers[1].pvBuffer)[pick(length)] ^= (unsigned char)(1U << pick(8));
    status = open_sealed(to, &text, buffers, &list, DecryptMessage, &plain);
    if (change) {
        atomic_fetch_add(&altered, 1);
        if (status == SEC_E_OK)
            complain("an altered message is taken", status);
        return 0;
    }
    atomic_fetch_add(&messages, 1);
    if (status != SEC_E_OK || plain.cbBuffer != length || plain.pvBuffer == NULL ||
        memcmp(plain.pvBuffer, expected, length) != 0) {
        complain("a message is not what was sent", status);
        return 0;
    }
    return 1;
}

/* The context goes on as its own copy. */
static void moved(struct side *side)
{
    SecBuffer packed = {0};
    void *token = NULL;
    CtxtHandle copy;
    if (is_stream())
        return;
    SECURITY_STATUS status = ExportSecurityContext(&side->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, &token);
    if (status == SEC_E_OK)
        status = ImportSecurityContextA(package, &packed, NULL, &copy);
    if (status != SEC_E_OK) {
        complain("export and import", status);
        return;
    }
    FreeContextBuffer(packed.pvBuffer);
    DeleteSecurityContext(&side->context);
    side->context = copy;
    atomic_fetch_add(&exports, 1);
}

/* What TLS 1.3's server sends behind its handshake: tickets. */
static void leftovers(void)
{
    SecBuffer in[2] = {{client.got_len, SECBUFFER_TOKEN, client.got}, {0, SECBUFFER_EMPTY, NULL}},
              out = {0, SECBUFFER_TOKEN, NULL};
    SecBuffer buffers[4] = {{client.got_len, SECBUFFER_DATA, client.got}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers}, in_list = {SECBUFFER_VERSION, 2, in},
                  out_list = {SECBUFFER_VERSION, 1, &out};
    if (client.got_len == 0 || DecryptMessage(&client.context, &list, 0, NULL) != SEC_I_RENEGOTIATE)
        return;
    if (InitializeSecurityContextA(&client.credential, &client.context, target, ISC_REQ_ALLOCATE_MEMORY, 0, 0, &in_list,
                                   0, &client.context, &out_list, &client.attributes, NULL) != SEC_E_OK)
        complain("tickets", SEC_E_INTERNAL_ERROR);
    if (out.pvBuffer != NULL)
        FreeContextBuffer(out.pvBuffer);
    client.got_len = 0;
}

static void turn(void)
{
    int world = (int)pick((unsigned)n_worlds), damaged = pick(10) == 0;
    package = worlds[world].package;
    domain = worlds[world].domain[0] != '\0' ? worlds[world].domain : NULL;
    target = worlds[world].target;
    if (!credentials_take(world))
        return;
    on_the_wire = alter;
    alter_in = damaged ? 1 + pick(4) : 0;
    SECURITY_STATUS status =
        handshake(ASKED_CLIENT & ~(ULONG)(pick(2) ? ISC_REQ_DELEGATE : 0), ASKED_SERVER, (int)pick(2));
    if (status == SEC_E_OK && alter_in == 0 && damaged) {
        forget(); /* a change that nothing protects: what the sides now think is their matter */
        return;
    }
    if (status != SEC_E_OK) {
        atomic_fetch_add(&refusals, 1);
        if (!damaged)
            complain("handshake", status);
        forget();
        return;
    }
    atomic_fetch_add(&handshakes, 1);
    if (is_tls())
        leftovers();
    struct side *sides[] = {&client, &server};
    for (unsigned n = pick(MESSAGES_MAX), i = 0; i < n && !atomic_load(&stop); i++) {
        unsigned from = pick(2);
        if (!message(sides[from], sides[1 - from]))
            break;
        if (pick(20) == 0)
            moved(sides[pick(2)]);
    }
    forget();
}

static void *thread_run(void *own)
{
    walk = own;
    while (!atomic_load(&stop))
        turn();
    for (int i = 0; i < n_worlds; i++)
        if (walk->credentials[i].there) {
            FreeCredentialsHandle(&walk->credentials[i].client);
            FreeCredentialsHandle(&walk->credentials[i].server);
        }
    return NULL;
}

/* The second number of the file is the pages that are there. */
static size_t resident_kib(void)
{
    char line[256] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        broken("/proc/self/statm");
    fclose(file);
    char *second = strchr(line, ' ');
    unsigned long pages = second != NULL ? strtoul(second, NULL, 10) : 0;
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static size_t heap_kib(void)
{
    struct mallinfo2 info = mallinfo2();
    return (info.uordblks + info.hblkhd) / 1024;
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static int watch(long seconds)
{
    long start = now(), reported = 0;
    size_t third = 0;
    while (!atomic_load(&stop)) {
        struct timespec wait = {0, 100000000};
        nanosleep(&wait, NULL);
        long elapsed = now() - start;
        if (third == 0 && elapsed >= seconds / 3)
            third = heap_kib();
        if (elapsed >= seconds)
            atomic_store(&stop, 1);
        if (elapsed * REPORTS / seconds > reported || elapsed >= seconds) {
            reported = elapsed * REPORTS / seconds;
            printf("%ld s: %lu handshakes, %lu refused, %lu messages, %lu altered, %lu moved; heap %zu KiB, resident "
                   "%zu KiB\n",
                   elapsed, atomic_load(&handshakes), atomic_load(&refusals), atomic_load(&messages),
                   atomic_load(&altered), atomic_load(&exports), heap_kib(), resident_kib());
            fflush(stdout);
        }
    }
    size_t end = heap_kib();
    if (seconds >= FLAT_SECONDS && end > third + third / 4 + 2048) {
        fprintf(stderr, "memory grows: %zu KiB after a third of the time, %zu KiB at the end\n", third, end);
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    static struct walk walks[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    long seconds = argc > 3 ? strtol(argv[1], NULL, 10) : 0, n = argc > 3 ? strtol(argv[2], NULL, 10) : 0;
    const char *seed = getenv("SOAK_SEED");
    if (seconds < 1 || n < 1 || n > THREADS_MAX || argc - 3 > WORLDS_MAX)
        return 2;
    for (int i = 3; i < argc; i++, n_worlds++) {
        char *comma = strchr(argv[i], ','), *second = comma != NULL ? strchr(comma + 1, ',') : NULL;
        if (second == NULL)
            return 2;
        *comma = *second = '\0';
        worlds[n_worlds] = (struct world){argv[i], comma + 1, second + 1};
    }
    for (long i = 0; i < n; i++) {
        walks[i].number = (int)i;
        walks[i].random = (seed != NULL ? strtoull(seed, NULL, 10) : 1) * 0x9E3779B97F4A7C15ULL +
                          (uint64_t)i * 0xD1B54A32D192ED03ULL + 1;
        if (pthread_create(&threads[i], NULL, thread_run, &walks[i]) != 0)
            broken("threads");
    }
    int flat = watch(seconds);
    for (long i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&wrong) || !flat;
}
