"""Plain sentences for pydantic's validation errors, chosen by error type rather than by pydantic's own text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PATTERNS", "RULES", "broken_rule"]

RULES = {
    "bool_parsing": "be true or false",
    "bool_type": "be true or false",
    "date_from_datetime_parsing": "be a date such as 2026-01-31 ({error})",
    "date_parsing": "be a date such as 2026-01-31 ({error})",
    "date_type": "be a date such as 2026-01-31",
    "dict_type": "be a table",
    "finite_number": "be a finite number",
    "float_parsing": "be a number",
    "float_type": "be a number",
    "greater_than": "be above {gt:g}",
    "greater_than_equal": "be at least {ge:g}",
    "int_from_float": "be a whole number",
    "int_parsing": "be a whole number",
    "int_type": "be a whole number",
    "less_than": "be below {lt:g}",
    "less_than_equal": "be at most {le:g}",
    "list_type": "be a list",
    "literal_error": "be {expected}",
    "missing": "be given",
    "model_attributes_type": "be a table",
    "model_type": "be a table",
    "string_type": "be text",
    "too_short": "hold at least {min_length}",
    "tuple_type": "be a list",
}
PATTERNS = {"^[A-Z]{3}$": "be three capital letters, such as EUR"}
EXTRA = "there is no such key"


def broken_rule(error: Mapping[str, Any]) -> str:
    """The rule that a value breaks, in plain words; pydantic's message for types not listed here.

    Args:
        error: an item of `ValidationError.errors()`.

    >>> broken_rule({"type": "less_than_equal", "ctx": {"le": 1.0}, "msg": "..."})
    'must be at most 1'

    """
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":  # raised by one of our own validators
        return str(context["error"])
    if kind == "extra_forbidden":
        return EXTRA
    rule = PATTERNS.get(context["pattern"]) if kind == "string_pattern_mismatch" else RULES.get(kind)
    return str(error["msg"]) if rule is None else f"must {rule.format(**context)}"
