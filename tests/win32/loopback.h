/* Sockets of the loopback address, for tests. Include it behind cmocka.h and winsock2.h. */
#ifndef TEST_WIN32_LOOPBACK_H
#define TEST_WIN32_LOOPBACK_H

/* A socket that has a free port of the loopback address; *address is that. */
static inline SOCKET loopback_bound(int type, struct sockaddr_in *address)
{
    int len = sizeof *address;
    SOCKET s = socket(AF_INET, type, 0);
    assert_true(s != INVALID_SOCKET);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(s, (SOCKADDR *)address, sizeof *address), 0);
    assert_int_equal(getsockname(s, (SOCKADDR *)address, &len), 0);
    assert_int_equal(len, sizeof *address);
    return s;
}

/* Two ends of a connection. */
static inline void loopback_connected(SOCKET *near, SOCKET *far)
{
    struct sockaddr_in address;
    SOCKET listener = loopback_bound(SOCK_STREAM, &address);
    assert_int_equal(listen(listener, 5), 0);
    *near = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*near, (SOCKADDR *)&address, sizeof address), 0);
    *far = accept(listener, NULL, NULL);
    assert_true(*far != INVALID_SOCKET);
    assert_int_equal(closesocket(listener), 0);
}

static inline SOCKET nonblocking(int type)
{
    u_long on = 1;
    SOCKET s = socket(AF_INET, type, 0);
    assert_int_equal(ioctlsocket(s, FIONBIO, &on), 0);
    return s;
}

/* GetLastError and WSAGetLastError are one. */
#define assert_socket_error(result, code)                \
    do {                                                 \
        SetLastError(7);                                 \
        assert_int_equal((result), SOCKET_ERROR);        \
        assert_int_equal(WSAGetLastError(), (code));     \
        assert_int_equal(GetLastError(), (DWORD)(code)); \
    } while (0)

#endif
