/*
 * winerror.h: system error codes, as GetLastError gives them. The comment above a code is what FormatMessage says of it.
 *
 * Source: Microsoft, System Error Codes; Windows Sockets Error Codes; [MS-ERREF] 2.1 and 2.2. The words are ours.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINERROR_H
#define OPENSSPI_WIN32_WINERROR_H

#include "../issperr.h"

/* The operation succeeded. */
#ifndef ERROR_SUCCESS
#define ERROR_SUCCESS 0
#endif
/* The function is not known. */
#define ERROR_INVALID_FUNCTION 1
/* The file was not found. */
#ifndef ERROR_FILE_NOT_FOUND
#define ERROR_FILE_NOT_FOUND 2
#endif
/* The path was not found. */
#define ERROR_PATH_NOT_FOUND 3
/* Too many files are open. */
#define ERROR_TOO_MANY_OPEN_FILES 4
/* Access is denied. */
#define ERROR_ACCESS_DENIED 5
/* The handle is not valid. */
#define ERROR_INVALID_HANDLE 6
/* There is not enough memory. */
#define ERROR_NOT_ENOUGH_MEMORY 8
/* The format is wrong. */
#define ERROR_BAD_FORMAT 11
/* The data is not valid. */
#ifndef ERROR_INVALID_DATA
#define ERROR_INVALID_DATA 13
#endif
/* There is not enough memory to finish. */
#define ERROR_OUTOFMEMORY 14
/* There are no more files. */
#ifndef ERROR_NO_MORE_FILES
#define ERROR_NO_MORE_FILES 18
#endif
/* The medium is write protected. */
#define ERROR_WRITE_PROTECT 19
/* The device is not ready. */
#define ERROR_NOT_READY 21
/* The length is wrong. */
#define ERROR_BAD_LENGTH 24
/* The device cannot be written to. */
#define ERROR_WRITE_FAULT 29
/* The device cannot be read from. */
#define ERROR_READ_FAULT 30
/* Something failed. */
#define ERROR_GEN_FAILURE 31
/* Another process is using the file. */
#define ERROR_SHARING_VIOLATION 32
/* The end of the file is reached. */
#define ERROR_HANDLE_EOF 38
/* The request is not supported. */
#ifndef ERROR_NOT_SUPPORTED
#define ERROR_NOT_SUPPORTED 50
#endif
/* The network path was not found. */
#define ERROR_BAD_NETPATH 53
/* The network is busy. */
#define ERROR_NETWORK_BUSY 54
/* Access to the network is denied. */
#define ERROR_NETWORK_ACCESS_DENIED 65
/* The file exists. */
#define ERROR_FILE_EXISTS 80
/* The password is wrong. */
#ifndef ERROR_INVALID_PASSWORD
#define ERROR_INVALID_PASSWORD 86
#endif
/* A parameter is wrong. */
#ifndef ERROR_INVALID_PARAMETER
#define ERROR_INVALID_PARAMETER 87
#endif
/* The other end of the pipe is closed. */
#define ERROR_BROKEN_PIPE 109
/* The name is too long for the buffer. */
#define ERROR_BUFFER_OVERFLOW 111
/* There is no room left on the disk. */
#define ERROR_DISK_FULL 112
/* The function is not there on this system. */
#define ERROR_CALL_NOT_IMPLEMENTED 120
/* The time to wait is over. */
#define ERROR_SEM_TIMEOUT 121
/* The buffer is too small. */
#define ERROR_INSUFFICIENT_BUFFER 122
/* The name is wrong. */
#define ERROR_INVALID_NAME 123
/* The module was not found. */
#define ERROR_MOD_NOT_FOUND 126
/* The module has no such function. */
#define ERROR_PROC_NOT_FOUND 127
/* There is nothing before the beginning of a file. */
#define ERROR_NEGATIVE_SEEK 131
/* The segment is not locked. */
#define ERROR_NOT_LOCKED 158
/* An argument is wrong. */
#define ERROR_BAD_ARGUMENTS 160
/* The resource is in use. */
#define ERROR_BUSY 170
/* It exists already. */
#define ERROR_ALREADY_EXISTS 183
/* This is no module for this system. */
#define ERROR_BAD_EXE_FORMAT 193
/* The file's name is too long. */
#define ERROR_FILENAME_EXCED_RANGE 206
/* The environment has no such variable. */
#define ERROR_ENVVAR_NOT_FOUND 203
/* There is more data. */
#ifndef ERROR_MORE_DATA
#define ERROR_MORE_DATA 234
#endif
/* There was nothing to do. */
#define ERROR_NO_WORK_DONE 235
/* The wait has timed out. */
#define WAIT_TIMEOUT 258
/* There is no more. */
#define ERROR_NO_MORE_ITEMS 259
/* The caller does not own it. */
#define ERROR_NOT_OWNER 288
/* A semaphore cannot be released so many times more. */
#define ERROR_TOO_MANY_POSTS 298
/* There is no message of this number. */
#define ERROR_MR_MID_NOT_FOUND 317
/* The address is not valid. */
#define ERROR_INVALID_ADDRESS 487
/* The result does not fit. */
#define ERROR_ARITHMETIC_OVERFLOW 534
/* The operation was aborted. */
#define ERROR_OPERATION_ABORTED 995
/* The operation goes on. */
#define ERROR_IO_PENDING 997
/* The memory may not be accessed. */
#define ERROR_NOACCESS 998
/* The flags are wrong. */
#define ERROR_INVALID_FLAGS 1004
/* The thread has no token. */
#define ERROR_NO_TOKEN 1008
/* The service is not running. */
#define ERROR_SERVICE_NOT_ACTIVE 1062
/* The text cannot be translated. */
#define ERROR_NO_UNICODE_TRANSLATION 1113
/* The module could not start. */
#define ERROR_DLL_INIT_FAILED 1114
/* This needs another version of Windows. */
#define ERROR_OLD_WIN_VERSION 1150
/* It was not found. */
#define ERROR_NOT_FOUND 1168
/* The device's name is wrong. */
#define ERROR_BAD_DEVICE 1200
/* There is no network. */
#define ERROR_NO_NETWORK 1222
/* The user cancelled it. */
#define ERROR_CANCELLED 1223
/* The connection was refused. */
#define ERROR_CONNECTION_REFUSED 1225
/* The network cannot be reached. */
#define ERROR_NETWORK_UNREACHABLE 1231
/* The host cannot be reached. */
#define ERROR_HOST_UNREACHABLE 1232
/* The connection was aborted here. */
#define ERROR_CONNECTION_ABORTED 1236
/* The address is wrong. */
#define ERROR_INCORRECT_ADDRESS 1241
/* The user is not authenticated. */
#define ERROR_NOT_AUTHENTICATED 1244
/* The user is not logged on. */
#define ERROR_NOT_LOGGED_ON 1245
/* Somebody tries to weaken the authentication. */
#define ERROR_DOWNGRADE_DETECTED 1265
/* Not all privileges asked for are held. */
#define ERROR_NOT_ALL_ASSIGNED 1300
/* Some names or SIDs are not known. */
#define ERROR_SOME_NOT_MAPPED 1301
/* The revision is not known. */
#define ERROR_UNKNOWN_REVISION 1305
/* The revisions do not fit. */
#define ERROR_REVISION_MISMATCH 1306
/* This SID may not be an owner. */
#define ERROR_INVALID_OWNER 1307
/* An impersonation token is needed. */
#define ERROR_NO_IMPERSONATION_TOKEN 1309
/* No logon server can be reached. */
#define ERROR_NO_LOGON_SERVERS 1311
/* There is no such logon session. */
#define ERROR_NO_SUCH_LOGON_SESSION 1312
/* There is no such privilege. */
#define ERROR_NO_SUCH_PRIVILEGE 1313
/* A privilege is missing. */
#define ERROR_PRIVILEGE_NOT_HELD 1314
/* The account's name is wrong. */
#define ERROR_INVALID_ACCOUNT_NAME 1315
/* The account exists already. */
#define ERROR_USER_EXISTS 1316
/* There is no such account. */
#define ERROR_NO_SUCH_USER 1317
/* The group exists already. */
#define ERROR_GROUP_EXISTS 1318
/* There is no such group. */
#define ERROR_NO_SUCH_GROUP 1319
/* The old password is wrong. */
#define ERROR_WRONG_PASSWORD 1323
/* The password has characters that are not allowed. */
#define ERROR_ILL_FORMED_PASSWORD 1324
/* The password breaks a rule on passwords. */
#define ERROR_PASSWORD_RESTRICTION 1325
/* The user name or the password is wrong. */
#define ERROR_LOGON_FAILURE 1326
/* Restrictions of the account prevent the logon. */
#define ERROR_ACCOUNT_RESTRICTION 1327
/* The account may not log on at this hour. */
#define ERROR_INVALID_LOGON_HOURS 1328
/* The account may not log on at this computer. */
#define ERROR_INVALID_WORKSTATION 1329
/* The password has expired. */
#define ERROR_PASSWORD_EXPIRED 1330
/* The account is disabled. */
#define ERROR_ACCOUNT_DISABLED 1331
/* No such name or SID is known. */
#define ERROR_NONE_MAPPED 1332
/* The access control list is wrong. */
#define ERROR_INVALID_ACL 1336
/* The SID is wrong. */
#define ERROR_INVALID_SID 1337
/* The security descriptor is wrong. */
#define ERROR_INVALID_SECURITY_DESCR 1338
/* The server is disabled. */
#define ERROR_SERVER_DISABLED 1341
/* The impersonation level does not suffice. */
#define ERROR_BAD_IMPERSONATION_LEVEL 1346
/* The anonymous token cannot be opened. */
#define ERROR_CANT_OPEN_ANONYMOUS 1347
/* The class of information is wrong. */
#define ERROR_BAD_VALIDATION_CLASS 1348
/* The token is of the wrong type. */
#define ERROR_BAD_TOKEN_TYPE 1349
/* The object has no security descriptor. */
#define ERROR_NO_SECURITY_ON_OBJECT 1350
/* The domain cannot be asked. */
#define ERROR_CANT_ACCESS_DOMAIN_INFO 1351
/* The security authority is in the wrong state. */
#define ERROR_INVALID_SERVER_STATE 1352
/* The domain is in the wrong state. */
#define ERROR_INVALID_DOMAIN_STATE 1353
/* The controller has the wrong role. */
#define ERROR_INVALID_DOMAIN_ROLE 1354
/* There is no such domain, or it cannot be reached. */
#define ERROR_NO_SUCH_DOMAIN 1355
/* The domain exists already. */
#define ERROR_DOMAIN_EXISTS 1356
/* The security database is broken. */
#define ERROR_INTERNAL_DB_CORRUPTION 1358
/* Something inside went wrong. */
#define ERROR_INTERNAL_ERROR 1359
/* Generic rights were not mapped to specific ones. */
#define ERROR_GENERIC_NOT_MAPPED 1360
/* The security descriptor has the wrong form. */
#define ERROR_BAD_DESCRIPTOR_FORMAT 1361
/* Only a logon process may do this. */
#define ERROR_NOT_LOGON_PROCESS 1362
/* The logon session exists already. */
#define ERROR_LOGON_SESSION_EXISTS 1363
/* There is no such authentication package. */
#define ERROR_NO_SUCH_PACKAGE 1364
/* The logon session is in the wrong state. */
#define ERROR_BAD_LOGON_SESSION_STATE 1365
/* The logon type is wrong. */
#define ERROR_INVALID_LOGON_TYPE 1367
/* Nothing was read of the client yet that could be impersonated. */
#define ERROR_CANNOT_IMPERSONATE 1368
/* The account may not log on in this way. */
#define ERROR_LOGON_TYPE_NOT_GRANTED 1385
/* There is no such member. */
#define ERROR_NO_SUCH_MEMBER 1387
/* The name that was named as the target's is another one's. */
#define ERROR_WRONG_TARGET_NAME 1396
/* The server could not prove who it is. */
#define ERROR_MUTUAL_AUTH_FAILED 1397
/* The clocks differ too much. */
#define ERROR_TIME_SKEW 1398
/* The system has not enough resources to do that. */
#define ERROR_NO_SYSTEM_RESOURCES 1450
/* The time is over. */
#define ERROR_TIMEOUT 1460
/* The domain has no account for this computer. */
#define ERROR_NO_TRUST_SAM_ACCOUNT 1787
/* The trust between the two domains is broken. */
#define ERROR_TRUSTED_DOMAIN_FAILURE 1788
/* The trust between this computer and its domain is broken. */
#define ERROR_TRUSTED_RELATIONSHIP_FAILURE 1789
/* A trust is broken. */
#define ERROR_TRUST_FAILURE 1790
/* The account has expired. */
#define ERROR_ACCOUNT_EXPIRED 1793
/* The module has no resource of this type. */
#define ERROR_RESOURCE_TYPE_NOT_FOUND 1813
/* There is no text in this language. */
#define ERROR_RESOURCE_LANG_NOT_FOUND 1815
/* The password must be changed first. */
#define ERROR_PASSWORD_MUST_CHANGE 1907
/* No domain controller was found. */
#define ERROR_DOMAIN_CONTROLLER_NOT_FOUND 1908
/* The account is locked out. */
#define ERROR_ACCOUNT_LOCKED_OUT 1909
/* The name was not found. */
#define ERROR_DS_NAME_ERROR_NOT_FOUND 8470
#define NO_ERROR ERROR_SUCCESS

