/*
 * build: pkg
 *
 * packages PACKAGE [tls12|tls13|dtls|sasl], with TRUTH_DOMAIN and TRUTH_TARGET in the environment: calls every function that works on credentials and
 * contexts of a package, in both roles. Standard input names attributes and flags:
 *   context NAME NUMBER                          an attribute of a context: queried and set, by each of the functions
 *   credential NAME NUMBER                       of a credential
 *   client NAME ISC_REQ ISC_RET ASC_REQ          a flag of the client's, and the server's of the same name (or 0)
 *   server NAME ASC_REQ ASC_RET ISC_REQ          the other way round
 */
#include "messages.h"

#include <win32/securitybaseapi.h>

#define TEXT_LEN 29

/* Queries and sets. */

/* Room for every structure of an attribute; the strings and blocks in it are left to the end of the process. */
union room {
    unsigned char bytes[1024];
    void *aligned;
};

/* What a caller would set. Attributes of other structures are given zeros, which say "nothing special". */
static ULONG value_of(ULONG number, union room *room)
{
    static char label[] = "EXPORTER-truth";
    static BYTE data[] = {1, 2, 3, 4};
    memset(room, 0, sizeof *room);
    if (number == SECPKG_ATTR_KEYING_MATERIAL_INFO) {
        SecPkgContext_KeyingMaterialInfo info = {.cbLabel = sizeof label, .pszLabel = label, .cbKeyingMaterial = 32};
        memcpy(room, &info, sizeof info);
        return sizeof info;
    }
    if (number == SECPKG_ATTR_APP_DATA) {
        SecPkgContext_SessionAppData app = {.cbAppData = sizeof data, .pbAppData = data};
        memcpy(room, &app, sizeof app);
        return sizeof app;
    }
    if (number == SECPKG_ATTR_SESSION_TICKET_KEYS) {
        static SecPkgCred_SessionTicketKey key = {.TicketInfoVersion = SESSION_TICKET_INFO_VERSION,
                                                  .KeyingMaterialSize = 32};
        SecPkgCred_SessionTicketKeys keys = {.cSessionTicketKeys = 1, .pSessionTicketKeys = &key};
        memcpy(room, &keys, sizeof keys);
        return sizeof keys;
    }
    if (number == SECPKG_ATTR_EAP_PRF_INFO)
        return sizeof(SecPkgContext_EapPrfInfo);
    if (number ==
        SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS) { /* no attribute of a context has this number with a structure to be set */
        static const char proxy[] = "p\0r\0o\0x\0y";
        SecPkgCredentials_KdcProxySettingsW settings = {
            .Version = KDC_PROXY_SETTINGS_V1, .ProxyServerOffset = sizeof settings, .ProxyServerLength = 10};
        memcpy(room, &settings, sizeof settings);
        memcpy(room->bytes + sizeof settings, proxy, 10);
        return sizeof settings + 10;
    }
    if (number == SECPKG_ATTR_DTLS_MTU) {
        room->bytes[0] = 0x78;
        room->bytes[1] = 5;
        return sizeof(WORD);
    }
    return sizeof(ULONG);
}

/* The four functions that ask, of contexts or of credentials, whose handles are alike: they must say the same. */
struct queries {
    SECURITY_STATUS(SEC_ENTRY *plain[2])(PSecHandle, ULONG, void *); /* W, A */
    SECURITY_STATUS(SEC_ENTRY *sized[2])(PSecHandle, ULONG, void *, ULONG);
};

static const struct queries of_contexts = {{QueryContextAttributesW, QueryContextAttributesA},
                                           {QueryContextAttributesExW, QueryContextAttributesExA}};
static const struct queries of_credentials = {{QueryCredentialsAttributesW, QueryCredentialsAttributesA},
                                              {QueryCredentialsAttributesExW, QueryCredentialsAttributesExA}};

static SECURITY_STATUS query(const struct queries *queries, PSecHandle handle, ULONG number)
{
    union room room;
    SECURITY_STATUS said[4];
    for (int i = 0; i < 4; i++) {
        memset(&room, 0, sizeof room);
        said[i] = i < 2 ? queries->plain[i](handle, number, &room)
                        : queries->sized[i - 2](handle, number, &room, sizeof room);
        if (said[i] != said[0])
            broken("the four functions that query differ");
    }
    return said[0];
}

static SECURITY_STATUS set_attribute(struct side *side, ULONG number, int of_context)
{
    union room room;
    ULONG length = value_of(number, &room);
    SECURITY_STATUS wide_said, said;
    if (of_context) {
        wide_said = SetContextAttributesW(&side->context, number, &room, length);
        said = SetContextAttributesA(&side->context, number, &room, length);
    } else {
        wide_said = SetCredentialsAttributesW(&side->credential, number, &room, length);
        said = SetCredentialsAttributesA(&side->credential, number, &room, length);
    }
    if (wide_said != said)
        broken("the two functions that set differ");
    return said;
}

