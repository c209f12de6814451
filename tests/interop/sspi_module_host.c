/*
 * Loads a shared object of security packages the way FreeRDP's /sspi-module: does, and walks client and server through Network Level Authentication's
 * calls: the A table, an identity of 72 bytes in wide strings with private flags and fields behind it, one variable for asked and granted flags, a
 * shortened trailer, a gateway's channel bindings and signatures, acting as the client at the end.
 * Everything the module needs to know is declared here, as in a program that has never seen its headers.
 * build: peer
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct handle {
    uintptr_t lower, upper;
};
struct buffer {
    uint32_t len, type;
    void *data;
};
struct list {
    uint32_t version, n_buffers;
    struct buffer *buffers;
};
struct info {
    uint32_t capabilities;
    uint16_t version, rpc_id;
    uint32_t max_token;
    char *name, *comment;
};
struct sizes {
    uint32_t max_token, max_signature, block, trailer;
};

/* SEC_WINNT_AUTH_IDENTITY_EX, and what FreeRDP keeps behind it. */
struct identity {
    uint32_t version, length;
    uint16_t *user;
    uint32_t user_len;
    uint16_t *domain;
    uint32_t domain_len;
    uint16_t *password;
    uint32_t password_len, flags;
    uint16_t *packages;
    uint32_t packages_len;
    void *behind[6];
};
_Static_assert(offsetof(struct identity, behind) == 72, "the structure's documented size");

enum { TOKEN = 2, DATA = 1, EMPTY = 0, BINDINGS = 14 };
#define READ_ONLY 0x80000000u

#define OK 0
#define CONTINUE 0x00090312

struct table {
    uint32_t version;
    void *enumerate, *query_credentials;
    int32_t (*acquire)(char *principal, const char *package, uint32_t use, void *logon, void *data, void *get_key,
                       void *argument, struct handle *credential, int64_t *expiry);
    int32_t (*free_credentials)(struct handle *credential);
    void *reserved_2;
    int32_t (*initialize)(struct handle *credential, struct handle *context, char *target, uint32_t flags,
                          uint32_t reserved, uint32_t rep, struct list *in, uint32_t reserved_2,
                          struct handle *new_context, struct list *out, uint32_t *granted, int64_t *expiry);
    int32_t (*accept)(struct handle *credential, struct handle *context, struct list *in, uint32_t flags, uint32_t rep,
                      struct handle *new_context, struct list *out, uint32_t *granted, int64_t *expiry);
    int32_t (*complete)(struct handle *context, struct list *token);
    int32_t (*delete_context)(struct handle *context);
    void *control;
    int32_t (*query)(struct handle *context, uint32_t attribute, void *value);
    int32_t (*impersonate)(struct handle *context);
    int32_t (*revert)(struct handle *context);
    void *sign;
    int32_t (*verify)(struct handle *context, struct list *message, uint32_t seq, uint32_t *qop);
    int32_t (*free_buffer)(void *buffer);
    int32_t (*package_info)(const char *name, struct info **info);
    void *reserved_3, *reserved_4, *export, *import, *add, *reserved_8, *token;
    int32_t (*encrypt)(struct handle *context, uint32_t qop, struct list *message, uint32_t seq);
    int32_t (*decrypt)(struct handle *context, struct list *message, uint32_t seq, uint32_t *qop);
    int32_t (*set_context)(struct handle *context, uint32_t attribute, void *value, uint32_t len);
    int32_t (*set_credentials)(struct handle *credential, uint32_t attribute, void *value, uint32_t len);
};
_Static_assert(offsetof(struct table, encrypt) == 200 && offsetof(struct table, set_credentials) == 224,
               "x64's offsets");

static const struct table *table;

