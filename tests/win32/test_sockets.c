/* Sockets as programs for Windows use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

static int set_up(void **state)
{
    (void)state;
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data);
}

static int tear_down(void **state)
{
    (void)state;
    return WSACleanup();
}

static void test_startup(void **state)
{
    (void)state;
    WSADATA data;
    assert_int_equal(WSAStartup(MAKEWORD(1, 1), &data), 0);
    assert_int_equal(data.wVersion, MAKEWORD(1, 1));
    assert_int_equal(data.wHighVersion, MAKEWORD(2, 2));
    assert_int_equal(WSACleanup(), 0);
    assert_int_equal(WSAStartup(0, &data), WSAVERNOTSUPPORTED);
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT);
}

/* Two ends of a connection; lengths are int. */
static void connected(SOCKET *near, SOCKET *far)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int len = sizeof address, on = 1;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(listener != INVALID_SOCKET);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on, sizeof on), 0);
    assert_int_equal(bind(listener, (SOCKADDR *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, SOMAXCONN), 0);
    assert_int_equal(getsockname(listener, (SOCKADDR *)&address, &len), 0);
    assert_int_equal(len, sizeof address);
    *near = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*near, (SOCKADDR *)&address, sizeof address), 0);
    *far = accept(listener, (SOCKADDR *)&address, &len);
    assert_true(*far != INVALID_SOCKET);
    assert_int_equal(getpeername(*near, (SOCKADDR *)&address, &len), 0);
    assert_int_equal(closesocket(listener), 0);
}

static void test_exchange(void **state)
{
    (void)state;
    SOCKET near, far;
    char text[16];
    connected(&near, &far);
    assert_int_equal(send(near, "hello", 5, 0), 5);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(far, &readable);
    struct timeval patience = {60, 0};
    assert_int_equal(select(0, &readable, NULL, NULL, &patience), 1); /* the first argument says nothing */
    assert_int_equal(patience.tv_sec, 60);
    unsigned long waiting = ~0ul;
    assert_int_equal(ioctlsocket(far, FIONREAD, &waiting), 0);
    assert_true(waiting == 5);
    assert_int_equal(recvfrom(far, text, sizeof text, 0, NULL, NULL), 5);
    assert_memory_equal(text, "hello", 5);
    WSAPOLLFD entry = {.fd = far, .events = POLLOUT};
    assert_int_equal(WSAPoll(&entry, 1, 0), 1);
    u_long on = 1;
    assert_int_equal(sizeof on, 4); /* as it goes over the wire */
    ULONG off = 0;
    assert_int_equal(ioctlsocket(far, FIONBIO, &on), 0);
    assert_int_equal(recv(far, text, sizeof text, 0), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
    assert_int_equal(ioctlsocket(far, FIONBIO, &off), 0);
    assert_int_equal(shutdown(near, SD_BOTH), 0);
    assert_int_equal(recv(far, text, sizeof text, 0), 0);
    assert_int_equal(closesocket(near), 0);
    /* No signal ends the process. */
    while (send(far, "x", 1, 0) == 1) {
    }
    assert_true(WSAGetLastError() == WSAECONNABORTED || WSAGetLastError() == WSAECONNRESET);
    assert_int_equal(sendto(far, "x", 1, 0, NULL, 0), SOCKET_ERROR);
    assert_int_equal(closesocket(far), 0);
    assert_int_equal(closesocket(far), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAENOTSOCK);
}

static void test_options(void **state)
{
    (void)state;
    SOCKET near, far;
    connected(&near, &far);
    DWORD milliseconds = 20;
    char byte;
    assert_int_equal(setsockopt(near, SOL_SOCKET, SO_RCVTIMEO, (char *)&milliseconds, sizeof milliseconds), 0);
    WSASetLastError(0);
    assert_int_equal(recv(near, &byte, 1, 0), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAETIMEDOUT);
    WSASetLastError(0);
    assert_int_equal(recvfrom(near, &byte, 1, 0, NULL, NULL), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAETIMEDOUT);
    u_long on = 1, off = 0;
    assert_int_equal(ioctlsocket(near, FIONBIO, &on), 0); /* which does not wait, and has no time to be over */
    assert_int_equal(recv(near, &byte, 1, 0), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEWOULDBLOCK);
    assert_int_equal(ioctlsocket(near, FIONBIO, &off), 0);
    assert_int_equal(setsockopt(near, SOL_SOCKET, SO_SNDTIMEO, (char *)&milliseconds, sizeof milliseconds), 0);
    static char much[1 << 16];
    while (send(near, much, sizeof much, 0) > 0) { /* nobody reads */
    }
    assert_int_equal(WSAGetLastError(), WSAETIMEDOUT);
    milliseconds = 1500;
    assert_int_equal(setsockopt(near, SOL_SOCKET, SO_SNDTIMEO, (char *)&milliseconds, sizeof milliseconds), 0);
    DWORD read_back = 7;
    int read_len = sizeof read_back;
    assert_int_equal(getsockopt(near, SOL_SOCKET, SO_SNDTIMEO, (char *)&read_back, &read_len), 0);
    assert_int_equal(read_back, 1500);
    assert_int_equal(read_len, sizeof read_back);
    /* The longest, which the kernel rounds up beyond what 32 bits hold; and none. */
    static const DWORD others[] = {UINT32_MAX, UINT32_MAX - 1000, 0};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(setsockopt(near, SOL_SOCKET, SO_RCVTIMEO, (const char *)&others[i], sizeof others[i]), 0);
        read_back = 7;
        assert_int_equal(getsockopt(near, SOL_SOCKET, SO_RCVTIMEO, (char *)&read_back, &read_len), 0);
        assert_true(read_back >= others[i] && read_back - others[i] < 20); /* a tick */
    }
    int error = 7, len = sizeof error;
    assert_int_equal(getsockopt(near, SOL_SOCKET, SO_ERROR, (char *)&error, &len), 0);
    assert_int_equal(error, 0);
    assert_int_equal(ioctlsocket(near, 12345, &milliseconds), SOCKET_ERROR);
    assert_int_equal(WSAGetLastError(), WSAEINVAL);
    closesocket(near);
    closesocket(far);
}

