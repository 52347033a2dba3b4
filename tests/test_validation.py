import datetime as dt
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from walkaway.config.money import Currency
from walkaway.validation import PATTERNS, RULES, broken_rule


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = 0

    @field_validator("size")
    @classmethod
    def _small(cls, size: int) -> int:
        if size > 9:
            raise ValueError("is more than nine")
        return size


class Sized(BaseModel):
    size: int


def broken(declared, value):
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(declared).validate_python(value)
    first = refused.value.errors()[0]
    return first["type"], broken_rule(first)


CASES = [
    ("bool_parsing", bool, "perhaps", "must be true or false"),
    ("bool_type", bool, [], "must be true or false"),
    ("date_from_datetime_parsing", dt.date, "soon", "must be a date such as 2026-01-31 (input is too short)"),
    ("date_type", dt.date, [], "must be a date such as 2026-01-31"),
    ("dict_type", dict[str, int], 3, "must be a table"),
    ("finite_number", Annotated[float, Field(allow_inf_nan=False)], float("inf"), "must be a finite number"),
    ("float_parsing", float, "x", "must be a number"),
    ("float_type", float, [], "must be a number"),
    ("greater_than", Annotated[float, Field(gt=0)], 0, "must be above 0"),
    ("greater_than_equal", Annotated[float, Field(ge=0.5)], 0, "must be at least 0.5"),
    ("int_from_float", int, 1.5, "must be a whole number"),
    ("int_parsing", int, "x", "must be a whole number"),
    ("int_type", int, [], "must be a whole number"),
    ("less_than", Annotated[int, Field(lt=1)], 1, "must be below 1"),
    ("less_than_equal", Annotated[float, Field(le=168)], 169, "must be at most 168"),
    ("list_type", list[int], 3, "must be a list"),
    ("literal_error", Literal["won", "lost"], "draw", "must be 'won' or 'lost'"),
    ("missing", Sized, {}, "must be given"),
    ("model_type", Part, 3, "must be a table"),
    ("string_type", str, 3, "must be text"),
    ("too_short", Annotated[tuple[str, ...], Field(min_length=2)], ("a",), "must hold at least 2"),
    ("tuple_type", tuple[int, ...], 3, "must be a list"),
    ("extra_forbidden", Part, {"colour": 1}, "there is no such key"),
    ("value_error", Part, {"size": 10}, "is more than nine"),
    ("string_pattern_mismatch", Currency, "eur", "must be three capital letters, such as EUR"),
]


@pytest.mark.parametrize(("kind", "declared", "value", "rule"), CASES, ids=[case[0] for case in CASES])
def test_each_type_of_error_has_its_rule(kind, declared, value, rule):
    assert broken(declared, value) == (kind, rule)


def test_every_rule_of_the_table_is_tried_here_or_by_its_like():
    unlike = {"date_parsing": "date_from_datetime_parsing", "model_attributes_type": "model_type"}

    assert {*RULES} - {kind for kind, *_ in CASES} == set(unlike)
    assert RULES["model_attributes_type"] == RULES[unlike["model_attributes_type"]]
    told = {"type": "date_parsing", "ctx": {"error": "month is 13"}, "msg": "else"}
    assert broken_rule(told) == "must be a date such as 2026-01-31 (month is 13)"


def test_pydantics_english_is_not_read():
    told = {"type": "greater_than", "ctx": {"gt": 2}, "msg": "La valeur est trop petite"}

    assert broken_rule(told) == "must be above 2"


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        (Annotated[int, Field(multiple_of=2)], 3, "Input should be a multiple of 2"),
        (Annotated[str, Field(pattern="^x$")], "y", "String should match pattern '^x$'"),
    ],
)
def test_what_has_no_rule_of_ours_is_told_in_pydantics_own_words(declared, value, words):
    assert broken(declared, value)[1] == words


def test_the_pattern_of_a_currency_is_known():
    assert [m.pattern for m in Currency.__metadata__[0].metadata if hasattr(m, "pattern")] == list(PATTERNS)
