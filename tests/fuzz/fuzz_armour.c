/*
 * CryptStringToBinary in every form: what is read is written again and reads the same; sizes asked for are those given.
 */
#include "base/memory.h"
#include "fuzz/world.h"
#include <string.h>
#include <wincrypt.h>

static void write_again(const BYTE *bytes, DWORD len, DWORD form)
{
    DWORD n = 0, n_back = len;
    MUST(CryptBinaryToStringA(bytes, len, form, NULL, &n));
    char *text = mem_zalloc(n);
    BYTE *back = mem_zalloc(len);
    MUST(text != NULL && back != NULL);
    MUST(CryptBinaryToStringA(bytes, len, form, text, &n));
    if (n > 0) {
        MUST(CryptStringToBinaryA(text, n, form, back, &n_back, NULL, NULL));
        MUST(n_back == len && memcmp(back, bytes, len) == 0);
    }
    mem_free(text);
    mem_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096)
        return 0;
    DWORD form = data[0] % 14, strict = data[0] & 0x80 ? CRYPT_STRING_STRICT : 0, n = 0, skip = 0, found = 0;
    if (!CryptStringToBinaryA((const char *)data + 1, (DWORD)size - 1, form | strict, NULL, &n, &skip, &found))
        return 0;
    MUST(skip < size && n <= size);
    BYTE *bytes = mem_zalloc(n);
    DWORD room = n;
    MUST(bytes != NULL);
    MUST(CryptStringToBinaryA((const char *)data + 1, (DWORD)size - 1, form | strict, bytes, &room, NULL, NULL));
    MUST(room == n);
    write_again(bytes, n, found);
    mem_free(bytes);
    return 0;
}