static void attribute(const char *name, ULONG number, int of_context)
{
    struct side *sides[] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS said = set_attribute(sides[i], number, of_context);
        report(of_context ? "set-context" : "set-credential", name, sides[i]->role, said, NULL);
        said = of_context ? query(&of_contexts, &sides[i]->context, number)
                          : query(&of_credentials, &sides[i]->credential, number);
        report(of_context ? "context" : "credential", name, sides[i]->role, said, NULL);
    }
}

/* Flags. */

static void flag(int of_client, const char *name, ULONG asked, ULONG granted, ULONG others)
{
    struct side *side = of_client ? &client : &server;
    /* What comes without being asked says nothing. */
    SECURITY_STATUS plain = handshake(0, 0, 0);
    ULONG always = plain == SEC_E_OK ? side->attributes : 0;
    SECURITY_STATUS said = of_client ? handshake(asked, others, 0) : handshake(others, asked, 0);
    const char *word = "taken";
    if (granted != 0 && side->attributes & granted)
        word = always & granted ? "always" : "granted";
    report(side->role, name, side->role, said, word);
}

/* Messages. */

static void message(struct side *from, struct side *to, int sealed, int old_names)
{
    static const char *const names[2][2][2] = {
        {{"MakeSignature", "VerifySignature"}, {"MakeSignature", "VerifySignature"}},
        {{"EncryptMessage", "DecryptMessage"}, {"SealMessage", "UnsealMessage"}}};
    struct text text;
    SecBuffer buffers[4];
    SecBufferDesc list;
    SECURITY_STATUS made = room_for(from, sealed, TEXT_LEN, &text), opened;
    if (made != SEC_E_OK)
        broken("sizes");
    list_of(&text, buffers, &list);
    if (!sealed)
        made = MakeSignature(&from->context, 0, &list, 0);
    else
        made = old_names ? SealMessage(&from->context, 0, &list, 0) : EncryptMessage(&from->context, 0, &list, 0);
    report("function", names[sealed][old_names][0], from->role, made, NULL);
    if (made == SEC_E_OK)
        opened = open_sealed(to, &text, buffers, &list,
                             !sealed     ? VerifySignature
                             : old_names ? UnsealMessage
                                         : DecryptMessage,
                             NULL);
    else /* nothing was made that could be opened: what it says to something else */
        opened = !sealed ? VerifySignature(&to->context, &list, 0, &(ULONG){0})
                         : DecryptMessage(&to->context, &list, 0, &(ULONG){0});
    report("function", names[sealed][old_names][1], to->role, opened, NULL);
}

/* Two in one call, and opened in one. */
static void messages_together(struct side *from, struct side *to)
{
    struct text texts[2];
    struct received received[2];
    SecBuffer buffers[2][4];
    SecBufferDesc lists[2];
    OPENSSPI_MESSAGE made[2], opened[2];
    for (int i = 0; i < 2; i++) {
        if (room_for(from, 1, TEXT_LEN, &texts[i]) != SEC_E_OK)
            broken("sizes");
        list_of(&texts[i], buffers[i], &lists[i]);
        made[i] = (OPENSSPI_MESSAGE){&from->context, &lists[i], 0, 0, -1};
    }
    report("function", "OpenSspiEncryptMessages", from->role, OpenSspiEncryptMessages(made, 2), NULL);
    for (int i = 0; i < 2; i++) {
        receive(&received[i], &texts[i], buffers[i], &lists[i]);
        opened[i] = (OPENSSPI_MESSAGE){&to->context, received[i].list, 0, 0, -1};
    }
    SECURITY_STATUS status = OpenSspiDecryptMessages(opened, 2);
    report("function", "OpenSspiDecryptMessages", to->role, status, NULL);
    for (int i = 0; i < 2 && status == SEC_E_OK; i++) {
        SecBuffer plain = text_of(&received[i]);
        char expected[TEXT_LEN];
        memset(expected, 'x', sizeof expected);
        if (plain.cbBuffer != TEXT_LEN || memcmp(plain.pvBuffer, expected, TEXT_LEN) != 0)
            broken("messages that were opened together");
    }
}

/* Everything else that takes a context. */

