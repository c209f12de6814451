/* The functions of both libraries by name, for GetProcAddress. */
#ifndef WIN32_EXPORTED_H
#define WIN32_EXPORTED_H

/* A function that libopensspi-win32 or libopensspi exports, under the name that programs write; NULL when neither does. The shared library asks the
 * dynamic linker (exported.c), the archive has a table made by cmake/Exported.cmake: a static program has nobody to ask. */
void *exported_find(const char *name);

#endif
