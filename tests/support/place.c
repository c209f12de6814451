#include "support/place.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 192

bool place_make(char place[PLACE_LEN])
{
    if (place[0] != '\0')
        return false;
    strcpy(place, "/tmp/opensspi-test-XXXXXX");
    char *made = mkdtemp(place);
    assert(made != NULL);
    return true;
}

void place_file(const char *place, const char *name, const char *text)
{
    char path[PATH_LEN], fresh[PATH_LEN + 4];
    snprintf(path, sizeof path, "%s/%s", place, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    assert(file != NULL);
    fputs(text, file);
    fchmod(fileno(file), 0600);
    fclose(file);
    int failed = rename(fresh, path);
    assert(failed == 0);
}

void place_configure(const char *place, const char *text)
{
    char path[PATH_LEN];
    place_file(place, "opensspi.conf", text);
    snprintf(path, sizeof path, "%s/opensspi.conf", place);
    setenv("OPENSSPI_CONFIG", path, 1);
    unsetenv("NTLM_USER_FILE");
    unsetenv("OPENSSPI_NTLM_USER_FILE");
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

void place_remove(char place[PLACE_LEN])
{
    if (place[0] != '\0')
        nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    place[0] = '\0';
}