/* Windows sockets: what WSAGetLastError gives. */

/* A socket call was interrupted. */
#define WSAEINTR 10004
/* This is no file. */
#define WSAEBADF 10009
/* The socket may not do this. */
#define WSAEACCES 10013
/* A pointer of a socket call is wrong. */
#define WSAEFAULT 10014
/* An argument of a socket call is wrong. */
#define WSAEINVAL 10022
/* Too many sockets are open. */
#define WSAEMFILE 10024
/* The socket would have to wait. */
#define WSAEWOULDBLOCK 10035
/* A blocking call is going on. */
#define WSAEINPROGRESS 10036
/* The socket is at it already. */
#define WSAEALREADY 10037
/* This is no socket. */
#define WSAENOTSOCK 10038
/* An address is needed. */
#define WSAEDESTADDRREQ 10039
/* The message is too long. */
#define WSAEMSGSIZE 10040
/* The protocol does not fit the socket. */
#define WSAEPROTOTYPE 10041
/* The protocol has no such option. */
#define WSAENOPROTOOPT 10042
/* The protocol is not supported. */
#define WSAEPROTONOSUPPORT 10043
/* The type of socket is not supported. */
#define WSAESOCKTNOSUPPORT 10044
/* This kind of socket cannot do that. */
#define WSAEOPNOTSUPP 10045
/* The protocol family is not supported. */
#define WSAEPFNOSUPPORT 10046
/* The address family is not supported. */
#define WSAEAFNOSUPPORT 10047
/* The address is in use. */
#define WSAEADDRINUSE 10048
/* The address is not one of this computer. */
#define WSAEADDRNOTAVAIL 10049
/* The network is down. */
#define WSAENETDOWN 10050
/* The network cannot be reached. */
#define WSAENETUNREACH 10051
/* The network dropped the connection. */
#define WSAENETRESET 10052
/* The connection was aborted here. */
#define WSAECONNABORTED 10053
/* The peer reset the connection. */
#define WSAECONNRESET 10054
/* There is no buffer space. */
#define WSAENOBUFS 10055
/* The socket is connected already. */
#define WSAEISCONN 10056
/* The socket is not connected. */
#define WSAENOTCONN 10057
/* The socket was shut down. */
#define WSAESHUTDOWN 10058
/* There are too many references. */
#define WSAETOOMANYREFS 10059
/* The peer did not answer in time. */
#define WSAETIMEDOUT 10060
/* The peer refused the connection. */
#define WSAECONNREFUSED 10061
/* The name loops. */
#define WSAELOOP 10062
/* The name is too long. */
#define WSAENAMETOOLONG 10063
/* The host is down. */
#define WSAEHOSTDOWN 10064
/* The host cannot be reached. */
#define WSAEHOSTUNREACH 10065
/* The network is not ready. */
#define WSASYSNOTREADY 10091
/* This version of Windows sockets is not supported. */
#define WSAVERNOTSUPPORTED 10092
/* WSAStartup was not called. */
#define WSANOTINITIALISED 10093
/* The system failed in a way that has no code of its own. */
#define WSASYSCALLFAILURE 10107
/* There is no such service. */
#define WSATYPE_NOT_FOUND 10109
/* There is no such host. */
#define WSAHOST_NOT_FOUND 11001
/* The name service did not answer. */
#define WSATRY_AGAIN 11002
/* The name service failed for good. */
#define WSANO_RECOVERY 11003
/* The host has no such address. */
#define WSANO_DATA 11004

