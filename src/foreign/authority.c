#include "foreign/context.h"

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/session.h"
#include "foreign/splsa.h"
#include <string.h>

/* The authority half: credentials and handshakes, each as one call of the module's with its own handles. */

static const struct foreign_package *foreign_of(const struct package *package)
{
    return (const struct foreign_package *)(const void *)package;
}

/* NULL for NULL. The caller tells no memory from no text by what it gave. */
static uint16_t *wide_of(const char *text)
{
    uint16_t *units = NULL;
    return text != NULL && utf16_from_text(text, &units, NULL) == WIRE_OK ? units : NULL;
}

/* An identity that came taken apart, from Negotiate, as a structure again. */
struct rebuilt {
    SEC_WINNT_AUTH_IDENTITY_EXW ex;
    uint16_t *text[3]; /* user, domain, packages */
};

static void rebuilt_release(struct rebuilt *rebuilt)
{
    for (unsigned i = 0; i < 3; i++)
        mem_free(rebuilt->text[i]);
}

static SECURITY_STATUS identity_rebuild(const struct identity *identity, struct rebuilt *rebuilt)
{
    const char *texts[3] = {identity->user, identity->domain, identity->packages};
    size_t n_units[3] = {0};
    require(identity->proof_kind == IDENTITY_PASSWORD && !identity->password_is_hash,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS,
                      "a module's package needs a password: no hash of one, keytab or certificate"));
    for (unsigned i = 0; i < 3; i++)
        if (texts[i] != NULL)
            require(utf16_from_text(texts[i], &rebuilt->text[i], &n_units[i]) == WIRE_OK, SEC_E_INTERNAL_ERROR);
    rebuilt->ex = (SEC_WINNT_AUTH_IDENTITY_EXW){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof rebuilt->ex,
        .User = rebuilt->text[0],
        .UserLength = (ULONG)n_units[0],
        .Domain = rebuilt->text[1],
        .DomainLength = (ULONG)n_units[1],
        .Password = identity->has_password ? (void *)identity->password.data : NULL,
        .PasswordLength = (ULONG)(identity->password.len / 2),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
        .PackageList = rebuilt->text[2],
        .PackageListLength = (ULONG)n_units[2],
    };
    return SEC_E_OK;
}

static SECURITY_STATUS acquire_call(const struct foreign_package *package, const struct acquire_request *request,
                                    void *auth_data, CredHandle *handle, TimeStamp *expiry)
{
    const struct foreign_module *module = package->module;
    AUTO_FREE uint16_t *principal = wide_of(request->principal);
    if (module->wide == NULL)
        return module->narrow->AcquireCredentialsHandleA((char *)(uintptr_t)request->principal,
                                                         (char *)(uintptr_t)package->name, request->use, NULL,
                                                         auth_data, NULL, NULL, handle, expiry);
    require(request->principal == NULL || principal != NULL, SEC_E_INTERNAL_ERROR);
    if (package->lsa != NULL)
        return splsa_acquire(package, (SEC_WCHAR *)principal, request->use, auth_data, handle, expiry);
    return module->wide->AcquireCredentialsHandleW((SEC_WCHAR *)principal, (SEC_WCHAR *)(uintptr_t)package->wide_name,
                                                   request->use, NULL, auth_data, NULL, NULL, handle, expiry);
}

static SECURITY_STATUS foreign_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    const struct foreign_package *package = foreign_of(request->package);
    __attribute__((cleanup(rebuilt_release))) struct rebuilt rebuilt = {0};
    void *auth_data = (void *)(uintptr_t)request->auth_data;
    if (request->identity != NULL) {
        try(identity_rebuild(request->identity, &rebuilt));
        auth_data = &rebuilt.ex;
    }
    struct foreign_credential *acquired = mem_zalloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    TimeStamp until = {0};
    acquired->package = package;
    SECURITY_STATUS status = foreign_status(package, "AcquireCredentialsHandle",
                                            acquire_call(package, request, auth_data, &acquired->handle, &until));
    if (status != SEC_E_OK) {
        mem_free(acquired);
        /* Its want of memory is not ours, which would end Negotiate's search. */
        return status < 0 && status != SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_INTERNAL_ERROR;
    }
    pthread_mutex_init(&acquired->lock, NULL);
    *credential = acquired;
    *expiry = foreign_time(until);
    return SEC_E_OK;
}

