/* What statuses mean, what usually causes them, what to do: for `sspi error`, messages of the command, opensspi-errors(7) and docs/errors.md. */
#include "cli.h"

#include <sspi_ext.h>

static const struct cli_advice advices[] = {
    {0x00000000, "Everything went well.", "Nothing to do."},
    /* System error codes, which functions that answer BOOL leave behind (GetLastError). */
    {5, "Access is denied.", "The cause in words names what; SSPI_TRACE=stderr shows the step."},
    {6, "The handle names nothing.", "It was closed, or never opened, or is of another kind."},
    {87, "An argument is wrong.", "The function's manual page tells which ones it takes; the cause in words names it."},
    {122, "The buffer is too small.", "The function gave back the size needed: call it again with so much room."},
    {126, "There is no such module.",
     "LoadLibrary knows Windows' own names, such as secur32.dll (docs/porting.md); DLLs are not loaded here."},
    {127, "The module has no such function.", "Its spelling with A or W at the end; what is there has a manual page."},
    {1008, "The thread acts for nobody.", "OpenThreadToken wants an impersonation; else use OpenProcessToken."},
    {1311, "No logon server could be reached.", "\"sspi doctor\" tries the KDCs."},
    {1312, "There is no such logon session.", "\"sspi sessions\" lists those that there are."},
    {1314, "The process lacks the right to do so.",
     "Acting as another user needs root, or CAP_SETUID and CAP_SETGID (docs/impersonation.md)."},
    {1317, "There is no such user.", "\"sspi account list\"."},
    {1326, "The logon failed: wrong user, password or domain.", "As for SEC_E_LOGON_DENIED: servers do not say which."},
    {1327, "The account may not log on in this way.", "The domain's policy."},
    {1330, "The password has expired.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {1331, "The account is disabled.", "\"sspi account enable\"."},
    {1332, "Nobody knows the name or the SID.",
     "Accounts of this computer, Unix users and groups, and a domain's by winbind are asked."},
    {1349, "The token is of the wrong kind.",
     "DuplicateTokenEx makes an impersonation token of a primary one, and back."},
    {1793, "The account has expired.", "\"sspi account set --expires never\"."},
    {1907, "The password must be changed first.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {1909, "The account is locked out.",
     "Too many wrong passwords: wait for lockout_seconds, or \"sspi account enable\"."},
    {0x00090312, "The handshake goes on.", "Send the output token to the peer, and give its answer to the next call."},
    {0x00090313, "The token must be completed.",
     "Call CompleteAuthToken, then send the token; the handshake is over then."},
    {0x00090314, "The token must be completed, and the handshake goes on.",
     "Call CompleteAuthToken, send the token, and give the answer to the next call."},
    {0x00090315, "The logon was made on this computer, without the domain.", "Nothing to do."},
    {0x00090317, "The peer closed the connection in good order.",
     "Close it too: ApplyControlToken(SCHANNEL_SHUTDOWN), one more step, then delete the context."},
    {0x00090320, "The server asks for a client certificate, and there is none.",
     "Acquire a credential with a certificate, or repeat the step with ISC_REQ_USE_SUPPLIED_CREDS to go on without "
     "one."},
    {0x00090321, "The peer asks for another handshake.",
     "Give what is in the EXTRA buffer to InitializeSecurityContext or AcceptSecurityContext, and send its output."},
    {0x00090364, "A datagram of the handshake is ready, and more of them follow.",
     "DTLS: send it, and call again with no input for the next."},
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
    {0x80090307, "The security package cannot be loaded.",
     "The cause names the file and what is wrong with it: owner and mode of it and its folders, a missing "
     "function, a name that is taken. For NTLM it is an account store that cannot be opened: \"sspi doctor\"."},
    {0x80090308, "The token makes no sense to the package.",
     "The two sides speak different protocols, or bytes were lost: give both tokens to \"sspi decode\". Is the "
     "whole token passed on, with its exact length, and is each answer given to the context that asked?"},
    {0x8009030A, "The package has no such quality of protection.",
     "The context was made without CONFIDENTIALITY or INTEGRITY: ask for them on both sides."},
    {0x8009030B, "The client may not be impersonated.", "Clients that ask for IDENTIFY cannot be."},
    {0x8009030C, "The logon was denied.",
     "Wrong user, password or domain, or an account that is disabled, locked or expired; servers do not say which. "
     "With Kerberos it is the KDC that refuses a password. On a server with accounts of its own the trace "
     "(SSPI_TRACE=stderr) names the account, and \"sspi account show NAME\" tells whether it is there, its state and "
     "its wrong passwords."},
    {0x8009030D, "The credentials make no sense to the package.",
     "Is the identity's Flags right (ANSI, UNICODE), and does the package take this kind of secret?"},
    {0x8009030E, "There are no credentials.",
     "Give a user and password, or get a ticket (kinit), or set a keytab; \"sspi creds\" shows what each package "
     "finds and why not."},
    {0x8009030F, "The message was altered.",
     "A byte differs from what was sealed or signed: tokens cut or mixed up, or somebody in between. Are token and "
     "data passed on as they were?"},
    {0x80090310, "The message is out of sequence.",
     "Messages must be opened in the order in which they were sealed, each of them once."},
    {0x80090311, "No authority could be reached.",
     "No KDC answers: \"sspi doctor\" looks for them. For NTLM without a domain name the package outright."},
    {0x80090317, "The context has expired.", "Its ticket is over: authenticate anew."},
    {0x80090318, "The message is not there as a whole.", "Read more from the peer, and call again with all bytes."},
    {0x80090320, "The credentials are not complete.",
     "Give a certificate together with its key, or a user together with a password."},
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
    {0x80090329, "The message could not be encrypted.",
     "Identities are encrypted within the process that made them, and lengths must fit their cipher's blocks: the "
     "cause says which."},
    {0x80090330, "The message could not be decrypted.",
     "See SEC_E_MESSAGE_ALTERED; contexts of both sides may differ."},
    {0x80090331, "The two sides have no algorithm in common.",
     "Look at [schannel] in opensspi.conf(5), and at the peer's versions and suites: \"sspi decode\" on both "
     "hellos."},
    {0x80090332, "The security of the context is not what was asked for.", "Ask for less, or repair the peer."},
    {0x8009033D, "The certificate is somebody else's.",
     "PKINIT: the user that was named is not the one of the certificate's principal name."},
    {0x8009033E, "The account takes smart cards only.",
     "Give a certificate (docs/kerberos.md, PKINIT) in place of the password."},
    {0x80090342, "The KDC or the server knows none of the encryption types.",
     "Compare permitted_enctypes of krb5.conf with \"klist -ke\" of the keytab: RC4 keys alone are of little use "
     "today; make new ones with AES."},
    {0x80090346, "The channel bindings do not fit.",
     "The TLS connection that the client saw is not the server's: a proxy that ends TLS, or a relay. The server "
     "must use its own certificate's bindings."},
    {0x80090348, "There is no key for this service.",
     "krb5.conf permits no encryption type that keys are made of a password for."},
    {0x80090349, "The certificate is not for this use.", "It needs the purpose serverAuth or clientAuth."},
    {0x80090350, "Somebody may be trying to weaken the sign-on.",
     "The server asked for less than it could do before. Look at who stands between."},
    {0x80090351, "The certificate of the smart card was revoked.", "It needs a new one."},
    {0x80090352, "The KDC does not trust who signed the client's certificate.",
     "Give the authority to the KDC (pkinit_anchors there), or take a certificate of an authority that it knows."},
    {0x80090354, "The sign-on by certificate failed on this side.",
     "Certificate, key or PIN: the cause names the file or the token."},
    {0x80090356, "The KDC knows no protocol transition (S4U2Self).",
     "Use a domain controller, or let the client delegate."},
    {0x80090359, "The KDC's certificate comes from nobody who is trusted here.",
     "pkinit_anchors in krb5.conf, or OPENSSPI_CRED_ATTR_X509_ANCHORS, must have its authority."},
    {0x8009035D, "An argument is wrong.", "The cause in words says which."},
    {0x8009035E, "Delegation is not allowed here.", "Trust the service for delegation in the domain."},
    {0x8009035F, "NTLM alone vouched for the server, and the policy wants more.",
     "CredSSP: get Kerberos or a trusted certificate for the server, or allow the target in allow_fresh_ntlm "
     "(docs/credssp.md)."},
    {0x80090363, "The other side could not be authenticated.",
     "Mutual authentication was asked for and did not happen."},
    {0x80090367, "The two sides have no application protocol in common.",
     "Compare both ALPN lists: \"sspi decode\" on the ClientHello."},
    {0x80092003, "The file of a store cannot be read.", "The cause names it."},
    {0x80092004, "There is no such certificate, list or property.",
     "Look at what the store has; which file is which store is in docs/certificates.md."},
    {0x80092010, "The certificate was revoked.", "Renew it."},
    {0x80092012, "There is no revocation list for the certificate.",
     "Lists are never fetched: put one into the store CA (docs/certificates.md), or ask for no revocation check."},
    {0x80092013, "The revocation list is missing, out of date, or not to be verified.",
     "Lists are never fetched: put the present one into the store CA (docs/certificates.md)."},
    {0x80096004, "The signature of a certificate is wrong, or of a kind too weak.",
     "Renew it with SHA-256 and RSA from 2048 bits, or an elliptic curve ([certificates] security_level)."},
    {0x80096019, "A certificate that may not be an issuer signed another.",
     "The issuer needs basicConstraints with CA:TRUE."},
    {0x800B0101, "The certificate has expired, or is not yet valid.", "Renew it, or set the clock."},
    {0x800B0105, "The certificate has a critical extension that nobody here knows.", "Have it issued without."},
    {0x800B0109, "The certificate's chain ends in nobody who is trusted.",
     "Add the root to the system's store (update-ca-certificates), or name it in [certificates] root."},
    {0x800B010A, "The certificate's chain cannot be built.",
     "An issuer is missing: append it to the certificate's file, or put it into the store CA. Issuers are never "
     "fetched."},
    {0x800B010F, "The certificate is for another name.",
     "Use the name in the certificate, or have one issued with the name in use as DNS name."},
    {0x800B0110, "The certificate is not for this use.", "It needs the purpose serverAuth or clientAuth."},
    {0xC0000008, "The handle is none, or no longer one.",
     "Use it only between the call that made it and the one that closes it."},
    {0xC000000D, "An argument is wrong.", "The cause in words says which."},
    {0xC0000017, "There is no memory.", "Limits of the process (ulimit, cgroup), or a leak in it."},
    {0xC0000022, "Access was denied.", "The account may not do this: look at rights and files of the process."},
    {0xC0000041, "The security authority refused the connection.",
     "LsaRegisterLogonProcess is for root; LsaConnectUntrusted is for everybody."},
    {0xC000005E, "No logon server could be reached.", "\"sspi doctor\" looks for KDCs; is the domain's name resolved?"},
    {0xC000005F, "There is no such logon session.",
     "It has ended, or is another user's: \"sspi sessions\" lists this user's."},
    {0xC0000061, "A privilege is missing.",
     "Who has responses of NTLM's judged connects by LsaRegisterLogonProcess, as root."},
    {0xC0000064, "There is no such user.", "Spelling and domain: \"sspi account list\"."},
    {0xC000006A, "The password is wrong.", "Ask for it again; too many wrong ones lock the account."},
    {0xC000006D, "The logon failed: wrong user, password or domain.",
     "As for SEC_E_LOGON_DENIED: servers do not say which."},
    {0xC000006E, "The account may not log on in this way.",
     "An empty password, or a rule of the domain: look at the account."},
    {0xC000006F, "The account may not log on at this hour.", "The domain's rule for the account."},
    {0xC0000070, "The account may not log on from this computer.", "The domain's rule for the account."},
    {0xC0000071, "The password has expired.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {0xC0000072, "The account is disabled.", "\"sspi account enable\"."},
    {0xC0000073, "Nobody here is who logged on.", "name_domains in [access] says whose names are Unix users' here."},
    {0xC00000A7, "The package knows no such kind of logon.",
     "The structure's MessageType: ntsecapi.h has those that there are."},
    {0xC00000BB, "The function does not exist here.", "docs/deviations.md says why."},
    {0xC00000E5, "Something inside went wrong, or the configuration is.",
     "The cause in words says what; \"sspi doctor\" looks at the configuration."},
    {0xC00000FE, "There is no such authentication package.",
     "\"sspi packages\" lists them; LsaLookupAuthenticationPackage gives the number."},
    {0xC0000106, "The name is too long.", "Names of packages and of logon processes have at most 127 bytes."},
    {0xC000010B, "The logon type is not for this kind of logon.",
     "Interactive, Network, NetworkCleartext or NewCredentials: ntsecapi.h says which for what."},
    {0xC0000133, "The clocks of this computer and of the KDC differ too much.", "As for SEC_E_TIME_SKEW."},
    {0xC000015B, "The account lacks the right for this kind of logon.", "The domain's or the computer's policy."},
    {0xC000018B, "The KDC has no account for the service, or for this computer.",
     "Is the service's name (SPN) registered, and spelt as it is there? A logon asks for logon_service of [access]."},
    {0xC0000193, "The account has expired.", "\"sspi account set --expires never\"."},
    {0xC0000224, "The password must be changed first.", "\"sspi account passwd\", or ChangeAccountPassword."},
    {0xC0000234, "The account is locked out.",
     "Too many wrong passwords: wait for lockout_seconds, or \"sspi account enable\"."},
    {0xC00002FD, "The KDC knows none of the encryption types.", "As for SEC_E_KDC_UNKNOWN_ETYPE."},
};

