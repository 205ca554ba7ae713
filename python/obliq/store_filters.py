"""Conditions on metadata, as the stores of other frameworks have them, and the expressions of obliq
that they become.

What stands in the text of an expression is the names of columns, which are those of the collection
and quoted, and words of the language. Every value is bound: it is a `?` in the text, whatever it
holds.

Conditions are two-valued, as these frameworks have them: what is missing equals nothing, so that
"not equal" holds for it. Hence a `not` goes inwards, and asks there for NULL, too.
"""

from __future__ import annotations

import datetime
from typing import Any, List, Mapping, NamedTuple, NoReturn, Sequence, Tuple, Union

import numpy as np

from obliq.arguments import shown

#: Names of columns of the stores themselves begin so; metadata never has such a column.
OWN = "obliq."

#: How deep conditions lie inside each other at most; an expression has 64 levels, a leaf takes 3.
_DEPTH = 60


class Compare(NamedTuple):
    """A column compared with a value: `word` is =, <, <=, >, >= or in, the value of which is a
    list. Of keywords one of them compares so."""

    column: str
    word: str
    value: Any


class Missing(NamedTuple):
    """There is no value."""

    column: str


class Join(NamedTuple):
    """All of the parts hold, or with `or` one of them; there is a part."""

    word: str
    parts: Sequence[Condition]


class Not(NamedTuple):
    """The part does not hold."""

    part: Condition


Condition = Union[Compare, Missing, Join, Not]


def equal(column: str, value: Any) -> Condition:
    """The column has this value; None: it has none."""
    return Missing(column) if value is None else Compare(column, "=", value)


def one_of(column: str, values: Any, what: str) -> Condition:
    """The column has one of these values, None among them: or none. Raises ValueError naming the
    operator `what` where they are no list."""
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise ValueError(f"{what} of '{column}' takes a list of values, not {shown(values)}")
    there = [value for value in values if value is not None]
    parts: List[Condition] = [Compare(column, "in", there)]
    if any(isinstance(value, bool) for value in there):  # the language has no lists of them
        parts = [Compare(column, "=", value) for value in there]
    if len(there) < len(values):
        parts.append(Missing(column))
    return join("or", parts)


def join(word: str, parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Join(word, parts)


def expression_of(condition: Condition, columns: Mapping[str, str]) -> Tuple[str, List[Any]]:
    """The expression and the values of its `?`, over the columns of a collection: their types by
    name. Raises ValueError naming a column that is not there or a value that is none, and where
    conditions lie too deep inside each other."""
    params: List[Any] = []
    return _written(condition, columns, params, True, 0), params


def refuse_column(column: str, columns: Mapping[str, str]) -> NoReturn:
    names = [name for name in columns if not name.startswith(OWN)]
    raise ValueError(f"metadata {shown(column)} is no column, so there is nothing to filter by; "
                     f"there are {', '.join(names) or 'none'}: name it in columns= when the store "
                     "is made, or call add_column")


def _written(condition: Condition, columns: Mapping[str, str], params: List[Any], holds: bool,
             depth: int) -> str:
    """The text of the condition or, with holds false, of its opposite."""
    if depth > _DEPTH:
        raise ValueError(f"a filter has conditions that lie more than {_DEPTH} deep inside each "
                         "other: make it flatter")
    if isinstance(condition, Not):
        return _written(condition.part, columns, params, not holds, depth + 1)
    if isinstance(condition, Join):
        word = condition.word if holds else {"and": "or", "or": "and"}[condition.word]
        parts = [_written(part, columns, params, holds, depth + 1) for part in condition.parts]
        return "(" + f" {word} ".join(parts) + ")"
    name = _quoted(condition.column, columns)
    if isinstance(condition, Missing):
        return f"{name} is null" if holds else f"{name} is not null"
    params.append(_bound(condition))
    asked = f"{name} {condition.word} ?"
    return asked if holds else f"({name} is null or not ({asked}))"


def _quoted(column: Any, columns: Mapping[str, str]) -> str:
    if not isinstance(column, str):
        raise ValueError(f"the name of a column must be text, not {shown(column)}")
    if column not in columns:
        refuse_column(column, columns)
    return '"' + column.replace('"', '""') + '"'


def _bound(condition: Compare) -> Any:
    """The value to bind, which the library checks when it compares; what it would take for another
    kind of value is refused here."""
    value = condition.value
    if condition.word == "in":
        values = list(value)
        for one in values:
            _check(condition.column, one)
        return values
    _check(condition.column, value)
    return value


def _check(column: str, value: Any) -> None:
    if not isinstance(value, (str, int, float, datetime.date, np.generic)):
        raise ValueError(f"'{column}' is compared with a text, a number, a bool or a time, not "
                         f"{shown(value)}")
