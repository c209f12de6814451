#!/bin/sh
# Compiles small programs as users of opensspi-win32 do, any warning being an error: every header under the names that programs spell, in C and C++, with gcc and clang,
# ANSI and UNICODE.
#
# usage: headers.sh include-dir        (the directory that holds sspi.h)
set -u
include=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
failed=0
compiled=0
cat >"$work/all.h" <<'END'
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#define SECURITY_WIN32
#include <sspi.h>
#include <security.h>
#include <secext.h>
#include <schannel.h>
#include <schnlsp.h>
#include <wincrypt.h>
#include <ntsecapi.h>
#include <issperr.h>
#include <tchar.h>
#include <strsafe.h>
#include <sddl.h>
#include <lm.h>
#include <lmcons.h>
#include <subauth.h>
#include <wincred.h>
#include <winternl.h>
#include <ntstatus.h>
#include <rpc.h>
#include <rpcdce.h>
#include <process.h>
#include <conio.h>
#include <io.h>
#include <consoleapi.h>
#include <consoleapi2.h>
#include <wincon.h>
#include <processenv.h>
#include <credssp.h>
#include <Windows.h>
#include <Security.h>
#include <SecExt.h>
#include <WinSock2.h>
#include <Strsafe.h>
END
sed -n '/^#include/p' "$work/all.h" | tac >"$work/reversed.h"
cat >"$work/program" <<'END'
static const TCHAR *const name = TEXT("Negotiate");
SECURITY_STATUS probe(CtxtHandle *context, SecBufferDesc *list);
SECURITY_STATUS probe(CtxtHandle *context, SecBufferDesc *list)
{
    unsigned long qop;
    DWORD qop32;
    SECURITY_STATUS status = DecryptMessage(context, list, 0, &qop);
    if (status != SEC_E_OK || lstrlen(name) > 20)
        return VerifySignature(context, list, 0, &qop32);
    return DecryptMessage(context, list, 0, NULL);
}
END
# __declspec where programs write it.
cat >"$work/declspec" <<'END'
__declspec(deprecated("use that")) void text(void);
__declspec(deprecated) void plain(void);
void __declspec(deprecated("use that")) between(void);
__declspec(dllimport) int imported(void);
__declspec(dllexport) int exported(void);
typedef struct __declspec(align(32)) aligned { unsigned char byte; } ALIGNED;
static __declspec(thread) int first;
__declspec(thread) static int second;
static int __declspec(thread) third;
int __declspec(thread) static fourth;
static __declspec(noinline) int sum(void)
{
    return first + second + third + fourth + (int)sizeof(ALIGNED);
}
int exported(void)
{
    return sum() + imported();
}
END
# spelling LANGUAGE CODE: what the compiler says to the declarations above and some code more.
spelling()
{
    printf '#include <windows.h>\n' | cat - "$work/declspec" >"$work/probe"
    printf '%s\n' "$2" >>"$work/probe"
    # shellcheck disable=SC2086 # words
    $compiler -x $1 -fshort-wchar -DOPENSSPI_WIN32=1 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -I"$include/win32" -I"$include" -c -o "$work/probe.o" "$work/probe" >"$work/log" 2>&1
}
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    # gcc's -Wextra would have "static" before anything else, in C.
    order='-Wno-unknown-warning-option -Wno-old-style-declaration'
    for language in "c -std=c11 $order" "c -std=gnu17 $order" "c++ -std=c++11" "c++ -std=c++17"; do
        if ! spelling "$language" ''; then
            failed=$((failed + 1))
            echo "FAIL: $compiler -x $language, __declspec"
            head -n 15 "$work/log"
        fi
        for name in text between; do
            if spelling "$language" "int caller(void); int caller(void) { $name(); return 0; }" || ! grep -q 'deprecated.*use that' "$work/log"; then
                failed=$((failed + 1))
                echo "FAIL: $compiler -x $language does not tell what __declspec(deprecated) says of $name"
            fi
        done
        if spelling "$language" '__declspec(property(get = of)) int unknown;'; then
            failed=$((failed + 1))
            echo "FAIL: $compiler -x $language ignores a __declspec"
        fi
    done
done
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for order in all reversed; do
        for unicode in -DANSI_BUILD "-DUNICODE -D_UNICODE"; do
            for language in "c -std=c11" "c -std=gnu17" "c++ -std=c++11" "c++ -std=c++17"; do
                cat "$work/$order.h" "$work/program" >"$work/probe"
                # shellcheck disable=SC2086
                if ! $compiler -x $language -fshort-wchar -DOPENSSPI_WIN32=1 $unicode -O2 -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE -Wall -Wextra -Werror \
                    -I"$include/win32" -I"$include" -c -o "$work/probe.o" "$work/probe" >"$work/log" 2>&1; then
                    failed=$((failed + 1))
                    echo "FAIL: $compiler -x $language $unicode, headers in order $order"
                    head -n 15 "$work/log"
                fi
                # What takes wchar_t for 32 bits must not be called.
                if [ -f "$work/probe.o" ] && nm -u "$work/probe.o" | grep -E ' (__)?(wcs|wmem|wprintf|swprintf)'; then
                    failed=$((failed + 1))
                fi
                rm -f "$work/probe.o"
                compiled=$((compiled + 1))
            done
        done
    done
done
# Standard C without the C library's own names: told, not miscompiled.
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c11 c17 c99; do
        for header in windows.h tchar.h winsock2.h strsafe.h; do
            printf '#include <%s>\n' "$header" >"$work/probe"
            if $compiler -x c -std=$standard -fshort-wchar -DOPENSSPI_WIN32=1 -I"$include/win32" -I"$include" -fsyntax-only "$work/probe" >"$work/log" 2>&1 ||
                ! grep -q 'error.*-D_DEFAULT_SOURCE' "$work/log"; then
                failed=$((failed + 1))
                echo "FAIL: $compiler -std=$standard does not say what <$header> needs"
            fi
        done
    done
done
echo "$failed failed, $compiled programs"
[ "$failed" -eq 0 ] && [ "$compiled" -gt 0 ]
