/*
 * A daemon was started anew while a process held credentials of the former's: who asks first gets another one, who asks at
 * the same time loses nothing. The daemon is a thread of this test's, which keeps a reply back until the other side has gone past it.
 * build: all
 */
#include "support/ntlm_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lsa/protocol.h"
#include <pthread.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 16
#define ASKED_MAX 16
#define WAIT_SECONDS 60 /* for what comes at once */

struct asked {
    unsigned n;
    uint64_t id[ASKED_MAX];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int listener;
    int connection[CONNECTIONS];
    pthread_t thread[CONNECTIONS], arrivals;
    bool waits[CONNECTIONS];
    unsigned n_connections, n_credentials, n_held;
    uint8_t life;                    /* what it calls its clients */
    unsigned held;                   /* the next request of this operation gets its reply when it is let go */
    struct asked of[LSA_OPERATIONS]; /* the credentials that were named, by operation */
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .life = 1};

static bool all_read(int fd, uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, data, len, 0);
        if (got <= 0)
            return false;
        data += got;
        len -= (size_t)got;
    }
    return true;
}

/* The lock is held. A request that is kept back was taken in order; its connection outlives the daemon's end. */
static void hold(unsigned number, unsigned operation)
{
    if (fake.held != operation)
        return;
    fake.held = 0;
    fake.n_held++;
    fake.waits[number] = true;
    (void)pthread_cond_broadcast(&fake.changed);
    while (fake.n_held != 0)
        (void)pthread_cond_wait(&fake.changed, &fake.lock);
    fake.waits[number] = false;
}

static void answer(unsigned number, const struct lsa_head *head, const struct lsa_message *message,
                   struct writer *reply)
{
    uint8_t name[LSA_CLIENT_LEN];
    (void)pthread_mutex_lock(&fake.lock);
    struct asked *asked = &fake.of[head->operation];
    uint64_t given = 0;
    memset(name, fake.life, sizeof name);
    if (asked->n < ASKED_MAX)
        asked->id[asked->n++] = lsa_number(message, LSA_CREDENTIAL);
    if (head->operation == LSA_ACQUIRE || head->operation == LSA_ACQUIRE_S4U)
        given = ++fake.n_credentials;
    (void)pthread_cond_broadcast(&fake.changed);
    hold(number, head->operation);
    (void)pthread_mutex_unlock(&fake.lock);
    lsa_number_write(reply, LSA_STATUS, SEC_E_OK);
    if (head->operation == LSA_HELLO)
        lsa_bytes_write(reply, LSA_CLIENT, slice_of(name, sizeof name));
    if (head->operation == LSA_QUERY_CREDENTIAL)
        lsa_text_write(reply, LSA_TEXT, "somebody");
    if (given != 0) {
        lsa_number_write(reply, LSA_CREDENTIAL, given);
        lsa_number_write(reply, LSA_EXPIRY, (uint64_t)INT64_MAX);
    }
}

static void *connection_serve(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    uint8_t bytes[LSA_HEAD_LEN], body[4096];
    struct lsa_head head;
    struct lsa_message message;
    while (all_read(fake.connection[number], bytes, sizeof bytes)) {
        struct reader reader = reader_of(slice_of(bytes, sizeof bytes));
        if (lsa_head_read(&reader, &head) != WIRE_OK || head.body_len > sizeof body ||
            !all_read(fake.connection[number], body, head.body_len) ||
            lsa_body_read(slice_of(body, head.body_len), head.operation, false, &message) != WIRE_OK)
            break;
        struct writer reply = writer_growing(256);
        lsa_head_write(&reply, head.operation, true, head.sequence);
        answer(number, &head, &message, &reply);
        bool tells = head.operation != LSA_RELEASE && head.operation != LSA_ABANDON;
        bool went = !tells || (lsa_body_end(&reply) == WIRE_OK && send(fake.connection[number], reply.data, reply.len,
                                                                       MSG_NOSIGNAL) == (ssize_t)reply.len);
        writer_release(&reply);
        if (!went)
            break;
    }
    (void)shutdown(fake.connection[number], SHUT_RDWR);
    return NULL;
}

