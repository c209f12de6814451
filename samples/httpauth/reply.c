/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_MAX ((size_t)256 * 1024) /* two tokens of Kerberos' longest fit */
#define EXPLANATION_MAX (1024LL * 1024)
#define BODY_MAX (1LL << 40)

static int Byte(struct wire *wire)
{
    if (wire->at == wire->len) {
        long got = wire->receive(wire->channel, wire->data, sizeof wire->data);
        if (got <= 0) {
            wire->broken = got < 0;
            return -1;
        }
        wire->at = 0;
        wire->len = (size_t)got;
    }
    return (unsigned char)wire->data[wire->at++];
}

/* One line without its end, appended to the header with a NUL. False at the end of the input, or past the bound. */
static bool Line(struct wire *wire, struct reply *reply, char **line)
{
    size_t start = reply->lines_len;
    for (;;) {
        int c = Byte(wire);
        if (c < 0 || reply->lines_len + 1 >= HEADER_MAX)
            return false;
        if (c == '\n')
            break;
        reply->lines[reply->lines_len++] = (char)c;
    }
    if (reply->lines_len > start && reply->lines[reply->lines_len - 1] == '\r')
        reply->lines_len--;
    reply->lines[reply->lines_len++] = '\0';
    *line = reply->lines + start;
    return strlen(*line) == reply->lines_len - start - 1; /* no NUL inside */
}

static bool Number(const char *text, int base, long long *number)
{
    char *end;
    if (strchr("0123456789abcdefABCDEF", text[0]) == NULL || text[0] == '\0')
        return false;
    *number = strtoll(text, &end, base);
    return *number >= 0 && *number <= BODY_MAX && strchr(" \t;", *end) != NULL;
}

static char *Value(char *line, const char *name)
{
    size_t len = strlen(name);
    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    return line + len + 1 + strspn(line + len + 1, " \t");
}

/* Behind a comma stands a scheme's name, or a parameter of the scheme before, whose name a "=" follows (RFC 9110 11.3). */
static bool IsScheme(const char *text)
{
    const char *end = text + strcspn(text, " \t,=\"");
    if (end == text)
        return false;
    end += strspn(end, " \t");
    return *end != '=' && *end != '"';
}

/* Up to the comma, outside quotes, that the next challenge's scheme follows. */
static char *ChallengeEnd(char *at)
{
    for (bool quoted = false; *at != '\0'; at++) {
        if (quoted && at[0] == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && *at == ',' && IsScheme(at + 1 + strspn(at + 1, " \t")))
            break;
    }
    return at;
}

/* One line may hold several challenges, 'Negotiate, Basic realm="a, b", NTLM' (RFC 9110 11.6.1): they are parted in place. */
static void PartChallenges(struct reply *reply, char *list)
{
    while (*(list += strspn(list, ", \t")) != '\0' && reply->n_challenges < CHALLENGES_MAX) {
        char *end = ChallengeEnd(list), *next = *end != '\0' ? end + 1 : end;
        while (end > list && strchr(", \t", end[-1]) != NULL)
            end--;
        *end = '\0';
        reply->challenges[reply->n_challenges++] = list;
        list = next;
    }
}

static bool Field(struct reply *reply, char *line)
{
    char *value;
    if ((value = Value(line, "WWW-Authenticate")) != NULL)
        PartChallenges(reply, value);
    else if ((value = Value(line, "Authentication-Info")) != NULL)
        reply->info = value;
    else if ((value = Value(line, "Content-Length")) != NULL)
        return Number(value, 10, &reply->length);
    else if ((value = Value(line, "Transfer-Encoding")) != NULL) /* none other was offered (RFC 9112 6.1) */
        return reply->chunked = strcasecmp(value, "chunked") == 0;
    else if ((value = Value(line, "Connection")) != NULL && strcasecmp(value, "close") == 0)
        reply->keeps = false;
    return true;
}

static bool StatusLine(struct reply *reply, const char *line)
{
    long long status;
    if (strncmp(line, "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') || line[8] != ' ' ||
        !Number(line + 9, 10, &status) || status < 100 || status > 599)
        return false;
    reply->status = (int)status;
    reply->keeps = line[7] == '1';
    snprintf(reply->reason, sizeof reply->reason, "%s", strlen(line) > 13 ? line + 13 : "");
    return true;
}

static bool HeaderRead(struct wire *wire, bool verbose, struct reply *reply)
{
    char *line;
    *reply = (struct reply){.lines = malloc(HEADER_MAX), .length = -1};
    if (reply->lines == NULL || !Line(wire, reply, &line) || !StatusLine(reply, line))
        return false;
    if (verbose)
        fprintf(stderr, "< %s\n", line);
    for (;;) {
        if (!Line(wire, reply, &line))
            return false;
        if (line[0] == '\0')
            break;
        if (verbose)
            fprintf(stderr, "< %s\n", line);
        if (!Field(reply, line))
            return false;
    }
    if (reply->status == 204 || reply->status == 304)
        reply->length = 0;
    reply->keeps = reply->keeps && (reply->chunked || reply->length >= 0);
    return true;
}

bool ReplyRead(struct wire *wire, bool verbose, struct reply *reply)
{
    bool good = HeaderRead(wire, verbose, reply);
    for (int i = 0; good && reply->status < 200 && i < 8; i++) { /* 100 Continue and its like */
        ReplyFree(reply);
        good = HeaderRead(wire, verbose, reply);
    }
    return good && reply->status >= 200;
}

/* `len` bytes, or all there are when it is negative. */
static bool Copy(struct wire *wire, long long len, FILE *to, long long *total)
{
    for (long long i = 0; len < 0 || i < len; i++) {
        int c = Byte(wire);
        if (c < 0)
            return len < 0 && !wire->broken;
        if ((to != NULL && putc(c, to) == EOF) || ++*total > (to != NULL ? BODY_MAX : EXPLANATION_MAX))
            return false;
    }
    return true;
}

static bool Chunks(struct wire *wire, struct reply *reply, FILE *to, long long *total)
{
    for (;;) {
        char *line;
        long long len;
        size_t start = reply->lines_len; /* chunk lines borrow the header's room */
        if (!Line(wire, reply, &line) || !Number(line, 16, &len))
            return false;
        reply->lines_len = start;
        if (len > 0 && !Copy(wire, len, to, total))
            return false;
        do { /* after a chunk its line's end, after the last one trailers */
            reply->lines_len = start;
            if (!Line(wire, reply, &line) || (len > 0 && line[0] != '\0'))
                return false;
        } while (line[0] != '\0');
        reply->lines_len = start;
        if (len == 0)
            return true;
    }
}

bool ReplyBody(struct wire *wire, struct reply *reply, FILE *to)
{
    long long total = 0;
    return reply->chunked ? Chunks(wire, reply, to, &total) : Copy(wire, reply->length, to, &total);
}

void ReplyFree(struct reply *reply)
{
    free(reply->lines);
    *reply = (struct reply){0};
}
