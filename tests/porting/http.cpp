//
// In the manner of an HTTP client and server in C++: tokens in base64, a list of packages, channel bindings.
//
//   http server PACKAGE BINDINGS
//   http client PORT PACKAGE PACKAGES DOMAIN USER PASSWORD BINDINGS
//
// PACKAGES is what the identity allows, such as "!Kerberos", or "-" for an identity of the older kind, which has no such list; BINDINGS are application data such as "tls-server-end-point:abc", or "-".
//
#include "common.h"
#include <algorithm>
#include <string>
#include <vector>
#include <wincrypt.h>

typedef std::basic_string<char> Line; // what goes over the wire is ASCII

static Line ReceiveLine(SOCKET s)
{
    Line line;
    for (char c = 0; line.size() < BLOCK_MAX;) {
        ReceiveAll(s, &c, 1);
        if (c == '\n')
            return line;
        if (c != '\r')
            line += c;
    }
    Fail(_T("the line is too long"), ERROR_INVALID_DATA);
    return line;
}

static void SendLine(SOCKET s, const Line &line)
{
    const Line ended = line + "\r\n";
    SendAll(s, ended.data(), (DWORD)ended.size());
}

static Line Encode(const void *bytes, DWORD len)
{
    DWORD n = 0;
    if (!CryptBinaryToStringA((const BYTE *)bytes, len, CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, NULL, &n))
        Fail(_T("CryptBinaryToString"), GetLastError());
    std::vector<char> text(n);
    if (!CryptBinaryToStringA((const BYTE *)bytes, len, CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, text.data(), &n))
        Fail(_T("CryptBinaryToString"), GetLastError());
    return Line(text.data(), n);
}

static std::vector<BYTE> Decode(const Line &text)
{
    DWORD n = 0;
    if (!CryptStringToBinaryA(text.c_str(), (DWORD)text.size(), CRYPT_STRING_BASE64, NULL, &n, NULL, NULL))
        Fail(_T("CryptStringToBinary"), GetLastError());
    std::vector<BYTE> bytes(std::max<DWORD>(n, 1));
    if (!CryptStringToBinaryA(text.c_str(), (DWORD)text.size(), CRYPT_STRING_BASE64, bytes.data(), &n, NULL, NULL))
        Fail(_T("CryptStringToBinary"), GetLastError());
    bytes.resize(n);
    return bytes;
}

// The header's scheme is the package's name.
static Line Narrow(LPCTSTR text)
{
    Line line;
    for (; *text != 0; text++)
        line += (char)*text;
    return line;
}

class Bindings
{
  public:
    explicit Bindings(LPCTSTR text)
    {
        const Line data = Narrow(text);
        if (data == "-")
            return;
        bytes.resize(sizeof(SEC_CHANNEL_BINDINGS) + data.size());
        SEC_CHANNEL_BINDINGS header;
        ZeroMemory(&header, sizeof header);
        header.cbApplicationDataLength = (DWORD)data.size();
        header.dwApplicationDataOffset = sizeof header;
        CopyMemory(bytes.data(), &header, sizeof header);
        CopyMemory(bytes.data() + sizeof header, data.data(), data.size());
    }

    // Adds the buffer where there are bindings.
    void add(std::vector<SecBuffer> &buffers)
    {
        if (bytes.empty())
            return;
        SecBuffer buffer = {(ULONG)bytes.size(), SECBUFFER_CHANNEL_BINDINGS, bytes.data()};
        buffers.push_back(buffer);
    }

  private:
    std::vector<BYTE> bytes;
};

static SecBufferDesc ListOf(std::vector<SecBuffer> &buffers)
{
    SecBufferDesc list = {SECBUFFER_VERSION, (ULONG)buffers.size(), buffers.data()};
    return list;
}

// Either kind of identity.
template <class Identity> static void FillIn(Identity &identity, TCHAR **argv)
{
    typedef decltype(identity.User) Text;
    identity.Domain = (Text)argv[5];
    identity.DomainLength = (unsigned long)_tcslen(argv[5]);
    identity.User = (Text)argv[6];
    identity.UserLength = (unsigned long)_tcslen(argv[6]);
    identity.Password = (Text)argv[7];
    identity.PasswordLength = (unsigned long)_tcslen(argv[7]);
    identity.Flags = sizeof(TCHAR) == 2 ? SEC_WINNT_AUTH_IDENTITY_UNICODE : SEC_WINNT_AUTH_IDENTITY_ANSI;
}

