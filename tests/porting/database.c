/*
 * In the manner of a database's driver and server: SSPI by LoadLibrary and its table, a server that asks for the client's user and groups.
 *
 *   database server PACKAGE
 *   database client PORT PACKAGE DOMAIN USER PASSWORD     (*: it asks for it)
 */
#include "common.h"
#include <sddl.h>
#include <strsafe.h>

static PSecurityFunctionTable sspi;

static void LoadSspi(void)
{
    INIT_SECURITY_INTERFACE init;
    HMODULE module = LoadLibrary(TEXT("SECUR32.DLL"));
    if (module == NULL)
        Fail(_T("LoadLibrary"), GetLastError());
    init = (INIT_SECURITY_INTERFACE)(void *)GetProcAddress(module, SECURITY_ENTRYPOINT_ANSI);
    if (init == NULL)
        Fail(_T("GetProcAddress"), GetLastError());
    sspi = init();
}

static DWORD TokenMax(LPTSTR package)
{
    PSecPkgInfo info;
    DWORD max;
    Check(_T("QuerySecurityPackageInfo"), sspi->QuerySecurityPackageInfo(package, &info));
    max = info->cbMaxToken;
    sspi->FreeContextBuffer(info);
    return max;
}

/* Both sides' messages after the handshake: trailer, then text, as the table says how long. */
static void SendSealed(SOCKET s, CtxtHandle *context, const char *text)
{
    SecPkgContext_Sizes sizes;
    SecBuffer buffers[2];
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    DWORD len = (DWORD)strlen(text);
    BYTE *block;
    Check(_T("sizes"), sspi->QueryContextAttributes(context, SECPKG_ATTR_SIZES, &sizes));
    block = (BYTE *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizes.cbSecurityTrailer + len);
    if (block == NULL)
        Fail(_T("HeapAlloc"), ERROR_NOT_ENOUGH_MEMORY);
    CopyMemory(block + sizes.cbSecurityTrailer, text, len);
    buffers[0].BufferType = SECBUFFER_TOKEN;
    buffers[0].cbBuffer = sizes.cbSecurityTrailer;
    buffers[0].pvBuffer = block;
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[1].cbBuffer = len;
    buffers[1].pvBuffer = block + sizes.cbSecurityTrailer;
    Check(_T("EncryptMessage"), sspi->EncryptMessage(context, 0, &list, 0));
    SendBlock(s, buffers[0].pvBuffer, buffers[0].cbBuffer);
    SendBlock(s, buffers[1].pvBuffer, buffers[1].cbBuffer);
    if (!HeapFree(GetProcessHeap(), 0, block))
        Fail(_T("HeapFree"), GetLastError());
}

static void ReceiveSealed(SOCKET s, CtxtHandle *context, const char *expected)
{
    static BYTE trailer[BLOCK_MAX], text[BLOCK_MAX];
    SecBuffer buffers[2];
    SecBufferDesc list = {SECBUFFER_VERSION, 2, buffers};
    unsigned long qop = 7;
    buffers[0].BufferType = SECBUFFER_TOKEN;
    buffers[0].cbBuffer = ReceiveBlock(s, trailer);
    buffers[0].pvBuffer = trailer;
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[1].cbBuffer = ReceiveBlock(s, text);
    buffers[1].pvBuffer = text;
    Check(_T("DecryptMessage"), sspi->DecryptMessage(context, &list, 0, &qop));
    if (buffers[1].cbBuffer != strlen(expected) || memcmp(buffers[1].pvBuffer, expected, buffers[1].cbBuffer) != 0)
        Fail(_T("the message is another one"), ERROR_INVALID_DATA);
}

static void StripLineEnd(LPTSTR line, DWORD len)
{
    while (len > 0 && (line[len - 1] == _T('\r') || line[len - 1] == _T('\n')))
        len--;
    line[len] = _T('\0');
}

/* From a console, which does not show it; else from the pipe or file that there is in its place, in the ANSI code page. */
static void AskPassword(LPTSTR password, DWORD room)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode, len = 0;
    if (GetConsoleMode(in, &mode)) {
        if (!SetConsoleMode(in, (mode & ~(DWORD)ENABLE_ECHO_INPUT) | ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT))
            Fail(_T("SetConsoleMode"), GetLastError());
        _tprintf(_T("Password: ")); /* now that nothing is shown */
        fflush(stdout);
        if (!ReadConsole(in, password, room - 1, &len, NULL))
            Fail(_T("ReadConsole"), GetLastError());
        SetConsoleMode(in, mode);
        WriteConsole(GetStdHandle(STD_OUTPUT_HANDLE), _T("\r\n"), 2, &room, NULL);
    } else {
#ifdef UNICODE
        char bytes[256];
        if (!ReadFile(in, bytes, sizeof bytes, &len, NULL))
            Fail(_T("ReadFile"), GetLastError());
        len = (DWORD)MultiByteToWideChar(CP_ACP, 0, bytes, (int)len, password, (int)room - 1);
#else
        if (!ReadFile(in, password, room - 1, &len, NULL))
            Fail(_T("ReadFile"), GetLastError());
#endif
    }
    StripLineEnd(password, len);
}

