/*
 * A program of standard C, as -std=c11 and -std=c17 have it, with names that the C library declares beside the standard alone. Undeclared, a
 * function that gives a pointer would give an int.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>
#include <tchar.h>

#ifdef __STRICT_ANSI__
enum { IS_STANDARD = 1 };
#else
enum { IS_STANDARD = 0 };
#endif
_Static_assert(IS_STANDARD, "this has to be built as standard C");

static int texts(const char *name)
{
    char list[] = "a,b", *next = NULL;
    char *copy = _strdup(name);
    TCHAR *other = _tcsdup(_T("text"));
    int good = copy != NULL && strcmp(copy, name) == 0 && _stricmp(copy, name) == 0 && _tcsnlen(other, 9) == 4;
    free(copy);
    free(other);
    const char *first = strtok_s(list, ",", &next), *second = strtok_s(NULL, ",", &next);
    return good && strcmp(first, "a") == 0 && strcmp(second, "b") == 0 && _fileno(stdout) == 1;
}

static int addresses(void)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct ip_mreq group = {.imr_interface = {0}};
    u_short port = htons(80);
    u_int count = 1;
    u_char byte = 2;
    int good = getaddrinfo("127.0.0.1", "80", &hints, &found) == 0 && group.imr_interface.s_addr == 0;
    good = good && ((struct sockaddr_in *)(void *)found->ai_addr)->sin_port == port && count + byte == 3;
    freeaddrinfo(found);
    return good;
}

int main(int argc, char **argv)
{
    (void)argc;
    return texts(argv[0]) && addresses() ? 0 : 1;
}
