/*
 * Replays corpora through a fuzz target without libFuzzer: every file of the folders and every file given, and
 * each small one that a person made also cut off after every byte before its end. Fails when there was nothing to run.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TRUNCATE_MAX 512      /* larger inputs run whole only: each cut costs a run */
#define INPUT_MAX (16u << 20) /* a corpus file beyond this was not meant to be one */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned long n_inputs;

/* Runs one input in a block of exactly its size, so that a sanitizer sees the first byte read too far. */
static int run_bytes(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        return -1;
    }
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    n_inputs++;
    return 0;
}

/* Inputs that a fuzzer found run whole only: it has tried what their pieces reach (./run minimise). */
static int is_found(const char *path)
{
    const char *name = strrchr(path, '/');
    return strncmp(name != NULL ? name + 1 : path, "found_", 6) == 0;
}

static int run_file(const char *path, size_t len)
{
    if (len > INPUT_MAX) {
        fprintf(stderr, "%s: larger than %u bytes\n", path, INPUT_MAX);
        return -1;
    }
    uint8_t *bytes = malloc(len + 1);
    FILE *file = fopen(path, "rb");
    int result = -1;
    if (bytes == NULL || file == NULL || fread(bytes, 1, len, file) != len) {
        fprintf(stderr, "%s: %s\n", path, errno != 0 ? strerror(errno) : "cannot be read");
    } else {
        result = run_bytes(bytes, len);
        if (len < TRUNCATE_MAX && !is_found(path)) {
            for (size_t cut = 0; cut < len && result == 0; cut++) {
                result = run_bytes(bytes, cut);
            }
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    free(bytes);
    return result;
}

static int run_path(const char *path, int depth);

static int run_folder(const char *path, int depth)
{
    struct dirent **entries;
    int n_entries = scandir(path, &entries, NULL, alphasort);
    if (n_entries < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    int result = 0;
    for (int i = 0; i < n_entries; i++) {
        char inside[PATH_MAX];
        if (result == 0 && entries[i]->d_name[0] != '.') {
            int len = snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name);
            result = len < 0 || (size_t)len >= sizeof(inside) ? -1 : run_path(inside, depth + 1);
        }
        free(entries[i]);
    }
    free(entries);
    return result;
}

static int run_path(const char *path, int depth)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        return depth < 4 ? run_folder(path, depth) : 0;
    }
    return run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        if (run_path(argv[i], 0) != 0) {
            return EXIT_FAILURE;
        }
    }
    printf("%lu inputs\n", n_inputs);
    return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