/* HRESULT: the top bit tells failure, then the facility that it comes from, then a code of it. */

#define SEVERITY_SUCCESS 0
#define SEVERITY_ERROR 1
#define FACILITY_NULL 0
#define FACILITY_WIN32 7
#define FACILITY_SECURITY 9
#define FACILITY_NT_BIT 0x10000000

#define SUCCEEDED(hr) (((HRESULT)(hr)) >= 0)
#define FAILED(hr) (((HRESULT)(hr)) < 0)
#define HRESULT_CODE(hr) ((hr)&0xFFFF)
#define HRESULT_FACILITY(hr) (((hr) >> 16) & 0x1FFF)
#define HRESULT_SEVERITY(hr) (((hr) >> 31) & 0x1)
#define MAKE_HRESULT(sev, fac, code) ((HRESULT)(((ULONG)(sev) << 31) | ((ULONG)(fac) << 16) | ((ULONG)(code))))
#define HRESULT_FROM_WIN32(x) \
    ((HRESULT)(x) <= 0 ? (HRESULT)(x) : (HRESULT)(((ULONG)(x)&0x0000FFFF) | (FACILITY_WIN32 << 16) | 0x80000000))
#define HRESULT_FROM_NT(x) ((HRESULT)((ULONG)(x) | FACILITY_NT_BIT))

