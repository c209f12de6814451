/* Hosts, services and addresses by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <string.h>

#include "loopback.h"

/* Nobody has these names: RFC 6761 6.4; a label has 63 bytes at most. */
#define NO_HOST "no-such-host.invalid"
#define LONG_LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid"

static void test_gethostbyname(void **state)
{
    (void)state;
    SetLastError(7);
    assert_null(gethostbyname(NO_HOST));
    /* The name service may be away where this runs. */
    assert_true(WSAGetLastError() == WSAHOST_NOT_FOUND || WSAGetLastError() == WSATRY_AGAIN ||
                WSAGetLastError() == WSANO_RECOVERY || WSAGetLastError() == WSANO_DATA);
    assert_int_equal(GetLastError(), (DWORD)WSAGetLastError());
    assert_int_equal(h_errno, WSAGetLastError());
    struct hostent *found = gethostbyname("127.0.0.1");
    assert_non_null(found);
    assert_int_equal(found->h_length, 4);
    assert_int_equal(HOST_NOT_FOUND, WSAHOST_NOT_FOUND);
    assert_int_equal(TRY_AGAIN, WSATRY_AGAIN);
    assert_int_equal(NO_RECOVERY, WSANO_RECOVERY);
    assert_int_equal(NO_DATA, WSANO_DATA);
    SetLastError(7);
    assert_null(getservbyname("no-such-service", "tcp"));
    assert_int_equal(WSAGetLastError(), WSANO_DATA);
    SetLastError(7);
    assert_null(getprotobyname("no-such-protocol"));
    assert_int_equal(WSAGetLastError(), WSANO_DATA);
    SetLastError(7);
    assert_null(gethostbyaddr("xxx", 3, AF_INET));
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    WSASetLastError(0);
    assert_null(gethostbyaddr(NULL, 4, AF_INET));
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    assert_null(getservbyname(NULL, NULL));
    assert_null(getprotobyname(NULL));
    assert_int_equal(WSAGetLastError(), WSANO_DATA);
    assert_true(WSAGetLastError() != 7);
}

static int looked_up(const char *host, const char *service, int flags, int family, int type)
{
    struct addrinfo hints = {.ai_flags = flags, .ai_family = family, .ai_socktype = type}, *found = NULL;
    SetLastError(7);
    int code = getaddrinfo(host, service, &hints, &found);
    if (code == 0) {
        assert_non_null(found);
        freeaddrinfo(found);
    } else {
        assert_int_equal(WSAGetLastError(), code);
        assert_int_equal(GetLastError(), (DWORD)code);
    }
    return code;
}

static void test_getaddrinfo(void **state)
{
    (void)state;
    assert_int_equal(looked_up("127.0.0.1", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM), 0);
    assert_int_equal(looked_up("nonsense", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM), WSAHOST_NOT_FOUND);
    assert_int_equal(looked_up(NULL, NULL, 0, AF_UNSPEC, SOCK_STREAM), WSAHOST_NOT_FOUND);
    assert_int_equal(looked_up("127.0.0.1", "80", 0x40000000, AF_UNSPEC, SOCK_STREAM), WSAEINVAL);
    assert_int_equal(looked_up("127.0.0.1", "80", 0, 4711, SOCK_STREAM), WSAEAFNOSUPPORT);
    assert_int_equal(looked_up("127.0.0.1", NULL, 0, AF_INET, 4711), WSAESOCKTNOSUPPORT);
    assert_int_equal(looked_up("127.0.0.1", "no-such-service", 0, AF_INET, SOCK_STREAM), WSATYPE_NOT_FOUND);
    int code = looked_up(NO_HOST, "80", 0, AF_UNSPEC, SOCK_STREAM);
    assert_true(code == WSAHOST_NOT_FOUND || code == WSATRY_AGAIN || code == WSANO_RECOVERY);
    assert_int_equal(looked_up(LONG_LABEL, "80", 0, AF_UNSPEC, SOCK_STREAM) > 0, 1);
    /* An empty name is this computer's, whatever the resolver says of that. */
    char own[256];
    assert_int_equal(gethostname(own, sizeof own), 0);
    assert_int_equal(looked_up("", "80", 0, AF_UNSPEC, SOCK_STREAM), looked_up(own, "80", 0, AF_UNSPEC, SOCK_STREAM));
    assert_int_equal(looked_up("", NULL, 0, AF_INET, SOCK_STREAM), looked_up(own, NULL, 0, AF_INET, SOCK_STREAM));
    assert_int_equal(WSATYPE_NOT_FOUND, 10109);
    assert_int_equal(EAI_AGAIN, WSATRY_AGAIN);
    assert_int_equal(EAI_BADFLAGS, WSAEINVAL);
    assert_int_equal(EAI_FAIL, WSANO_RECOVERY);
    assert_int_equal(EAI_FAMILY, WSAEAFNOSUPPORT);
    assert_int_equal(EAI_MEMORY, WSA_NOT_ENOUGH_MEMORY);
    assert_int_equal(EAI_NONAME, WSAHOST_NOT_FOUND);
    assert_int_equal(EAI_SERVICE, WSATYPE_NOT_FOUND);
    assert_int_equal(EAI_SOCKTYPE, WSAESOCKTNOSUPPORT);
    assert_int_equal(
        GetAddrInfoA("nonsense", NULL, &(struct addrinfo){.ai_flags = AI_NUMERICHOST}, &(struct addrinfo *){NULL}),
        WSAHOST_NOT_FOUND);
}

