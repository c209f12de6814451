/*
 * build: internal
 *
 * LsaLogonUser with MSV1_0_LM20_LOGON, in the place of a server that challenged its client itself. Each line of standard input is a logon:
 *   FORM USER DOMAIN PASSWORD     v2, v1, mixed (v1 with a client's challenge); stale, other (for another challenge), short, cut (not in the block),
 *                                 lm; untrusted (the connection), interactive, guest, kerberos (the package)
 * Prints the status, the token and whether the profile has the session key, or the status and the cause.
 */
#include "base/time.h"
#include "crypto/ntlm_response.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "ntlm/messages.h"
#include <ntsecapi.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>
#include <win32/sddl.h>
#include <win32/securitybaseapi.h>
#include <win32/winbase.h>

static const uint8_t challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static HANDLE trusted, untrusted;

struct block {
    MSV1_0_LM20_LOGON logon;
    uint16_t unit[256];
    size_t n_units;
    uint8_t nt[512], lm[24];
};

static UNICODE_STRING text_put(struct block *block, const char *text)
{
    UNICODE_STRING string = {.Buffer = (PWSTR)(void *)(block->unit + block->n_units)};
    for (const char *at = text; *at != '\0' && block->n_units < 255; at++)
        block->unit[block->n_units++] = (unsigned char)*at;
    string.Length = string.MaximumLength = (USHORT)(2 * strlen(text));
    return string;
}

static void v2_make(struct block *block, const char *form, char **word, const struct key16 *hash, struct key16 *key)
{
    AUTO_WRITER struct writer blob = writer_growing(128), pairs = writer_growing(64);
    struct hmac_md5_key owf;
    uint64_t now = (uint64_t)filetime_now();
    ntlm_av_write_text(&pairs, NTLM_AV_NB_DOMAIN, "EXAMPLE");
    ntlm_av_write(&pairs, NTLM_AV_EOL, slice_of(NULL, 0));
    const struct ntlm_client_challenge client = {.timestamp = strcmp(form, "stale") == 0 ? now / 2 : now,
                                                 .challenge = {9, 9, 9},
                                                 .pairs = writer_slice_of(&pairs)};
    ntlm_client_challenge_write(&blob, &client);
    uint8_t answered[8];
    memcpy(answered, challenge, sizeof answered);
    answered[0] = (uint8_t)(answered[0] + (strcmp(form, "other") == 0));
    if (ntlm_v2_key(hash, word[1], word[2], &owf) != WIRE_OK || blob.len > 400)
        return;
    ntlm_v2_proof(&owf, answered, writer_slice_of(&blob), block->nt);
    ntlm_v2_base_key(&owf, block->nt, key);
    memcpy(block->nt + 16, blob.data, blob.len);
    block->logon.CaseSensitiveChallengeResponse.Length =
        (USHORT)(strcmp(form, "short") == 0 ? 30 : 16 + blob.len); /* cut within the blob */
}

static void v1_make(struct block *block, const char *form, const struct key16 *hash)
{
    uint8_t answered[8];
    memcpy(answered, challenge, sizeof answered);
    if (strcmp(form, "mixed") == 0) {
        memset(block->lm, 7, 8);
        ntlm_v1_session_challenge(challenge, block->lm, answered);
        block->logon.ParameterControl |= MSV1_0_USE_CLIENT_CHALLENGE;
        block->logon.CaseInsensitiveChallengeResponse.Length = 24;
    }
    if (!ntlm_desl(hash, answered, strcmp(form, "lm") == 0 ? block->lm : block->nt))
        return;
    if (strcmp(form, "lm") == 0)
        block->logon.CaseInsensitiveChallengeResponse.Length = 24;
    else
        block->logon.CaseSensitiveChallengeResponse.Length = 24;
}

static bool is(const char *form, const char *words)
{
    return strstr(words, form) != NULL;
}

