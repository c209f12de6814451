/*
 * A program that loads the library, uses it, lets it go, and looks whether its code is still there.
 * build: peer krb5
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "usage: unload LIBRARY\n");
        return 2;
    }
    const char *(*version)(void) = (const char *(*)(void))dlsym(library, "OpenSspiVersion");
    if (version == NULL || dlclose(library) != 0)
        return 2;
    void *still = dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD);
    printf("%s\n", still != NULL ? version() : "gone");
    return still != NULL ? 0 : 1;
}