static void test_getnameinfo(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    char host[64], service[64];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, host, sizeof host, service, sizeof service,
                                 NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(service, "80");
    SetLastError(7);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address - 1, host, sizeof host, NULL, 0, NI_NUMERICHOST),
                     WSAEFAULT);
    assert_int_equal(GetLastError(), WSAEFAULT);
    assert_int_equal(getnameinfo(NULL, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICHOST), WSAEFAULT);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, NULL, 0, NULL, 0, NI_NUMERICHOST),
                     WSAHOST_NOT_FOUND);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, host, 3, NULL, 0, NI_NUMERICHOST),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, host, 0, NULL, 0, NI_NUMERICHOST), WSAEINVAL);
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, NULL, 0, service, 0, NI_NUMERICSERV), WSAEINVAL);
    address.sin_family = 4711;
    assert_int_equal(getnameinfo((SOCKADDR *)&address, sizeof address, host, sizeof host, NULL, 0, NI_NUMERICHOST),
                     WSAEAFNOSUPPORT);
    assert_int_equal(GetLastError(), WSAEAFNOSUPPORT);
}

static void test_gai_strerror(void **state)
{
    (void)state;
    static const int codes[] = {EAI_AGAIN,  EAI_BADFLAGS, EAI_FAIL,    EAI_FAMILY,
                                EAI_MEMORY, EAI_NONAME,   EAI_SERVICE, EAI_SOCKTYPE};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char expected[GAI_STRERROR_BUFFER_SIZE];
        assert_true(
            FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
                           NULL, (DWORD)codes[i], 0, expected, sizeof expected, NULL) > 0);
        assert_string_equal(gai_strerrorA(codes[i]), expected);
        const WCHAR *wide = gai_strerrorW(codes[i]);
        size_t len = strlen(expected);
        for (size_t at = 0; at <= len; at++)
            assert_int_equal(wide[at], expected[at]);
        assert_true(len > 5 && expected[len - 1] != '\n');
    }
    assert_string_equal(gai_strerror(EAI_NONAME), gai_strerrorA(WSAHOST_NOT_FOUND));
    assert_true(*gai_strerrorA(123456789) != '\0'); /* no code at all */
    assert_true(*gai_strerrorW(123456789) != 0);
}

static void test_inet(void **state)
{
    (void)state;
    unsigned char bytes[16] = {127, 0, 0, 1};
    char text[16];
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", bytes), 1);
    assert_int_equal(inet_pton(AF_INET, "nonsense", bytes), 0);
    assert_socket_error(inet_pton(4711, "127.0.0.1", bytes), WSAEAFNOSUPPORT);
    assert_ptr_equal(inet_ntop(AF_INET, bytes, text, sizeof text), text);
    assert_string_equal(text, "127.0.0.1");
    assert_string_equal(InetNtopA(AF_INET, bytes, text, sizeof text), "127.0.0.1");
    SetLastError(7);
    assert_null(inet_ntop(AF_INET, NULL, text, sizeof text));
    assert_null(inet_ntop(AF_INET, bytes, NULL, sizeof text));
    assert_int_equal(WSAGetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(inet_pton(AF_INET, NULL, bytes), SOCKET_ERROR);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", NULL), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    assert_null(inet_ntop(AF_INET, bytes, text, 4));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    SetLastError(7);
    assert_null(inet_ntop(4711, bytes, text, sizeof text));
    assert_int_equal(GetLastError(), WSAEAFNOSUPPORT);
    char name[256];
    assert_int_equal(gethostname(name, sizeof name), 0);
    assert_socket_error(gethostname(name, 0), WSAEFAULT);
    assert_socket_error(gethostname(NULL, 10), WSAEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gethostbyname), cmocka_unit_test(test_getaddrinfo), cmocka_unit_test(test_getnameinfo),
        cmocka_unit_test(test_gai_strerror),  cmocka_unit_test(test_inet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