/* The library names statuses alone (winerror.h has these). */
static const struct {
    uint32_t code;
    const char *name;
} system_errors[] = {
    {5, "ERROR_ACCESS_DENIED"},
    {6, "ERROR_INVALID_HANDLE"},
    {87, "ERROR_INVALID_PARAMETER"},
    {122, "ERROR_INSUFFICIENT_BUFFER"},
    {126, "ERROR_MOD_NOT_FOUND"},
    {127, "ERROR_PROC_NOT_FOUND"},
    {1008, "ERROR_NO_TOKEN"},
    {1311, "ERROR_NO_LOGON_SERVERS"},
    {1312, "ERROR_NO_SUCH_LOGON_SESSION"},
    {1314, "ERROR_PRIVILEGE_NOT_HELD"},
    {1317, "ERROR_NO_SUCH_USER"},
    {1326, "ERROR_LOGON_FAILURE"},
    {1327, "ERROR_ACCOUNT_RESTRICTION"},
    {1330, "ERROR_PASSWORD_EXPIRED"},
    {1331, "ERROR_ACCOUNT_DISABLED"},
    {1332, "ERROR_NONE_MAPPED"},
    {1349, "ERROR_BAD_TOKEN_TYPE"},
    {1793, "ERROR_ACCOUNT_EXPIRED"},
    {1907, "ERROR_PASSWORD_MUST_CHANGE"},
    {1909, "ERROR_ACCOUNT_LOCKED_OUT"},
};

