#include "environment.h"

#include "fork.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

FORK_GUARD(lock)

char *environment_copy(const char *name, bool *is_set)
{
    pthread_mutex_lock(&lock);
    const char *value = name != NULL ? getenv(name) : NULL;
    char *copy = value != NULL ? strdup(value) : NULL;
    *is_set = value != NULL;
    pthread_mutex_unlock(&lock);
    return copy;
}

int environment_set(const char *name, const char *value)
{
    int error = 0;
    pthread_mutex_lock(&lock);
    if (value == NULL && getenv(name) == NULL)
        error = ENOENT;
    else if ((value != NULL ? setenv(name, value, 1) : unsetenv(name)) != 0)
        error = errno;
    pthread_mutex_unlock(&lock);
    return error;
}