static void exported(struct side *side)
{
    SecBuffer packed = {0};
    void *token = NULL;
    CtxtHandle copy;
    SECURITY_STATUS status = ExportSecurityContext(&side->context, 0, &packed, &token);
    report("function", "ExportSecurityContext", side->role, status, NULL);
    if (status != SEC_E_OK) {
        packed = (SecBuffer){4, SECBUFFER_EMPTY, (void *)(uintptr_t) "none"};
        report("function", "ImportSecurityContextW", side->role,
               ImportSecurityContextW(wide(package), &packed, NULL, &copy), NULL);
        report("function", "ImportSecurityContextA", side->role, ImportSecurityContextA(package, &packed, NULL, &copy),
               NULL);
        return;
    }
    status = ImportSecurityContextW(wide(package), &packed, NULL, &copy);
    report("function", "ImportSecurityContextW", side->role, status, NULL);
    if (status == SEC_E_OK)
        DeleteSecurityContext(&copy);
    status = ImportSecurityContextA(package, &packed, NULL, &copy);
    report("function", "ImportSecurityContextA", side->role, status, NULL);
    if (status == SEC_E_OK)
        DeleteSecurityContext(&copy);
    FreeContextBuffer(packed.pvBuffer);
}

static void as_client(struct side *side)
{
    void *token = NULL;
    CredHandle credential;
    OPENSSPI_CLIENT_IDENTITY *identity = NULL;
    SECURITY_STATUS status = QuerySecurityContextToken(&side->context, &token);
    report("function", "QuerySecurityContextToken", side->role, status, NULL);
    if (status == SEC_E_OK)
        OpenSspiCloseHandle(token);
    status = ImpersonateSecurityContext(&side->context);
    report("function", "ImpersonateSecurityContext", side->role, status, NULL);
    report("function", "RevertSecurityContext", side->role, RevertSecurityContext(&side->context), NULL);
    status = OpenSspiQueryClientIdentity(&side->context, &identity);
    report("function", "OpenSspiQueryClientIdentity", side->role, status, NULL);
    if (status == SEC_E_OK)
        FreeContextBuffer(identity);
    status = OpenSspiAcquireDelegatedCredentials(&side->context, &side->credential, &credential, NULL);
    report("function", "OpenSspiAcquireDelegatedCredentials", side->role, status, NULL);
    if (status == SEC_E_OK)
        FreeCredentialsHandle(&credential);
    char user[] = "daemon@EXAMPLE.TEST";
    status = OpenSspiAcquireS4uCredentialsA(&side->credential, user, &credential, NULL);
    report("function", "OpenSspiAcquireS4uCredentialsA", side->role, status, NULL);
    if (status == SEC_E_OK)
        FreeCredentialsHandle(&credential);
    status = OpenSspiAcquireS4uCredentialsW(&side->credential, wide(user), &credential, NULL);
    report("function", "OpenSspiAcquireS4uCredentialsW", side->role, status, NULL);
    if (status == SEC_E_OK)
        FreeCredentialsHandle(&credential);
    report("function", "DelegateSecurityContext", side->role,
           DelegateSecurityContext(&side->context, target, SecFull, NULL, NULL, NULL), NULL);
}

static void controlled(struct side *side)
{
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer token = {sizeof shutdown, SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &token};
    report("function", "CompleteAuthToken", side->role, CompleteAuthToken(&side->context, &list), NULL);
    report("function", "ApplyControlToken", side->role, ApplyControlToken(&side->context, &list), NULL);
}

static void options(struct side *side)
{
    ULONG size = 4096, needed = 0;
    report("function", "SaslSetContextOption", side->role,
           SaslSetContextOption(&side->context, SASL_OPTION_RECV_SIZE, &size, sizeof size), NULL);
    report("function", "SaslGetContextOption", side->role,
           SaslGetContextOption(&side->context, SASL_OPTION_RECV_SIZE, &size, sizeof size, &needed), NULL);
}

/* What takes a credential, or only a package's name. */

static void credentials(void)
{
    struct side *sides[] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = acquire(sides[i], 1);
        report("function", "AcquireCredentialsHandleW", sides[i]->role, status, NULL);
        if (status == SEC_E_OK)
            report("function", "FreeCredentialsHandle", sides[i]->role, FreeCredentialsHandle(&sides[i]->credential),
                   NULL);
        status = acquire(sides[i], 0);
        report("function", "AcquireCredentialsHandleA", sides[i]->role, status, NULL);
        if (status != SEC_E_OK)
            broken("no credential");
        ULONG use = i == 0 ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND;
        report("function", "AddCredentialsW", sides[i]->role,
               AddCredentialsW(&sides[i]->credential, NULL, wide(package), use, NULL, NULL, NULL, NULL), NULL);
        report("function", "AddCredentialsA", sides[i]->role,
               AddCredentialsA(&sides[i]->credential, NULL, package, use, NULL, NULL, NULL, NULL), NULL);
    }
}

