/* A program that begins with wmain: its arguments are text of 16 bits. Give it "grün" and the environment OPENSSPI_TEST_WIDE=1. */
#include <stdio.h>
#include <windows.h>
#include <tchar.h>

int _tmain(int argc, _TCHAR *argv[], _TCHAR *envp[])
{
    int found = 0;
    for (int i = 0; envp[i] != NULL; i++)
        found += _tcscmp(envp[i], _T("OPENSSPI_TEST_WIDE=1")) == 0;
    _tprintf(_T("%d arguments, the second is %s, of %u characters\n"), argc, argv[1], (unsigned)_tcslen(argv[1]));
    return argc == 2 && argv[2] == NULL && _tcscmp(argv[1], _T("grün")) == 0 && found == 1 ? 0 : 1;
}
