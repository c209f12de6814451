#include "core/last_error.h"

static _Thread_local uint32_t code_of_thread;

void last_error_set(uint32_t code)
{
    code_of_thread = code;
}

uint32_t last_error(void)
{
    return code_of_thread;
}
