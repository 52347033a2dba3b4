"""What a value breaks of its declaration, in our words: by the type of pydantic's error, never by its English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PATTERNS", "RULES", "broken_rule"]

RULES = {
    "bool_parsing": "be a valid boolean, unable to interpret input",
    "bool_type": "be a valid boolean",
    "date_from_datetime_parsing": "be a valid date or datetime, {error}",
    "date_parsing": "be a valid date in the format YYYY-MM-DD, {error}",
    "date_type": "be a valid date",
    "dict_type": "be a table",
    "finite_number": "be a finite number",
    "float_parsing": "be a valid number, unable to parse string as a number",
    "float_type": "be a valid number",
    "greater_than": "be greater than {gt:g}",
    "greater_than_equal": "be greater than or equal to {ge:g}",
    "int_from_float": "be a valid integer, got a number with a fractional part",
    "int_parsing": "be a valid integer, unable to parse string as an integer",
    "int_type": "be a valid integer",
    "less_than": "be less than {lt:g}",
    "less_than_equal": "be less than or equal to {le:g}",
    "list_type": "be a list",
    "literal_error": "be {expected}",
    "model_attributes_type": "be a table",
    "model_type": "be a table",
    "string_type": "be a valid string",
    "tuple_type": "be a list",
}
PATTERNS = {"^[A-Z]{3}$": "be three capital letters, as in EUR"}
EXTRA = "there is no such key"


def broken_rule(error: Mapping[str, Any], must: str = "must") -> str:
    """The rule that a value breaks; pydantic's own words where there are none of ours.

    Args:
        error: one of `ValidationError.errors()`.
        must: how the rule begins.

    >>> broken_rule({"type": "less_than_equal", "ctx": {"le": 1.0}, "msg": "..."})
    'must be less than or equal to 1'
    >>> broken_rule({"type": "greater_than", "ctx": {"gt": 0}, "msg": "..."}, "Input should")
    'Input should be greater than 0'
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":  # raised by a check of our own
        return str(context["error"])
    if kind == "extra_forbidden":
        return EXTRA
    rule = PATTERNS.get(context["pattern"]) if kind == "string_pattern_mismatch" else RULES.get(kind)
    return str(error["msg"]) if rule is None else f"{must} {rule.format(**context)}"