static void Client(int argc, TCHAR **argv)
{
    static TCHAR asked[256];
    SEC_WINNT_AUTH_IDENTITY identity;
    CredHandle credential;
    CtxtHandle context;
    TimeStamp expiry;
    FILETIME file_time;
    SYSTEMTIME parts;
    unsigned long attributes = 0;
    DWORD max = TokenMax(argv[3]);
    BYTE *in = (BYTE *)malloc(BLOCK_MAX), *out = (BYTE *)malloc(max);
    DWORD in_len = 0;
    BOOL first = TRUE;
    SECURITY_STATUS status;
    SOCKET s;
    (void)argc;
    if (_tcscmp(argv[6], _T("*")) == 0) {
        AskPassword(asked, ARRAYSIZE(asked));
        argv[6] = asked;
    }
    s = Dial(argv[2]);
    ZeroMemory(&identity, sizeof identity);
    identity.Domain = (void *)argv[4];
    identity.DomainLength = (unsigned long)_tcslen(argv[4]);
    identity.User = (void *)argv[5];
    identity.UserLength = (unsigned long)_tcslen(argv[5]);
    identity.Password = (void *)argv[6];
    identity.PasswordLength = (unsigned long)_tcslen(argv[6]);
#ifdef UNICODE
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
#else
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI;
#endif
    Check(_T("AcquireCredentialsHandle"), sspi->AcquireCredentialsHandle(NULL, argv[3], SECPKG_CRED_OUTBOUND, NULL,
                                                                         &identity, NULL, NULL, &credential, &expiry));
    do {
        SecBuffer in_buffer = {0, SECBUFFER_TOKEN, NULL}, out_buffer = {0, SECBUFFER_TOKEN, NULL};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, NULL}, out_list = {SECBUFFER_VERSION, 1, NULL};
        in_buffer.cbBuffer = in_len;
        in_buffer.pvBuffer = in;
        in_list.pBuffers = &in_buffer;
        out_buffer.cbBuffer = max;
        out_buffer.pvBuffer = out;
        out_list.pBuffers = &out_buffer;
        status = sspi->InitializeSecurityContext(
            &credential, first ? NULL : &context, (LPTSTR)TEXT("MSSQLSvc/server.example.test:1433"),
            ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT, 0, SECURITY_NATIVE_DREP,
            first ? NULL : &in_list, 0, &context, &out_list, &attributes, &expiry);
        Check(_T("InitializeSecurityContext"), status);
        first = FALSE;
        if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE)
            Check(_T("CompleteAuthToken"), sspi->CompleteAuthToken(&context, &out_list));
        if (out_buffer.cbBuffer > 0)
            SendBlock(s, out, out_buffer.cbBuffer);
        if (status == SEC_I_CONTINUE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE)
            in_len = ReceiveBlock(s, in);
    } while (status == SEC_I_CONTINUE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE);
    file_time.dwLowDateTime = expiry.LowPart;
    file_time.dwHighDateTime = (DWORD)expiry.HighPart;
    if (FileTimeToSystemTime(&file_time, &parts))
        _tprintf(_T("expires in %u\n"), parts.wYear);
    if (attributes >> 16 >> 16 != 0)
        Fail(_T("attributes"), ERROR_INVALID_DATA);
    SendSealed(s, &context, "select * from people");
    ReceiveSealed(s, &context, "one row");
    _tprintf(_T("client done, confidentiality %d\n"), (attributes & ISC_RET_CONFIDENTIALITY) != 0);
    sspi->DeleteSecurityContext(&context);
    sspi->FreeCredentialsHandle(&credential);
    SecureZeroMemory(asked, sizeof asked);
    free(in);
    free(out);
    closesocket(s);
}

static void SayName(LPCTSTR label, PSID sid)
{
    TCHAR name[256], domain[256], line[600];
    DWORD name_len = ARRAYSIZE(name), domain_len = ARRAYSIZE(domain);
    SID_NAME_USE use;
    LPTSTR text;
    if (!ConvertSidToStringSid(sid, &text))
        Fail(_T("ConvertSidToStringSid"), GetLastError());
    if (!LookupAccountSid(NULL, sid, name, &name_len, domain, &domain_len, &use)) {
        if (GetLastError() != ERROR_NONE_MAPPED)
            Fail(_T("LookupAccountSid"), GetLastError());
        StringCchCopy(name, ARRAYSIZE(name), _T("nobody knows"));
        StringCchCopy(domain, ARRAYSIZE(domain), _T(""));
    }
    if (FAILED(StringCchPrintf(line, ARRAYSIZE(line), _T("%s: %s\\%s %s"), label, domain, name, text)))
        Fail(_T("StringCchPrintf"), ERROR_INSUFFICIENT_BUFFER);
    _putts(line);
    LocalFree(text);
}

