/*
 * build: internal
 *
 * Calls the functions of ntsecapi.h that lines of standard input name, and prints what they answer:
 *   logon TYPE PACKAGE USER DOMAIN PASSWORD     LsaLogonUser, and what its token says ("-" is empty)
 *   s4u TYPE FLAGS USER, trusted-s4u TYPE FLAGS USER   the same on a service's own word; as a logon process
 *   user TYPE PROVIDER USER DOMAIN PASSWORD     LogonUser
 *   act PACKAGE PROVIDER USER DOMAIN PASSWORD TARGET   LogonUser, impersonating its token, and a client with the default credentials then
 *   tickets FORM                                the Kerberos ticket cache, in form 1, 2, 3 (Ex2) or 4 (Ex3)
 *   change PACKAGE DOMAIN USER OLD NEW          KerbChangePasswordMessage, MsV1_0ChangePassword; the answer's bytes
 *   error STATUS                                LsaNtStatusToWinError
 *   prefixes                                    NegEnumPackagePrefixes
 *   purge SERVER REALM | purge_ex CLIENT REALM SERVER REALM | granting | retrieve TARGET OPTIONS
 *   hold PACKAGE | begin TARGET                 default credentials, which stay; a client's first step with them
 */
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <win32/sddl.h>
#include <win32/securitybaseapi.h>
#include <win32/winbase.h>

#define WORDS_MAX 8

static HANDLE lsa;
static ULONG kerberos;

struct texts {
    uint16_t unit[1024];
    size_t used;
};

/* ASCII as UTF-16 in the message's own block. */
static UNICODE_STRING text_put(struct texts *texts, const char *text)
{
    UNICODE_STRING string = {0};
    if (strcmp(text, "-") == 0)
        return string;
    string.Buffer = (PWSTR)(void *)(texts->unit + texts->used);
    for (const char *at = text; *at != '\0' && texts->used < 1023; at++)
        texts->unit[texts->used++] = (unsigned char)*at;
    string.Length = string.MaximumLength = (USHORT)(2 * strlen(text));
    return string;
}

static void text_print(UNICODE_STRING text)
{
    for (size_t i = 0; i < text.Length / 2; i++)
        putchar(((const uint16_t *)(const void *)text.Buffer)[i]);
}

static ULONG package_number(const char *name)
{
    ULONG number = 0;
    LSA_STRING string = {(USHORT)strlen(name), (USHORT)strlen(name), (char *)(uintptr_t)name};
    if (LsaLookupAuthenticationPackage(lsa, &string, &number) != 0)
        exit(3);
    return number;
}

static void token_print(HANDLE token, const LUID *luid)
{
    union {
        TOKEN_USER user;
        TOKEN_STATISTICS statistics;
        TOKEN_SOURCE source;
        char room[1024];
    } told;
    DWORD len;
    char *sid = NULL;
    if (!GetTokenInformation(token, TokenUser, &told, sizeof told, &len) ||
        !ConvertSidToStringSidA(told.user.User.Sid, &sid))
        exit(4);
    printf(" sid %s", sid);
    OpenSspiLocalFree(sid);
    if (!GetTokenInformation(token, TokenStatistics, &told, sizeof told, &len))
        exit(5);
    printf(" %s level %d", told.statistics.TokenType == TokenPrimary ? "primary" : "impersonation",
           told.statistics.TokenType == TokenPrimary ? 0 : (int)told.statistics.ImpersonationLevel);
    if (luid != NULL)
        printf(" session %s", memcmp(luid, &told.statistics.AuthenticationId, sizeof *luid) == 0 ? "same" : "other");
    if (!GetTokenInformation(token, TokenSource, &told, sizeof told, &len))
        exit(6);
    printf(" source %.8s", told.source.SourceName);
    CloseHandle(token);
}

static void logon_call(SECURITY_LOGON_TYPE type, ULONG package, void *block, ULONG len)
{
    TOKEN_SOURCE source = {.SourceName = "lsatest"};
    char name[] = "lsatest";
    LSA_STRING origin = {7, 7, name};
    LUID luid = {0};
    HANDLE token = NULL;
    QUOTA_LIMITS quotas;
    NTSTATUS substatus = 0;
    void *profile = NULL;
    ULONG profile_len = 0;
    NTSTATUS status = LsaLogonUser(lsa, &origin, type, package, block, len, NULL, &source, &profile, &profile_len,
                                   &luid, &token, &quotas, &substatus);
    printf("logon 0x%08x", (unsigned)status);
    if (status == 0)
        token_print(token, &luid);
    else
        printf(" %s", OpenSspiLastErrorText());
    putchar('\n');
}