static void *arrivals_serve(void *unused)
{
    (void)unused;
    for (int fd; (fd = accept(fake.listener, NULL, NULL)) >= 0;) {
        (void)pthread_mutex_lock(&fake.lock);
        unsigned number = fake.n_connections;
        bool taken = number < CONNECTIONS;
        if (taken) {
            fake.connection[number] = fd;
            taken = pthread_create(&fake.thread[number], NULL, connection_serve, (void *)(uintptr_t)number) == 0;
            fake.n_connections += taken ? 1 : 0;
        }
        (void)pthread_mutex_unlock(&fake.lock);
        if (!taken)
            (void)close(fd);
    }
    return NULL;
}

/* Nobody knows the clients' names any more, and connections are gone, but one on which a reply is on its way still. */
static void daemon_start_anew(void)
{
    (void)pthread_mutex_lock(&fake.lock);
    fake.life++;
    for (unsigned i = 0; i < fake.n_connections; i++)
        if (!fake.waits[i])
            (void)shutdown(fake.connection[i], SHUT_RDWR);
    memset(fake.of, 0, sizeof fake.of);
    (void)pthread_mutex_unlock(&fake.lock);
}

static void reply_keep_back(enum lsa_operation operation)
{
    (void)pthread_mutex_lock(&fake.lock);
    fake.held = operation;
    (void)pthread_mutex_unlock(&fake.lock);
}

static void until_kept_back(void)
{
    (void)pthread_mutex_lock(&fake.lock);
    while (fake.n_held == 0)
        (void)pthread_cond_wait(&fake.changed, &fake.lock);
    (void)pthread_mutex_unlock(&fake.lock);
}

static void let_go(void)
{
    (void)pthread_mutex_lock(&fake.lock);
    fake.n_held = 0;
    (void)pthread_cond_broadcast(&fake.changed);
    (void)pthread_mutex_unlock(&fake.lock);
}

/* Which credentials the operation has named since the daemon was started, once there are so many. */
static struct asked asked_of(enum lsa_operation operation, unsigned n)
{
    struct timespec until;
    int late = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    (void)pthread_mutex_lock(&fake.lock);
    while (fake.of[operation].n < n && late == 0)
        late = pthread_cond_timedwait(&fake.changed, &fake.lock, &until);
    struct asked asked = fake.of[operation];
    (void)pthread_mutex_unlock(&fake.lock);
    if (asked.n < n)
        fail_msg("operation %u was asked %u times, not %u", (unsigned)operation, asked.n, n);
    return asked;
}

static uint64_t newest(void)
{
    (void)pthread_mutex_lock(&fake.lock);
    uint64_t id = fake.n_credentials;
    (void)pthread_mutex_unlock(&fake.lock);
    return id;
}

static CredHandle acquire(ULONG use)
{
    CredHandle credential = {0};
    char package[] = "Kerberos";
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, package, use, NULL, NULL, NULL, NULL, &credential, NULL);
    if (status != SEC_E_OK)
        fail_msg("0x%08x %s", (unsigned)status, OpenSspiLastErrorText());
    return credential;
}

static SECURITY_STATUS name_ask(CredHandle *credential)
{
    SecPkgCredentials_NamesA names = {0};
    SECURITY_STATUS status = QueryCredentialsAttributesA(credential, SECPKG_CRED_ATTR_NAMES, &names);
    if (status == SEC_E_OK)
        FreeContextBuffer(names.sUserName);
    return status;
}

static SECURITY_STATUS proxy_set(CredHandle *credential)
{
    struct {
        SecPkgCredentials_KdcProxySettingsW settings;
        uint16_t server[17];
    } block = {.settings = {.Version = KDC_PROXY_SETTINGS_V1,
                            .ProxyServerOffset = offsetof(__typeof__(block), server),
                            .ProxyServerLength = sizeof block.server},
               .server = u"proxy.example:443"};
    return SetCredentialsAttributesW(credential, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, &block, sizeof block);
}

struct other {
    CredHandle *credential;
    SECURITY_STATUS (*call)(CredHandle *credential);
    SECURITY_STATUS status;
};

static void *other_run(void *argument)
{
    struct other *other = argument;
    other->status = other->call(other->credential);
    return NULL;
}