#ifndef S_OK
#define S_OK ((HRESULT)0x00000000)
#endif
#ifndef S_FALSE
#define S_FALSE ((HRESULT)0x00000001)
#endif
/* Something unexpected happened. */
#ifndef E_UNEXPECTED
#define E_UNEXPECTED ((HRESULT)0x8000FFFF)
#endif
/* This is not implemented. */
#ifndef E_NOTIMPL
#define E_NOTIMPL ((HRESULT)0x80004001)
#endif
/* There is no such interface. */
#ifndef E_NOINTERFACE
#define E_NOINTERFACE ((HRESULT)0x80004002)
#endif
/* A pointer is wrong. */
#ifndef E_POINTER
#define E_POINTER ((HRESULT)0x80004003)
#endif
/* The operation was aborted. */
#ifndef E_ABORT
#define E_ABORT ((HRESULT)0x80004004)
#endif
/* Something failed. */
#ifndef E_FAIL
#define E_FAIL ((HRESULT)0x80004005)
#endif
#ifndef E_ACCESSDENIED
#define E_ACCESSDENIED ((HRESULT)0x80070005)
#endif
#ifndef E_HANDLE
#define E_HANDLE ((HRESULT)0x80070006)
#endif
#ifndef E_OUTOFMEMORY
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif

#endif
