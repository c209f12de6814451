/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char page_style[] =
    ":root{color-scheme:light dark;--back:#f3f5f9;--card:#fff;--line:#e1e6ef;--text:#172033;--soft:#5b6780;"
    "--blue:#2456d6;--chip:#e8effe;--good:#0c7a43;--goodback:#e2f5ea;--warn:#8a5300;--warnback:#fdf0d9}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#0e131d;--card:#171e2c;--line:#293347;--text:#e8edf7;--soft:#"
    "9aa7bf;"
    "--blue:#8fb2ff;--chip:#22304f;--good:#6fdc9f;--goodback:#14352a;--warn:#ffc873;--warnback:#3a2c12}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 system-ui,'Segoe UI',Roboto,'Noto "
    "Sans',sans-serif}\n"
    "main{max-width:60rem;margin:0 auto;padding:clamp(1.25rem,4vw,3.5rem) clamp(1rem,4vw,2rem)}\n"
    ".hero{display:flex;gap:1.5rem;align-items:center;margin-bottom:2rem}\n"
    ".avatar{flex:none;display:grid;place-items:center;width:5rem;height:5rem;border-radius:1.5rem;color:#fff;"
    "font-size:1.9rem;font-weight:650;background:linear-gradient(135deg,#2456d6,#7a3fe0)}\n"
    ".kicker{margin:0;color:var(--good);font-weight:600;font-size:.9rem}\n"
    "h1{margin:.1rem "
    "0;font-size:clamp(1.5rem,5vw,2.3rem);line-height:1.2;letter-spacing:-.02em;overflow-wrap:anywhere}\n"
    ".lead{margin:0;color:var(--soft)}\n"
    ".cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr))}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:1.25rem 1.5rem;"
    "box-shadow:0 1px 2px rgb(0 0 0/.05)}\n"
    ".wide{grid-column:1/-1}\n"
    "h2{margin:0 0 .75rem;font-size:1rem}\n"
    "h2 small{color:var(--soft);font-weight:400}\n"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.45rem 1.25rem;margin:0}\n"
    "dt{color:var(--soft)}\n"
    "dd{margin:0;text-align:right;overflow-wrap:anywhere;font-weight:550}\n"
    "code{font:.88em ui-monospace,'Cascadia Code','DejaVu Sans Mono',monospace}\n"
    "ul{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:0;padding:0}\n"
    "li{background:var(--chip);color:var(--blue);border-radius:99px;padding:.2rem "
    ".8rem;font-size:.9rem;font-weight:550}\n"
    ".good,.warn{border-radius:99px;padding:.15rem .7rem;font-size:.9rem;font-weight:600}\n"
    ".good{color:var(--good);background:var(--goodback)}\n"
    ".warn{color:var(--warn);background:var(--warnback)}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "td{padding:.5rem .5rem .5rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}\n"
    "tr:first-child td{border-top:0}\n"
    "td:last-child{text-align:right;color:var(--soft);padding-right:0}\n"
    ".soft{color:var(--soft);margin:0}\n"
    "footer{margin-top:2rem;color:var(--soft);font-size:.88rem}\n";

static const struct {
    ULONG bit;
    const char *word, *plain;
} flags[] = {
    {ASC_RET_MUTUAL_AUTH, "mutual_auth", "Server proved itself"},
    {ASC_RET_INTEGRITY, "integrity", "Can sign"},
    {ASC_RET_CONFIDENTIALITY, "confidentiality", "Can encrypt"},
    {ASC_RET_REPLAY_DETECT, "replay_detect", "Detects replays"},
    {ASC_RET_SEQUENCE_DETECT, "sequence_detect", "Keeps order"},
    {ASC_RET_DELEGATE, "delegate", "Credentials lent"},
    {ASC_RET_IDENTIFY, "identify", "May identify only"},
    {ASC_RET_NULL_SESSION, "null_session", "Anonymous"},
    {ASC_RET_USED_DCE_STYLE, "dce_style", "DCE style"},
};

