/*
 * security.h: SSPI as a whole: names of the security packages, the interface itself, and names of users.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SECURITY_H
#define OPENSSPI_SECURITY_H

#include "sspi.h"
#include "secext.h"

/*
 * Windows defines NTLMSP_NAME and MICROSOFT_KERBEROS_NAME as wide strings, whether or not UNICODE is defined.
 */

#ifndef NTLMSP_NAME_A
#define NTLMSP_NAME_A "NTLM"
#define NTLMSP_NAME OPENSSPI_WIDE("NTLM")
#endif

#ifndef MICROSOFT_KERBEROS_NAME_A
#define MICROSOFT_KERBEROS_NAME_A "Kerberos"
#define MICROSOFT_KERBEROS_NAME_W OPENSSPI_WIDE("Kerberos")
#define MICROSOFT_KERBEROS_NAME MICROSOFT_KERBEROS_NAME_W
#endif

#ifndef NEGOSSP_NAME
#define NEGOSSP_NAME_W OPENSSPI_WIDE("Negotiate")
#define NEGOSSP_NAME_A "Negotiate"
#define NEGOSSP_NAME OPENSSPI_AW_(NEGOSSP_NAME)
#endif

#ifndef CLOUDAP_NAME
#define CLOUDAP_NAME_W OPENSSPI_WIDE("CloudAP")
#define CLOUDAP_NAME_A "CloudAP"
#define ClOUDAP_NAME_A CLOUDAP_NAME_A /* the spelling in Windows' header */
#define CLOUDAP_NAME OPENSSPI_AW_(CLOUDAP_NAME)
#endif

#endif
