/* `sspi error`: what a status means, what usually causes it, and what to do. */
#include "cli.h"

#include <errno.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct advice {
    uint32_t status;
    const char *meaning, *advice;
} advices[] = {
    {0x00000000, "Everything went well.", "Nothing to do."},
    {0x00090312, "The handshake goes on.", "Send the output token to the peer, and give its answer to the next call."},
    {0x00090313, "The token must be completed.",
     "Call CompleteAuthToken, then send the token; the handshake is over then."},
    {0x00090314, "The token must be completed, and the handshake goes on.",
     "Call CompleteAuthToken, send the token, and give the answer to the next call."},
    {0x00090317, "The peer closed the connection in good order.",
     "Close it too: ApplyControlToken(SCHANNEL_SHUTDOWN), one more step, then delete the context."},
    {0x00090320, "The server asks for a client certificate, and there is none.",
     "Acquire a credential with a certificate, or repeat the step with ISC_REQ_USE_SUPPLIED_CREDS to go on without "
     "one."},
    {0x00090321, "The peer asks for another handshake.",
     "Give what is in the EXTRA buffer to InitializeSecurityContext or AcceptSecurityContext, and send its output."},
    {0x80090300, "There is not enough memory.",
     "Look at the process's limits (ulimit -v) and for handles that are never freed."},
    {0x80090301, "The handle names nothing.",
     "It was freed, or never made, or is of the other kind (credential, context)."},
    {0x80090302, "The function, attribute or option is not there.",
     "Look into docs/deviations.md; the cause in words names what is missing."},
    {0x80090303, "The target is not known.",
     "Is the service's name (SPN, such as HTTP/host) registered with the domain, and spelt as it is there?"},
    {0x80090304, "Something inside went wrong.",
     "Often the configuration: \"sspi doctor\" names file and line. SSPI_TRACE=stderr shows the step."},
    {0x80090305, "There is no such security package.", "\"sspi packages\" lists those that there are."},
    {0x80090308, "The token makes no sense to the package.",
     "The two sides speak different protocols, or bytes were lost: give both tokens to \"sspi decode\". Is the whole "
     "token passed on, "
     "with its exact length, and is each answer given to the context that asked?"},
    {0x8009030A, "The package has no such quality of protection.",
     "The context was made without CONFIDENTIALITY or INTEGRITY: ask for them on both sides."},
    {0x8009030B, "The client may not be impersonated.", "Clients that ask for IDENTIFY cannot be."},
    {0x8009030C, "The logon was denied.",
     "Wrong user, password or domain, or an account that is disabled; servers do not say which. On the server look at "
     "\"sspi account show\" and the "
     "trace (SSPI_TRACE=stderr)."},
    {0x8009030D, "The credentials make no sense to the package.",
     "Is the identity's Flags right (ANSI, UNICODE), and does the package take this kind of secret?"},
    {0x8009030E, "There are no credentials.",
     "Give a user and password, or get a ticket (kinit), or set a keytab; \"sspi creds\" shows what each package finds "
     "and why not."},
    {0x8009030F, "The message was altered.",
     "A byte differs from what was sealed or signed: tokens cut or mixed up, or somebody in between. Are token and "
     "data passed on as they were?"},
    {0x80090310, "The message is out of sequence.",
     "Messages must be opened in the order in which they were sealed, each of them once."},
    {0x80090311, "No authority could be reached.",
     "No KDC answers: \"sspi doctor\" looks for them. For NTLM without a domain name the package outright."},
    {0x80090317, "The context has expired.", "Its ticket is over: authenticate anew."},
    {0x80090318, "The message is not there as a whole.", "Read more from the peer, and call again with all bytes."},
    {0x80090321, "The buffer is too small.", "Take cbMaxToken of the package, or ISC_REQ_ALLOCATE_MEMORY."},
    {0x80090322, "The target is not whom it was taken for.",
     "Kerberos: the service's key is not the one the KDC used; look at keytab and SPN. TLS: the certificate is for "
     "another name."},
    {0x80090324, "The clocks differ too much.", "Set both clocks (NTP); Kerberos takes five minutes."},
    {0x80090325, "The certificate's chain ends in nobody who is trusted.",
     "Add the root to the system's store (update-ca-certificates), or give it with --ca."},
    {0x80090326, "The message or alert came at the wrong time.", "The peer's TLS library refused: its log says more."},
    {0x80090327, "The certificate could not be judged.", "The cause names the check that failed."},
    {0x80090328, "The certificate has expired, or is not yet valid.", "Renew it, or set the clock."},
    {0x80090330, "The message could not be decrypted.",
     "See SEC_E_MESSAGE_ALTERED; contexts of both sides may differ."},
    {0x80090331, "The two sides have no algorithm in common.",
     "Look at [schannel] in opensspi.conf(5), and at the peer's versions and suites: \"sspi decode\" on both hellos."},
    {0x80090332, "The security of the context is not what was asked for.", "Ask for less, or repair the peer."},
    {0x80090346, "The channel bindings do not fit.",
     "The TLS connection that the client saw is not the server's: a proxy that ends TLS, or a relay. The server must "
     "use its own certificate's bindings."},
    {0x80090349, "The certificate is not for this use.", "It needs the purpose serverAuth or clientAuth."},
    {0x8009035D, "An argument is wrong.", "The cause in words says which."},
    {0x8009035E, "Delegation is not allowed here.", "Trust the service for delegation in the domain."},
    {0x80090363, "The other side could not be authenticated.",
     "Mutual authentication was asked for and did not happen."},
    {0xC000000D, "An argument is wrong.", "The cause in words says which."},
    {0xC0000071, "The password has expired.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {0xC0000072, "The account is disabled.", "\"sspi account enable\"."},
    {0xC0000193, "The account has expired.", "\"sspi account set --expires never\"."},
    {0xC0000224, "The password must be changed first.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {0xC0000234, "The account is locked out.",
     "Too many wrong passwords: wait for lockout_seconds, or \"sspi account enable\"."},
};

