#include "support/life.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <credssp.h>
#include <schannel.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <wincrypt.h>

#define ALLOCATIONS_MAX 20000 /* of one piece of work; more is a sweep that does not end */
#define STEPS_MAX 40

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool is_zero(const SecHandle *handle)
{
    return handle->dwLower == 0 && handle->dwUpper == 0;
}

/* ---- the sweep ---- */

struct work {
    const char *name;
    struct life *life;
    SECURITY_STATUS (*run)(struct work *work);
    void (*after)(struct work *work); /* NULL: nothing is left */
    SECURITY_STATUS usual;            /* what it answers when there is memory */
    /* of one query */
    SecHandle *handle;
    ULONG attribute;
    bool wide, of_credential;
};

static unsigned sweep_mode(struct work *work, bool sticky)
{
    for (unsigned long n = 1; n < ALLOCATIONS_MAX; n++) {
        mem_fault_set(n, sticky);
        SECURITY_STATUS status = work->run(work);
        bool struck = mem_fault_count() >= n;
        mem_fault_set(0, false);
        if (status != work->usual && (!struck || status != SEC_E_INSUFFICIENT_MEMORY))
            fail_msg("%s: %s (attribute %u): allocation %lu%s: 0x%08x %s", work->life->package, work->name,
                     (unsigned)work->attribute, n, sticky ? " and on" : "", (unsigned)status, OpenSspiLastErrorText());
        if (work->after != NULL)
            work->after(work);
        if (!struck)
            return (unsigned)n - 1;
    }
    fail_msg("%s: %s does not end", work->life->package, work->name);
    return 0;
}

static unsigned sweep(struct work *work)
{
    unsigned n_alone = sweep_mode(work, false);
    return n_alone > 0 ? n_alone + sweep_mode(work, true) : 0;
}

/* ---- credentials ---- */

static void side_drop(struct life_side *side, bool credential)
{
    if (!is_zero(&side->context))
        assert_int_equal(DeleteSecurityContext(&side->context), SEC_E_OK);
    if (credential && !is_zero(&side->credential))
        assert_int_equal(FreeCredentialsHandle(&side->credential), SEC_E_OK);
    side->context = (CtxtHandle){0};
    if (credential)
        side->credential = (CredHandle){0};
    side->status = SEC_I_CONTINUE_NEEDED;
    side->len = 0;
}

static void drop_contexts(struct work *work)
{
    side_drop(&work->life->client, false);
    side_drop(&work->life->server, false);
}

static void drop_all(struct work *work)
{
    side_drop(&work->life->client, true);
    side_drop(&work->life->server, true);
}

static SECURITY_STATUS acquire_one(struct life *life, struct life_side *side)
{
    bool initiates = side == &life->client;
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        NULL, text_of(life->package), initiates ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL,
        initiates ? life->client_auth : life->server_auth, NULL, NULL, &side->credential, NULL);
    assert_true(status == SEC_E_OK || is_zero(&side->credential));
    return status;
}

static SECURITY_STATUS acquire(struct work *work)
{
    SECURITY_STATUS status = acquire_one(work->life, &work->life->client);
    return status == SEC_E_OK ? acquire_one(work->life, &work->life->server) : status;
}

/* ---- the handshake ---- */

static SECURITY_STATUS call(struct life *life, struct life_side *side, SecBufferDesc *in, SecBufferDesc *out)
{
    CtxtHandle *old = is_zero(&side->context) ? NULL : &side->context, *new = &side->context;
    ULONG granted = 0;
    if (side == &life->client)
        return (life->sasl ? SaslInitializeSecurityContextA : InitializeSecurityContextA)(
            &side->credential, old, text_of(life->target), life->client_flags | ISC_REQ_ALLOCATE_MEMORY, 0,
            SECURITY_NATIVE_DREP, old == NULL && side->len == 0 ? NULL : in, 0, new, out, &granted, NULL);
    return (life->sasl ? SaslAcceptSecurityContext : AcceptSecurityContext)(
        &side->credential, old, in, life->server_flags | ASC_REQ_ALLOCATE_MEMORY, SECURITY_NATIVE_DREP, new, out,
        &granted, NULL);
}

static void wire_give(struct life_side *to, SecBuffer *out)
{
    assert_true(out->cbBuffer <= sizeof to->wire - to->len);
    if (out->cbBuffer > 0)
        memcpy(to->wire + to->len, out->pvBuffer, out->cbBuffer);
    to->len += out->cbBuffer;
    assert_int_equal(FreeContextBuffer(out->pvBuffer), SEC_E_OK);
}

