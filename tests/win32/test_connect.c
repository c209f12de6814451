/* Connections: how they begin, how they fail, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <winsock2.h>
#include <windows.h>

#include "loopback.h"

/* What select says of a socket: 1 readable, 2 writable, 4 exceptional; the sets that are asked for are given likewise. */
static int selected(SOCKET s, int sets, long milliseconds)
{
    fd_set set[3];
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&set[i]);
        if ((sets & 1 << i) != 0)
            FD_SET(s, &set[i]);
    }
    struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    int n = select(0, (sets & 1) != 0 ? &set[0] : NULL, (sets & 2) != 0 ? &set[1] : NULL,
                   (sets & 4) != 0 ? &set[2] : NULL, &time);
    int found = 0, count = 0;
    for (int i = 0; i < 3; i++)
        if ((sets & 1 << i) != 0 && FD_ISSET(s, &set[i])) {
            found |= 1 << i;
            count++;
        }
    assert_int_equal(n, count);
    return found;
}

static int so_error(SOCKET s)
{
    int error = 7, len = sizeof error;
    assert_int_equal(getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &len), 0);
    return error;
}

/* A connection attempt that nobody accepts, and which has failed by now. */
static SOCKET refused(SOCKET *holder, struct sockaddr_in *address)
{
    *holder = loopback_bound(SOCK_STREAM, address); /* and does not listen */
    SOCKET s = nonblocking(SOCK_STREAM);
    assert_socket_error(connect(s, (SOCKADDR *)address, sizeof *address), WSAEWOULDBLOCK);
    assert_int_equal(errno, EINPROGRESS); /* what portable programs ask for */
    return s;
}

/* A failed attempt belongs to exceptfds alone, and SO_ERROR still tells why. */
static void test_refused(void **state)
{
    (void)state;
    static const int sets[] = {4, 6, 5, 7};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct sockaddr_in address;
        SOCKET holder, s = refused(&holder, &address);
        assert_int_equal(selected(s, sets[i], 60000), 4);
        assert_int_equal(selected(s, sets[i], 0), 4); /* not only once */
        assert_int_equal(so_error(s), WSAECONNREFUSED);
        assert_int_equal(selected(s, sets[i], 0), 4);
        closesocket(s);
        closesocket(holder);
    }
    /* Nobody asks for it: it is as if nothing came. */
    struct sockaddr_in address;
    SOCKET holder, s = refused(&holder, &address);
    ULONGLONG before = GetTickCount64();
    assert_int_equal(selected(s, 3, 100), 0);
    assert_true(GetTickCount64() - before >= 90);
    assert_int_equal(so_error(s), WSAECONNREFUSED);
    closesocket(s);
    closesocket(holder);
}

/* A failed attempt beside sockets that have something to tell. */
static void test_refused_among_others(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET near, far, holder, s = refused(&holder, &address);
    loopback_connected(&near, &far);
    fd_set read, write, except;
    struct timeval time = {60, 0};
    FD_ZERO(&read);
    FD_ZERO(&write);
    FD_ZERO(&except);
    FD_SET(s, &read);
    FD_SET(s, &write);
    FD_SET(near, &read);
    FD_SET(near, &write);
    FD_SET(near, &except);
    assert_int_equal(select(0, &read, &write, &except, &time), 1);
    assert_true(FD_ISSET(near, &write) && !FD_ISSET(near, &read) && !FD_ISSET(near, &except));
    assert_true(!FD_ISSET(s, &write) && !FD_ISSET(s, &read));
    /* Out-of-band data is exceptional, too. */
    assert_int_equal(send(far, "!", 1, MSG_OOB), 1);
    assert_int_equal(selected(near, 4, 60000), 4);
    closesocket(near);
    closesocket(far);
    closesocket(s);
    closesocket(holder);
}

static void test_refused_polled(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET holder, s = refused(&holder, &address);
    WSAPOLLFD entry = {.fd = s, .events = POLLOUT};
    assert_int_equal(WSAPoll(&entry, 1, 60000), 1);
    assert_int_equal(entry.revents & (POLLHUP | POLLERR), POLLHUP | POLLERR);
    /* It is not connected; and that is no news of the attempt. */
    char byte = 0;
    assert_socket_error(recv(s, &byte, 1, 0), WSAENOTCONN);
    assert_socket_error(send(s, &byte, 1, 0), WSAENOTCONN);
    assert_int_equal(so_error(s), WSAECONNREFUSED);
    assert_socket_error(recv(s, &byte, 1, 0), WSAENOTCONN);
    /* A new attempt is one: the old failure is not told again. */
    assert_int_equal(listen(holder, 1), 0);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
    assert_int_equal(selected(s, 7, 60000), 2);
    assert_int_equal(so_error(s), 0);
    closesocket(s);
    closesocket(holder);
}