static void test_errors(void **state)
{
    (void)state;
    static const int codes[] = {WSAEWOULDBLOCK, WSAECONNRESET, WSAETIMEDOUT, WSAECONNREFUSED,
                                WSAENOTSOCK,    WSAEINTR,      WSAEINVAL};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        WSASetLastError(codes[i]);
        assert_int_equal(WSAGetLastError(), codes[i]);
    }
    WSASetLastError(0);
    assert_int_equal(WSAGetLastError(), 0);
}

/* Here a listener has a time, too. */
static void test_nobody_comes(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    DWORD milliseconds = 20;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (SOCKADDR *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, (char *)&milliseconds, sizeof milliseconds), 0);
    assert_true(accept(listener, NULL, NULL) == INVALID_SOCKET);
    assert_int_equal(WSAGetLastError(), WSAETIMEDOUT);
    closesocket(listener);
}

/* A connection that is refused tells so in SO_ERROR, by Windows' number. */
static void test_refused(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    SOCKET holder = socket(AF_INET, SOCK_STREAM, 0), s = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(holder, (SOCKADDR *)&address, sizeof address), 0); /* and does not listen */
    assert_int_equal(getsockname(holder, (SOCKADDR *)&address, &len), 0);
    u_long on = 1;
    assert_int_equal(ioctlsocket(s, FIONBIO, &on), 0);
    int error = connect(s, (SOCKADDR *)&address, sizeof address);
    if (error == SOCKET_ERROR && WSAGetLastError() == WSAEWOULDBLOCK) {
        WSAPOLLFD entry = {.fd = s, .events = POLLOUT};
        assert_int_equal(WSAPoll(&entry, 1, 60000), 1);
        int size = sizeof error;
        assert_int_equal(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &size), 0);
        assert_int_equal(error, WSAECONNREFUSED);
    } else {
        assert_int_equal(WSAGetLastError(), WSAECONNREFUSED);
    }
    closesocket(s);
    closesocket(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_startup), cmocka_unit_test(test_exchange), cmocka_unit_test(test_options),
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_refused),  cmocka_unit_test(test_nobody_comes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