static const struct {
    const char *sid, *name;
} known_sids[] = {
    {"S-1-1-0", "Everyone"},
    {"S-1-5-2", "Network"},
    {"S-1-5-7", "Anonymous"},
    {"S-1-5-11", "Authenticated users"},
    {"S-1-5-32-544", "Administrators of this computer"},
    {"S-1-5-32-545", "Users of this computer"},
    {"S-1-18-1", "Identity asserted by the domain"},
    {"S-1-18-2", "Identity asserted by a service"},
};

/* Of every domain (MS-DTYP 2.4.2.4). */
static const struct {
    const char *rid, *name;
} known_rids[] = {
    {"512", "Domain administrators"},     {"513", "Domain users"},          {"514", "Domain guests"},
    {"515", "Domain computers"},          {"516", "Domain controllers"},    {"518", "Schema administrators"},
    {"519", "Enterprise administrators"}, {"520", "Group policy creators"}, {"572", "Passwords not replicated"},
};

static const char *SidName(const char *sid)
{
    const char *rid = strrchr(sid, '-');
    for (size_t i = 0; i < COUNT(known_sids); i++)
        if (strcmp(sid, known_sids[i].sid) == 0)
            return known_sids[i].name;
    if (strncmp(sid, "S-1-5-21-", 9) == 0)
        for (size_t i = 0; i < COUNT(known_rids); i++)
            if (strcmp(rid + 1, known_rids[i].rid) == 0)
                return known_rids[i].name;
    return "Group";
}

