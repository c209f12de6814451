/* Sockets as programs for Windows use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "loopback.h"

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

static void test_exchange(void **state)
{
    (void)state;
    SOCKET near, far;
    char text[16];
    loopback_connected(&near, &far);
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
    loopback_connected(&near, &far);
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

/* A second WSACleanup without a WSAStartup is one too many; the group's own is there meanwhile. */
static void test_cleanup(void **state)
{
    (void)state;
    WSADATA data;
    assert_int_equal(WSACleanup(), 0);
    assert_socket_error(WSACleanup(), WSANOTINITIALISED);
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
}

/* Two sockets of datagrams; the first is connected to the second. */
static void datagrams(SOCKET *near, SOCKET *far, struct sockaddr_in *address)
{
    *far = loopback_bound(SOCK_DGRAM, address);
    *near = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(*near, (SOCKADDR *)address, sizeof *address), 0);
}

/* A datagram that has no room fills what there is, and is told; a stream goes on where it was. */
static void test_too_long(void **state)
{
    (void)state;
    SOCKET near, far;
    struct sockaddr_in address, from;
    char text[16] = "";
    int len = sizeof from;
    datagrams(&near, &far, &address);
    assert_int_equal(send(near, "0123456789", 10, 0), 10);
    assert_socket_error(recv(far, text, 4, MSG_PEEK), WSAEMSGSIZE);
    assert_socket_error(recvfrom(far, text, 4, 0, (SOCKADDR *)&from, &len), WSAEMSGSIZE);
    assert_memory_equal(text, "0123\0", 5);
    assert_int_equal(len, sizeof from);
    assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(send(near, "abcdefghij", 10, 0), 10);
    assert_socket_error(recv(far, text, 4, 0), WSAEMSGSIZE);
    assert_memory_equal(text, "abcd\0", 5);
    assert_int_equal(send(near, "exact", 5, 0), 5);
    assert_int_equal(recvfrom(far, text, 5, 0, NULL, NULL), 5);
    /* No room for the address. */
    assert_int_equal(send(near, "x", 1, 0), 1);
    len = sizeof from - 1;
    assert_socket_error(recvfrom(far, text, sizeof text, 0, (SOCKADDR *)&from, &len), WSAEFAULT);
    assert_socket_error(recvfrom(far, text, sizeof text, 0, (SOCKADDR *)&from, NULL), WSAEFAULT);
    static char much[70000];
    assert_socket_error(send(near, much, sizeof much, 0), WSAEMSGSIZE);
    closesocket(near);
    closesocket(far);
    loopback_connected(&near, &far);
    assert_int_equal(send(near, "0123456789", 10, 0), 10);
    len = 7;
    assert_int_equal(recvfrom(far, text, 4, 0, (SOCKADDR *)&from, &len), 4); /* whom it is from is ignored */
    assert_int_equal(len, 7);
    assert_int_equal(recv(far, text, 10, 0), 6);
    /* A negative length is not a large one. */
    assert_int_equal(send(near, "0123456789", 10, 0), 10);
    volatile int negative = -1;
    assert_socket_error(recv(far, text, (size_t)negative, 0), WSAEFAULT);
    assert_socket_error(recvfrom(far, text, (size_t)negative, 0, NULL, NULL), WSAEFAULT);
    assert_socket_error(send(far, text, (size_t)negative, 0), WSAEFAULT);
    assert_socket_error(sendto(far, text, (size_t)negative, 0, NULL, 0), WSAEFAULT);
    closesocket(near);
    closesocket(far);
}

static void test_datagrams(void **state)
{
    (void)state;
    SOCKET near, far;
    struct sockaddr_in address;
    char byte = 0;
    datagrams(&near, &far, &address);
    /* Nobody is there: the next call hears of it. */
    closesocket(far);
    assert_int_equal(send(near, "x", 1, 0), 1);
    assert_socket_error(recv(near, &byte, 1, 0), WSAECONNRESET);
    closesocket(near);
    /* Without a peer. */
    near = socket(AF_INET, SOCK_DGRAM, 0);
    assert_socket_error(send(near, "x", 1, 0), WSAENOTCONN);
    assert_int_equal(shutdown(near, SD_SEND), 0);
    assert_socket_error(sendto(near, "x", 1, 0, (SOCKADDR *)&address, sizeof address), WSAESHUTDOWN);
    closesocket(near);
}