static void step(struct life *life, struct life_side *side, struct life_side *other)
{
    CtxtHandle before = side->context;
    SecBuffer in[2] = {{side->len, SECBUFFER_TOKEN, side->wire}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_ALERT, NULL}};
    if (life->shows)
        in[1] = life->certificate;
    SecBufferDesc in_list = {SECBUFFER_VERSION, 2, in}, out_list = {SECBUFFER_VERSION, life->stream ? 2 : 1, out};
    side->status = call(life, side, &in_list, &out_list);
    if (side->status < 0) {
        assert_memory_equal(&before, &side->context, sizeof before);
        assert_true(life->stream || out[0].pvBuffer == NULL || out[0].cbBuffer > 0); /* a token that says why */
    }
    if (side->status != SEC_E_INCOMPLETE_MESSAGE) {
        ULONG left = in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0;
        memmove(side->wire, side->wire + side->len - left, left);
        side->len = left;
    }
    wire_give(other, &out[0]);
    wire_give(other, &out[1]);
}

static bool goes_on(const struct life_side *side)
{
    return is_zero(&side->context) || side->status == SEC_I_CONTINUE_NEEDED || side->status == SEC_E_INCOMPLETE_MESSAGE;
}

static bool failed(const struct life_side *side)
{
    return side->status < 0 && side->status != SEC_E_INCOMPLETE_MESSAGE;
}

static SECURITY_STATUS handshake(struct work *work)
{
    struct life *life = work->life;
    struct life_side *client = &life->client, *server = &life->server;
    for (int i = 0; i < STEPS_MAX && (goes_on(client) || goes_on(server)); i++) {
        if (goes_on(client) && (!life->server_first || i > 0) &&
            (client->len > 0 || is_zero(&client->context) || life->sasl))
            step(life, client, server);
        if (failed(client))
            return client->status;
        if (goes_on(server) && (server->len > 0 || i == 0 || life->sasl))
            step(life, server, client);
        if (failed(server))
            return server->status;
    }
    if (goes_on(client) || goes_on(server))
        fail_msg("%s: nobody goes on: client 0x%08x, server 0x%08x", life->package, (unsigned)client->status,
                 (unsigned)server->status);
    return SEC_E_OK;
}

/* ---- messages ---- */

#define SENT_TEXT "a message, which is not long"

struct parcel {
    unsigned char bytes[4096];
    SecBuffer buffers[4];
    SecBufferDesc list;
};

static SECURITY_STATUS parcel_begin(struct life *life, struct life_side *side, bool sealed, struct parcel *parcel)
{
    SecPkgContext_StreamSizes stream = {0};
    SecPkgContext_Sizes sizes = {0};
    ULONG before, after;
    if (life->stream) {
        SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_STREAM_SIZES, &stream);
        if (status != SEC_E_OK)
            return status;
        before = stream.cbHeader;
        after = stream.cbTrailer;
    } else {
        SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_SIZES, &sizes);
        if (status != SEC_E_OK)
            return status;
        before = sealed ? sizes.cbSecurityTrailer : sizes.cbMaxSignature;
        after = sealed ? sizes.cbBlockSize : 0;
    }
    assert_true(before + sizeof SENT_TEXT + after <= sizeof parcel->bytes);
    memcpy(parcel->bytes + before, SENT_TEXT, sizeof SENT_TEXT);
    parcel->buffers[0] = (SecBuffer){before, life->stream ? SECBUFFER_STREAM_HEADER : SECBUFFER_TOKEN, parcel->bytes};
    parcel->buffers[1] = (SecBuffer){sizeof SENT_TEXT, SECBUFFER_DATA, parcel->bytes + before};
    parcel->buffers[2] = (SecBuffer){after, life->stream ? SECBUFFER_STREAM_TRAILER : SECBUFFER_PADDING,
                                     parcel->bytes + before + sizeof SENT_TEXT};
    parcel->buffers[3] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    parcel->list = (SecBufferDesc){SECBUFFER_VERSION, life->stream ? 4 : sealed ? 3 : 2, parcel->buffers};
    return SEC_E_OK;
}

static SECURITY_STATUS message(struct life *life, struct life_side *from, struct life_side *to, bool sealed)
{
    struct parcel parcel;
    SECURITY_STATUS status = parcel_begin(life, from, sealed, &parcel);
    if (status == SEC_E_OK)
        status = sealed ? EncryptMessage(&from->context, 0, &parcel.list, 0)
                        : MakeSignature(&from->context, 0, &parcel.list, 0);
    if (status != SEC_E_OK)
        return status;
    if (life->stream) {
        const SecBuffer *sent = parcel.buffers;
        parcel.buffers[0] =
            (SecBuffer){sent[0].cbBuffer + sent[1].cbBuffer + sent[2].cbBuffer, SECBUFFER_DATA, parcel.bytes};
        for (int i = 1; i < 4; i++)
            parcel.buffers[i] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    }
    status = sealed ? DecryptMessage(&to->context, &parcel.list, 0, NULL)
                    : VerifySignature(&to->context, &parcel.list, 0, NULL);
    if (status == SEC_E_OK) {
        assert_int_equal(parcel.buffers[1].cbBuffer, sizeof SENT_TEXT);
        assert_memory_equal(parcel.buffers[1].pvBuffer, SENT_TEXT, sizeof SENT_TEXT);
    }
    return status;
}