#define NEED(CONDITION)                                                       \
    do {                                                                      \
        if (!(CONDITION)) {                                                   \
            printf("line %d of %s: %s\n", __LINE__, package_now, #CONDITION); \
            exit(1);                                                          \
        }                                                                     \
    } while (0)
static const char *package_now;

static uint16_t *wide(const char *text)
{
    uint16_t *units = calloc(strlen(text) + 1, sizeof *units);
    for (size_t i = 0; units != NULL && text[i] != '\0'; i++)
        units[i] = (unsigned char)text[i];
    return units;
}

struct end {
    struct handle credential, context;
    uint32_t flags;
    uint32_t sent, received;
};

static struct end client, server;
static uint32_t max_token;
static int gateway; /* the client adds channel bindings to each leg */

/* One leg of either side; the variable of the flags is both what is asked and what was granted. */
static int32_t leg(struct end *end, int is_client, struct buffer *in, struct buffer *out)
{
    static char target[] = "TERMSRV/localhost";
    static uint32_t bindings[8 + 8] = {0, 0, 0, 0, 0, 0, 32, 32}; /* SEC_CHANNEL_BINDINGS and the application's data */
    struct buffer with[2] = {*in, {sizeof bindings, BINDINGS, bindings}};
    struct list in_list = {0, is_client && gateway ? 2 : 1, with}, out_list = {0, 1, out};
    struct handle *context = end->context.lower == 0 && end->context.upper == 0 ? NULL : &end->context;
    out->type = TOKEN;
    out->len = max_token;
    out->data = malloc(max_token);
    int32_t status = is_client ? table->initialize(&end->credential, context, target, end->flags, 0, 0x10, &in_list, 0,
                                                   &end->context, &out_list, &end->flags, NULL)
                               : table->accept(&end->credential, context, &in_list, end->flags, 0x10, &end->context,
                                               &out_list, &end->flags, NULL);
    if (status == 0x00090313 || status == 0x00090314) { /* COMPLETE_NEEDED and COMPLETE_AND_CONTINUE */
        NEED(table->complete != NULL && table->complete(&end->context, &out_list) == OK);
        status = status == 0x00090313 ? OK : CONTINUE;
    }
    return status;
}

static void handshake(void)
{
    struct buffer to_server = {0, EMPTY, NULL}, to_client = {0, EMPTY, NULL};
    int32_t client_status = CONTINUE, server_status = CONTINUE;
    for (int i = 0; i < 10 && (client_status == CONTINUE || server_status == CONTINUE); i++) {
        if (client_status == CONTINUE) {
            struct buffer in = to_client; /* on the first call {0, EMPTY, NULL} */
            client_status = leg(&client, 1, &in, &to_server);
            NEED(client_status == OK || client_status == CONTINUE);
            free(to_client.data);
            to_client.data = NULL;
        }
        if (server_status == CONTINUE) {
            NEED(to_server.len > 0 && to_server.type == TOKEN);
            struct buffer in = to_server;
            server_status = leg(&server, 0, &in, &to_client);
            NEED(server_status == OK || server_status == CONTINUE);
            free(to_server.data);
            to_server.data = NULL;
            NEED(client_status == CONTINUE || to_client.len == 0); /* who is done gets nothing more */
        }
    }
    NEED(client_status == OK && server_status == OK);
    free(to_client.data);
    free(to_server.data);
}

/* The trailer before the text in one piece of memory; one that the call shortens is closed up. */
static void message(struct end *from, struct end *to, const char *text)
{
    struct sizes sizes;
    size_t len = strlen(text);
    uint32_t qop = 1;
    NEED(table->query(&from->context, 0, &sizes) == OK);
    unsigned char *whole = malloc(sizes.trailer + len);
    memcpy(whole + sizes.trailer, text, len);
    struct buffer pieces[2] = {{sizes.trailer, TOKEN, whole}, {(uint32_t)len, DATA, whole + sizes.trailer}};
    struct list list = {0, 2, pieces};
    NEED(table->encrypt(&from->context, 0, &list, from->sent++) == OK);
    NEED(pieces[0].len <= sizes.trailer);
    if (pieces[0].len < sizes.trailer)
        memmove(whole + pieces[0].len, whole + sizes.trailer, pieces[1].len);
    NEED(len < 4 || memcmp(whole + pieces[0].len, text, len) != 0);
    struct buffer opened[2] = {{pieces[0].len, TOKEN, whole}, {pieces[1].len, DATA, whole + pieces[0].len}};
    struct list open_list = {0, 2, opened};
    NEED(table->decrypt(&to->context, &open_list, to->received++, &qop) == OK);
    NEED(opened[1].len == len && memcmp(opened[1].data, text, len) == 0);
    free(whole);
}

/* A gateway's requests are signed by the call that encrypts. */
static void signature(struct end *from, struct end *to)
{
    static const char text[] = "a request that everybody may read";
    struct sizes sizes;
    uint32_t qop = 1;
    NEED(table->query(&from->context, 0, &sizes) == OK);
    unsigned char *whole = malloc(sizeof text + sizes.trailer);
    memcpy(whole, text, sizeof text);
    struct buffer pieces[2] = {{sizeof text, DATA | READ_ONLY, whole}, {sizes.trailer, TOKEN, whole + sizeof text}};
    struct list list = {0, 2, pieces};
    NEED(table->encrypt(&from->context, 0, &list, from->sent++) == OK);
    NEED(memcmp(whole, text, sizeof text) == 0 && pieces[1].len > 0 && pieces[1].len <= sizes.trailer);
    NEED(table->verify(&to->context, &list, to->received++, &qop) == OK);
    free(whole);
}

static void acquire(struct end *end, int is_client, const char *password, uint32_t private_flags)
{
    struct identity identity = {
        .version = 0x200,
        .length = 72,
        .user = wide("alice"),
        .user_len = 5,
        .domain = wide("EXAMPLE"),
        .domain_len = 7,
        .password = wide(password),
        .password_len = (uint32_t)strlen(password),
        .flags = 0x2 | private_flags,
    };
    memset(identity.behind, 0x5a, sizeof identity.behind); /* nobody's business */
    int64_t expiry;
    NEED(table->acquire(NULL, package_now, is_client ? 2 : 1, NULL, is_client ? &identity : NULL, NULL, NULL,
                        &end->credential, is_client ? NULL : &expiry) == OK);
    free(identity.user);
    free(identity.domain);
    free(identity.password);
}

static void walk(const char *package, const char *password, uint32_t private_flags)
{
    struct info *info;
    struct sizes sizes;
    unsigned char none[256];
    package_now = package;
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    NEED(table->package_info(package, &info) == OK);
    max_token = info->max_token;
    NEED(table->free_buffer(info) == OK);
    acquire(&client, 1, password, private_flags);
    acquire(&server, 0, "", 0);
    if (table->set_credentials != NULL) { /* SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS: may be refused, must not crash */
        uint32_t proxy[8] = {1, 0, 0};
        (void)table->set_credentials(&client.credential, 3, proxy, sizeof proxy);
    }
    client.flags = 0x2 | 0x10; /* MUTUAL_AUTH, CONFIDENTIALITY */
    server.flags =
        0x2 | 0x10 | 0x800 | 0x4 | 0x8 | 0x8000; /* and CONNECTION, USE_SESSION_KEY, SEQUENCE_DETECT, EXTENDED_ERROR */
    handshake();
    NEED(table->query(&client.context, 0, &sizes) == OK && sizes.trailer > 0 && sizes.trailer <= 4096);
    (void)table->query(&client.context, 1108, none);
    (void)table->query(&server.context, 1110, none);
    NEED(table->set_context != NULL);
    (void)table->set_context(&server.context, 1101, none, 16); /* called without asking whether it is there */
    message(&client, &server, "CredSSP's proof of a key");
    message(&server, &client, "and the answer to it");
    message(&client, &server, "credentials");
    message(&client, &server, "");
    signature(&client, &server);
    signature(&server, &client);
    message(&client, &server, "and sealed again");
    NEED(table->impersonate(&server.context) == OK && table->revert(&server.context) == OK);
    NEED(table->delete_context(&client.context) == OK && table->delete_context(&server.context) == OK);
    NEED(table->free_credentials(&client.credential) == OK && table->free_credentials(&server.credential) == OK);
}

/* A first call that fails leaves nothing to delete. */
static void first_call_fails(void)
{
    struct buffer in = {5, TOKEN, (char[]){"wrong"}}, out;
    package_now = "a first call that fails";
    memset(&server, 0, sizeof server);
    server.flags = 0x10;
    NEED(table->acquire(NULL, "NTLM", 1, NULL, NULL, NULL, NULL, &server.credential, NULL) == OK);
    NEED(leg(&server, 0, &in, &out) < 0);
    NEED(server.context.lower == 0 && server.context.upper == 0);
    free(out.data);
    NEED(table->free_credentials(&server.credential) == OK);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    void *module = dlopen(argv[1], RTLD_LOCAL | RTLD_LAZY);
    const struct table *(*init)(void) = NULL;
    if (module != NULL)
        *(void **)&init = dlsym(module, "InitSecurityInterfaceA");
    if (init == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    table = init();
    walk("Negotiate", "Password1!", 0);
    walk("Negotiate", "Password1!", 0x100);
    walk("Negotiate", "7facdc498ed1680c4fd1448319a8c04f", 0x200 | 0x00800000);
    walk("NTLM", "Password1!", 0x200);
    gateway = 1;
    walk("NTLM", "Password1!", 0x200);
    first_call_fails();
    printf("walked: Negotiate NTLM\n");
    return 0;
}
