/*
 * comm.h: Windows sockets and the messages on them, for both programs.
 *
 * A message on the wire is a length of four bytes, most significant first, then that many bytes: one that tells the kind, and the content.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SOCKAUTH_COMM_H
#define SOCKAUTH_COMM_H

#ifdef _WIN32
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0600 /* WSAPoll */
#endif
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#define SECURITY_WIN32
#include <sspi.h>
#else
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sspi.h>
typedef int SOCKET;
#define INVALID_SOCKET (-1)
#define closesocket close
#endif

#define MESSAGE_MAX 66560 /* 65 KiB: the largest token of Windows' packages, 64 KiB, and a header */
#define LEGS_MAX 10       /* messages of one side in a handshake; the longest here takes three */

enum message_kind {
    MESSAGE_TOKEN = 'T',    /* a token of the handshake */
    MESSAGE_ACCEPTED = 'A', /* the server is content with the handshake; no content */
    MESSAGE_REFUSED = 'R',  /* the server gives up: the status, four bytes */
    MESSAGE_SEALED = 'E',   /* what EncryptMessage made */
    MESSAGE_SIGNED = 'S',   /* what MakeSignature made */
};

struct message {
    BYTE kind;
    DWORD len;
    BYTE data[MESSAGE_MAX];
};

enum receive_result { RECEIVE_OK, RECEIVE_CLOSED, RECEIVE_FAILED };

/* InitWinSock starts Windows sockets. seconds: how long a whole message may take, and how long a peer may stay silent. */
BOOL InitWinSock(DWORD seconds);
void TermWinSock(void);

/* Makes an accepted or connected socket ready for SendMsg and ReceiveMsg. */
BOOL PrepareSocket(SOCKET sock);
/* Waits until somebody connects to a listening socket; 0 seconds are for ever. */
BOOL WaitForClient(SOCKET listener, DWORD seconds);
/* Tells what went wrong in the last socket call. */
void ComplainSocket(const char *what);

/* SendMsg sends a whole message. ReceiveMsg receives one; RECEIVE_CLOSED: the peer ended between two messages. */
BOOL SendMsg(SOCKET sock, const struct message *message);
enum receive_result ReceiveMsg(SOCKET sock, struct message *message);

BOOL SendBytes(SOCKET sock, const BYTE *bytes, DWORD len);
/* Receives exactly len bytes, or tells how many came before the peer closed. */
enum receive_result ReceiveBytes(SOCKET sock, BYTE *bytes, DWORD len, DWORD *received);

/* The moment until which a message that begins now must be there. */
ULONGLONG Deadline(void);
/* Receives what there is, at least a byte. */
enum receive_result ReceiveSome(SOCKET sock, BYTE *bytes, DWORD size, DWORD *received, ULONGLONG deadline);

/* Numbers of four bytes inside messages. */
void PutNumber(BYTE *bytes, DWORD number);
DWORD GetNumber(const BYTE *bytes);

#endif