static void passwords(void)
{
    if (given("TRUTH_PASSWORD") == NULL || sasl)
        return;
    char none[] = "";
    SecBuffer answer = {0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &answer};
    char *user = given("TRUTH_USER"), *named = domain != NULL ? domain : none, *old = given("TRUTH_PASSWORD"),
         next[] = "Another-secret-9";
    report("function", "ChangeAccountPasswordW", "client",
           ChangeAccountPasswordW(wide(package), wide(named), wide(user), wide(old), wide(next), 0, 0, &list), NULL);
    answer = (SecBuffer){0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    report("function", "ChangeAccountPasswordA", "client",
           ChangeAccountPasswordA(package, named, user, next, old, 0, 0, &list), NULL);
}

static void described(void)
{
    PSecPkgInfoW info_w;
    PSecPkgInfoA info_a;
    SECURITY_STATUS status = QuerySecurityPackageInfoW(wide(package), &info_w);
    report("function", "QuerySecurityPackageInfoW", "", status, NULL);
    if (status == SEC_E_OK)
        FreeContextBuffer(info_w);
    status = QuerySecurityPackageInfoA(package, &info_a);
    report("function", "QuerySecurityPackageInfoA", "", status, NULL);
    if (status == SEC_E_OK)
        FreeContextBuffer(info_a);
}

static void handshakes(void)
{
    for (int wide_function = 1; wide_function >= 0; wide_function--) {
        SECURITY_STATUS status = handshake(ASKED_CLIENT, ASKED_SERVER, wide_function);
        report("function",
               sasl            ? wide_function ? "SaslInitializeSecurityContextW" : "SaslInitializeSecurityContextA"
               : wide_function ? "InitializeSecurityContextW"
                               : "InitializeSecurityContextA",
               "client", status, NULL);
        report("function", sasl ? "SaslAcceptSecurityContext" : "AcceptSecurityContext", "server", status, NULL);
    }
}

static void contexts(void)
{
    struct side *sides[] = {&client, &server};
    handshakes();
    if (client.status != SEC_E_OK || server.status != SEC_E_OK) {
        if (sasl)
            return;
        broken("handshake");
    }
    if (sasl) {
        options(&client);
        options(&server);
        return;
    }
    for (int i = 0; i < 2; i++)
        for (int sealed = 0; sealed < 2; sealed++)
            message(sides[i], sides[1 - i], sealed, 0);
    for (int i = 0; i < 2; i++) {
        message(sides[i], sides[1 - i], 1, 1);
        messages_together(sides[i], sides[1 - i]);
    }
    for (int i = 0; i < 2; i++) {
        exported(sides[i]);
        as_client(sides[i]);
        controlled(sides[i]);
    }
    for (int i = 0; i < 2; i++) {
        report("function", "DeleteSecurityContext", sides[i]->role, DeleteSecurityContext(&sides[i]->context), NULL);
        sides[i]->there = 0;
    }
}

static ULONG number_of(const char *word)
{
    char *end;
    unsigned long number = strtoul(word, &end, 16);
    if (end == word || *end != '\0' || number > 0xffffffff)
        broken(word);
    return (ULONG)number;
}

static void lines(void)
{
    char line[256], *word[6], *rest;
    while (fgets(line, sizeof line, stdin) != NULL) {
        int n_words = 0;
        for (char *at = strtok_r(line, " \n", &rest); at != NULL && n_words < 6; at = strtok_r(NULL, " \n", &rest))
            word[n_words++] = at;
        if (n_words == 3 && strcmp(word[0], "credential") == 0)
            attribute(word[1], number_of(word[2]), 0);
        else if (n_words == 3 && strcmp(word[0], "context") == 0)
            attribute(word[1], number_of(word[2]), 1);
        else if (n_words == 5 && (strcmp(word[0], "client") == 0 || strcmp(word[0], "server") == 0))
            flag(strcmp(word[0], "client") == 0, word[1], number_of(word[2]), number_of(word[3]), number_of(word[4]));
        else
            broken(line);
    }
}

int main(int argc, char **argv)
{
    const char *form = argc > 2 ? argv[2] : "";
    if (argc < 2)
        return 2;
    package = argv[1];
    domain = given("TRUTH_DOMAIN");
    target = given("TRUTH_TARGET");
    sasl = strcmp(form, "sasl") == 0;
    protocols = strcmp(form, "tls12") == 0   ? SP_PROT_TLS1_2
                : strcmp(form, "tls13") == 0 ? SP_PROT_TLS1_3
                : strcmp(form, "dtls") == 0  ? SP_PROT_DTLS1_2
                                             : SP_PROT_TLS1_2 | SP_PROT_TLS1_3;
    setvbuf(stdout, NULL, _IOLBF, 0);
    described();
    credentials();
    passwords();
    contexts();
    if (!sasl && handshake(ASKED_CLIENT, ASKED_SERVER, 0) != SEC_E_OK)
        broken("handshake");
    lines();
    forget();
    FreeCredentialsHandle(&client.credential);
    FreeCredentialsHandle(&server.credential);
    return 0;
}