static const struct advice *advice_of(uint32_t status)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
        if (advices[i].status == status)
            return &advices[i];
    return NULL;
}

const char *cli_status_advice(SECURITY_STATUS status)
{
    const struct advice *advice = advice_of((uint32_t)status);
    return advice == NULL ? NULL : advice->advice;
}

/* A number in any of the ways in which programs print one, or a name. */
static bool status_parse(const char *text, uint32_t *status)
{
    static const uint32_t ranges[][2] = {
        {0, 0}, {0x00090300, 0x000903ff}, {0x80090300, 0x800903ff}, {0xC0000000, 0xC0000400}};
    char *end;
    long long value = strtoll(text, &end, 16);
    if (strlen(text) == 8 && *end == '\0' && text[0] != '-') {
        *status = (uint32_t)value;
        return true;
    }
    errno = 0;
    value = strtoll(text, &end, strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? 16 : 10);
    if (end != text && *end == '\0' && errno == 0 && value >= INT32_MIN && value <= UINT32_MAX) {
        *status = (uint32_t)value;
        return true;
    }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        for (uint64_t each = ranges[i][0]; each <= ranges[i][1]; each++) {
            const char *name = OpenSspiStatusName((SECURITY_STATUS)each);
            if (*name != '\0' && strcasecmp(name, text) == 0) {
                *status = (uint32_t)each;
                return true;
            }
        }
    return false;
}

static void put_json(uint32_t status, const char *name, const struct advice *advice)
{
    printf("{\"status\": %u, \"hex\": \"0x%08X\", \"name\": ", status, status);
    json_text(stdout, name);
    fputs(", \"meaning\": ", stdout);
    if (advice == NULL) {
        puts("null, \"advice\": null}");
        return;
    }
    json_text(stdout, advice->meaning);
    fputs(", \"advice\": ", stdout);
    json_text(stdout, advice->advice);
    puts("}");
}

static int error_run(const struct cli_options *options)
{
    uint32_t status;
    if (!status_parse(options->operand[0], &status))
        return cli_fail(
            "\"%s\" is neither a status nor the name of one: give 0x80090308, -2146893048 or SEC_E_INVALID_TOKEN",
            options->operand[0]);
    const char *name = OpenSspiStatusName((SECURITY_STATUS)status);
    const struct advice *advice = advice_of(status);
    if (*name == '\0' && advice == NULL)
        return cli_fail("nothing is known of 0x%08X; SSPI's statuses begin with 0x8009 or 0x0009", status);
    if (options->json) {
        put_json(status, name, advice);
        return CLI_OK;
    }
    printf("%s, 0x%08X, %d\n", *name == '\0' ? "(no name)" : name, status, (int)status);
    if (advice != NULL)
        printf("%s\n%s\n", advice->meaning, advice->advice);
    return CLI_OK;
}

static const struct cli_command commands[] = {
    {"", "STATUS", "Tells the name, meaning and usual causes of a status, given as a number or a name", OPTION_JSON, 1,
     1, error_run},
};

const struct cli_family cli_error = {"error", "what a status means, and what to do", commands, 1};
