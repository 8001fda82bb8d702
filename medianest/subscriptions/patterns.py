"""Patterns for titles that can not hang: regular expressions without back-references, run in time that grows with the title.

Python's own engine may try for hours on `(a+)+$`. Here every state that the pattern can be in moves on together with each
character, so a title of 250 characters and a pattern of 200 states cost 50,000 steps at most.

Understood are `. * + ? {2,5} | ( ) [a-z] [^…] ^ $ \\d \\w \\s \\b` and their opposites; upper and lower case are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from medianest.errors import Invalid

LONGEST_PATTERN = 200
LONGEST_TITLE = 250
MOST_STATES = 200
MOST_REPEATS = 50

Test = Callable[[str], bool]
# one state: its kind, what it tests, and the one or two states that follow
CHAR, SPLIT, BEGIN, END, EDGE, NO_EDGE, MATCH = range(7)
_CLASSES: dict[str, Test] = {"d": str.isdecimal, "s": str.isspace, "w": lambda c: c.isalnum() or c == "_"}
_SPECIAL = {"n": "\n", "t": "\t"}


class Pattern:
    """A pattern that was read; `is_in` tells whether it is found anywhere in a title."""

    def __init__(self, text: str) -> None:
        """Raises `Invalid` with a sentence about what can not be read."""
        self._states: list[tuple[int, Test | None, tuple[int, ...]]] = []
        self._text = _fold(text)
        self._at = self._steps = 0
        if len(text) > LONGEST_PATTERN:
            raise _refusal(f"it may have {LONGEST_PATTERN} characters at most")
        tree = self._alternatives(0)
        if self._at < len(self._text):
            raise _refusal("a “)” has no “(”")
        self._start = self._compile(tree, self._add(MATCH, None, ()))

    def is_in(self, title: str) -> bool:
        """Whether the title has it."""
        title = title[:LONGEST_TITLE].casefold()
        current: set[int] = set()
        for place in range(len(title) + 1):
            if self._reach([*current, self._start], title, place, current := set()):
                return True
            if place < len(title):
                character = title[place]
                current = {
                    after[0]
                    for kind, test, after in (self._states[one] for one in current)
                    if kind == CHAR and test is not None and test(character)
                }
        return False

    def _reach(self, states: Iterable[int], title: str, place: int, reached: set[int]) -> bool:
        """Add to `reached` every state that is got to without a character; True when one of them is the end."""
        waiting = list(states)
        while waiting:
            one = waiting.pop()
            if one in reached:
                continue
            reached.add(one)
            kind, _test, after = self._states[one]
            if kind == MATCH:
                return True
            if kind == SPLIT or (kind not in (CHAR, MATCH) and _holds(kind, title, place)):
                waiting += after
        return False

    def _add(self, kind: int, test: Test | None, after: tuple[int, ...]) -> int:
        if len(self._states) >= MOST_STATES:
            raise _refusal("it repeats too much")
        self._states.append((kind, test, after))
        return len(self._states) - 1

    # Reading: a tree begins with its kind. `or` and `then` hold trees, `times` a tree and how often it comes, `one` the
    # test of a character, `at` a place between two.

    def _alternatives(self, depth: int) -> tuple[object, ...]:
        if depth > 20:
            raise _refusal("too many “(” stand inside each other")
        found = [self._sequence(depth)]
        while self._peek() == "|":
            self._at += 1
            found.append(self._sequence(depth))
        return ("or", found)

    def _sequence(self, depth: int) -> tuple[object, ...]:
        pieces: list[tuple[object, ...]] = []
        while self._peek() not in ("", "|", ")"):
            pieces.append(self._repeated(self._piece(depth)))
        return ("then", pieces)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _piece(self, depth: int) -> tuple[object, ...]:
        character = self._next()
        match character:
            case "(":
                if self._text.startswith("?", self._at):
                    if not self._text.startswith("?:", self._at):
                        raise _refusal("“(?…” is not understood here")
                    self._at += 2
                tree = self._alternatives(depth + 1)
                if self._next() != ")":
                    raise _refusal("a “(” has no “)”")
                return tree
            case "[":
                return ("one", self._set())
            case ".":
                return ("one", lambda _c: True)
            case "^":
                return ("at", BEGIN)
            case "$":
                return ("at", END)
            case "\\":
                return self._escaped()
            case "*" | "+" | "?" | "{":
                raise _refusal(f"nothing stands before the “{character}”")
        return ("one", _same(character))

    def _escaped(self) -> tuple[object, ...]:
        name = self._next()
        if name in ("b", "B"):
            return ("at", EDGE if name == "b" else NO_EDGE)
        if name.lower() in _CLASSES and name:
            return ("one", _class(name))
        if not name or (name.isalnum() and name not in _SPECIAL):
            raise _refusal(f"“\\{name}” is not understood here")
        return ("one", _same(_SPECIAL.get(name, name)))

    def _set(self) -> Test:
        is_not = self._peek() == "^"
        self._at += is_not
        tests: list[Test] = []
        first = True
        while first or self._peek() != "]":
            first = False
            if not self._peek():
                raise _refusal("a “[” has no “]”")
            low = self._next()
            if low == "\\":
                name = self._next()
                if name and name.lower() in _CLASSES:
                    tests.append(_class(name))
                    continue
                low = _SPECIAL.get(name, name)
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                tests.append(_between(low, self._next()))
            else:
                tests.append(_same(low))
        self._at += 1
        return lambda c: any(test(c) for test in tests) is not is_not

    def _repeated(self, tree: tuple[object, ...]) -> tuple[object, ...]:
        while (mark := self._peek()) and mark in "*+?{":
            self._at += 1
            if mark == "{":
                least, most = self._numbers()
            else:
                least, most = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[mark]
            tree = ("times", tree, least, most)
            if self._peek() == "?":  # as few as possible: whether it is found is the same
                self._at += 1
        return tree

    def _numbers(self) -> tuple[int, int]:
        inside, brace, _rest = self._text[self._at :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not low.isdecimal() or not (high == "" or high.isdecimal()):
            raise _refusal("after “{” two numbers are needed, such as {2,5}")
        self._at += len(inside) + 1
        least = int(low)
        most = -1 if comma and not high else int(high or low)
        if max(least, most) > MOST_REPEATS or -1 < most < least:
            raise _refusal(f"numbers in “{{…}}” go up to {MOST_REPEATS}, the smaller one first")
        return least, most

    def _compile(self, tree: tuple[object, ...], after: int) -> int:
        """The state at which `tree` begins, when `after` comes behind it."""
        self._steps += 1
        if self._steps > 20 * MOST_STATES:  # repeated nothing makes no states, and still takes time
            raise _refusal("it repeats too much")
        match tree:
            case ("one", test):
                return self._add(CHAR, test, (after,))  # type: ignore[arg-type]
            case ("at", kind):
                return self._add(kind, None, (after,))  # type: ignore[arg-type]
            case ("then", list(pieces)):
                for piece in reversed(pieces):
                    after = self._compile(piece, after)
                return after
            case ("or", list(ways)):
                starts = tuple(self._compile(way, after) for way in ways)
                return starts[0] if len(starts) == 1 else self._add(SPLIT, None, starts)
            case ("times", inner, int(least), int(most)):
                return self._times(inner, least, most, after)  # type: ignore[arg-type]
        raise AssertionError(tree)

    def _times(self, inner: tuple[object, ...], least: int, most: int, after: int) -> int:
        if most < 0:
            loop = self._add(SPLIT, None, ())
            self._states[loop] = (SPLIT, None, (self._compile(inner, loop), after))
            after = loop
        for _ in range(max(0, most - least)):
            after = self._add(SPLIT, None, (self._compile(inner, after), after))
        for _ in range(least):
            after = self._compile(inner, after)
        return after


def _holds(kind: int, title: str, place: int) -> bool:
    if kind == BEGIN:
        return place == 0
    if kind == END:
        return place == len(title)
    before = place > 0 and _CLASSES["w"](title[place - 1])
    behind = place < len(title) and _CLASSES["w"](title[place])
    return (before != behind) is (kind == EDGE)


def _same(wanted: str) -> Test:
    return lambda c: c == wanted


def _between(low: str, high: str) -> Test:
    return lambda c: low <= c <= high


def _class(name: str) -> Test:
    test = _CLASSES[name.lower()]
    return test if name.islower() else lambda c: not test(c)


def _fold(text: str) -> str:
    """Lower case, but for the letter after a backslash: `\\D` is not `\\d`."""
    return "".join(c if i and text[i - 1] == "\\" else c.casefold() for i, c in enumerate(text))


def _refusal(why: str) -> Invalid:
    sentence = f"This pattern can not be used: {why}."
    return Invalid(sentence, fields={"pattern": sentence})