/* Every function that fails sets the one last error. */
static void test_no_socket(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    char bytes[16] = "";
    int len = sizeof address, value = 0, value_len = sizeof value;
    u_long on = 1;
    int file = open("/dev/null", O_RDWR);
    const SOCKET none[] = {INVALID_SOCKET, 1000000, file};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        SOCKET s = none[i];
        assert_socket_error(recv(s, bytes, 1, 0), WSAENOTSOCK);
        assert_socket_error(recvfrom(s, bytes, 1, 0, NULL, NULL), WSAENOTSOCK);
        assert_socket_error(send(s, bytes, 1, 0), WSAENOTSOCK);
        assert_socket_error(sendto(s, bytes, 1, 0, (SOCKADDR *)&address, sizeof address), WSAENOTSOCK);
        assert_socket_error(bind(s, (SOCKADDR *)&address, sizeof address), WSAENOTSOCK);
        assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAENOTSOCK);
        assert_socket_error(listen(s, 1), WSAENOTSOCK);
        assert_socket_error(accept(s, (SOCKADDR *)&address, &len), WSAENOTSOCK);
        assert_socket_error(shutdown(s, SD_BOTH), WSAENOTSOCK);
        assert_socket_error(getsockname(s, (SOCKADDR *)&address, &len), WSAENOTSOCK);
        assert_socket_error(getpeername(s, (SOCKADDR *)&address, &len), WSAENOTSOCK);
        assert_socket_error(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&value, &value_len), WSAENOTSOCK);
        assert_socket_error(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, sizeof value), WSAENOTSOCK);
        assert_socket_error(ioctlsocket(s, FIONBIO, &on), WSAENOTSOCK);
        assert_socket_error(ioctlsocket(s, FIONREAD, &on), WSAENOTSOCK);
        assert_socket_error(closesocket(s), WSAENOTSOCK);
    }
    assert_int_equal(write(file, "x", 1), 1); /* closesocket left it open */
    close(file);
    assert_socket_error(socket(4711, SOCK_STREAM, 0), WSAEAFNOSUPPORT);
    assert_socket_error(socket(AF_INET, 14, 0), WSAESOCKTNOSUPPORT);
}

