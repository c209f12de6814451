/*
 * tchar.h: text of either width, by _UNICODE. Wide names need -fshort-wchar (see crt.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_TCHAR_H
#define OPENSSPI_WIN32_TCHAR_H

#include "crt.h"
#include <ctype.h>

#ifdef _UNICODE
#define _T(x) OPENSSPI_WIDE(x)
#define _TEXT(x) OPENSSPI_WIDE(x)
typedef WCHAR _TCHAR;
typedef WCHAR _TSCHAR;
#define _tmain wmain
#define _tprintf wprintf
#define _ftprintf fwprintf
#define _vtprintf vwprintf
#define _vftprintf vfwprintf
#define _tscanf wscanf
#define _tscanf_s wscanf_s
#define _ftscanf fwscanf
#define _ftscanf_s fwscanf_s
#define _stscanf swscanf
#define _stscanf_s swscanf_s
#define _stprintf_s swprintf_s
#define _vstprintf_s vswprintf_s
#define _sntprintf _snwprintf
#define _vsntprintf _vsnwprintf
#define _sntprintf_s _snwprintf_s
#define _vsntprintf_s _vsnwprintf_s
#define _fputts fputws
#define _putts _putws
#define _fgetts fgetws
#define _tfopen _wfopen
#define _tcslen wcslen
#define _tcsnlen wcsnlen
#define _tcscpy wcscpy
#define _tcsncpy wcsncpy
#define _tcscat wcscat
#define _tcsncat wcsncat
#define _tcscmp wcscmp
#define _tcsncmp wcsncmp
#define _tcsicmp _wcsicmp
#define _tcsnicmp _wcsnicmp
#define _tcschr wcschr
#define _tcsrchr wcsrchr
#define _tcsstr wcsstr
#define _tcspbrk wcspbrk
#define _tcsspn wcsspn
#define _tcscspn wcscspn
#define _tcstok_s wcstok_s
#define _tcsdup _wcsdup
#define _gettch _getwch
#define _gettche _getwche
#define _puttch _putwch
#define _cputts _cputws
#define _tcsupr _wcsupr
#define _tcslwr _wcslwr
#define _tcstol wcstol
#define _tcstoul wcstoul
#define _ttoi _wtoi
#define _tcscpy_s wcscpy_s
#define _tcscat_s wcscat_s
#define _tcsncpy_s wcsncpy_s
#define _tcstok opensspi_ms_wcstok
#define _tstoi _wtoi
#define _tstol _wtol
#define _ttol _wtol
#define _stprintf _swprintf
#define _vstprintf _vswprintf
#define _sctprintf _scwprintf
#define _vsctprintf _vscwprintf
#define _tcsncat_s wcsncat_s
#define _totupper towupper
#define _totlower towlower
#define _istalpha iswalpha
#define _istalnum iswalnum
#define _istdigit iswdigit
#define _istspace iswspace
#define _istupper iswupper
#define _istlower iswlower
#define _istprint iswprint
#define _istpunct iswpunct
#define _istxdigit iswxdigit
#else
#define _T(x) x
#define _TEXT(x) x
typedef char _TCHAR;
typedef signed char _TSCHAR;
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _tscanf scanf
#define _tscanf_s scanf_s
#define _ftscanf fscanf
#define _ftscanf_s fscanf_s
#define _stscanf sscanf
#define _stscanf_s sscanf_s
#define _stprintf_s sprintf_s
#define _vstprintf_s vsprintf_s
#define _sntprintf _snprintf
#define _vsntprintf _vsnprintf
#define _sntprintf_s _snprintf_s
#define _vsntprintf_s _vsnprintf_s
#define _fputts fputs
#define _putts puts
#define _fgetts fgets
#define _tfopen fopen
#define _tcslen strlen
#define _tcsnlen strnlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp _stricmp
#define _tcsnicmp _strnicmp
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcspbrk strpbrk
#define _tcsspn strspn
#define _tcscspn strcspn
#define _tcstok_s strtok_s
#define _tcsdup _strdup
#define _gettch _getch
#define _gettche _getche
#define _puttch _putch
#define _cputts _cputs
#define _tcstol strtol
#define _tcstoul strtoul
#define _ttoi atoi
#define _tcscpy_s strcpy_s
#define _tcscat_s strcat_s
#define _tcsncpy_s strncpy_s
#define _tcstok strtok
#define _tstoi atoi
#define _tstol atol
#define _ttol atol
#define _stprintf sprintf
#define _vstprintf vsprintf
#define _sctprintf _scprintf
#define _vsctprintf _vscprintf
#define _tcsncat_s strncat_s
#define _totupper toupper
#define _totlower tolower
#define _istalpha isalpha
#define _istalnum isalnum
#define _istdigit isdigit
#define _istspace isspace
#define _istupper isupper
#define _istlower islower
#define _istprint isprint
#define _istpunct ispunct
#define _istxdigit isxdigit
#define _tcsupr _strupr
#define _tcslwr _strlwr
#endif

#endif
