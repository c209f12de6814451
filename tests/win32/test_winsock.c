/* What Winsock has besides BSD's sockets: names in either form of text, WSASocket, and sending and receiving in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <fcntl.h>
#include <string.h>
#include <tchar.h>

#include "loopback.h"

static void test_addrinfo(void **state)
{
    (void)state;
    ADDRINFOT hints = {.ai_flags = AI_NUMERICHOST | AI_CANONNAME, .ai_socktype = SOCK_STREAM}, *found = NULL;
    assert_int_equal(GetAddrInfo(_T("127.0.0.1"), _T("80"), &hints, &found), 0);
    assert_non_null(found);
    assert_int_equal(found->ai_family, AF_INET);
    assert_int_equal(found->ai_socktype, SOCK_STREAM);
    assert_int_equal(found->ai_addrlen, sizeof(struct sockaddr_in));
    assert_int_equal(ntohs(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port), 80);
    assert_int_equal(ntohl(((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr.s_addr), INADDR_LOOPBACK);
    assert_non_null(found->ai_canonname);
    assert_int_equal(_tcscmp(found->ai_canonname, _T("127.0.0.1")), 0);
    FreeAddrInfo(found);

    hints = (ADDRINFOT){.ai_flags = AI_NUMERICHOST}; /* a result for each type of socket */
    assert_int_equal(GetAddrInfo(_T("::1"), NULL, &hints, &found), 0);
    int n = 0;
    for (ADDRINFOT *one = found; one != NULL; one = one->ai_next, n++) {
        assert_int_equal(one->ai_family, AF_INET6);
        assert_true(IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)one->ai_addr)->sin6_addr));
    }
    assert_true(n > 1);
    FreeAddrInfo(found);

    found = (ADDRINFOT *)(void *)&hints;
    SetLastError(7);
    assert_int_equal(GetAddrInfo(_T("nonsense"), NULL, &hints, &found), WSAHOST_NOT_FOUND);
    assert_int_equal(WSAGetLastError(), WSAHOST_NOT_FOUND);
    assert_null(found);
    assert_int_equal(GetAddrInfo(NULL, NULL, NULL, &found), WSAHOST_NOT_FOUND);
    assert_int_equal(GetAddrInfoW(NULL, NULL, NULL, NULL), WSAEFAULT);
    hints.ai_flags = 0x40000000;
    assert_int_equal(GetAddrInfo(_T("127.0.0.1"), NULL, &hints, &found), WSAEINVAL);
    FreeAddrInfoW(NULL);
}

static void test_nameinfo(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    TCHAR host[10], service[3];
    const int numbers = NI_NUMERICHOST | NI_NUMERICSERV;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, host, 10, service, 3, numbers), 0);
    assert_int_equal(_tcscmp(host, _T("127.0.0.1")), 0);
    assert_int_equal(_tcscmp(service, _T("80")), 0);
    SetLastError(7);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, host, 9, NULL, 0, numbers),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, NULL, 0, service, 2, numbers),
                     ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, NULL, 0, service, 0, numbers), WSAEINVAL);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, host, 0, NULL, 0, numbers), WSAEINVAL);
    assert_int_equal(GetNameInfo((SOCKADDR *)&address, sizeof address, NULL, 0, NULL, 0, numbers), WSAHOST_NOT_FOUND);
    assert_int_equal(GetNameInfo(NULL, sizeof address, host, 10, NULL, 0, numbers), WSAEFAULT);
}

static void test_inet(void **state)
{
    (void)state;
    unsigned char bytes[16] = {0};
    TCHAR text[INET6_ADDRSTRLEN];
    assert_int_equal(InetPton(AF_INET, _T("127.0.0.1"), bytes), 1);
    assert_memory_equal(bytes, ((unsigned char[]){127, 0, 0, 1}), 4);
    assert_int_equal(InetPton(AF_INET, _T("127.0.0"), bytes), 0);
    assert_socket_error(InetPton(4711, _T("127.0.0.1"), bytes), WSAEAFNOSUPPORT);
    assert_socket_error(InetPtonW(AF_INET, NULL, bytes), WSAEFAULT);
    assert_ptr_equal(InetNtop(AF_INET, bytes, text, 10), text);
    assert_int_equal(_tcscmp(text, _T("127.0.0.1")), 0);
    SetLastError(7);
    assert_null(InetNtop(AF_INET, bytes, text, 9));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(InetPton(AF_INET6, _T("2001:db8::1"), bytes), 1);
    assert_ptr_equal(InetNtop(AF_INET6, bytes, text, sizeof text / sizeof *text), text);
    assert_int_equal(_tcscmp(text, _T("2001:db8::1")), 0);

    char narrow[256];
    WCHAR wide[256];
    assert_int_equal(gethostname(narrow, sizeof narrow), 0);
    assert_int_equal(GetHostNameW(wide, 256), 0);
    for (size_t i = 0; i <= strlen(narrow); i++)
        assert_int_equal(wide[i], (unsigned char)narrow[i]);
    assert_socket_error(GetHostNameW(wide, (int)strlen(narrow)), WSAEFAULT);
    assert_socket_error(GetHostNameW(NULL, 256), WSAEFAULT);
    assert_socket_error(GetHostNameW(wide, -1), WSAEFAULT);
}