static void logon(char **word)
{
    struct {
        KERB_INTERACTIVE_LOGON logon;
        struct texts texts;
    } block = {.logon = {.MessageType = KerbInteractiveLogon}};
    block.logon.UserName = text_put(&block.texts, word[3]);
    block.logon.LogonDomainName = text_put(&block.texts, word[4]);
    block.logon.Password = text_put(&block.texts, word[5]);
    logon_call((SECURITY_LOGON_TYPE)atoi(word[1]), package_number(word[2]), &block, sizeof block);
}

static void s4u(char **word)
{
    struct {
        KERB_S4U_LOGON logon;
        struct texts texts;
    } block = {.logon = {.MessageType = KerbS4ULogon, .Flags = (ULONG)strtoul(word[2], NULL, 0)}};
    char name[] = "lsatest";
    LSA_STRING string = {7, 7, name};
    LSA_OPERATIONAL_MODE mode;
    block.logon.ClientUpn = text_put(&block.texts, word[3]);
    HANDLE before = lsa;
    if (strcmp(word[0], "trusted-s4u") == 0 && LsaRegisterLogonProcess(&string, &lsa, &mode) != 0)
        exit(7);
    logon_call((SECURITY_LOGON_TYPE)atoi(word[1]), kerberos, &block, sizeof block);
    if (lsa != before)
        LsaDeregisterLogonProcess(lsa);
    lsa = before;
}

static void user(char **word)
{
    HANDLE token;
    if (LogonUserA(word[3], strcmp(word[4], "-") == 0 ? NULL : word[4], word[5], (DWORD)atoi(word[1]),
                   (DWORD)atoi(word[2]), &token)) {
        printf("user ok");
        token_print(token, NULL);
    } else
        printf("user error %u %s", (unsigned)GetLastError(), OpenSspiLastErrorText());
    putchar('\n');
}

static void act(char **word)
{
    HANDLE token;
    CredHandle credential;
    CtxtHandle context;
    SecPkgCredentials_NamesA names = {0};
    unsigned char room[16384];
    SecBuffer out = {sizeof room, SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    if (!LogonUserA(word[3], word[4], word[5], LOGON32_LOGON_INTERACTIVE, (DWORD)atoi(word[2]), &token) ||
        !ImpersonateLoggedOnUser(token)) {
        printf("act error %u %s\n", (unsigned)GetLastError(), OpenSspiLastErrorText());
        return;
    }
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, word[1], SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    printf("act 0x%08x", (unsigned)status);
    if (status == SEC_E_OK) {
        status = QueryCredentialsAttributesA(&credential, SECPKG_CRED_ATTR_NAMES, &names);
        printf(" %s", status == SEC_E_OK ? names.sUserName : "nobody");
        status = InitializeSecurityContextA(&credential, NULL, word[6], ISC_REQ_INTEGRITY, 0, 0, NULL, 0, &context,
                                            &list, &attributes, NULL);
        printf(" 0x%08x %s", (unsigned)status, status >= 0 && out.cbBuffer > 0 ? "token" : OpenSspiLastErrorText());
        if (status >= 0)
            DeleteSecurityContext(&context);
        FreeContextBuffer(names.sUserName);
        FreeCredentialsHandle(&credential);
    } else
        printf(" %s", OpenSspiLastErrorText());
    putchar('\n');
    RevertToSelf();
    CloseHandle(token);
}

static void *call(void *message, ULONG len, const char *what)
{
    void *answer = NULL;
    ULONG answer_len = 0;
    NTSTATUS protocol = 0,
             status = LsaCallAuthenticationPackage(lsa, kerberos, message, len, &answer, &answer_len, &protocol);
    printf("%s 0x%08x 0x%08x", what, (unsigned)status, (unsigned)protocol);
    return answer;
}

static void ticket_print(const KERB_TICKET_CACHE_INFO_EX3 *info, int form)
{
    printf(" [");
    if (form > 1) {
        text_print(info->ClientName);
        putchar('@');
        text_print(info->ClientRealm);
        putchar(' ');
    }
    text_print(info->ServerName);
    putchar('@');
    text_print(info->ServerRealm);
    printf(" %s %d %s", info->StartTime.QuadPart < info->EndTime.QuadPart ? "lives" : "wrong",
           (int)info->EncryptionType, (info->TicketFlags & KERB_TICKET_FLAGS_forwardable) != 0 ? "forwardable" : "-");
    if (form > 2)
        printf(" key %u", (unsigned)info->SessionKeyType);
    putchar(']');
}

static void tickets(char **word)
{
    static const ULONG messages[] = {0, KerbQueryTicketCacheMessage, KerbQueryTicketCacheExMessage,
                                     KerbQueryTicketCacheEx2Message, KerbQueryTicketCacheEx3Message};
    int form = atoi(word[1]);
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = messages[form]};
    KERB_QUERY_TKT_CACHE_RESPONSE *answer = call(&request, sizeof request, "tickets");
    for (ULONG i = 0; answer != NULL && i < answer->CountOfTickets; i++) {
        KERB_TICKET_CACHE_INFO_EX3 info = {0};
        const KERB_TICKET_CACHE_INFO *first = &answer->Tickets[i];
        const char *start = (const char *)answer->Tickets;
        if (form == 1)
            info = (KERB_TICKET_CACHE_INFO_EX3){.ServerName = first->ServerName,
                                                .ServerRealm = first->RealmName,
                                                .StartTime = first->StartTime,
                                                .EndTime = first->EndTime,
                                                .EncryptionType = first->EncryptionType,
                                                .TicketFlags = first->TicketFlags};
        else if (form == 2)
            memcpy(&info, start + i * sizeof(KERB_TICKET_CACHE_INFO_EX), sizeof(KERB_TICKET_CACHE_INFO_EX));
        else if (form == 3)
            memcpy(&info, start + i * sizeof(KERB_TICKET_CACHE_INFO_EX2), sizeof(KERB_TICKET_CACHE_INFO_EX2));
        else
            memcpy(&info, start + i * sizeof info, sizeof info);
        ticket_print(&info, form);
    }
    putchar('\n');
    LsaFreeReturnBuffer(answer);
}