static void SayToken(CtxtHandle *context)
{
    HANDLE token;
    DWORD needed = 0, i;
    TOKEN_USER *user;
    TOKEN_GROUPS *groups;
    int world = 0;
    PSID everybody;
    if (!ConvertStringSidToSid(TEXT("S-1-1-0"), &everybody))
        Fail(_T("ConvertStringSidToSid"), GetLastError());
    Check(_T("QuerySecurityContextToken"), QuerySecurityContextToken(context, &token));
    if (GetTokenInformation(token, TokenUser, NULL, 0, &needed) || GetLastError() != ERROR_INSUFFICIENT_BUFFER)
        Fail(_T("TokenUser"), GetLastError());
    user = (TOKEN_USER *)LocalAlloc(LPTR, needed);
    if (!GetTokenInformation(token, TokenUser, user, needed, &needed))
        Fail(_T("TokenUser"), GetLastError());
    SayName(_T("user"), user->User.Sid);
    GetTokenInformation(token, TokenGroups, NULL, 0, &needed);
    groups = (TOKEN_GROUPS *)LocalAlloc(LPTR, needed);
    if (!GetTokenInformation(token, TokenGroups, groups, needed, &needed))
        Fail(_T("TokenGroups"), GetLastError());
    for (i = 0; i < groups->GroupCount; i++) {
        SayName(_T("group"), groups->Groups[i].Sid);
        world += EqualSid(groups->Groups[i].Sid, everybody) ? 1 : 0;
    }
    _tprintf(_T("everybody %d\n"), world);
    LocalFree(user);
    LocalFree(groups);
    LocalFree(everybody);
    CloseHandle(token);
}

static void Server(TCHAR **argv)
{
    CredHandle credential;
    CtxtHandle context;
    TimeStamp expiry;
    unsigned long attributes;
    SecPkgContext_Names names;
    DWORD max = TokenMax(argv[2]);
    BYTE *in = (BYTE *)malloc(BLOCK_MAX), *out = (BYTE *)malloc(max);
    BOOL first = TRUE;
    SECURITY_STATUS status;
    SOCKET s;
    Check(_T("AcquireCredentialsHandle"), sspi->AcquireCredentialsHandle(NULL, argv[2], SECPKG_CRED_INBOUND, NULL, NULL,
                                                                         NULL, NULL, &credential, &expiry));
    s = Serve();
    do {
        SecBuffer in_buffer = {0, SECBUFFER_TOKEN, NULL}, out_buffer = {0, SECBUFFER_TOKEN, NULL};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, NULL}, out_list = {SECBUFFER_VERSION, 1, NULL};
        in_buffer.cbBuffer = ReceiveBlock(s, in);
        in_buffer.pvBuffer = in;
        in_list.pBuffers = &in_buffer;
        out_buffer.cbBuffer = max;
        out_buffer.pvBuffer = out;
        out_list.pBuffers = &out_buffer;
        status = sspi->AcceptSecurityContext(&credential, first ? NULL : &context, &in_list, ASC_REQ_CONFIDENTIALITY,
                                             SECURITY_NATIVE_DREP, &context, &out_list, &attributes, &expiry);
        Check(_T("AcceptSecurityContext"), status);
        first = FALSE;
        if (out_buffer.cbBuffer > 0)
            SendBlock(s, out, out_buffer.cbBuffer);
    } while (status == SEC_I_CONTINUE_NEEDED);
    Check(_T("names"), sspi->QueryContextAttributes(&context, SECPKG_ATTR_NAMES, &names));
    _tprintf(_T("name: %s\n"), names.sUserName);
    sspi->FreeContextBuffer(names.sUserName);
    SayToken(&context);
    ReceiveSealed(s, &context, "select * from people");
    SendSealed(s, &context, "one row");
    sspi->DeleteSecurityContext(&context);
    sspi->FreeCredentialsHandle(&credential);
    free(in);
    free(out);
    closesocket(s);
    _tprintf(_T("server done\n"));
}

int _tmain(int argc, TCHAR *argv[])
{
    StartSockets();
    LoadSspi();
    if (argc == 3 && _tcsicmp(argv[1], _T("server")) == 0)
        Server(argv);
    else if (argc == 7 && _tcsicmp(argv[1], _T("client")) == 0)
        Client(argc, argv);
    else
        _tprintf(_T("see the first comment of the source\n"));
    WSACleanup();
    return 0;
}
