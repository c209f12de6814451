/*
 * build: internal
 *
 * lsa_secret PACKAGE TARGET [USER DOMAIN]: a client with default credentials, or with an identity whose password is the first line of standard input,
 * and a server authenticate in this process ("(none)": the identity has no password), and exchange sealed messages. Then each line "NAME HEX" of
 * standard input is looked for in this process's memory: bytes, each XOR 0x5a. Prints "handshake STATUS STATUS", "client NAME", "export ok" and "NAME
 * found" or "NAME absent".
 */
#include <sspi.h>
#include <sspi_ext.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/memory_search.c"

#define TOKEN_MAX 65536

struct side {
    CredHandle credential;
    CtxtHandle context;
    unsigned char token[TOKEN_MAX];
    ULONG len;
    SECURITY_STATUS status;
    bool begun;
};
static struct side client, server;

static void step(struct side *mine, struct side *peer, char *target)
{
    SecBuffer in = {peer->len, SECBUFFER_TOKEN, peer->token}, out = {TOKEN_MAX, SECBUFFER_TOKEN, mine->token};
    SecBufferDesc in_list = {SECBUFFER_VERSION, 1, &in}, out_list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    CtxtHandle *old = mine->begun ? &mine->context : NULL;
    mine->status = target != NULL
                       ? InitializeSecurityContextA(&mine->credential, old, target,
                                                    ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE, 0,
                                                    0, peer->len > 0 ? &in_list : NULL, 0, &mine->context, &out_list,
                                                    &attributes, NULL)
                       : AcceptSecurityContext(&mine->credential, old, &in_list, ASC_REQ_CONFIDENTIALITY, 0,
                                               &mine->context, &out_list, &attributes, NULL);
    mine->begun = mine->begun || mine->status >= 0;
    mine->len = mine->status >= 0 ? out.cbBuffer : 0;
    if (mine->status < 0)
        printf("cause %s\n", OpenSspiLastErrorText());
}

static SECURITY_STATUS message(CtxtHandle *from, CtxtHandle *to)
{
    char text[] = "a message that is sealed here and opened there";
    unsigned char trailer[256];
    SecBuffer buffers[2] = {{sizeof trailer, SECBUFFER_TOKEN, trailer}, {sizeof text, SECBUFFER_DATA, text}};
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = EncryptMessage(from, 0, &list, 0);
    return status == SEC_E_OK ? DecryptMessage(to, &list, 0, NULL) : status;
}

static void line_read(char *line, size_t room)
{
    if (fgets(line, (int)room, stdin) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* By hand, so that no library's buffer keeps a copy. */
static SECURITY_STATUS client_acquire(char *package, char *user, char *domain)
{
    char line[256] = "";
    SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (unsigned char *)user,
                                          .Domain = (unsigned char *)domain,
                                          .Password = (unsigned char *)line,
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    if (user != NULL) {
        line_read(line, sizeof line);
        identity.UserLength = (ULONG)strlen(user);
        identity.DomainLength = (ULONG)strlen(domain);
        identity.PasswordLength = (ULONG)strlen(line);
        if (strcmp(line, "(none)") == 0)
            identity.Password = NULL, identity.PasswordLength = 0;
    }
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, user != NULL ? &identity : NULL, NULL,
                                  NULL, &client.credential, NULL);
    explicit_bzero(line, sizeof line);
    return status;
}

static void search(void)
{
    char line[1024], name[64], hex[900];
    uint8_t needle[450];
    for (line_read(line, sizeof line); line[0] != '\0'; line_read(line, sizeof line)) {
        size_t len = 0;
        if (sscanf(line, "%63s %899s", name, hex) != 2)
            exit(2);
        for (unsigned byte; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
            needle[len] = (uint8_t)byte;
        printf("%s %s\n", name, memory_holds(needle, len) ? "found" : "absent");
    }
}

int main(int argc, char **argv)
{
    SecPkgContext_NamesA names = {0};
    setvbuf(stdin, NULL, _IONBF, 0);
    if (argc != 3 && argc != 5)
        return 2;
    client.status = client_acquire(argv[1], argc == 5 ? argv[3] : NULL, argc == 5 ? argv[4] : NULL);
    if (client.status != SEC_E_OK)
        printf("cause %s\n", OpenSspiLastErrorText());
    server.status =
        AcquireCredentialsHandleA(NULL, argv[1], SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &server.credential, NULL);
    if (server.status != SEC_E_OK)
        printf("cause %s\n", OpenSspiLastErrorText());
    if (client.status == SEC_E_OK && server.status == SEC_E_OK) {
        client.status = server.status = SEC_I_CONTINUE_NEEDED;
        for (int leg = 0; leg < 6 && (client.status == SEC_I_CONTINUE_NEEDED || server.status == SEC_I_CONTINUE_NEEDED);
             leg++) {
            if (client.status == SEC_I_CONTINUE_NEEDED)
                step(&client, &server, argv[2]);
            if (client.status < 0)
                break;
            if (server.status == SEC_I_CONTINUE_NEEDED)
                step(&server, &client, NULL);
            if (server.status < 0)
                break;
        }
    }
    printf("handshake 0x%08x 0x%08x\n", (unsigned)client.status, (unsigned)server.status);
    if (client.status == SEC_E_OK && server.status == SEC_E_OK) {
        SecBuffer packed = {0};
        CtxtHandle moved;
        CredHandle delegated;
        if (message(&client.context, &server.context) == SEC_E_OK &&
            message(&server.context, &client.context) == SEC_E_OK)
            puts("messages ok");
        if (QueryContextAttributesA(&server.context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK)
            printf("client %s\n", names.sUserName);
        if (OpenSspiAcquireDelegatedCredentials(&server.context, NULL, &delegated, NULL) == SEC_E_OK)
            puts("delegated ok");
        if (ExportSecurityContext(&server.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL) == SEC_E_OK &&
            ImportSecurityContextA(argv[1], &packed, NULL, &moved) == SEC_E_OK &&
            message(&client.context, &moved) == SEC_E_OK)
            puts("export ok");
    }
    fflush(stdout);
    search();
    return 0;
}
