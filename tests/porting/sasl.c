/*
 * In the manner of a SASL library's GSSAPI plug-in: after the handshake messages are wrapped as {TOKEN, DATA, PADDING}, joined to one, and unwrapped
 * as {STREAM, DATA}; the first of them agrees on a security layer (RFC 4752 3.1).
 *
 *   sasl server PACKAGE                                         the messages of the layer are only signed under Kerberos; NTLM encrypts all
 *   sasl client PORT PACKAGE TARGET DOMAIN USER PASSWORD        DOMAIN, USER and PASSWORD "-": who is logged on
 */
#include "common.h"

static SecPkgContext_Sizes sizes;

static DWORD Wrap(CtxtHandle *context, const void *text, DWORD len, BOOL encrypt, BYTE *out)
{
    SecBuffer buffers[3];
    SecBufferDesc list;
    DWORD at = 0, i;
    BYTE *room = (BYTE *)LocalAlloc(LPTR, sizes.cbSecurityTrailer + len + sizes.cbBlockSize);
    if (room == NULL)
        Fail(_T("LocalAlloc"), GetLastError());
    list.ulVersion = SECBUFFER_VERSION;
    list.cBuffers = 3;
    list.pBuffers = buffers;
    buffers[0].BufferType = SECBUFFER_TOKEN;
    buffers[0].cbBuffer = sizes.cbSecurityTrailer;
    buffers[0].pvBuffer = room;
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[1].cbBuffer = len;
    buffers[1].pvBuffer = room + sizes.cbSecurityTrailer;
    buffers[2].BufferType = SECBUFFER_PADDING;
    buffers[2].cbBuffer = sizes.cbBlockSize;
    buffers[2].pvBuffer = room + sizes.cbSecurityTrailer + len;
    CopyMemory(buffers[1].pvBuffer, text, len);
    Check(_T("EncryptMessage"), EncryptMessage(context, encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT, &list, 0));
    for (i = 0; i < 3; i++) {
        CopyMemory(out + at, buffers[i].pvBuffer, buffers[i].cbBuffer);
        at += buffers[i].cbBuffer;
    }
    LocalFree(room);
    return at;
}

/* The text lies inside the block. */
static const BYTE *Unwrap(CtxtHandle *context, BYTE *block, DWORD len, DWORD *text_len)
{
    SecBuffer buffers[2];
    SecBufferDesc list;
    unsigned long qop;
    list.ulVersion = SECBUFFER_VERSION;
    list.cBuffers = 2;
    list.pBuffers = buffers;
    buffers[0].BufferType = SECBUFFER_STREAM;
    buffers[0].cbBuffer = len;
    buffers[0].pvBuffer = block;
    buffers[1].BufferType = SECBUFFER_DATA;
    buffers[1].cbBuffer = 0;
    buffers[1].pvBuffer = NULL;
    Check(_T("DecryptMessage"), DecryptMessage(context, &list, 0, &qop));
    *text_len = buffers[1].cbBuffer;
    return (const BYTE *)buffers[1].pvBuffer;
}

static void SendWrapped(SOCKET s, CtxtHandle *context, const void *text, DWORD len, BOOL encrypt)
{
    static BYTE block[BLOCK_MAX];
    SendBlock(s, block, Wrap(context, text, len, encrypt, block));
}

static DWORD ReceiveWrapped(SOCKET s, CtxtHandle *context, BYTE *text)
{
    static BYTE block[BLOCK_MAX];
    DWORD len;
    const BYTE *inside = Unwrap(context, block, ReceiveBlock(s, block), &len);
    CopyMemory(text, inside, len);
    return len;
}

static void SetText(unsigned long *len, void *text_place, LPTSTR text)
{
    CopyMemory(text_place, &text, sizeof text);
    *len = (unsigned long)_tcslen(text);
}