static void purge(char **word)
{
    struct {
        KERB_PURGE_TKT_CACHE_REQUEST request;
        struct texts texts;
    } block = {.request = {.MessageType = KerbPurgeTicketCacheMessage}};
    block.request.ServerName = text_put(&block.texts, word[1]);
    block.request.RealmName = text_put(&block.texts, word[2]);
    (void)call(&block, sizeof block, "purge");
    putchar('\n');
}

static void purge_ex(char **word)
{
    struct {
        KERB_PURGE_TKT_CACHE_EX_REQUEST request;
        struct texts texts;
    } block = {.request = {.MessageType = KerbPurgeTicketCacheExMessage}};
    KERB_TICKET_CACHE_INFO_EX *template = &block.request.TicketTemplate;
    template->ClientName = text_put(&block.texts, word[1]);
    template->ClientRealm = text_put(&block.texts, word[2]);
    template->ServerName = text_put(&block.texts, word[3]);
    template->ServerRealm = text_put(&block.texts, word[4]);
    (void)call(&block, sizeof block, "purge");
    putchar('\n');
}

static void error(char **word)
{
    printf("error %s %u\n", word[1], (unsigned)LsaNtStatusToWinError((NTSTATUS)strtoul(word[1], NULL, 16)));
}

static CredHandle held;

static void hold(char **word)
{
    SECURITY_STATUS status =
        AcquireCredentialsHandleA(NULL, word[1], SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &held, NULL);
    printf("hold 0x%08x\n", (unsigned)status);
}

static void begin(char **word)
{
    CtxtHandle context;
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc out = {SECBUFFER_VERSION, 1, &token};
    ULONG attributes;
    SECURITY_STATUS status =
        InitializeSecurityContextA(&held, NULL, word[1], ISC_REQ_INTEGRITY | ISC_REQ_ALLOCATE_MEMORY, 0,
                                   SECURITY_NATIVE_DREP, NULL, 0, &context, &out, &attributes, NULL);
    printf("begin 0x%08x%s%s\n", (unsigned)status, status < 0 ? " " : "", status < 0 ? OpenSspiLastErrorText() : "");
    if (status >= 0) {
        FreeContextBuffer(token.pvBuffer);
        DeleteSecurityContext(&context);
    }
}

