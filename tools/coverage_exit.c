/*
 * Of coverage builds only (OPENSSPI_COVERAGE): the counters of a process that leaves by _exit, as children of fork do, are
 * written all the same. The linker puts __wrap__exit where _exit was asked for (cmake/Flags.cmake).
 */
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