/* What came behind the handshake (a TLS server's tickets) is the client's next step; memory does not run out there. */
static void take_late_records(struct life *life)
{
    while (life->stream && life->client.len > 0) {
        ULONG len = life->client.len;
        SecBuffer in[4] = {{len, SECBUFFER_DATA, life->client.wire}, {0}, {0}, {0}};
        SecBufferDesc list = {SECBUFFER_VERSION, 4, in};
        SECURITY_STATUS status = DecryptMessage(&life->client.context, &list, 0, NULL);
        assert_int_equal(status, SEC_I_RENEGOTIATE);
        ULONG left = 0;
        for (int i = 1; i < 4; i++)
            if (in[i].BufferType == SECBUFFER_EXTRA) {
                memmove(life->client.wire, in[i].pvBuffer, in[i].cbBuffer);
                left = in[i].cbBuffer;
            }
        life->client.len = left;
        step(life, &life->client, &life->server);
        assert_int_equal(life->client.status, SEC_E_OK);
        assert_true(life->client.len < len);
    }
}

static SECURITY_STATUS messages(struct work *work)
{
    struct life *life = work->life;
    SECURITY_STATUS status = SEC_E_OK;
    if (!life->does_not_seal)
        status = message(life, &life->client, &life->server, true);
    if (status == SEC_E_OK && !life->does_not_seal)
        status = message(life, &life->server, &life->client, true);
    if (status == SEC_E_OK && life->signs)
        status = message(life, &life->client, &life->server, false);
    return status;
}

/* A handshake that succeeded although memory was short is one. */
static void after_handshake(struct work *work)
{
    struct life *life = work->life;
    if (life->client.status == SEC_E_OK && life->server.status == SEC_E_OK) {
        take_late_records(life);
        assert_int_equal(messages(work), SEC_E_OK);
    }
    drop_contexts(work);
}

/* ---- attributes ---- */

union value {
    unsigned char bytes[1024];
    void *words[8];
    PCCERT_CONTEXT certificate;
};

/* Gives back what an attribute holds: certificates, or whatever of it is one of our blocks. */
static void value_release(const struct work *work, union value *value)
{
    ULONG attribute = work->attribute;
    if (attribute == SECPKG_ATTR_REMOTE_CERT_CONTEXT || attribute == SECPKG_ATTR_LOCAL_CERT_CONTEXT ||
        attribute == SECPKG_ATTR_REMOTE_CERT_CHAIN) {
        CertFreeCertificateContext(value->certificate);
        return;
    }
    if (attribute == SECPKG_ATTR_ROOT_STORE) {
        CertCloseStore(value->words[0], 0);
        return;
    }
    for (size_t i = 0; i < sizeof value->words / sizeof value->words[0]; i++)
        if (value->words[i] != NULL)
            (void)FreeContextBuffer(value->words[i]);
}

static SECURITY_STATUS query(struct work *work)
{
    static const union value nothing;
    union value value = nothing;
    SECURITY_STATUS status;
    if (work->of_credential)
        status = (work->wide ? QueryCredentialsAttributesW : QueryCredentialsAttributesA)(work->handle, work->attribute,
                                                                                          &value);
    else
        status =
            (work->wide ? QueryContextAttributesW : QueryContextAttributesA)(work->handle, work->attribute, &value);
    if (status == SEC_E_OK)
        value_release(work, &value);
    else
        assert_memory_equal(&value, &nothing, sizeof value);
    return status;
}

static void queries(struct life *life)
{
    static const ULONG far[] = {SECPKG_ATTR_CREDS, SECPKG_ATTR_NEGOTIATION_PACKAGE, SECPKG_ATTR_SERVER_AUTH_FLAGS,
                                SECPKG_ATTR_CERT_TRUST_STATUS, SECPKG_ATTR_CREDS_2};
    struct life_side *sides[] = {&life->client, &life->server};
    for (unsigned i = 0; i < 8; i++)
        for (ULONG number = 0; number <= SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES + 5; number++) {
            struct work work = {.name = i & 2 ? "query of a credential" : "query", .life = life, .run = query};
            work.of_credential = (i & 2) != 0;
            work.wide = (i & 4) != 0;
            work.handle = work.of_credential ? &sides[i & 1]->credential : &sides[i & 1]->context;
            work.attribute = number <= SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES
                                 ? number
                                 : far[number - SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES - 1];
            work.usual = query(&work);
            life->n_queries += sweep(&work);
            assert_int_equal(query(&work), work.usual);
        }
}

