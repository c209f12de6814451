"""The examples of a Markdown document, or of a manual page in man/: every block of code with what is to be done with it. CONTRIBUTING.md describes the comments.

A comment that begins <!-- example: stands before a block, on lines of its own. Its first line holds words; lines below them belong to the kind.

    <!-- example: illustration: REASON -->     not run, for this reason
    <!-- example: output -->                   what the block before it shows; "..." stands for anything
    <!-- example: output server -->            what the last block that went on running has shown at its end
    <!-- example: setup [with=A,B]             shell commands that no reader sees; no block follows
    COMMANDS -->
    <!-- example: WORDS -->                    further words for how a block is run:
        with=A,B      first run tests/interop/examples/A.sh and B.sh, each once a document
        answers=A|B   what is typed when a password is asked for
        then="PATTERN|TEXT"    when this has been shown, this is typed, and the end of input
        status=N      the exit status (0)
        expect="TEXT" the output has this
        background="PATTERN"   goes on running; the next block comes when it has shown this
        file=PATH     the block is this file: it is put there, and checked by its kind
        krb5.conf, opensspi.conf   an ini block is this, without being put anywhere
        flags=FLAGS   the C compiler gets these
        own           on a computer that no block before has touched; files of the document that were put into the working folder are there

In a manual page a block is a literal display, of shell commands where the comment does not say language=L, and a comment is one of roff's: .\\" example: WORDS, with
its further lines behind .\\" and blanks.

C blocks with a main function are compiled and run, others are compiled within a function or, where they declare things, at the level of the file; the
comment's further lines are what they need declared before."""
import re
import shlex

FENCE = re.compile(r"^(\s*)(```+|~~~+)\s*(\S*)\s*$")
LANGUAGES = {"c", "sh", "tcl", "ini", "text"}
WORDS = {"with", "answers", "status", "expect", "background", "file", "flags", "then", "language"}
SWITCHES = {"krb5.conf", "opensspi.conf", "own", "output", "server", "setup"}


class Problem(Exception):
    """A block that nobody classified, or a comment that says nothing."""


class Block:
    def __init__(self, document, line, language, text, comment):
        self.document, self.line, self.language, self.text = document, line, language, text
        self.words, self.switches, self.reason, self.more = {}, set(), None, ""
        if comment is not None:
            self.take(comment)
        self.kind = self.classify()

    def __str__(self):
        return f"{self.document}:{self.line}"

    def problem(self, what):
        return Problem(f"{self}: {what}; tests/interop/examples.py tells what a block can be")

    def take(self, comment):
        first, _, self.more = comment.partition("\n")
        first = first.strip()
        if first.startswith("illustration"):
            self.reason = first.partition(":")[2].strip()
            if len(self.reason.split()) < 3:
                raise self.problem("an illustration needs a reason")
            return
        for word in shlex.split(first):
            name, equals, value = word.partition("=")
            if equals and name in WORDS and value:
                self.words[name] = value
            elif not equals and name in SWITCHES:
                self.switches.add(name)
            else:
                raise self.problem(f"{word!r} means nothing")

    def classify(self):
        if self.reason is not None:
            return "illustration"
        for kind in ("setup", "output"):
            if kind in self.switches:
                return kind
        if "file" in self.words and self.language != "c":
            return "file"
        if self.language not in LANGUAGES or self.language == "text":
            raise self.problem(f"a block of {self.language or 'no language'} that nobody said anything about")
        return {"c": "c", "sh": "sh", "tcl": "tcl", "ini": "conf"}[self.language]

    def list(self, name, separator=","):
        return self.words[name].split(separator) if name in self.words else []