static void told(HANDLE token, const MSV1_0_LM20_LOGON_PROFILE *profile, ULONG len, const struct key16 *key)
{
    union {
        TOKEN_USER user;
        TOKEN_STATISTICS statistics;
        char room[1024];
    } information;
    DWORD got;
    char *sid = NULL;
    if (GetTokenInformation(token, TokenUser, &information, sizeof information, &got) &&
        ConvertSidToStringSidA(information.user.User.Sid, &sid))
        printf(" %s", sid);
    OpenSspiLocalFree(sid);
    if (GetTokenInformation(token, TokenStatistics, &information, sizeof information, &got))
        printf(" %s %d", information.statistics.TokenType == TokenPrimary ? "primary" : "impersonation",
               (int)information.statistics.ImpersonationLevel);
    CloseHandle(token);
    printf(" profile %d key %s domain ", profile != NULL && len >= sizeof *profile ? (int)profile->MessageType : 0,
           profile != NULL && memcmp(profile->UserSessionKey, key->bytes, 16) == 0 ? "same" : "other");
    for (size_t i = 0; profile != NULL && i < profile->LogonDomainName.Length / 2; i++)
        putchar(((const uint16_t *)(const void *)profile->LogonDomainName.Buffer)[i]);
}

static void logon(char **word)
{
    const char *form = word[0];
    struct block block = {.logon = {.MessageType = is(form, "v1") ? MsV1_0NetworkLogon : MsV1_0Lm20Logon}};
    struct key16 hash, key = {{0}};
    uint16_t *units = NULL;
    size_t n_units;
    memcpy(block.logon.ChallengeToClient, challenge, sizeof challenge);
    block.logon.UserName = text_put(&block, word[1]);
    block.logon.LogonDomainName = text_put(&block, word[2]);
    block.logon.Workstation = text_put(&block, "CLIENT");
    block.logon.CaseSensitiveChallengeResponse.Buffer = (char *)block.nt;
    block.logon.CaseInsensitiveChallengeResponse.Buffer = (char *)block.lm;
    if (utf16_from_text(word[3], &units, &n_units) != WIRE_OK)
        return;
    ntlm_nt_hash(slice_of(units, n_units * 2), &hash);
    mem_free(units);
    if (is(form, "v1 mixed lm"))
        v1_make(&block, form, &hash);
    else
        v2_make(&block, form, word, &hash, &key);
    if (strcmp(form, "cut") == 0)
        block.logon.CaseSensitiveChallengeResponse.Buffer = (char *)&block + sizeof block - 4;
    if (strcmp(form, "guest") == 0)
        block.logon.ParameterControl |= MSV1_0_TRY_GUEST_ACCOUNT_ONLY;
    char name[] = "tests", package[] = MSV1_0_PACKAGE_NAME, kerberos[] = "Kerberos";
    LSA_STRING origin = {5, 5, name}, of = {(USHORT)strlen(package), 0, package}, other = {8, 0, kerberos};
    ULONG number = 0, profile_len = 0;
    LUID luid;
    HANDLE token = NULL;
    QUOTA_LIMITS quotas;
    NTSTATUS substatus = 0;
    void *profile = NULL;
    HANDLE lsa = strcmp(form, "untrusted") == 0 ? untrusted : trusted;
    (void)LsaLookupAuthenticationPackage(lsa, strcmp(form, "kerberos") == 0 ? &other : &of, &number);
    NTSTATUS status =
        LsaLogonUser(lsa, &origin, strcmp(form, "interactive") == 0 ? Interactive : Network, number, &block,
                     sizeof block, NULL, NULL, &profile, &profile_len, &luid, &token, &quotas, &substatus);
    printf("%s 0x%08x", form, (unsigned)status);
    if (status == 0)
        told(token, profile, profile_len, &key);
    else
        printf(" %s%s", profile != NULL ? "PROFILE " : "", OpenSspiLastErrorText());
    putchar('\n');
    if (profile != NULL)
        LsaFreeReturnBuffer(profile);
}

int main(void)
{
    char line[512], name[] = "tests";
    LSA_STRING string = {5, 5, name};
    LSA_OPERATIONAL_MODE mode;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (LsaConnectUntrusted(&untrusted) != 0 || LsaRegisterLogonProcess(&string, &trusted, &mode) != 0)
        return 2;
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *word[4] = {0}, *rest = line;
        int n_words = 0;
        for (char *at; n_words < 4 && (at = strtok_r(rest, " \n", &rest)) != NULL;)
            word[n_words++] = at;
        if (n_words == 4)
            logon(word);
    }
    return 0;
}