static void test_bind_listen(void **state)
{
    (void)state;
    struct sockaddr_in address, name;
    struct sockaddr_in6 other = {.sin6_family = AF_INET6};
    int len = sizeof name;
    SOCKET holder = loopback_bound(SOCK_STREAM, &address), s = socket(AF_INET, SOCK_STREAM, 0);
    assert_socket_error(getsockname(s, (SOCKADDR *)&name, &len), WSAEINVAL); /* it has no name yet */
    assert_socket_error(listen(s, 1), WSAEINVAL);
    assert_socket_error(getpeername(s, (SOCKADDR *)&name, &len), WSAENOTCONN);
    assert_int_equal(len, sizeof name);
    assert_socket_error(bind(s, NULL, sizeof address), WSAEFAULT);
    assert_socket_error(bind(s, (SOCKADDR *)&address, sizeof address - 1), WSAEFAULT);
    assert_socket_error(bind(s, (SOCKADDR *)&other, sizeof other), WSAEFAULT);
    assert_socket_error(bind(s, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
    name = address;
    name.sin_addr.s_addr = htonl(0xC0000201); /* of RFC 5737, and nobody's */
    name.sin_port = 0;
    assert_socket_error(bind(s, (SOCKADDR *)&name, sizeof name), WSAEADDRNOTAVAIL);
    address.sin_port = 0;
    assert_int_equal(bind(s, (SOCKADDR *)&address, sizeof address), 0);
    assert_socket_error(bind(s, (SOCKADDR *)&address, sizeof address), WSAEINVAL);
    len = sizeof name - 1;
    assert_socket_error(getsockname(s, (SOCKADDR *)&name, &len), WSAEFAULT);
    assert_socket_error(getsockname(s, (SOCKADDR *)&name, NULL), WSAEFAULT);
    assert_int_equal(listen(s, 1), 0);
    assert_int_equal(listen(s, 1), 0);
    closesocket(s);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    assert_socket_error(listen(s, 1), WSAEOPNOTSUPP);
    assert_socket_error(accept(s, NULL, NULL), WSAEOPNOTSUPP);
    closesocket(s);
    closesocket(holder);
    SOCKET near, far;
    loopback_connected(&near, &far);
    assert_socket_error(listen(near, 1), WSAEISCONN);
    len = sizeof name - 1;
    assert_socket_error(getpeername(near, (SOCKADDR *)&name, &len), WSAEFAULT);
    closesocket(near);
    closesocket(far);
}

/* A server's end of a connection that it has closed first, and its listener with it: the address stays in TIME_WAIT. */
static void leave_waiting(BOOL exclusive, struct sockaddr_in *address)
{
    char byte;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    int len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&exclusive, sizeof exclusive),
                     0);
    assert_int_equal(bind(listener, (SOCKADDR *)address, sizeof *address), 0);
    assert_int_equal(getsockname(listener, (SOCKADDR *)address, &len), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(connect(client, (SOCKADDR *)address, sizeof *address), 0);
    SOCKET served = accept(listener, NULL, NULL);
    assert_true(served != INVALID_SOCKET);
    assert_int_equal(closesocket(served), 0);
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    assert_int_equal(closesocket(client), 0);
    assert_int_equal(closesocket(listener), 0);
}

/* It starts again at once, and nobody else takes its address while it runs. */
static void test_restart(void **state)
{
    (void)state;
    struct sockaddr_in address;
    int reuse = 77, len = sizeof reuse;
    BOOL exclusive = TRUE;
    for (int i = 0; i < 3; i++) {
        leave_waiting(FALSE, &address);
        SOCKET again = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(again, (SOCKADDR *)&address, sizeof address), 0);
        assert_int_equal(listen(again, 5), 0);
        assert_socket_error(bind(other, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
        assert_int_equal(getsockopt(other, SOL_SOCKET, SO_REUSEADDR, (char *)&reuse, &len), 0);
        assert_int_equal(reuse, 0);
        closesocket(again);
        closesocket(other);
    }
    /* It is one socket's before anybody listens, too. */
    leave_waiting(FALSE, &address);
    SOCKET first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(first, (SOCKADDR *)&address, sizeof address), 0);
    assert_socket_error(bind(second, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
    assert_int_equal(listen(first, 5), 0);
    assert_socket_error(bind(second, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
    closesocket(first);
    /* What the program says of SO_REUSEADDR is not taken back by what it does not want. */
    reuse = 1;
    exclusive = FALSE;
    assert_int_equal(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, (char *)&reuse, sizeof reuse), 0);
    assert_int_equal(setsockopt(second, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&exclusive, sizeof exclusive), 0);
    reuse = 77;
    assert_int_equal(getsockopt(second, SOL_SOCKET, SO_REUSEADDR, (char *)&reuse, &len), 0);
    assert_int_equal(reuse, 1);
    closesocket(second);
    exclusive = TRUE;
    /* Who wants the address alone waits for what is left of others, and leaves nothing that others may have. */
    leave_waiting(FALSE, &address);
    SOCKET alone = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(setsockopt(alone, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&exclusive, sizeof exclusive), 0);
    assert_socket_error(bind(alone, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
    exclusive = FALSE;
    assert_int_equal(setsockopt(alone, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&exclusive, sizeof exclusive), 0);
    assert_int_equal(bind(alone, (SOCKADDR *)&address, sizeof address), 0);
    closesocket(alone);
    leave_waiting(TRUE, &address);
    alone = socket(AF_INET, SOCK_STREAM, 0);
    assert_socket_error(bind(alone, (SOCKADDR *)&address, sizeof address), WSAEADDRINUSE);
    assert_socket_error(setsockopt(alone, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, NULL, sizeof exclusive), WSAEFAULT);
    assert_socket_error(setsockopt(alone, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&exclusive, 1), WSAEFAULT);
    closesocket(alone);
}

/* A server binds one socket for each family to the same port. */
static void test_families(void **state)
{
    (void)state;
    struct sockaddr_in address;
    struct sockaddr_in6 other = {.sin6_family = AF_INET6};
    SOCKET six = socket(AF_INET6, SOCK_STREAM, 0), four = loopback_bound(SOCK_STREAM, &address);
    if (six == INVALID_SOCKET) {
        closesocket(four);
        return; /* a system without IPv6 */
    }
    int only = 0, len = sizeof only;
    assert_int_equal(getsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&only, &len), 0);
    assert_int_equal(only, 1);
    other.sin6_port = address.sin_port;
    assert_int_equal(bind(six, (SOCKADDR *)&other, sizeof other), 0);
    closesocket(six);
    closesocket(four);
}

static void test_option_forms(void **state)
{
    (void)state;
    SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    int value = 16384, len = sizeof value;
    char on = 1;
    static const int sizes[] = {SO_RCVBUF, SO_SNDBUF};
    for (size_t i = 0; i < 2; i++) {
        value = 16384;
        assert_int_equal(setsockopt(s, SOL_SOCKET, sizes[i], (char *)&value, sizeof value), 0);
        value = 0;
        assert_int_equal(getsockopt(s, SOL_SOCKET, sizes[i], (char *)&value, &len), 0);
        assert_int_equal(value, 16384);
    }
    assert_socket_error(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), WSAEFAULT);
    assert_socket_error(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, NULL, sizeof value), WSAEFAULT);
    len = 1;
    assert_socket_error(getsockopt(s, SOL_SOCKET, SO_ERROR, &on, &len), WSAEFAULT);
    assert_socket_error(getsockopt(s, SOL_SOCKET, SO_ERROR, &on, NULL), WSAEFAULT);
    len = sizeof value;
    assert_socket_error(getsockopt(s, SOL_SOCKET, 4711, (char *)&value, &len), WSAENOPROTOOPT);
    assert_socket_error(ioctlsocket(s, FIONBIO, (ULONG *)NULL), WSAEFAULT);
    closesocket(s);
}

static void test_select(void **state)
{
    (void)state;
    SOCKET near, far;
    fd_set set, empty;
    struct timeval none = {0, 0}, wrong = {-1, 0};
    FD_ZERO(&set);
    FD_ZERO(&empty);
    assert_socket_error(select(0, NULL, NULL, NULL, &none), WSAEINVAL);
    assert_socket_error(select(0, &empty, &set, NULL, &none), WSAEINVAL);
    loopback_connected(&near, &far);
    FD_SET(near, &set);
    assert_true(FD_ISSET(near, &set));
    assert_socket_error(select(0, &set, NULL, NULL, &wrong), WSAEINVAL);
    assert_int_equal(select(0, &set, &empty, NULL, &none), 0);
    assert_false(FD_ISSET(near, &set));
    /* What has no place in a set is left out, as where it is full; nothing else changes. */
    struct {
        long before;
        fd_set set;
        long after;
    } guarded;
    memset(&guarded, 0, sizeof guarded);
    static const SOCKET outside[] = {INVALID_SOCKET, FD_SETSIZE, FD_SETSIZE + 63, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        FD_SET(outside[i], &guarded.set);
        assert_false(FD_ISSET(outside[i], &guarded.set));
        FD_CLR(outside[i], &guarded.set);
    }
    assert_true(guarded.before == 0 && guarded.after == 0);
    FD_SET(near, &set);
    FD_SET(far, &set);
    FD_CLR(near, &set);
    assert_true(!FD_ISSET(near, &set) && FD_ISSET(far, &set));
    closesocket(far);
    assert_socket_error(select(0, NULL, &set, NULL, &none), WSAENOTSOCK);
    assert_socket_error(WSAPoll(NULL, 0, 0), WSAEINVAL);
    WSAPOLLFD entries[2] = {{.fd = -1, .events = POLLIN, .revents = 77}, {.fd = near, .events = POLLOUT}};
    assert_socket_error(WSAPoll(entries, 1, 0), WSAEINVAL); /* none is valid */
    assert_int_equal(WSAPoll(entries, 2, 0), 1);
    assert_int_equal(entries[0].revents, 0);
    entries[0].fd = far;
    assert_int_equal(WSAPoll(entries, 2, 0), 2);
    assert_int_equal(entries[0].revents, POLLNVAL);
    assert_socket_error(WSAPoll(entries, 1, 0), WSAEINVAL);
    closesocket(near);
}

/* Members may bear the names of functions; they, and the functions' addresses, are what a call is. */
struct endpoint {
    SOCKET socket;
    int (*connect)(SOCKET, const struct sockaddr *, socklen_t);
    ssize_t (*send)(SOCKET, const void *, size_t, int);
    int (*accept)(struct endpoint *);
    int select, getaddrinfo;
};

static int accept_none(struct endpoint *self)
{
    return self->select;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* a parameter of this name */
static ssize_t call_received(ssize_t (*recv)(SOCKET, void *, size_t, int), SOCKET s)
{
    char byte;
    return recv(s, &byte, 1, 0);
}
#pragma GCC diagnostic pop

static void test_names(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET holder = loopback_bound(SOCK_STREAM, &address);
    struct endpoint end = {.socket = socket(AF_INET, SOCK_STREAM, 0),
                           .connect = connect,
                           .send = &send,
                           .accept = accept_none,
                           .select = 7,
                           .getaddrinfo = 1};
    assert_socket_error(end.connect(end.socket, (SOCKADDR *)&address, sizeof address), WSAECONNREFUSED);
    assert_socket_error((connect)(end.socket, (SOCKADDR *)&address, 1), WSAEFAULT);
    assert_socket_error(end.send(-1, "x", 1, 0), WSAENOTSOCK);
    assert_socket_error((send)(-1, "x", 1, 0), WSAENOTSOCK);
    assert_socket_error(call_received(recv, -1), WSAENOTSOCK);
    assert_int_equal(end.accept(&end), 7);
    int (*resolve)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = getaddrinfo;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found;
    assert_int_equal(resolve("no number", NULL, &hints, &found), WSAHOST_NOT_FOUND);
    closesocket(end.socket);
    closesocket(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_startup),     cmocka_unit_test(test_exchange),     cmocka_unit_test(test_options),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_nobody_comes), cmocka_unit_test(test_cleanup),
        cmocka_unit_test(test_too_long),    cmocka_unit_test(test_datagrams),    cmocka_unit_test(test_no_socket),
        cmocka_unit_test(test_bind_listen), cmocka_unit_test(test_families),     cmocka_unit_test(test_option_forms),
        cmocka_unit_test(test_select),      cmocka_unit_test(test_names),        cmocka_unit_test(test_restart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
