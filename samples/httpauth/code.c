/* SPDX-License-Identifier: MIT */
#include "code.h"

#include <sspi_ext.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
#define PAD 64 /* the place of the sign that fills up */

char *uuencode(const unsigned char *data, size_t len)
{
    char *text = malloc((len + 2) / 3 * 4 + 1), *at = text;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= n > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= n > 2 ? data[i + 2] : 0;
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = letters[n > 1 ? bits >> 6 & 63 : PAD];
        *at++ = letters[n > 2 ? bits & 63 : PAD];
    }
    *at = '\0';
    return text;
}

static int Value(char letter)
{
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    return found != NULL && found - letters < PAD ? (int)(found - letters) : -1;
}

BOOL uudecode(const char *text, size_t text_len, unsigned char *data, size_t *len)
{
    size_t out = 0;
    if (text_len % 4 != 0)
        return FALSE;
    for (size_t i = 0; i < text_len; i += 4) {
        BOOL last = i + 4 == text_len;
        size_t n = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 1 : 2) : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k <= n; k++) {
            int value = Value(text[i + k]);
            if (value < 0)
                return FALSE;
            bits |= (uint32_t)value << (18 - 6 * k);
        }
        if ((n == 1 && (bits & 0xffff) != 0) || (n == 2 && (bits & 0xff) != 0) || n > *len - out)
            return FALSE;
        for (size_t k = 0; k < n; k++)
            data[out++] = (unsigned char)(bits >> (16 - 8 * k));
    }
    *len = out;
    return TRUE;
}

const char *StatusText(SECURITY_STATUS status)
{
    static _Thread_local char text[640];
    const char *cause = OpenSspiLastErrorText(), *name = OpenSspiStatusName(status);
    char number[16];
    snprintf(number, sizeof number, "0x%08x", (unsigned)status);
    snprintf(text, sizeof text, "%s%s%s%s", name[0] != '\0' ? name : number, cause[0] != '\0' ? " (" : "", cause,
             cause[0] != '\0' ? ")" : "");
    return text;
}