def comment_of(lines, at):
    """A comment that begins on this line: (text, line after it), or None."""
    if not lines[at].lstrip().startswith("<!-- example:"):
        return None
    text = ""
    for end in range(at, len(lines)):
        text += lines[end] + "\n"
        if "-->" in lines[end]:
            if lines[end].split("-->", 1)[1].strip():
                raise Problem(f"line {end + 1}: nothing may follow the comment")
            return text.strip()[len("<!-- example:"):-len("-->")].rstrip(), end + 1
    raise Problem(f"line {at + 1}: the comment does not end")


def fenced(lines, at):
    """A fenced block that begins on this line: (language, text, line after it), or None."""
    opening = FENCE.match(lines[at])
    if not opening:
        if lines[at].lstrip().startswith(("```", "~~~")):
            raise Problem(f"line {at + 1}: a fence with more than a language's name")
        return None
    indent, fence, language = opening.groups()
    for end in range(at + 1, len(lines)):
        if lines[end].strip() == fence:
            text = "".join(line[len(indent):] if line.startswith(indent) else line.lstrip() for line in (each + "\n" for each in lines[at + 1:end]))
            return language, text, end + 1
    raise Problem(f"line {at + 1}: the fence is not closed")


def plain(line):
    """A line of roff as it is shown."""
    return line.removeprefix("\\&").replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def manual_blocks(document, text):
    """The same of a manual page."""
    lines, found, at, comment = text.split("\n"), [], 0, None
    while at < len(lines):
        begin = at + 1
        if lines[at].startswith('.\\" example:'):
            if comment is not None:
                raise Problem(f"{document}:{begin}: two comments, or one without a block")
            comment = lines[at].removeprefix('.\\" example:').strip()
            while at + 1 < len(lines) and re.match(r'\.\\" ', lines[at + 1]) and not lines[at + 1].startswith('.\\" example:'):
                at += 1
                comment += "\n" + lines[at][3:].strip()
            if comment.split()[:1] == ["setup"]:
                found.append(Block(document, begin, "sh", "", comment))
                comment = None
        elif lines[at].startswith(".Bd -literal"):
            end = lines.index(".Ed", at)
            language = re.match(r".*\blanguage=(\w+)", (comment or "").split("\n")[0])
            shown = "".join(plain(line) + "\n" for line in lines[at + 1:end])
            found.append(Block(document, begin, language.group(1) if language else "sh", shown, comment))
            at, comment = end, None
        elif comment is not None:
            raise Problem(f"{document}:{begin}: a comment about an example, and no block after it")
        at += 1
    return found


def blocks(document, text):
    """All blocks in their order. Raises Problem for one that is not classified, and for code that is indented instead of fenced."""
    if document.startswith("man/"):
        return manual_blocks(document, text)
    lines, found, at, comment = text.split("\n"), [], 0, None
    while at < len(lines):
        taken = comment_of(lines, at)
        if taken is not None:
            if comment is not None:
                raise Problem(f"{document}:{at + 1}: two comments, or one without a block")
            comment, begin = taken[0], at + 1
            at = taken[1]
            if comment.split()[:1] == ["setup"]:
                found.append(Block(document, begin, "sh", "", comment))
                comment = None
            continue
        block = fenced(lines, at)
        if block is not None:
            found.append(Block(document, at + 1, block[0], block[1], comment))
            comment, at = None, block[2]
            continue
        if re.match(r"^(?: {4}|\t)\S", lines[at]) and (at == 0 or not lines[at - 1].strip()) and not in_list(lines, at):
            raise Problem(f"{document}:{at + 1}: code that is indented: fence it")
        if lines[at].strip() and comment is not None:
            raise Problem(f"{document}:{at + 1}: a comment about an example, and no block after it")
        at += 1
    if comment is not None:
        raise Problem(f"{document}: the last comment about an example has no block")
    return found


def in_list(lines, at):
    """Whether an indented line goes on with an item of a list."""
    for line in reversed(lines[:at]):
        if line.strip() and not line.startswith((" ", "\t")):
            return bool(re.match(r"(?:[-*+]|\d+[.)]) ", line))
    return False
