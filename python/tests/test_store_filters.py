"""Conditions of the stores for other frameworks, which become expressions with bound values."""

import operator
import random
from typing import Any, Callable, Dict, List, Mapping

import pytest
from store_cases import HOSTILE, SCHEMA, documents, one

from obliq.store_filters import (Compare, Condition, Join, Missing, Not, equal, expression_of,
                                 one_of)

COMPARED: Dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda value, among: value in among}


def holds(condition: Condition, metadata: Mapping[str, Any]) -> bool:
    """The plain meaning of a condition, which is true or false."""
    if isinstance(condition, Not):
        return not holds(condition.part, metadata)
    if isinstance(condition, Join):
        return (all if condition.word == "and" else any)(holds(part, metadata)
                                                         for part in condition.parts)
    value = metadata.get(condition.column)
    if isinstance(condition, Missing) or value is None:
        return isinstance(condition, Missing) and value is None
    values = value if isinstance(value, list) else [value]
    return any(COMPARED[condition.word](each, condition.value) for each in values)


def drawn_metadata(draw: random.Random) -> Dict[str, Any]:
    every: Dict[str, Any] = {
        "year": draw.randrange(5), "price": draw.randrange(4) / 2, "lang": draw.choice(HOSTILE),
        "tags": draw.sample(HOSTILE, draw.randrange(4)), "seen": draw.random() < 0.5,
        'x" or 1=1': draw.choice(HOSTILE), "order by": draw.randrange(3)}
    return {name: value for name, value in every.items() if draw.random() < 0.7}


def drawn_condition(draw: random.Random, depth: int) -> Condition:
    kind = draw.random()
    if depth > 0 and kind < 0.4:
        return Join(draw.choice(["and", "or"]), [drawn_condition(draw, depth - 1)
                                                 for _ in range(draw.randrange(1, 4))])
    if depth > 0 and kind < 0.6:
        return Not(drawn_condition(draw, depth - 1))
    name = draw.choice(["year", "price", "lang", "tags", "seen", 'x" or 1=1', "order by"])
    numbers: Dict[str, List[Any]] = {"year": list(range(5)), "price": [0.0, 0.5, 1, 1.5],
                                     "seen": [True, False], "order by": [0, 1, 2]}
    values = numbers.get(name, HOSTILE)
    if draw.random() < 0.2:
        return Missing(name)
    if draw.random() < 0.3:
        return one_of(name, draw.sample(values, draw.randrange(len(values)))
                      + [None] * draw.randrange(2), "in")
    word = "=" if name == "seen" else draw.choice(["=", "<", "<=", ">", ">="])
    return Compare(name, word, draw.choice(values))


def test_a_condition_passes_what_its_plain_meaning_passes() -> None:
    draw = random.Random(1)
    store = documents()
    metadatas = {f"d{i}": drawn_metadata(draw) for i in range(300)}
    store.write([one(id, metadata) for id, metadata in metadatas.items()])
    some = 0
    for _ in range(400):
        condition = drawn_condition(draw, 4)
        wanted = {id for id, metadata in metadatas.items() if holds(condition, metadata)}
        assert set(store.ids(store.filter_of(condition))) == wanted, condition
        some += 0 < len(wanted) < len(metadatas)
    assert some > 200  # most of the conditions tell documents apart


@pytest.mark.parametrize("value", HOSTILE)
def test_what_users_give_never_stands_in_the_text_of_an_expression(value: str) -> None:
    marked = f"{value}-secret"
    text, params = expression_of(Join("or", [equal("lang", marked), one_of("tags", [marked], "in"),
                                             Not(Compare("lang", "<", marked))]), SCHEMA)
    assert "secret" not in text and params == [marked, [marked], marked]
    assert text == '("lang" = ? or "tags" in ? or ("lang" is null or not ("lang" < ?)))'


@pytest.mark.parametrize("name", [*sorted({*HOSTILE} - {"lang"}), "nothing", "obliq.text", "",
                                  'lang" = \'a\' or "lang'])
def test_a_name_that_is_no_column_of_metadata_is_refused(name: str) -> None:
    store = documents(columns={"lang": "keyword"}, dim=3)
    with pytest.raises(ValueError, match="is no column.* there are lang: name it in columns="):
        store.filter_of(equal(name, "a"))


def test_a_name_with_quotes_is_quoted() -> None:
    text, _ = expression_of(equal('x" or 1=1', "a"), SCHEMA)
    assert text == '"x"" or 1=1" = ?'


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a", object()])
def test_a_value_that_no_column_holds_is_refused(value: Any) -> None:
    for condition in (Compare("lang", "=", value), Compare("lang", "in", [value])):
        with pytest.raises(ValueError, match="'lang' is compared with a text"):
            expression_of(condition, SCHEMA)


def test_conditions_that_lie_too_deep_are_refused_and_others_are_understood() -> None:
    store = documents()
    store.write([one("a", {"year": 1}), one("b")])
    for depth, fits in ((39, True), (200, False), (5000, False)):
        condition: Condition = equal("year", 1)
        for level in range(depth):
            condition = Not(Join("and", [condition, Missing("lang")]) if level % 2 else condition)
        if fits:
            store.ids(store.filter_of(condition))
        else:
            with pytest.raises(ValueError, match="deep inside each other"):
                store.filter_of(condition)