/* Whoever has told of a failure, connect begins anew then. */
static void test_new_attempt(void **state)
{
    (void)state;
    enum { BY_SELECT, BY_POLL, BY_OPTION, WAYS };
    for (int way = 0; way < WAYS; way++) {
        struct sockaddr_in address;
        SOCKET holder, s = refused(&holder, &address);
        struct pollfd system = {.fd = s, .events = POLLOUT};
        WSAPOLLFD entry = {.fd = s, .events = POLLOUT};
        assert_int_equal(poll(&system, 1, 60000), 1);
        if (way == BY_SELECT)
            assert_int_equal(selected(s, 4, 60000), 4);
        else if (way == BY_POLL)
            assert_int_equal(WSAPoll(&entry, 1, 60000), 1);
        else
            assert_int_equal(so_error(s), WSAECONNREFUSED);
        assert_int_equal(listen(holder, 1), 0);
        assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
        assert_int_equal(selected(s, 6, 60000), 2);
        closesocket(s);
        closesocket(holder);
    }
}

/* connect tells of an attempt, too: WSAECONNREFUSED once where nobody has heard of it. */
static void test_refused_asked_again(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET holder, s = refused(&holder, &address);
    while (connect(s, (SOCKADDR *)&address, sizeof address) == SOCKET_ERROR && WSAGetLastError() == WSAEALREADY)
        Sleep(1);
    assert_int_equal(WSAGetLastError(), WSAECONNREFUSED);
    assert_int_equal(listen(holder, 1), 0);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
    assert_int_equal(selected(s, 6, 60000), 2);
    closesocket(s);
    closesocket(holder);
}

static void test_established(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET listener = loopback_bound(SOCK_STREAM, &address), s = nonblocking(SOCK_STREAM);
    assert_int_equal(listen(listener, 1), 0);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
    assert_int_equal(selected(s, 7, 60000), 2);
    assert_int_equal(selected(s, 4, 20), 0);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEISCONN);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEISCONN);
    SOCKET peer = accept(listener, NULL, NULL);
    assert_int_equal(send(s, "hello", 5, 0), 5);
    /* What is reset later was connected. */
    struct linger hard = {1, 0};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard), 0);
    closesocket(peer);
    assert_int_equal(selected(s, 5, 60000), 1);
    char byte;
    assert_socket_error(recv(s, &byte, 1, 0), WSAECONNRESET);
    closesocket(s);
    /* And where nobody looked before that came. */
    s = nonblocking(SOCK_STREAM);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
    peer = accept(listener, NULL, NULL);
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard), 0);
    closesocket(peer);
    assert_int_equal(selected(s, 5, 60000), 1);
    assert_socket_error(recv(s, &byte, 1, 0), WSAECONNRESET);
    closesocket(s);
    closesocket(listener);
}

/* An attempt that takes its time: a queue that is full does not answer. */
static void test_under_way(void **state)
{
    (void)state;
    struct sockaddr_in address;
    SOCKET queued[4], listener = loopback_bound(SOCK_STREAM, &address), s = nonblocking(SOCK_STREAM);
    assert_int_equal(listen(listener, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        queued[i] = nonblocking(SOCK_STREAM);
        connect(queued[i], (SOCKADDR *)&address, sizeof address);
    }
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEWOULDBLOCK);
    assert_int_equal(selected(s, 7, 50), 0);
    char byte = 0;
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEALREADY);
    assert_socket_error(recv(s, &byte, 1, 0), WSAENOTCONN);
    assert_socket_error(send(s, &byte, 1, 0), WSAENOTCONN);
    /* One that blocks, and has a time. */
    DWORD milliseconds = 30;
    SOCKET blocks = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(setsockopt(blocks, SOL_SOCKET, SO_SNDTIMEO, (char *)&milliseconds, sizeof milliseconds), 0);
    assert_socket_error(connect(blocks, (SOCKADDR *)&address, sizeof address), WSAETIMEDOUT);
    closesocket(blocks);
    for (size_t i = 0; i < 4; i++)
        closesocket(queued[i]);
    closesocket(s);
    closesocket(listener);
}

static void test_connect_refuses(void **state)
{
    (void)state;
    struct sockaddr_in address, nowhere;
    struct sockaddr_in6 other = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    SOCKET listener = loopback_bound(SOCK_STREAM, &address), s = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_socket_error(connect(listener, (SOCKADDR *)&address, sizeof address), WSAEINVAL);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address - 1), WSAEFAULT);
    assert_socket_error(connect(s, NULL, sizeof address), WSAEFAULT);
    assert_socket_error(connect(s, (SOCKADDR *)&other, sizeof other), WSAEAFNOSUPPORT);
    nowhere = address;
    nowhere.sin_addr.s_addr = INADDR_ANY;
    assert_socket_error(connect(s, (SOCKADDR *)&nowhere, sizeof nowhere), WSAEADDRNOTAVAIL);
    nowhere = address;
    nowhere.sin_port = 0;
    assert_socket_error(connect(s, (SOCKADDR *)&nowhere, sizeof nowhere), WSAEADDRNOTAVAIL);
    assert_int_equal(connect(s, (SOCKADDR *)&address, sizeof address), 0);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAEISCONN);
    closesocket(s);
    assert_socket_error(connect(s, (SOCKADDR *)&address, sizeof address), WSAENOTSOCK);
    closesocket(listener);
}