static void external_print(KERB_RETRIEVE_TKT_RESPONSE *answer)
{
    if (answer != NULL) {
        const KERB_EXTERNAL_TICKET *ticket = &answer->Ticket;
        putchar(' ');
        for (USHORT i = 0; i < ticket->ServiceName->NameCount; i++) {
            fputs(i > 0 ? "/" : "", stdout);
            text_print(ticket->ServiceName->Names[i]);
        }
        putchar('@');
        text_print(ticket->TargetDomainName);
        printf(" for ");
        text_print(ticket->ClientName->Names[0]);
        printf(" key %u of %d, ticket %s", (unsigned)ticket->SessionKey.Length, (int)ticket->SessionKey.KeyType,
               ticket->EncodedTicketSize > 100 && ticket->EncodedTicket[0] == 0x61 ? "whole" : "wrong");
    } else
        printf(" %s", OpenSspiLastErrorText());
    putchar('\n');
    LsaFreeReturnBuffer(answer);
}

static void granting(char **word)
{
    (void)word;
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbRetrieveTicketMessage};
    external_print(call(&request, sizeof request, "granting"));
}

static void retrieve(char **word)
{
    struct {
        KERB_RETRIEVE_TKT_REQUEST request;
        struct texts texts;
    } block = {.request = {.MessageType = KerbRetrieveEncodedTicketMessage}};
    block.request.TargetName = text_put(&block.texts, word[1]);
    block.request.CacheOptions = (ULONG)strtoul(word[2], NULL, 0);
    external_print(call(&block, sizeof block, "retrieve"));
}

static void change(char **word)
{
    struct {
        MSV1_0_CHANGEPASSWORD_REQUEST request; /* Kerberos' is the same */
        struct texts texts;
    } block = {0};
    void *answer = NULL;
    ULONG len = 0, package = package_number(word[1]);
    NTSTATUS protocol = 0;
    block.request.MessageType = package == kerberos ? (ULONG)KerbChangePasswordMessage : (ULONG)MsV1_0ChangePassword;
    block.request.DomainName = text_put(&block.texts, word[2]);
    block.request.AccountName = text_put(&block.texts, word[3]);
    block.request.OldPassword = text_put(&block.texts, word[4]);
    block.request.NewPassword = text_put(&block.texts, word[5]);
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &block, sizeof block, &answer, &len, &protocol);
    printf("change 0x%08x 0x%08x %u %s\n", (unsigned)status, (unsigned)protocol, (unsigned)len,
           OpenSspiLastErrorText());
    LsaFreeReturnBuffer(answer);
}

static void prefixes(char **word)
{
    ULONG message = NegEnumPackagePrefixes, len = 0;
    NEGOTIATE_PACKAGE_PREFIXES *answer = NULL;
    NTSTATUS protocol = 0;
    (void)word;
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package_number("Negotiate"), &message, sizeof message,
                                                   (void **)&answer, &len, &protocol);
    printf("prefixes 0x%08x 0x%08x", (unsigned)status, (unsigned)protocol);
    for (ULONG i = 0; answer != NULL && i < answer->PrefixCount; i++) {
        const NEGOTIATE_PACKAGE_PREFIX *prefix =
            (const NEGOTIATE_PACKAGE_PREFIX *)(const void *)((const char *)answer + answer->Offset) + i;
        printf(" %u:", (unsigned)prefix->PackageId);
        for (size_t k = 0; k < prefix->PrefixLen; k++)
            printf("%02x", prefix->Prefix[k]);
    }
    putchar('\n');
    LsaFreeReturnBuffer(answer);
}

static const struct {
    const char *name;
    int n_words;
    void (*run)(char **word);
} commands[] = {
    {"logon", 6, logon},       {"s4u", 4, s4u},           {"trusted-s4u", 4, s4u},   {"user", 6, user},
    {"act", 7, act},           {"tickets", 2, tickets},   {"purge", 3, purge},       {"granting", 1, granting},
    {"retrieve", 3, retrieve}, {"change", 6, change},     {"prefixes", 1, prefixes}, {"hold", 2, hold},
    {"begin", 2, begin},       {"purge_ex", 5, purge_ex}, {"error", 2, error},
};

int main(void)
{
    char line[1024];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (LsaConnectUntrusted(&lsa) != 0)
        return 2;
    kerberos = package_number(MICROSOFT_KERBEROS_NAME_A);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *word[WORDS_MAX] = {0}, *rest = line;
        int n_words = 0;
        while (n_words < WORDS_MAX && (word[n_words] = strtok_r(rest, " \n", &rest)) != NULL)
            n_words++;
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            if (n_words == commands[i].n_words && strcmp(word[0], commands[i].name) == 0)
                commands[i].run(word);
    }
    return LsaDeregisterLogonProcess(lsa) == 0 ? 0 : 1;
}