/* ---- what a server does with its client ---- */

static SECURITY_STATUS client_token(struct work *work)
{
    void *token = NULL;
    SECURITY_STATUS status = QuerySecurityContextToken(work->handle, &token);
    assert_true((status == SEC_E_OK) == (token != NULL));
    if (status == SEC_E_OK)
        assert_true(OpenSspiCloseHandle(token));
    return status;
}

static SECURITY_STATUS client_identity(struct work *work)
{
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    SECURITY_STATUS status = OpenSspiQueryClientIdentity(work->handle, &identity);
    assert_true((status == SEC_E_OK) == (identity != NULL));
    if (status == SEC_E_OK)
        assert_int_equal(FreeContextBuffer(identity), SEC_E_OK);
    return status;
}

static SECURITY_STATUS delegated(struct work *work)
{
    CredHandle credential = {0};
    SECURITY_STATUS status =
        OpenSspiAcquireDelegatedCredentials(work->handle, &work->life->server.credential, &credential, NULL);
    assert_true((status == SEC_E_OK) == !is_zero(&credential));
    if (status == SEC_E_OK)
        assert_int_equal(FreeCredentialsHandle(&credential), SEC_E_OK);
    return status;
}

static void client(struct life *life)
{
    static const struct {
        const char *name;
        SECURITY_STATUS (*run)(struct work *work);
    } all[] = {
        {"the client's identity", client_identity}, {"the client's token", client_token}, {"delegated", delegated}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct work work = {.name = all[i].name, .life = life, .run = all[i].run, .handle = &life->server.context};
        /* A token is kept once it was made: only its first question is worth a sweep, so that is what comes first. */
        work.usual = i == 1 && client_identity(&work) == SEC_E_OK ? SEC_E_OK : all[i].run(&work);
        life->n_client += sweep(&work);
        assert_int_equal(all[i].run(&work), work.usual);
    }
}

/* ---- another process ---- */

static SECURITY_STATUS transfer(struct work *work)
{
    SecBuffer packed = {0};
    CtxtHandle copy = {0};
    SECURITY_STATUS status = ExportSecurityContext(work->handle, 0, &packed, NULL);
    if (status != SEC_E_OK) {
        assert_null(packed.pvBuffer);
        return status;
    }
    status = ImportSecurityContextA(text_of(work->life->package), &packed, NULL, &copy);
    assert_true((status == SEC_E_OK) == !is_zero(&copy));
    assert_int_equal(FreeContextBuffer(packed.pvBuffer), SEC_E_OK);
    if (status == SEC_E_OK)
        assert_int_equal(DeleteSecurityContext(&copy), SEC_E_OK);
    return status;
}

static void transfers(struct life *life)
{
    struct life_side *sides[] = {&life->client, &life->server};
    for (size_t i = 0; i < 2; i++) {
        struct work work = {.name = "export and import", .life = life, .run = transfer, .handle = &sides[i]->context};
        work.usual = transfer(&work);
        life->n_transfer += sweep(&work);
    }
}

static void establish(struct work *work)
{
    drop_all(work);
    assert_int_equal(acquire(work), SEC_E_OK);
    assert_int_equal(handshake(work), SEC_E_OK);
    take_late_records(work->life);
}

void life_sweep(struct life *life)
{
    struct work made = {.name = "acquire", .life = life, .run = acquire, .after = drop_all};
    struct work walked = {.name = "handshake", .life = life, .run = handshake, .after = after_handshake};
    struct work sent = {.name = "message", .life = life, .run = messages};
    drop_all(&made);
    life->n_acquire = sweep(&made);
    establish(&made);
    drop_contexts(&made);
    life->n_handshake = sweep(&walked);
    establish(&made);
    (void)sweep(&sent); /* a message without memory fails, or needs none */
    establish(&made);
    client(life);
    queries(life);
    transfers(life);
    assert_int_equal(messages(&made), SEC_E_OK);
    drop_all(&made);
    print_message("%s: allocations that failed: acquire %u, handshake %u, attributes %u, client %u, transfer %u\n",
                  life->package, life->n_acquire, life->n_handshake, life->n_queries, life->n_client, life->n_transfer);
}
