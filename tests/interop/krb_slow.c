/*
 * One thread logs on at a KDC that does not answer; once a line of standard input says that it waits there, another makes contexts with the tickets
 * it has:
 *   krb_slow TARGET SLOW-REALM        -> a line with the handshakes made meanwhile, and when the first thread is back one with its status
 */
#include <sspi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HANDSHAKES 20

static char package[] = "Kerberos";
static char *target, *slow_realm;
static atomic_bool over;
static SECURITY_STATUS slow_status;

static SECURITY_STATUS client_begin(CredHandle *credential, CtxtHandle *context, SecBuffer *token)
{
    ULONG attributes;
    SecBufferDesc out = {SECBUFFER_VERSION, 1, token};
    return InitializeSecurityContextA(credential, NULL, target, ISC_REQ_INTEGRITY | ISC_REQ_ALLOCATE_MEMORY, 0,
                                      SECURITY_NATIVE_DREP, NULL, 0, context, &out, &attributes, NULL);
}

static void *slow_run(void *unused)
{
    static char user[] = "alice", password[] = "Password1!";
    SEC_WINNT_AUTH_IDENTITY_A identity = {.User = (void *)user,
                                          .UserLength = (ULONG)strlen(user),
                                          .Domain = (void *)slow_realm,
                                          .DomainLength = (ULONG)strlen(slow_realm),
                                          .Password = (void *)password,
                                          .PasswordLength = (ULONG)strlen(password),
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    CredHandle credential;
    CtxtHandle context;
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    (void)unused;
    slow_status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL, &credential, NULL);
    if (slow_status == SEC_E_OK) {
        slow_status = client_begin(&credential, &context, &token);
        FreeCredentialsHandle(&credential);
    }
    over = true;
    return NULL;
}

static SECURITY_STATUS handshake(CredHandle *outbound, CredHandle *inbound)
{
    CtxtHandle client, server;
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    SecBuffer none = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in = {SECBUFFER_VERSION, 1, &token}, out = {SECBUFFER_VERSION, 1, &none};
    ULONG attributes;
    SECURITY_STATUS status = client_begin(outbound, &client, &token);
    if (status != SEC_E_OK)
        return status;
    status = AcceptSecurityContext(inbound, NULL, &in, ASC_REQ_ALLOCATE_MEMORY, SECURITY_NATIVE_DREP, &server, &out,
                                   &attributes, NULL);
    if (status == SEC_E_OK)
        DeleteSecurityContext(&server);
    DeleteSecurityContext(&client);
    FreeContextBuffer(token.pvBuffer);
    if (none.pvBuffer != NULL)
        FreeContextBuffer(none.pvBuffer);
    return status;
}

int main(int argc, char **argv)
{
    CredHandle outbound, inbound;
    pthread_t slow;
    int n_made = 0;
    alarm(1200); /* never outlives its test */
    if (argc != 3)
        return 2;
    target = argv[1];
    slow_realm = argv[2];
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &outbound, NULL);
    if (status == SEC_E_OK)
        status = AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &inbound, NULL);
    if (status != SEC_E_OK || pthread_create(&slow, NULL, slow_run, NULL) != 0)
        return 2;
    while (getchar() != '\n' && !feof(stdin))
        ;
    for (; n_made < HANDSHAKES && status == SEC_E_OK; n_made += status == SEC_E_OK)
        status = handshake(&outbound, &inbound);
    printf("{\"handshakes\": %d, \"status\": \"0x%08x\", \"waits\": %s}\n", n_made, (unsigned)status,
           over ? "false" : "true");
    fflush(stdout);
    pthread_join(slow, NULL);
    printf("{\"status\": \"0x%08x\"}\n", (unsigned)slow_status);
    FreeCredentialsHandle(&outbound);
    FreeCredentialsHandle(&inbound);
    return 0;
}
