"""What check_tree.py needs to know of C++: code without its words, and where functions end.

A small scanner, not a parser. It reads the text once, blanks comments, literals and preprocessor
lines, and then follows braces. A brace opens a scope (namespace, class), a function, or something
inside an expression (initialiser, enum); which one follows from the words between it and the end
of what came before.
"""

import re

_SKIPPED = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'
      | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

_TEMPLATE = re.compile(r"^template\s*<[^{};]*?>\s*(?=[a-zA-Z\[:])")
_LABEL = re.compile(r"^(?:(?:public|protected|private)\s*:(?!:)\s*)+")
_SCOPE = re.compile(
    r'^(?:(?:inline|static|constexpr|const|typedef|export)\s+)*'
    r'(?:namespace|class|struct|union|extern\s*$)\b')
_CONSTRUCTOR = re.compile(r"\)\s*(?:noexcept)?\s*:(?!:)")
_BODY_WORD = re.compile(r"\b(?:const|noexcept|override|final|mutable|try)$")


def blank_words(text):
    """Returns text of the same length and lines with comments, literals and # lines blanked."""
    return _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def _kind(head):
    """What a brace after `head` opens: 'scope', 'function' or 'value'."""
    head = _LABEL.sub("", head.strip())
    head = _TEMPLATE.sub("", head)
    if _SCOPE.match(head):
        return "scope"
    if "(" not in head and not re.search(r"\]\s*$", head):
        return "value"
    if head.endswith(("=", ",", "(", "return")):
        return "value"
    member = _CONSTRUCTOR.search(head)
    if member and re.search(r"[\w>]$", head[member.end():]) and not _BODY_WORD.search(head):
        return "value"
    return "function"


def functions(text):
    """Yields (first line, number of lines) of every function of C++ text, signature included.

    Functions within functions (lambdas) are part of the outer one. Raises ValueError when the
    braces do not match.
    """
    code = blank_words(text)
    stack = []  # of [kind, start of its head]
    head = 0
    for found in re.finditer(r"[{};]", code):
        at, mark = found.start(), found.group()
        inside = any(kind != "scope" for kind, _ in stack)
        if mark == "{":
            kind = "value" if inside else _kind(code[head:at])
            stack.append([kind, head])
            if kind != "value":
                head = at + 1
        elif mark == "}":
            if not stack:
                raise ValueError(f"line {_line(code, at)}: '}}' without '{{'")
            kind, start = stack.pop()
            if kind == "function":
                first = _line(code, _first_word(code, start))
                yield first, _line(code, at) - first + 1
            if kind != "value":
                head = at + 1
        elif not inside:
            head = at + 1
    if stack:
        raise ValueError(f"{len(stack)} '{{' without '}}'")


def _line(code, at):
    return code.count("\n", 0, at) + 1


def _first_word(code, at):
    found = re.compile(r"\S").search(code, at)
    return found.start() if found else at