static void foreign_release(void *credential)
{
    struct foreign_credential *released = credential;
    (void)FOREIGN_CALL(released->package->module, FreeCredentialsHandle)(&released->handle);
    pthread_mutex_destroy(&released->lock);
    mem_free(released->name);
    mem_free(released);
}

/* One call of the module's; the output has room for its largest token. */
struct step_call {
    struct foreign_context *context;
    struct foreign_credential *credential;
    const struct step_in *in;
    SecBufferDesc input, output;
    ULONG attributes;
    TimeStamp expiry;
};

static SECURITY_STATUS initiate_call(struct step_call *call)
{
    struct foreign_context *context = call->context;
    const struct foreign_module *module = context->package->module;
    PCtxtHandle old = context->has_handle ? &context->handle : NULL;
    PSecBufferDesc input = call->input.cBuffers > 0 ? &call->input : NULL;
    ULONG flags = call->in->flags & ~(ULONG)ISC_REQ_ALLOCATE_MEMORY;
    if (module->wide == NULL) {
        require(module->narrow->InitializeSecurityContextA != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        return module->narrow->InitializeSecurityContextA(
            &call->credential->handle, old, (char *)(uintptr_t)call->in->target, flags, 0, SECURITY_NATIVE_DREP, input,
            0, &context->handle, &call->output, &call->attributes, &call->expiry);
    }
    AUTO_FREE uint16_t *target = wide_of(call->in->target);
    require(call->in->target == NULL || target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(module->wide->InitializeSecurityContextW != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return module->wide->InitializeSecurityContextW(&call->credential->handle, old, (SEC_WCHAR *)target, flags, 0,
                                                    SECURITY_NATIVE_DREP, input, 0, &context->handle, &call->output,
                                                    &call->attributes, &call->expiry);
}

static SECURITY_STATUS accept_call(struct step_call *call)
{
    struct foreign_context *context = call->context;
    ACCEPT_SECURITY_CONTEXT_FN accept = FOREIGN_CALL(context->package->module, AcceptSecurityContext);
    require(accept != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return accept(&call->credential->handle, context->has_handle ? &context->handle : NULL, &call->input,
                  call->in->flags & ~(ULONG)ASC_REQ_ALLOCATE_MEMORY, SECURITY_NATIVE_DREP, &context->handle,
                  &call->output, &call->attributes, &call->expiry);
}

/* What is common to all packages, asked once, when the handshake ends. What the module does not answer stays unknown. */
struct facts {
    struct session_facts facts;
    char *client, *server, *authority;
    struct secret key;
};

static void facts_release(struct facts *facts)
{
    mem_free(facts->client);
    mem_free(facts->server);
    mem_free(facts->authority);
    secret_release(&facts->key);
}

static SECURITY_STATUS name_unreadable(const struct foreign_package *package)
{
    return cause_set(SEC_E_INTERNAL_ERROR, "package %s gave a name that cannot be read", package->name);
}

/* A name that is there and cannot be read must not pass for none. */
static bool name_take(const struct foreign_module *module, void *text, char **name)
{
    *name = foreign_text_take(module, text);
    return text == NULL || *name != NULL;
}

static SECURITY_STATUS names_ask(struct foreign_context *context, struct facts *facts)
{
    const struct foreign_module *module = context->package->module;
    SecPkgContext_NativeNamesW names = {0}; /* A and W have one layout, all of these */
    SecPkgContext_NamesW client = {0};
    SecPkgContext_AuthorityW authority = {0};
    bool good = true;
    if (foreign_attribute(context, SECPKG_ATTR_NATIVE_NAMES, &names) == SEC_E_OK) {
        good &= name_take(module, names.sClientName, &facts->client);
        good &= name_take(module, names.sServerName, &facts->server);
    }
    if (good && facts->client == NULL && foreign_attribute(context, SECPKG_ATTR_NAMES, &client) == SEC_E_OK)
        good &= name_take(module, client.sUserName, &facts->client);
    if (good && foreign_attribute(context, SECPKG_ATTR_AUTHORITY, &authority) == SEC_E_OK)
        good &= name_take(module, authority.sAuthorityName, &facts->authority);
    cause_drop(); /* of what it does not answer */
    return good ? SEC_E_OK : name_unreadable(context->package);
}

#define SESSION_KEY_MAX 1024 /* of any cipher, and more than any; a record has its bounds */

static SECURITY_STATUS facts_ask(struct foreign_context *context, struct facts *facts)
{
    const struct foreign_module *module = context->package->module;
    SecPkgContext_SessionKey key = {0};
    SecPkgContext_Lifespan span = {0};
    facts->facts.expiry = FILETIME_NEVER;
    facts->facts.start = filetime_now();
    try(names_ask(context, facts));
    if (foreign_attribute(context, SECPKG_ATTR_LIFESPAN, &span) == SEC_E_OK) {
        facts->facts.start = foreign_time(span.tsStart);
        facts->facts.expiry = foreign_time(span.tsExpiry);
    }
    bool fits = true, kept = true;
    if (foreign_attribute(context, SECPKG_ATTR_SESSION_KEY, &key) == SEC_E_OK && key.SessionKey != NULL) {
        fits = key.SessionKeyLength <= SESSION_KEY_MAX;
        kept = !fits || secret_set(&facts->key, key.SessionKey, key.SessionKeyLength);
        secret_wipe(key.SessionKey, key.SessionKeyLength);
        (void)FOREIGN_CALL(module, FreeContextBuffer)(key.SessionKey);
    }
    cause_drop();
    require(fits, cause_set(SEC_E_INTERNAL_ERROR, "package %s gave a session key of %lu bytes",
                            context->package->package.info.name, (unsigned long)key.SessionKeyLength));
    return kept ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Under the context's lock. */
static SECURITY_STATUS record_write(struct foreign_context *context, const char *target, struct step_out *out)
{
    __attribute__((cleanup(facts_release))) struct facts facts = {0};
    try(facts_ask(context, &facts));
    facts.facts.initiator = context->initiator;
    facts.facts.flags = out->granted;
    facts.facts.client = facts.client;
    facts.facts.server = facts.server;
    facts.facts.authority = facts.authority;
    facts.facts.target = target;
    facts.facts.session_key = secret_slice(&facts.key);
    try(session_record_write(&out->record, &context->package->package, &facts.facts,
                             slice_of(context->claim, CLAIM_LEN)));
    context->recorded = true;
    return SEC_E_OK;
}

/* The last step: a record, unless the module waits for its token to be completed. Nobody is told who the peer is before. */
static SECURITY_STATUS handshake_finish(struct foreign_context *context, SECURITY_STATUS status,
                                        const struct step_in *in, struct step_out *out)
{
    if (status == SEC_I_COMPLETE_NEEDED) {
        context->target = in->target != NULL ? mem_strdup(in->target) : NULL;
        require(in->target == NULL || context->target != NULL, SEC_E_INSUFFICIENT_MEMORY);
    } else {
        pthread_mutex_lock(&context->lock);
        SECURITY_STATUS written = record_write(context, in->target, out);
        pthread_mutex_unlock(&context->lock);
        try(written);
    }
    context->finished = true;
    return SEC_E_OK;
}

/* What a package that failed wrote is for the peer only where the program asked for such words and the package says that these are some, by the same
 * flag: asked and answered it has one value. Whoever left the buffer as it was wrote nothing. */
static void error_take(const struct step_call *call, const SecBuffer *made, const struct secret *room,
                       struct step_out *out)
{
    ULONG flag = call->context->initiator ? ISC_RET_EXTENDED_ERROR : ASC_RET_EXTENDED_ERROR;
    if ((call->in->flags & call->attributes & flag) == 0 || made->pvBuffer != room->data || made->cbBuffer >= room->len)
        return;
    writer_bytes(&out->token, room->data, made->cbBuffer);
    out->alert = true;
}

static SECURITY_STATUS step_run(struct step_call *call, struct step_out *out)
{
    struct foreign_context *context = call->context;
    const struct foreign_package *package = context->package;
    AUTO_SECRET struct secret token = {0};
    require(secret_alloc(&token, package->package.info.max_token), SEC_E_INSUFFICIENT_MEMORY);
    SecBuffer in[2], made = {(ULONG)token.len, SECBUFFER_TOKEN, token.data};
    call->input = (SecBufferDesc){.ulVersion = SECBUFFER_VERSION, .pBuffers = in};
    call->output = (SecBufferDesc){.ulVersion = SECBUFFER_VERSION, .cBuffers = 1, .pBuffers = &made};
    if (call->in->token.data != NULL || context->has_handle)
        in[call->input.cBuffers++] =
            (SecBuffer){(ULONG)call->in->token.len, SECBUFFER_TOKEN, (void *)(uintptr_t)call->in->token.data};
    if (call->in->bindings.data != NULL)
        in[call->input.cBuffers++] = (SecBuffer){(ULONG)call->in->bindings.len, SECBUFFER_CHANNEL_BINDINGS,
                                                 (void *)(uintptr_t)call->in->bindings.data};
    pthread_mutex_lock(&context->lock);
    SECURITY_STATUS answered = context->initiator ? initiate_call(call) : accept_call(call);
    pthread_mutex_unlock(&context->lock);
    SECURITY_STATUS status =
        foreign_status(package, context->initiator ? "InitializeSecurityContext" : "AcceptSecurityContext", answered);
    if (answered < 0) /* not where it went on, and what it answered counts as a failure here */
        error_take(call, &made, &token, out);
    /* What is no answer of the function fails the step, and yet there may be a context to be deleted. */
    context->has_handle |=
        answered >= 0 && (status >= 0 || context->handle.dwLower != 0 || context->handle.dwUpper != 0);
    require(status >= 0, status);
    require(made.pvBuffer == token.data && made.cbBuffer <= token.len,
            cause_set(SEC_E_INTERNAL_ERROR, "package %s gave back a token of %u bytes in a buffer of %zu",
                      package->name, (unsigned)made.cbBuffer, token.len));
    writer_bytes(&out->token, token.data, made.cbBuffer);
    out->granted = call->attributes & ~(ULONG)ISC_RET_ALLOCATED_MEMORY;
    out->expiry = foreign_time(call->expiry);
    if (status == SEC_E_OK || status == SEC_I_COMPLETE_NEEDED) {
        SECURITY_STATUS finished = handshake_finish(context, status, call->in, out);
        if (finished != SEC_E_OK)
            writer_release(&out->token); /* it proves what has failed */
        try(finished);
    }
    return status;
}

static SECURITY_STATUS foreign_step(void *credential, void **handshake, const struct step_in *in, struct step_out *out,
                                    bool initiator)
{
    struct foreign_credential *mine = credential;
    bool first = *handshake == NULL;
    struct foreign_context *context = first ? foreign_context_new(mine->package, initiator) : *handshake;
    require(context != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(!context->finished, cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's handshake has ended"));
    struct step_call call = {.context = context, .credential = mine, .in = in};
    SECURITY_STATUS status = step_run(&call, out);
    if (first && status < 0)
        foreign_context_put(context);
    else
        *handshake = context;
    return status;
}

static SECURITY_STATUS foreign_initiate(void *credential, void **handshake, const struct step_in *in,
                                        struct step_out *out)
{
    return foreign_step(credential, handshake, in, out, true);
}

static SECURITY_STATUS foreign_accept(void *credential, void **handshake, const struct step_in *in,
                                      struct step_out *out)
{
    return foreign_step(credential, handshake, in, out, false);
}

/* Negotiate gives the handshake up before the record that came of it is opened. */
static void foreign_abandon(void *handshake)
{
    struct foreign_context *context = handshake;
    if (context->recorded && !atomic_load(&context->opened))
        foreign_context_promise(context);
    foreign_context_put(context);
}

static SECURITY_STATUS foreign_complete(void *handshake, struct slice_mut token, struct step_out *out)
{
    struct foreign_context *context = handshake;
    COMPLETE_AUTH_TOKEN_FN complete = FOREIGN_CALL(context->package->module, CompleteAuthToken);
    SecBuffer buffer = {(ULONG)token.len, SECBUFFER_TOKEN, token.data};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    require(complete != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    pthread_mutex_lock(&context->lock);
    SECURITY_STATUS status = foreign_status(context->package, "CompleteAuthToken", complete(&context->handle, &list));
    if (status == SEC_E_OK && context->finished && !context->recorded)
        status = record_write(context, context->target, out);
    pthread_mutex_unlock(&context->lock);
    return status;
}

static SECURITY_STATUS name_ask(struct foreign_credential *credential)
{
    const struct foreign_module *module = credential->package->module;
    SecPkgCredentials_NamesW names = {0};
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    if (module->wide != NULL && module->wide->QueryCredentialsAttributesW != NULL)
        status = module->wide->QueryCredentialsAttributesW(&credential->handle, SECPKG_CRED_ATTR_NAMES, &names);
    else if (module->narrow != NULL && module->narrow->QueryCredentialsAttributesA != NULL)
        status = module->narrow->QueryCredentialsAttributesA(&credential->handle, SECPKG_CRED_ATTR_NAMES, &names);
    try(foreign_status(credential->package, "QueryCredentialsAttributes", status));
    credential->name = foreign_text_take(module, names.sUserName);
    return credential->name != NULL ? SEC_E_OK : name_unreadable(credential->package);
}

static SECURITY_STATUS foreign_query_credential(const void *credential, uint32_t attribute, struct attribute *value)
{
    struct foreign_credential *mine = (struct foreign_credential *)(uintptr_t)credential;
    require(attribute == SECPKG_CRED_ATTR_NAMES,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u of a module's credential has no form here",
                      (unsigned)attribute));
    pthread_mutex_lock(&mine->lock);
    SECURITY_STATUS status = mine->name != NULL ? SEC_E_OK : name_ask(mine);
    value->names.text = mine->name; /* never changes once it is there */
    pthread_mutex_unlock(&mine->lock);
    return status;
}

static SECURITY_STATUS foreign_set_credential(void *credential, uint32_t attribute, const void *value, size_t len)
{
    struct foreign_credential *mine = credential;
    const struct foreign_module *module = mine->package->module;
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    void *bytes = (void *)(uintptr_t)value;
    if (foreign_version(module) < SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_3)
        return status; /* its table does not reach so far */
    if (module->wide != NULL && module->wide->SetCredentialsAttributesW != NULL)
        status = module->wide->SetCredentialsAttributesW(&mine->handle, attribute, bytes, (ULONG)len);
    else if (module->narrow != NULL && module->narrow->SetCredentialsAttributesA != NULL)
        status = module->narrow->SetCredentialsAttributesA(&mine->handle, attribute, bytes, (ULONG)len);
    return foreign_status(mine->package, "SetCredentialsAttributes", status);
}

/* Both stay possible when the handshake has ended. */
static SECURITY_STATUS foreign_control(void *handshake, struct slice token)
{
    struct foreign_context *context = handshake;
    APPLY_CONTROL_TOKEN_FN apply = FOREIGN_CALL(context->package->module, ApplyControlToken);
    SecBuffer buffer = {(ULONG)token.len, SECBUFFER_TOKEN, (void *)(uintptr_t)token.data};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &buffer};
    require(apply != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    pthread_mutex_lock(&context->lock);
    SECURITY_STATUS status = apply(&context->handle, &list);
    pthread_mutex_unlock(&context->lock);
    return foreign_status(context->package, "ApplyControlToken", status);
}

static SECURITY_STATUS foreign_set_handshake(void *handshake, uint32_t attribute, const void *value, size_t len)
{
    struct foreign_context *context = handshake;
    const struct foreign_module *module = context->package->module;
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    void *bytes = (void *)(uintptr_t)value;
    if (foreign_version(module) < SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2)
        return status; /* its table does not reach so far */
    pthread_mutex_lock(&context->lock);
    if (module->wide != NULL && module->wide->SetContextAttributesW != NULL)
        status = module->wide->SetContextAttributesW(&context->handle, attribute, bytes, (ULONG)len);
    else if (module->narrow != NULL && module->narrow->SetContextAttributesA != NULL)
        status = module->narrow->SetContextAttributesA(&context->handle, attribute, bytes, (ULONG)len);
    pthread_mutex_unlock(&context->lock);
    return foreign_status(context->package, "SetContextAttributes", status);
}

const struct package_authority foreign_authority = {
    .acquire = foreign_acquire,
    .release = foreign_release,
    .initiate = foreign_initiate,
    .accept = foreign_accept,
    .abandon = foreign_abandon,
    .complete = foreign_complete,
    .control = foreign_control,
    .set_handshake = foreign_set_handshake,
    .query_credential = foreign_query_credential,
    .set_credential = foreign_set_credential,
};