static void Client(TCHAR **argv)
{
    const Line scheme = Narrow(argv[3]) + " ";
    SEC_WINNT_AUTH_IDENTITY_EX with_list;
    SEC_WINNT_AUTH_IDENTITY plain;
    const bool is_plain = _tcscmp(argv[4], _T("-")) == 0;
    ZeroMemory(&with_list, sizeof with_list);
    with_list.Version = SEC_WINNT_AUTH_IDENTITY_VERSION;
    with_list.Length = sizeof with_list;
    with_list.PackageList = (decltype(with_list.User))argv[4];
    with_list.PackageListLength = (unsigned long)_tcslen(argv[4]);
    ZeroMemory(&plain, sizeof plain);
    FillIn(with_list, argv);
    FillIn(plain, argv);
    Bindings bindings(argv[8]);
    CredHandle credential;
    CtxtHandle context;
    SecInvalidateHandle(&context);
    Check(_T("AcquireCredentialsHandle"),
          AcquireCredentialsHandle(NULL, argv[3], SECPKG_CRED_OUTBOUND, NULL, is_plain ? (void *)&plain : &with_list, NULL, NULL, &credential, NULL));
    const SOCKET s = Dial(argv[2]);
    std::vector<BYTE> challenge;
    for (;;) {
        const bool first = !SecIsValidHandle(&context);
        unsigned long granted = 0;
        SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
        SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out};
        std::vector<SecBuffer> in;
        SecBuffer token = {(ULONG)challenge.size(), SECBUFFER_TOKEN, challenge.data()};
        if (!first)
            in.push_back(token);
        bindings.add(in);
        SecBufferDesc in_list = ListOf(in);
        const SECURITY_STATUS status = InitializeSecurityContext(
            &credential, first ? NULL : &context, (LPTSTR)_T("HTTP/server.example.test"), ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_CONNECTION, 0,
            SECURITY_NETWORK_DREP, in.empty() ? NULL : &in_list, 0, &context, &out_list, &granted, NULL);
        Check(_T("InitializeSecurityContext"), status);
        SendLine(s, "GET / HTTP/1.1");
        SendLine(s, "Authorization: " + scheme + Encode(out.pvBuffer, out.cbBuffer));
        SendLine(s, "");
        FreeContextBuffer(out.pvBuffer);
        const Line answer = ReceiveLine(s);
        Line header;
        for (Line line = ReceiveLine(s); !line.empty(); line = ReceiveLine(s))
            if (line.find("WWW-Authenticate: " + scheme) == 0)
                header = line.substr(18 + scheme.size());
        if (answer.find(" 200 ") != Line::npos) {
            _tprintf(_T("client done\n"));
            break;
        }
        if (status != SEC_I_CONTINUE_NEEDED || header.empty())
            Fail(_T("the server refused"), ERROR_ACCESS_DENIED);
        challenge = Decode(header);
    }
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
}

static void Server(TCHAR **argv)
{
    const Line scheme = Narrow(argv[2]) + " ";
    Bindings bindings(argv[3]);
    CredHandle credential;
    CtxtHandle context;
    SecInvalidateHandle(&context);
    Check(_T("AcquireCredentialsHandle"),
          AcquireCredentialsHandle(NULL, argv[2], SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &credential, NULL));
    const SOCKET s = Serve();
    SECURITY_STATUS status;
    do {
        Line header;
        for (Line line = ReceiveLine(s); !line.empty(); line = ReceiveLine(s))
            if (line.find("Authorization: " + scheme) == 0)
                header = line.substr(15 + scheme.size());
        std::vector<BYTE> token = Decode(header);
        const bool first = !SecIsValidHandle(&context);
        unsigned long granted;
        SecBuffer out = {0, SECBUFFER_TOKEN, NULL}, in_token = {(ULONG)token.size(), SECBUFFER_TOKEN, token.data()};
        SecBufferDesc out_list = {SECBUFFER_VERSION, 1, &out};
        std::vector<SecBuffer> in;
        bindings.add(in); // in any position
        in.push_back(in_token);
        SecBufferDesc in_list = ListOf(in);
        status = AcceptSecurityContext(&credential, first ? NULL : &context, &in_list, ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_CONNECTION,
                                       SECURITY_NETWORK_DREP, &context, &out_list, &granted, NULL);
        SendLine(s, status == SEC_E_OK ? "HTTP/1.1 200 OK" : "HTTP/1.1 401 Unauthorized");
        if (status == SEC_I_CONTINUE_NEEDED)
            SendLine(s, "WWW-Authenticate: " + scheme + Encode(out.pvBuffer, out.cbBuffer));
        SendLine(s, "");
        Check(_T("AcceptSecurityContext"), status);
        FreeContextBuffer(out.pvBuffer);
    } while (status != SEC_E_OK);
    SecPkgContext_NegotiationInfo info;
    Check(_T("negotiated"), QueryContextAttributes(&context, SECPKG_ATTR_NEGOTIATION_INFO, &info));
    _tprintf(_T("package %s\n"), info.PackageInfo->Name);
    FreeContextBuffer(info.PackageInfo);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    closesocket(s);
    _tprintf(_T("server done\n"));
}

int _tmain(int argc, TCHAR *argv[])
{
    StartSockets();
    if (argc == 4)
        Server(argv);
    else if (argc == 9)
        Client(argv);
    else
        _tprintf(_T("see the first comment of the source\n"));
    WSACleanup();
    return 0;
}