/* Two threads find it lost. Who is answered late got a credential that nobody set anything in: he gives that one back and goes on with the other. */
static void test_late_renewal(void **state)
{
    (void)state;
    pthread_t thread;
    CredHandle credential = acquire(SECPKG_CRED_OUTBOUND);
    struct other other = {.credential = &credential, .call = name_ask, .status = -1};
    daemon_start_anew();
    reply_keep_back(LSA_ACQUIRE);
    assert_int_equal(pthread_create(&thread, NULL, other_run, &other), 0);
    until_kept_back();
    uint64_t late = newest();
    assert_int_equal(proxy_set(&credential), SEC_E_OK);
    uint64_t quick = newest();
    assert_true(quick != late);
    assert_int_equal(asked_of(LSA_SET_CREDENTIAL, 1).id[0], quick);
    let_go();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(other.status, SEC_E_OK);
    assert_int_equal(asked_of(LSA_QUERY_CREDENTIAL, 1).id[0], quick);
    assert_int_equal(asked_of(LSA_RELEASE, 1).id[0], late);
    assert_int_equal(newest(), quick);
    FreeCredentialsHandle(&credential);
    assert_int_equal(asked_of(LSA_RELEASE, 2).id[1], quick);
}

/* The former daemon took the setting, and another thread has renewed the credential before that is known: the setting is made again. */
static void test_setting_of_the_former(void **state)
{
    (void)state;
    pthread_t thread;
    CredHandle credential = acquire(SECPKG_CRED_OUTBOUND);
    struct other other = {.credential = &credential, .call = proxy_set, .status = -1};
    reply_keep_back(LSA_SET_CREDENTIAL);
    assert_int_equal(pthread_create(&thread, NULL, other_run, &other), 0);
    until_kept_back();
    daemon_start_anew();
    assert_int_equal(name_ask(&credential), SEC_E_OK);
    uint64_t renewed = newest();
    assert_int_equal(asked_of(LSA_QUERY_CREDENTIAL, 1).id[0], renewed);
    assert_int_equal(asked_of(LSA_SET_CREDENTIAL, 0).n, 0);
    let_go();
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(other.status, SEC_E_OK);
    struct asked asked = asked_of(LSA_SET_CREDENTIAL, 0);
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.id[0], renewed);
    daemon_start_anew(); /* and is lost with the next: nobody would make it a third time */
    assert_int_equal(name_ask(&credential), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    FreeCredentialsHandle(&credential);
}

/* A service acts for a user: the first thing that the new daemon hears of its credential. */
static void test_s4u(void **state)
{
    (void)state;
    char user[] = "bob@EXAMPLE.TEST";
    CredHandle service = acquire(SECPKG_CRED_BOTH), behalf;
    daemon_start_anew();
    SECURITY_STATUS status = OpenSspiAcquireS4uCredentialsA(&service, user, &behalf, NULL);
    if (status != SEC_E_OK)
        fail_msg("0x%08x %s", (unsigned)status, OpenSspiLastErrorText());
    uint64_t given = newest();
    struct asked asked = asked_of(LSA_ACQUIRE_S4U, 0);
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.id[0], given - 1);
    assert_int_equal(name_ask(&behalf), SEC_E_OK);
    assert_int_equal(asked_of(LSA_QUERY_CREDENTIAL, 1).id[0], given);
    FreeCredentialsHandle(&behalf);
    FreeCredentialsHandle(&service);
    assert_int_equal(asked_of(LSA_RELEASE, 2).id[1], given - 1);
}

static int begin(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    loop_daemon_configure("answer_seconds = 60\n");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", loop_daemon_socket());
    fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fake.listener >= 0 && bind(fake.listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fake.listener, CONNECTIONS) == 0 &&
                   pthread_create(&fake.arrivals, NULL, arrivals_serve, NULL) == 0
               ? 0
               : -1;
}

static int end(void **state)
{
    let_go();
    daemon_start_anew();
    (void)shutdown(fake.listener, SHUT_RDWR);
    (void)pthread_join(fake.arrivals, NULL);
    for (unsigned i = 0; i < fake.n_connections; i++) {
        (void)pthread_join(fake.thread[i], NULL);
        (void)close(fake.connection[i]);
    }
    (void)close(fake.listener);
    return loop_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_renewal),
        cmocka_unit_test(test_setting_of_the_former),
        cmocka_unit_test(test_s4u),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