const char *cli_error_name(uint32_t status)
{
    for (size_t i = 0; i < sizeof(system_errors) / sizeof(system_errors[0]); i++)
        if (system_errors[i].code == status)
            return system_errors[i].name;
    return OpenSspiStatusName((SECURITY_STATUS)status);
}

const struct cli_advice *cli_advice_next(size_t *at)
{
    return *at < sizeof(advices) / sizeof(advices[0]) ? &advices[(*at)++] : NULL;
}

const struct cli_advice *cli_advice_of(uint32_t status)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
        if (advices[i].status == status)
            return &advices[i];
    return NULL;
}

/* Where what is said of a status in general misleads one side. NULL: the cause in words says more, where there is one. */
static const struct {
    enum cli_side side;
    SECURITY_STATUS status;
    const char *advice;
} of_side[] = {
    {SIDE_CERTIFICATE, SEC_E_NO_CREDENTIALS, NULL},
    {SIDE_CERTIFICATE, SEC_E_UNKNOWN_CREDENTIALS, NULL},
    {SIDE_ALERT, SEC_E_UNTRUSTED_ROOT,
     "The peer does not trust the authority of the certificate that it was shown: give the authority's certificate to "
     "the peer (--ca)."},
    {SIDE_ALERT, SEC_E_CERT_UNKNOWN,
     "The peer refused the certificate that it was shown, perhaps for its name: its own words say why."},
    {SIDE_ALERT, SEC_E_NO_CREDENTIALS, "The peer wants our certificate: --certificate FILE, and --key FILE."},
    {SIDE_ALERT, SEC_E_LOGON_DENIED,
     "The peer lets nobody in by what it was shown, a certificate or none: its own words say why."},
    {SIDE_ALERT, SEC_E_INTERNAL_ERROR, "Something failed at the peer: its own words say what."},
    {SIDE_CLIENT, SEC_E_LOGON_DENIED,
     "Whoever knows the account refused, the KDC or the server: wrong password, or an account that is disabled, locked "
     "or expired there."},
    {SIDE_SERVER, SEC_E_LOGON_DENIED,
     "The trace (SSPI_TRACE=stderr) names the account; \"sspi account show NAME\" tells whether it is there, its state "
     "and its wrong passwords."},
    {SIDE_OTHER_SERVER, SEC_E_LOGON_DENIED,
     "Wrong user, password or domain, or an account that is disabled, locked or expired: servers do not say which. On "
     "the server the trace (SSPI_TRACE=stderr) names the account, and \"sspi account show NAME\" tells its state."},
    {SIDE_OTHER_SERVER, SEC_E_NO_CREDENTIALS,
     "On the server a keytab, a certificate or an account store is missing: run \"sspi creds\" there."},
    {SIDE_OTHER_CLIENT, SEC_E_NO_CREDENTIALS, "On the client a user or a ticket is missing: run \"sspi creds\" there."},
    {SIDE_OTHER_SERVER, SEC_E_INTERNAL_ERROR,
     "On the server, often its configuration or account store: run \"sspi doctor\" there."},
    {SIDE_OTHER_CLIENT, SEC_E_INTERNAL_ERROR, "On the client, often its configuration: run \"sspi doctor\" there."},
};

const char *cli_status_advice(SECURITY_STATUS status, enum cli_side side, bool caused)
{
    const struct cli_advice *advice = cli_advice_of((uint32_t)status);
    for (size_t i = 0; i < sizeof(of_side) / sizeof(of_side[0]); i++)
        if (of_side[i].side == side && of_side[i].status == status && (of_side[i].advice != NULL || caused))
            return of_side[i].advice;
    return advice == NULL ? NULL : advice->advice;
}
