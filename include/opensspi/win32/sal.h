/*
 * sal.h: annotations of parameters. They mean nothing to the compiler here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SAL_H
#define OPENSSPI_WIN32_SAL_H

#include "../wintypes.h"

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(size)
#define _In_reads_opt_(size)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(size)
#define _Inout_updates_bytes_(size)
#define _Out_
#define _Out_opt_
#define _Out_writes_(size)
#define _Out_writes_opt_(size)
#define _Out_writes_z_(size)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_opt_(size)
#define _Out_writes_bytes_to_(size, count)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Reserved_
#define _Success_(expr)
#define _Check_return_
#define _Must_inspect_result_
#define _Printf_format_string_
#define _Ret_maybenull_
#define _Use_decl_annotations_

/* The older ones; not in C++, whose library here has such names itself. */
#ifndef __cplusplus
#define __in
#define __in_opt
#define __in_ecount(size)
#define __in_bcount(size)
#define __inout
#define __inout_opt
#define __out
#define __out_opt
#define __out_ecount(size)
#define __out_bcount(size)
#endif

#endif