/* What was shut down here is WSAESHUTDOWN; what the peer ended is not. */
static void test_shutdown(void **state)
{
    (void)state;
    SOCKET near, far;
    char byte = 0;
    loopback_connected(&near, &far);
    assert_int_equal(shutdown(near, SD_SEND), 0);
    assert_socket_error(send(near, "x", 1, 0), WSAESHUTDOWN);
    assert_socket_error(sendto(near, "x", 1, 0, NULL, 0), WSAESHUTDOWN);
    assert_int_equal(recv(far, &byte, 1, 0), 0);
    assert_int_equal(send(far, "y", 1, 0), 1); /* the other way is open */
    assert_int_equal(recv(near, &byte, 1, 0), 1);
    assert_int_equal(closesocket(far), 0);
    assert_int_equal(recv(near, &byte, 1, 0), 0);
    assert_socket_error(send(near, "x", 1, 0), WSAESHUTDOWN); /* both ways are closed now */
    SOCKET number = near;
    assert_int_equal(closesocket(near), 0);

    /* A socket that gets the same number has not been shut down. */
    loopback_connected(&near, &far);
    assert_int_equal(near, number);
    assert_int_equal(send(near, "x", 1, 0), 1);
    assert_int_equal(recv(far, &byte, 1, 0), 1);
    assert_int_equal(send(far, "more", 4, 0), 4);
    assert_int_equal(shutdown(near, SD_RECEIVE), 0);
    assert_socket_error(recv(near, &byte, 1, 0), WSAESHUTDOWN); /* whatever is there */
    assert_socket_error(recvfrom(near, &byte, 1, 0, NULL, NULL), WSAESHUTDOWN);
    assert_int_equal(send(near, "x", 1, 0), 1);
    /* Closed behind the library's back, and its number given again. */
    struct sockaddr_in address;
    SOCKET bound = loopback_bound(SOCK_DGRAM, &address), next = nonblocking(SOCK_DGRAM);
    assert_int_equal(dup2(next, near), near);
    assert_socket_error(recv(near, &byte, 1, 0), WSAEWOULDBLOCK);
    assert_int_equal(sendto(near, "x", 1, 0, (SOCKADDR *)&address, sizeof address), 1);
    closesocket(near);
    closesocket(far);
    closesocket(next);
    closesocket(bound);
    assert_socket_error(shutdown(next, SD_BOTH), WSAENOTSOCK);
}

/* The peer's reset. */
static void test_reset(void **state)
{
    (void)state;
    SOCKET near, far;
    struct linger hard = {1, 0};
    loopback_connected(&near, &far);
    assert_int_equal(setsockopt(far, SOL_SOCKET, SO_LINGER, (char *)&hard, sizeof hard), 0);
    closesocket(far);
    WSAPOLLFD entry = {.fd = near, .events = POLLIN};
    assert_int_equal(WSAPoll(&entry, 1, 60000), 1);
    assert_socket_error(send(near, "x", 1, 0), WSAECONNRESET);
    assert_socket_error(send(near, "x", 1, 0), WSAECONNABORTED);
    closesocket(near);
    /* Never connected. */
    near = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    assert_socket_error(send(near, "x", 1, 0), WSAENOTCONN);
    assert_socket_error(recv(near, &byte, 1, 0), WSAENOTCONN);
    assert_socket_error(shutdown(near, SD_SEND), WSAENOTCONN);
    assert_socket_error(send(near, "x", 1, 0), WSAENOTCONN);
    closesocket(near);
}

/* What accept gives blocks or not as the listener does. */
static void test_accept(void **state)
{
    (void)state;
    struct sockaddr_in address, peer;
    SOCKET listener = loopback_bound(SOCK_STREAM, &address), s;
    int len = sizeof peer - 1;
    u_long on = 1;
    char byte;
    assert_true(accept(listener, NULL, NULL) == INVALID_SOCKET);
    assert_int_equal(WSAGetLastError(), WSAEINVAL); /* it does not listen */
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(ioctlsocket(listener, FIONBIO, &on), 0);
    assert_socket_error(accept(listener, NULL, NULL), WSAEWOULDBLOCK);
    s = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(s, (SOCKADDR *)&address, sizeof address), 0);
    assert_socket_error(accept(listener, (SOCKADDR *)&peer, &len), WSAEFAULT);
    len = sizeof peer;
    SOCKET far = accept(listener, (SOCKADDR *)&peer, &len); /* it still waits */
    assert_true(far != INVALID_SOCKET);
    assert_int_equal(len, sizeof peer);
    assert_socket_error(recv(far, &byte, 1, 0), WSAEWOULDBLOCK);
    assert_int_equal(fcntl(s, F_GETFL) & O_NONBLOCK, 0);
    closesocket(far);
    closesocket(s);
    closesocket(listener);
    assert_socket_error(accept(listener, NULL, NULL), WSAENOTSOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_among_others),
        cmocka_unit_test(test_refused_polled),
        cmocka_unit_test(test_new_attempt),
        cmocka_unit_test(test_refused_asked_again),
        cmocka_unit_test(test_established),
        cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_connect_refuses),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
