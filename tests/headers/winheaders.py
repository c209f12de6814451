"""Reads C headers the way the tests here need them: macros, structures, enumerations and prototypes.

The compiler preprocesses; this module splits what it prints into declarations and remembers which file each came
from. It knows as much C as Windows headers use, not more. Standard library only.
"""

import re
import subprocess

_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|0[xX][0-9a-fA-F]+\w*|\d[\w.]*|\.\.\.|<<|>>|[^\s]'
)
_MARKER = re.compile(r'#\s+(\d+)\s+"((?:\\.|[^"\\])*)"')


class Headers:
    """What the headers chosen by `wanted(path)` declare.

    macros      name -> replacement text, object-like ones
    calls       name -> None, function-like macros
    guids       name -> [number, ...]
    functions   name -> (result, [parameter, ...]) as normalised text
    structs     typedef name or "struct tag" -> [member path, ...]
    enumerators name -> None
    typedefs    name -> None
    Each also has an entry name -> path in `origin`.
    """

    def __init__(self):
        self.macros = {}
        self.calls = {}
        self.guids = {}
        self.functions = {}
        self.structs = {}
        self.enumerators = {}
        self.typedefs = {}
        self.origin = {}


def preprocess(command, source):
    """The output of `command` -E -dD for the C text `source`."""
    result = subprocess.run(
        command + ["-E", "-dD", "-x", "c", "-"], input=source, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise SystemExit("preprocessing failed: %s\n%s" % (" ".join(command), result.stderr))
    return result.stdout


def read(command, source, wanted):
    """Parses `source` with `command` and keeps what comes from files for which wanted(path) is true."""
    headers = Headers()
    tokens = []
    path = ""
    for line in preprocess(command, source).splitlines():
        marker = _MARKER.match(line)
        if marker:
            path = marker.group(2)
            continue
        if line.startswith("#"):
            _directive(headers, line, path, wanted)
            continue
        tokens.extend((token, path) for token in _TOKEN.findall(line))
    for statement in _statements(tokens):
        origin = statement[0][1]
        if wanted(origin):
            _declaration(headers, [token for token, _ in statement], origin)
    return headers


def _directive(headers, line, path, wanted):
    if not wanted(path):
        return
    match = re.match(r"#define (\w+)(\(?)(.*)", line)
    if match and not match.group(2):
        headers.macros[match.group(1)] = match.group(3).strip()
        headers.origin[match.group(1)] = path
    elif match:
        headers.calls[match.group(1)] = None
        headers.origin[match.group(1)] = path
    match = re.match(r"#undef (\w+)", line)
    if match:
        headers.macros.pop(match.group(1), None)
        headers.calls.pop(match.group(1), None)


def _statements(tokens):
    """Splits tokens into top-level declarations; bodies of inline functions end one, too."""
    statement = []
    depth = 0
    for item in tokens:
        token = item[0]
        statement.append(item)
        if token in "({[":
            depth += 1
        elif token in ")}]":
            depth -= 1
            if depth == 0 and token == "}":
                words = [text for text, _ in statement if text != "__extension__"]
                before = words[: words.index("{")] if "{" in words else words  # "!=" in a body is no initializer
                if words[0] not in ("typedef", "struct", "union", "enum") and "=" not in before:
                    statement = []
        elif token == ";" and depth == 0:
            if len(statement) > 1:
                yield statement[:-1]
            statement = []


def _matching(tokens, start):
    """Index of the bracket that closes the one at `start`."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index] in "({[":
            depth += 1
        elif tokens[index] in ")}]":
            depth -= 1
            if depth == 0:
                return index
    raise ValueError("unbalanced: %s" % " ".join(tokens))


def _strip(tokens):
    """Drops attributes and the like."""
    kept = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token in ("__attribute__", "__declspec", "__asm__", "asm", "__attribute"):
            index = _matching(tokens, index + 1) + 1
            continue
        if token not in ("__extension__", "extern", "static", "__inline__", "inline", "__inline", "_Noreturn"):
            kept.append(token)
        index += 1
    return kept


def _split(tokens, separator):
    parts = [[]]
    depth = 0
    for token in tokens:
        if token in "({[":
            depth += 1
        elif token in ")}]":
            depth -= 1
        if token == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _is_name(token):
    return re.match(r"[A-Za-z_]\w*$", token) is not None


def _declared(tokens):
    """The name that a declarator declares."""
    for index, token in enumerate(tokens):
        if token == "(" and index + 1 < len(tokens) and tokens[index + 1] == "*":
            names = [text for text in tokens[index + 1 : _matching(tokens, index)] if _is_name(text)]
            return names[-1] if names else None
    for index, token in enumerate(tokens[:-2]):
        if token == "(" and _is_name(tokens[index + 1]) and tokens[index + 2] == ")":
            return tokens[index + 1]
    for index, token in enumerate(tokens):
        if token in "([:" and index > 0 and _is_name(tokens[index - 1]):
            return tokens[index - 1]
    names = [token for token in tokens if _is_name(token)]
    return names[-1] if names else None


def _members(body):
    """Paths of the members in the tokens between a structure's braces."""
    paths = []
    for member in _split(body, ";"):
        member = _strip(member)
        if not member:
            continue
        if "{" in member and member[0] in ("struct", "union"):
            brace = member.index("{")
            end = _matching(member, brace)
            inner = _members(member[brace + 1 : end])
            rest = member[end + 1 :]
            if rest:
                name = _declared(rest)
                paths.append(name)
                paths.extend("%s.%s" % (name, path) for path in inner)
            else:
                paths.extend(inner)
            continue
        if member[0] == "_Static_assert":
            continue
        for part in _split(member, ","):
            if ":" in part:
                continue
            name = _declared(part)
            if name:
                paths.append(name)
    return paths


def _normal(tokens):
    text = " ".join(tokens)
    return re.sub(r"\s*\*\s*", "*", text)


def _declaration(headers, tokens, origin):
    tokens = _strip(tokens)
    if not tokens or tokens[0] in ("_Static_assert", "__typeof__"):  # the latter: another symbol for what is declared elsewhere
        return

    def remember(table, name, value=None):
        if name:
            table[name] = value
            headers.origin.setdefault(name, origin)

    is_typedef = tokens[0] == "typedef"
    words = tokens[1:] if is_typedef else tokens
    if "{" in words and words[0] in ("struct", "union", "enum"):
        brace = words.index("{")
        end = _matching(words, brace)
        body = words[brace + 1 : end]
        tag = words[1] if brace == 2 else None
        if words[0] == "enum":
            for enumerator in _split(body, ","):
                remember(headers.enumerators, enumerator[0])
        else:
            members = _members(body)
            names = [part[-1] for part in _split(words[end + 1 :], ",") if "*" not in part] if is_typedef else []
            for name in names:
                remember(headers.structs, name, members)
            if not names and tag:
                remember(headers.structs, "%s %s" % (words[0], tag), members)
        if is_typedef:
            for part in _split(words[end + 1 :], ","):
                remember(headers.typedefs, part[-1])
        return
    if is_typedef:
        for part in _split(words, ","):
            remember(headers.typedefs, _declared(part))
        return
    if "GUID" in words and "=" in words:
        equals = words.index("=")
        remember(headers.guids, words[equals - 1], [int(token, 0) for token in words[equals:] if token[0].isdigit()])
        return
    if "(" in words and "=" not in words:
        paren = words.index("(")
        if paren == 0 or not _is_name(words[paren - 1]):
            return
        parameters = _split(words[paren + 1 : _matching(words, paren)], ",")
        plain = []
        for parameter in parameters:
            if len(parameter) > 1 and _is_name(parameter[-1]):
                parameter = parameter[:-1]
            plain.append(_normal(parameter))
        if plain == ["void"]:
            plain = []
        remember(headers.functions, words[paren - 1], (_normal(words[: paren - 1]), plain))
