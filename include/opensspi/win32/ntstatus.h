/*
 * ntstatus.h: the NTSTATUS codes of logging on and of the functions here. The comment above a code is what FormatMessage says of it.
 *
 * Source: Microsoft, [MS-ERREF] 2.3. The words are ours.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_NTSTATUS_H
#define OPENSSPI_WIN32_NTSTATUS_H

#include "../wintypes.h"

#ifndef STATUS_SUCCESS
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#endif
#ifndef STATUS_TIMEOUT
#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#endif
#ifndef STATUS_PENDING
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#endif
#ifndef STATUS_MORE_ENTRIES
#define STATUS_MORE_ENTRIES ((NTSTATUS)0x00000105)
#endif
#ifndef STATUS_SOME_NOT_MAPPED
#define STATUS_SOME_NOT_MAPPED ((NTSTATUS)0x00000107)
#endif
/* There is more data than room. */
#ifndef STATUS_BUFFER_OVERFLOW
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)
#endif
/* There is no more. */
#ifndef STATUS_NO_MORE_ENTRIES
#define STATUS_NO_MORE_ENTRIES ((NTSTATUS)0x8000001A)
#endif
/* Something failed. */
#ifndef STATUS_UNSUCCESSFUL
#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#endif
/* This is not implemented. */
#ifndef STATUS_NOT_IMPLEMENTED
#define STATUS_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)
#endif
/* The class of information is wrong. */
#ifndef STATUS_INVALID_INFO_CLASS
#define STATUS_INVALID_INFO_CLASS ((NTSTATUS)0xC0000003)
#endif
/* The length of the information is wrong. */
#ifndef STATUS_INFO_LENGTH_MISMATCH
#define STATUS_INFO_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)
#endif
/* Memory was accessed that may not be. */
#ifndef STATUS_ACCESS_VIOLATION
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#endif
/* The handle is not valid. */
#ifndef STATUS_INVALID_HANDLE
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#endif
/* A parameter is wrong. */
#ifndef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#endif
/* There is no such file. */
#ifndef STATUS_NO_SUCH_FILE
#define STATUS_NO_SUCH_FILE ((NTSTATUS)0xC000000F)
#endif
/* Another message is needed. */
#ifndef STATUS_MORE_PROCESSING_REQUIRED
#define STATUS_MORE_PROCESSING_REQUIRED ((NTSTATUS)0xC0000016)
#endif
/* There is not enough memory. */
#ifndef STATUS_NO_MEMORY
#define STATUS_NO_MEMORY ((NTSTATUS)0xC0000017)
#endif
/* Access is denied. */
#ifndef STATUS_ACCESS_DENIED
#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#endif
/* The buffer is too small. */
#ifndef STATUS_BUFFER_TOO_SMALL
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#endif
/* The object is of another type. */
#ifndef STATUS_OBJECT_TYPE_MISMATCH
#define STATUS_OBJECT_TYPE_MISMATCH ((NTSTATUS)0xC0000024)
#endif
/* The object's name is wrong. */
#ifndef STATUS_OBJECT_NAME_INVALID
#define STATUS_OBJECT_NAME_INVALID ((NTSTATUS)0xC0000033)
#endif
/* There is no object of this name. */
#ifndef STATUS_OBJECT_NAME_NOT_FOUND
#define STATUS_OBJECT_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)
#endif
/* An object of this name exists already. */
#ifndef STATUS_OBJECT_NAME_COLLISION
#define STATUS_OBJECT_NAME_COLLISION ((NTSTATUS)0xC0000035)
#endif
/* The port refused the connection. */
#ifndef STATUS_PORT_CONNECTION_REFUSED
#define STATUS_PORT_CONNECTION_REFUSED ((NTSTATUS)0xC0000041)
#endif
/* No logon server can be reached. */
#ifndef STATUS_NO_LOGON_SERVERS
#define STATUS_NO_LOGON_SERVERS ((NTSTATUS)0xC000005E)
#endif
/* There is no such logon session. */
#ifndef STATUS_NO_SUCH_LOGON_SESSION
#define STATUS_NO_SUCH_LOGON_SESSION ((NTSTATUS)0xC000005F)
#endif
/* There is no such privilege. */
#ifndef STATUS_NO_SUCH_PRIVILEGE
#define STATUS_NO_SUCH_PRIVILEGE ((NTSTATUS)0xC0000060)
#endif
/* A privilege is missing. */
#ifndef STATUS_PRIVILEGE_NOT_HELD
#define STATUS_PRIVILEGE_NOT_HELD ((NTSTATUS)0xC0000061)
#endif
/* The account's name is wrong. */
#ifndef STATUS_INVALID_ACCOUNT_NAME
#define STATUS_INVALID_ACCOUNT_NAME ((NTSTATUS)0xC0000062)
#endif
/* The account exists already. */
#ifndef STATUS_USER_EXISTS
#define STATUS_USER_EXISTS ((NTSTATUS)0xC0000063)
#endif
/* There is no such account. */
#ifndef STATUS_NO_SUCH_USER
#define STATUS_NO_SUCH_USER ((NTSTATUS)0xC0000064)
#endif
/* The group exists already. */
#ifndef STATUS_GROUP_EXISTS
#define STATUS_GROUP_EXISTS ((NTSTATUS)0xC0000065)
#endif
/* There is no such group. */
#ifndef STATUS_NO_SUCH_GROUP
#define STATUS_NO_SUCH_GROUP ((NTSTATUS)0xC0000066)
#endif
/* The password is wrong. */
#ifndef STATUS_WRONG_PASSWORD
#define STATUS_WRONG_PASSWORD ((NTSTATUS)0xC000006A)
#endif
/* The password has characters that are not allowed. */
#ifndef STATUS_ILL_FORMED_PASSWORD
#define STATUS_ILL_FORMED_PASSWORD ((NTSTATUS)0xC000006B)
#endif
/* The password breaks a rule on passwords. */
#ifndef STATUS_PASSWORD_RESTRICTION
#define STATUS_PASSWORD_RESTRICTION ((NTSTATUS)0xC000006C)
#endif
/* The user name or the password is wrong. */
#ifndef STATUS_LOGON_FAILURE
#define STATUS_LOGON_FAILURE ((NTSTATUS)0xC000006D)
#endif
/* Restrictions of the account prevent the logon. */
#ifndef STATUS_ACCOUNT_RESTRICTION
#define STATUS_ACCOUNT_RESTRICTION ((NTSTATUS)0xC000006E)
#endif
/* The account may not log on at this hour. */
#ifndef STATUS_INVALID_LOGON_HOURS
#define STATUS_INVALID_LOGON_HOURS ((NTSTATUS)0xC000006F)
#endif
/* The account may not log on at this computer. */
#ifndef STATUS_INVALID_WORKSTATION
#define STATUS_INVALID_WORKSTATION ((NTSTATUS)0xC0000070)
#endif
/* The password has expired. */
#ifndef STATUS_PASSWORD_EXPIRED
#define STATUS_PASSWORD_EXPIRED ((NTSTATUS)0xC0000071)
#endif
/* The account is disabled. */
#ifndef STATUS_ACCOUNT_DISABLED
#define STATUS_ACCOUNT_DISABLED ((NTSTATUS)0xC0000072)
#endif
/* No such name or SID is known. */
#ifndef STATUS_NONE_MAPPED
#define STATUS_NONE_MAPPED ((NTSTATUS)0xC0000073)
#endif
/* The access control list is wrong. */
#ifndef STATUS_INVALID_ACL
#define STATUS_INVALID_ACL ((NTSTATUS)0xC0000077)
#endif
/* The SID is wrong. */
#ifndef STATUS_INVALID_SID
#define STATUS_INVALID_SID ((NTSTATUS)0xC0000078)
#endif
/* The security descriptor is wrong. */
#ifndef STATUS_INVALID_SECURITY_DESCR
#define STATUS_INVALID_SECURITY_DESCR ((NTSTATUS)0xC0000079)
#endif
/* The thread has no token. */
#ifndef STATUS_NO_TOKEN
#define STATUS_NO_TOKEN ((NTSTATUS)0xC000007C)
#endif
/* Something is used up that the system has not enough of. */
#ifndef STATUS_INSUFFICIENT_RESOURCES
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#endif
/* The impersonation level does not suffice. */
#ifndef STATUS_BAD_IMPERSONATION_LEVEL
#define STATUS_BAD_IMPERSONATION_LEVEL ((NTSTATUS)0xC00000A5)
#endif
/* The class of information is wrong. */
#ifndef STATUS_BAD_VALIDATION_CLASS
#define STATUS_BAD_VALIDATION_CLASS ((NTSTATUS)0xC00000A7)
#endif
/* The time is over. */
#ifndef STATUS_IO_TIMEOUT
#define STATUS_IO_TIMEOUT ((NTSTATUS)0xC00000B5)
#endif
/* The request is not supported. */
#ifndef STATUS_NOT_SUPPORTED
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#endif
/* The network path was not found. */
#ifndef STATUS_BAD_NETWORK_PATH
#define STATUS_BAD_NETWORK_PATH ((NTSTATUS)0xC00000BE)
#endif
/* The network failed in an unexpected way. */
#ifndef STATUS_UNEXPECTED_NETWORK_ERROR
#define STATUS_UNEXPECTED_NETWORK_ERROR ((NTSTATUS)0xC00000C4)
#endif
/* The security authority is in the wrong state. */
#ifndef STATUS_INVALID_SERVER_STATE
#define STATUS_INVALID_SERVER_STATE ((NTSTATUS)0xC00000DC)
#endif
/* The domain is in the wrong state. */
#ifndef STATUS_INVALID_DOMAIN_STATE
#define STATUS_INVALID_DOMAIN_STATE ((NTSTATUS)0xC00000DD)
#endif
/* There is no such domain, or it cannot be reached. */
#ifndef STATUS_NO_SUCH_DOMAIN
#define STATUS_NO_SUCH_DOMAIN ((NTSTATUS)0xC00000DF)
#endif
/* Something inside went wrong. */
#ifndef STATUS_INTERNAL_ERROR
#define STATUS_INTERNAL_ERROR ((NTSTATUS)0xC00000E5)
#endif
/* Only a logon process may do this. */
#ifndef STATUS_NOT_LOGON_PROCESS
#define STATUS_NOT_LOGON_PROCESS ((NTSTATUS)0xC00000ED)
#endif
/* The logon session exists already. */
#ifndef STATUS_LOGON_SESSION_EXISTS
#define STATUS_LOGON_SESSION_EXISTS ((NTSTATUS)0xC00000EE)
#endif
/* There is no such authentication package. */
#ifndef STATUS_NO_SUCH_PACKAGE
#define STATUS_NO_SUCH_PACKAGE ((NTSTATUS)0xC00000FE)
#endif
/* The name is too long. */
#ifndef STATUS_NAME_TOO_LONG
#define STATUS_NAME_TOO_LONG ((NTSTATUS)0xC0000106)
#endif
/* The logon type is wrong. */
#ifndef STATUS_INVALID_LOGON_TYPE
#define STATUS_INVALID_LOGON_TYPE ((NTSTATUS)0xC000010B)
#endif
/* The request was cancelled. */
#ifndef STATUS_CANCELLED
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)
#endif
/* The clock differs too much from the domain controller's. */
#ifndef STATUS_TIME_DIFFERENCE_AT_DC
#define STATUS_TIME_DIFFERENCE_AT_DC ((NTSTATUS)0xC0000133)
#endif
/* The account may not log on in this way. */
#ifndef STATUS_LOGON_TYPE_NOT_GRANTED
#define STATUS_LOGON_TYPE_NOT_GRANTED ((NTSTATUS)0xC000015B)
#endif
/* The computer has no secret that it shares with its domain. */
#ifndef STATUS_NO_TRUST_LSA_SECRET
#define STATUS_NO_TRUST_LSA_SECRET ((NTSTATUS)0xC000018A)
#endif
/* The computer has no account in its domain. */
#ifndef STATUS_NO_TRUST_SAM_ACCOUNT
#define STATUS_NO_TRUST_SAM_ACCOUNT ((NTSTATUS)0xC000018B)
#endif
/* The trust between the two domains is broken. */
#ifndef STATUS_TRUSTED_DOMAIN_FAILURE
#define STATUS_TRUSTED_DOMAIN_FAILURE ((NTSTATUS)0xC000018C)
#endif
/* The trust between this computer and its domain is broken. */
#ifndef STATUS_TRUSTED_RELATIONSHIP_FAILURE
#define STATUS_TRUSTED_RELATIONSHIP_FAILURE ((NTSTATUS)0xC000018D)
#endif
/* The logon service is not running. */
#ifndef STATUS_NETLOGON_NOT_STARTED
#define STATUS_NETLOGON_NOT_STARTED ((NTSTATUS)0xC0000192)
#endif
/* The account has expired. */
#ifndef STATUS_ACCOUNT_EXPIRED
#define STATUS_ACCOUNT_EXPIRED ((NTSTATUS)0xC0000193)
#endif
/* This is the account of a computer. */
#ifndef STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT
#define STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT ((NTSTATUS)0xC0000199)
#endif
/* This is the account of a server. */
#ifndef STATUS_NOLOGON_SERVER_TRUST_ACCOUNT
#define STATUS_NOLOGON_SERVER_TRUST_ACCOUNT ((NTSTATUS)0xC000019A)
#endif
/* The password must be changed first. */
#ifndef STATUS_PASSWORD_MUST_CHANGE
#define STATUS_PASSWORD_MUST_CHANGE ((NTSTATUS)0xC0000224)
#endif
/* It was not found. */
#ifndef STATUS_NOT_FOUND
#define STATUS_NOT_FOUND ((NTSTATUS)0xC0000225)
#endif
/* No domain controller was found. */
#ifndef STATUS_DOMAIN_CONTROLLER_NOT_FOUND
#define STATUS_DOMAIN_CONTROLLER_NOT_FOUND ((NTSTATUS)0xC0000233)
#endif
/* The account is locked out. */
#ifndef STATUS_ACCOUNT_LOCKED_OUT
#define STATUS_ACCOUNT_LOCKED_OUT ((NTSTATUS)0xC0000234)
#endif
/* The connection was refused. */
#ifndef STATUS_CONNECTION_REFUSED
#define STATUS_CONNECTION_REFUSED ((NTSTATUS)0xC0000236)
#endif
/* The KDC knows none of the encryption types asked for. */
#ifndef STATUS_KDC_UNKNOWN_ETYPE
#define STATUS_KDC_UNKNOWN_ETYPE ((NTSTATUS)0xC00002FD)
#endif
/* The logon with a certificate failed. */
#ifndef STATUS_PKINIT_FAILURE
#define STATUS_PKINIT_FAILURE ((NTSTATUS)0xC0000320)
#endif
/* The smart card failed. */
#ifndef STATUS_SMARTCARD_SUBSYSTEM_FAILURE
#define STATUS_SMARTCARD_SUBSYSTEM_FAILURE ((NTSTATUS)0xC0000321)
#endif
/* There is no Kerberos key. */
#ifndef STATUS_NO_KERB_KEY
#define STATUS_NO_KERB_KEY ((NTSTATUS)0xC0000322)
#endif
/* Somebody tries to weaken the authentication. */
#ifndef STATUS_DOWNGRADE_DETECTED
#define STATUS_DOWNGRADE_DETECTED ((NTSTATUS)0xC0000388)
#endif
/* This computer is closed to the account. */
#ifndef STATUS_AUTHENTICATION_FIREWALL_FAILED
#define STATUS_AUTHENTICATION_FIREWALL_FAILED ((NTSTATUS)0xC0000413)
#endif
/* NTLM is blocked. */
#ifndef STATUS_NTLM_BLOCKED
#define STATUS_NTLM_BLOCKED ((NTSTATUS)0xC0000418)
#endif

#endif