/* One side of the handshake; NULL target: the server's. */
static void Handshake(SOCKET s, CredHandle *credential, CtxtHandle *context, LPTSTR target)
{
    static BYTE in_bytes[BLOCK_MAX];
    BOOL first = TRUE;
    SECURITY_STATUS status;
    DWORD in_len = 0;
    unsigned long attributes;
    ULONG flags = ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_MUTUAL_AUTH |
                  ISC_REQ_SEQUENCE_DETECT;
    do {
        SecBuffer in = {0, SECBUFFER_TOKEN, NULL}, out = {0, SECBUFFER_TOKEN, NULL};
        SecBufferDesc in_list = {SECBUFFER_VERSION, 1, NULL}, out_list = {SECBUFFER_VERSION, 1, NULL};
        in_list.pBuffers = &in;
        out_list.pBuffers = &out;
        if (target == NULL || !first)
            in_len = ReceiveBlock(s, in_bytes);
        in.cbBuffer = in_len;
        in.pvBuffer = in_bytes;
        if (target != NULL)
            status =
                InitializeSecurityContext(credential, first ? NULL : context, target, flags, 0, SECURITY_NETWORK_DREP,
                                          first ? NULL : &in_list, 0, context, &out_list, &attributes, NULL);
        else
            status = AcceptSecurityContext(credential, first ? NULL : context, &in_list,
                                           ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY,
                                           SECURITY_NETWORK_DREP, context, &out_list, &attributes, NULL);
        Check(target != NULL ? _T("InitializeSecurityContext") : _T("AcceptSecurityContext"), status);
        first = FALSE;
        if (out.cbBuffer > 0)
            SendBlock(s, out.pvBuffer, out.cbBuffer);
        if (out.pvBuffer != NULL)
            FreeContextBuffer(out.pvBuffer);
    } while (status == SEC_I_CONTINUE_NEEDED);
    Check(_T("sizes"), QueryContextAttributes(context, SECPKG_ATTR_SIZES, &sizes));
}

static BOOL Encrypts(LPCTSTR package)
{
    return _tcsicmp(package, _T("Kerberos")) != 0;
}

static void Client(TCHAR **argv)
{
    SEC_WINNT_AUTH_IDENTITY identity;
    CredHandle credential;
    CtxtHandle context;
    BYTE text[BLOCK_MAX];
    DWORD len;
    unsigned long text_len;
    BOOL own = _tcscmp(argv[6], _T("-")) == 0;
    SOCKET s = Dial(argv[2]);
    ZeroMemory(&identity, sizeof identity);
    SetText(&text_len, &identity.Domain, argv[5]);
    identity.DomainLength = text_len;
    SetText(&text_len, &identity.User, argv[6]);
    identity.UserLength = text_len;
    SetText(&text_len, &identity.Password, argv[7]);
    identity.PasswordLength = text_len;
    identity.Flags = sizeof(TCHAR) == 2 ? SEC_WINNT_AUTH_IDENTITY_UNICODE : SEC_WINNT_AUTH_IDENTITY_ANSI;
    Check(_T("AcquireCredentialsHandle"),
          AcquireCredentialsHandle(NULL, argv[3], SECPKG_CRED_OUTBOUND, NULL, own ? NULL : &identity, NULL, NULL,
                                   &credential, NULL));
    Handshake(s, &credential, &context, argv[4]);
    len = ReceiveWrapped(s, &context, text); /* what the server can do */
    if (len != 4 || (text[0] & 4) == 0)
        Fail(_T("the server has no confidentiality"), ERROR_INVALID_DATA);
    text[0] = 4;
    CopyMemory(text + 4, "alice", 5);
    SendWrapped(s, &context, text, 9, Encrypts(argv[3]));
    SendWrapped(s, &context, "whoami", 6, TRUE);
    len = ReceiveWrapped(s, &context, text);
    _tprintf(_T("client got %lu bytes: %.*hs\n"), len, (int)len, (const char *)text);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
}

static void Server(TCHAR **argv)
{
    CredHandle credential;
    CtxtHandle context;
    BYTE text[BLOCK_MAX];
    DWORD len;
    static const BYTE offer[4] = {7, 0, 64, 0};
    SOCKET s;
    Check(_T("AcquireCredentialsHandle"),
          AcquireCredentialsHandle(NULL, argv[2], SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential, NULL));
    s = Serve();
    Handshake(s, &credential, &context, NULL);
    SendWrapped(s, &context, offer, sizeof offer, Encrypts(argv[2]));
    len = ReceiveWrapped(s, &context, text);
    if (len != 9 || text[0] != 4 || memcmp(text + 4, "alice", 5) != 0)
        Fail(_T("the client chose something else"), ERROR_INVALID_DATA);
    len = ReceiveWrapped(s, &context, text);
    if (len != 6 || memcmp(text, "whoami", 6) != 0)
        Fail(_T("the message is another one"), ERROR_INVALID_DATA);
    SendWrapped(s, &context, "dn:uid=alice", 12, TRUE);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
    _tprintf(_T("server done\n"));
}

int _tmain(int argc, TCHAR *argv[])
{
    StartSockets();
    if (argc == 3)
        Server(argv);
    else if (argc == 8)
        Client(argv);
    else
        _tprintf(_T("see the first comment of the source\n"));
    WSACleanup();
    return 0;
}