static void Begin(struct text *text, const char *title)
{
    TextPut(text, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    TextPutHtml(text, title);
    TextPut(text,
            "</title>\n<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n"
            "<body>\n<main>\n");
}

static void End(struct text *text)
{
    TextPut(text, "</main>\n</body>\n</html>\n");
}

/* The first letter of EXAMPLE\alice or alice@EXAMPLE.TEST; no letter of ASCII, no initial. */
static void Initial(struct text *text, const char *user)
{
    const char *name = strchr(user, '\\') != NULL ? strchr(user, '\\') + 1 : user;
    char letter[2] = "?";
    if ((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z'))
        letter[0] = (char)(*name & ~0x20);
    TextPutHtml(text, letter);
}

/* A name that is too long for its line breaks before its realm, if it has one. */
static void Name(struct text *text, const char *name)
{
    char start[512];
    const char *realm = strrchr(name, '@');
    size_t len = realm != NULL ? (size_t)(realm - name) : 0;
    if (realm != NULL && len < sizeof start) {
        memcpy(start, name, len);
        start[len] = '\0';
        TextPutHtml(text, start);
        TextPut(text, "<wbr>");
        name = realm;
    }
    TextPutHtml(text, name);
}

static void Term(struct text *text, const char *name, const char *id, const char *value, bool code)
{
    TextFormat(text, "<dt>%s</dt><dd id=\"%s\">%s", name, id, code ? "<code>" : "");
    Name(text, value);
    TextFormat(text, "%s</dd>\n", code ? "</code>" : "");
}

static void Hero(struct text *text, const struct visitor *visitor)
{
    TextPut(text, "<header class=\"hero\">\n<div class=\"avatar\" aria-hidden=\"true\">");
    Initial(text, visitor->user);
    TextPut(text, "</div>\n<div>\n<p class=\"kicker\">Signed on</p>\n<h1 id=\"user\">");
    Name(text, visitor->user);
    TextPut(text, "</h1>\n<p class=\"lead\">No form, no cookie: the browser did it by ");
    TextPutHtml(text, visitor->package);
    TextPut(text, ".</p>\n</div>\n</header>\n");
}

static void SignOnCard(struct text *text, const struct visitor *visitor, bool secure, bool bound)
{
    TextPut(text, "<section class=\"card\">\n<h2>The sign-on</h2>\n<dl>\n");
    Term(text, "Package", "package", visitor->package, false);
    Term(text, "HTTP scheme", "scheme", visitor->scheme, false);
    bool named = visitor->target != NULL && visitor->target[0] != '\0';
    Term(text, "Service meant", "target", named ? visitor->target : "not said", named);
    if (visitor->identity != NULL)
        Term(text, "User SID", "sid", visitor->identity->UserSid, true);
    TextFormat(text, "<dt>Connection</dt><dd id=\"connection\"><span class=\"%s\">%s</span></dd>\n</dl>\n</section>\n",
               secure && bound ? "good" : "warn",
               !secure ? "In the clear"
               : bound ? "TLS, bound to it"
                       : "TLS, not bound to it");
}

static void FlagsCard(struct text *text, const struct visitor *visitor)
{
    bool any = false;
    TextPut(text, "<section class=\"card\">\n<h2>What was agreed</h2>\n<ul id=\"flags\">\n");
    for (size_t i = 0; i < COUNT(flags); i++)
        if ((visitor->flags & flags[i].bit) != 0) {
            TextFormat(text, "<li data-flag=\"%s\">%s</li>\n", flags[i].word, flags[i].plain);
            any = true;
        }
    TextPut(text,
            any ? "</ul>\n</section>\n" : "</ul>\n<p class=\"soft\">Who it is, and nothing more.</p>\n</section>\n");
}

static void GroupsCard(struct text *text, const OPENSSPI_CLIENT_IDENTITY *identity)
{
    ULONG n = identity != NULL ? identity->GroupCount : 0;
    TextFormat(text, "<section class=\"card wide\">\n<h2>Groups <small>%lu</small></h2>\n", (unsigned long)n);
    if (n == 0)
        TextPut(text, identity == NULL ? "<p class=\"soft\">The server knows this user by name alone.</p>\n"
                                       : "<p class=\"soft\">This user is in no group.</p>\n");
    else
        TextPut(text, "<table id=\"groups\">\n");
    for (ULONG i = 0; i < n; i++) {
        TextPut(text, "<tr><td><code>");
        TextPutHtml(text, identity->Groups[i].Sid);
        TextPut(text, "</code></td><td>");
        TextPutHtml(text, SidName(identity->Groups[i].Sid));
        if (identity->Groups[i].Gid >= 0)
            TextFormat(text, " · gid %lld", (long long)identity->Groups[i].Gid);
        TextPut(text, "</td></tr>\n");
    }
    TextPut(text, n == 0 ? "</section>\n" : "</table>\n</section>\n");
}

void PageVisitor(struct text *text, const struct visitor *visitor, bool secure, bool bound)
{
    Begin(text, visitor->user);
    Hero(text, visitor);
    TextPut(text, "<div class=\"cards\">\n");
    SignOnCard(text, visitor, secure, bound);
    FlagsCard(text, visitor);
    GroupsCard(text, visitor->identity);
    TextPut(
        text,
        "</div>\n<footer>httpauth, a sample of OpenSSPI. This page was made for you and is kept nowhere.</footer>\n");
    End(text);
}

void PageVisitorJson(struct text *text, const struct visitor *visitor, bool secure, bool bound)
{
    const char *comma = "";
    TextPut(text, "{\"user\":");
    TextPutJson(text, visitor->user);
    TextPut(text, ",\"package\":");
    TextPutJson(text, visitor->package);
    TextPut(text, ",\"scheme\":");
    TextPutJson(text, visitor->scheme);
    TextPut(text, ",\"target\":");
    TextPutJson(text, visitor->target);
    TextFormat(text, ",\"tls\":%s,\"bound\":%s,\"flags\":[", secure ? "true" : "false", bound ? "true" : "false");
    for (size_t i = 0; i < COUNT(flags); i++)
        if ((visitor->flags & flags[i].bit) != 0) {
            TextPut(text, comma);
            TextPutJson(text, flags[i].word);
            comma = ",";
        }
    TextPut(text, "],\"sid\":");
    TextPutJson(text, visitor->identity != NULL ? visitor->identity->UserSid : "");
    TextPut(text, ",\"groups\":[");
    for (ULONG i = 0; visitor->identity != NULL && i < visitor->identity->GroupCount; i++) {
        TextPut(text, i > 0 ? "," : "");
        TextPutJson(text, visitor->identity->Groups[i].Sid);
    }
    TextPut(text, "]}\n");
}

void PageMessage(struct text *text, const char *title, const char *sentence)
{
    Begin(text, title);
    TextPut(text, "<section class=\"card\">\n<h1>");
    TextPutHtml(text, title);
    TextPut(text, "</h1>\n<p class=\"soft\">");
    TextPutHtml(text, sentence);
    TextPut(text, "</p>\n</section>\n");
    End(text);
}
