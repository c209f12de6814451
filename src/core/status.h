/*
 * The NT statuses: SSPI has no codes of its own for some refusals, and Windows hands the NT status through (MS-ERREF 2.3.1).
 */
#ifndef OPENSSPI_CORE_STATUS_H
#define OPENSSPI_CORE_STATUS_H

#include <sspi.h>
#include <win32/ntstatus.h>

#endif