static void test_socket(void **state)
{
    (void)state;
    SOCKET s = WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
    assert_true(s != INVALID_SOCKET);
    assert_int_equal(fcntl(s, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(closesocket(s), 0);
    s = WSASocket(AF_INET6, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_NO_HANDLE_INHERIT);
    assert_true(s != INVALID_SOCKET);
    assert_int_equal(fcntl(s, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(closesocket(s), 0);
    assert_socket_error(WSASocket(AF_INET, SOCK_STREAM, 0, NULL, SG_UNCONSTRAINED_GROUP, 0), WSAEINVAL);
    assert_socket_error(WSASocket(AF_INET, SOCK_STREAM, 0, NULL, 0, 0x40), WSAEINVAL);
    assert_socket_error(WSASocket(4711, SOCK_STREAM, 0, NULL, 0, 0), WSAEAFNOSUPPORT);
}

static void test_pieces(void **state)
{
    (void)state;
    SOCKET near, far;
    loopback_connected(&near, &far);
    char one[] = "one ", two[] = "two ", three[] = "three", first[6] = "", second[32] = "";
    WSABUF from[] = {{4, one}, {0, NULL}, {4, two}, {5, three}}, to[] = {{5, first}, {31, second}};
    DWORD done = 7, flags = 0;
    assert_int_equal(WSASend(near, from, 4, &done, 0, NULL, NULL), 0);
    assert_int_equal(done, 13);
    flags = MSG_PEEK;
    assert_int_equal(WSARecv(far, to, 2, &done, &flags, NULL, NULL), 0);
    assert_int_equal(flags, 0);
    assert_int_equal(done, 13);
    assert_int_equal(WSARecv(far, to, 2, &done, &flags, NULL, NULL), 0);
    assert_int_equal(done, 13);
    assert_string_equal(first, "one t");
    assert_string_equal(second, "wo three");

    /* More pieces than lie on the stack. */
    WSABUF many[100];
    char letters[100], back[128];
    for (int i = 0; i < 100; i++) {
        letters[i] = (char)('a' + i % 26);
        many[i] = (WSABUF){1, letters + i};
    }
    assert_int_equal(WSASend(near, many, 100, &done, 0, NULL, NULL), 0);
    assert_int_equal(done, 100);
    to[0] = (WSABUF){sizeof back, back};
    flags = MSG_WAITALL;
    to[0].len = 100;
    assert_int_equal(WSARecv(far, to, 1, &done, &flags, NULL, NULL), 0);
    assert_int_equal(done, 100);
    assert_memory_equal(back, letters, 100);

    assert_int_equal(shutdown(near, SD_SEND), 0);
    assert_socket_error(WSASend(near, from, 1, &done, 0, NULL, NULL), WSAESHUTDOWN);
    flags = 0;
    assert_int_equal(WSARecv(far, to, 1, &done, &flags, NULL, NULL), 0);
    assert_int_equal(done, 0); /* the other side has ended */
    assert_int_equal(closesocket(near), 0);
    assert_int_equal(closesocket(far), 0);
}

static void test_pieces_refused(void **state)
{
    (void)state;
    SOCKET near, far;
    loopback_connected(&near, &far);
    char text[] = "text";
    WSABUF piece = {4, text};
    WSAOVERLAPPED later = {0};
    DWORD done = 7, flags = 0;
    assert_socket_error(WSASend(near, &piece, 1, &done, 0, &later, NULL), WSAEOPNOTSUPP);
    assert_socket_error(WSARecv(near, &piece, 1, &done, &flags, &later, NULL), WSAEOPNOTSUPP);
    assert_socket_error(WSASend(near, &piece, 0, &done, 0, NULL, NULL), WSAEINVAL);
    assert_socket_error(WSASend(near, &piece, 1025, &done, 0, NULL, NULL), WSAEINVAL);
    assert_socket_error(WSASend(near, NULL, 1, &done, 0, NULL, NULL), WSAEFAULT);
    assert_socket_error(WSASend(near, &piece, 1, NULL, 0, NULL, NULL), WSAEFAULT);
    assert_socket_error(WSARecv(near, &piece, 1, NULL, &flags, NULL, NULL), WSAEFAULT);
    assert_socket_error(WSARecv(near, &piece, 1, &done, NULL, NULL, NULL), WSAEFAULT);
    assert_socket_error(WSASend(near, (WSABUF[]){{0x7FFFFFFF, text}, {1, text}}, 2, &done, 0, NULL, NULL), WSAEFAULT);
    assert_socket_error(WSASend(INVALID_SOCKET, &piece, 1, &done, 0, NULL, NULL), WSAENOTSOCK);
    assert_int_equal(done, 7);
    u_long on = 1;
    assert_int_equal(ioctlsocket(near, FIONBIO, &on), 0);
    assert_socket_error(WSARecv(near, &piece, 1, &done, &flags, NULL, NULL), WSAEWOULDBLOCK);

    /* A datagram that has no room in the pieces. */
    struct sockaddr_in address;
    SOCKET to = loopback_bound(SOCK_DGRAM, &address), from = socket(AF_INET, SOCK_DGRAM, 0);
    assert_socket_error(WSASend(from, &piece, 1, &done, 0, NULL, NULL), WSAENOTCONN);
    assert_int_equal(connect(from, (SOCKADDR *)&address, sizeof address), 0);
    assert_int_equal(WSASend(from, &piece, 1, &done, 0, NULL, NULL), 0);
    assert_socket_error(WSARecv(to, (WSABUF[]){{1, text}, {2, text}}, 2, &done, &flags, NULL, NULL), WSAEMSGSIZE);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(closesocket((SOCKET[]){near, far, to, from}[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addrinfo), cmocka_unit_test(test_nameinfo), cmocka_unit_test(test_inet),
        cmocka_unit_test(test_socket),   cmocka_unit_test(test_pieces),   cmocka_unit_test(test_pieces_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
