"""What people call deals: names and links from the CRM, shown beside ids, and never read by a model."""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["NAMES", "is_link", "shown_deal"]

NAMES = ("name", "account_name", "owner_name", "url")
LINK = re.compile(r"https?://[^\s<>\"']{1,2000}", re.IGNORECASE)
LONGEST = 40  # characters of a name beside an id; longer ones are cut


def shown_deal(deal_id: str, name: object) -> str:
    """A deal's id, with its name before it if it has one.

    >>> shown_deal("006-17", "Acme, renewal"), shown_deal("006-17", None)
    ('Acme, renewal (006-17)', '006-17')
    """
    if pd.isna(name) or not str(name).strip():
        return deal_id
    text = " ".join(str(name).split())
    return f"{text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'} ({deal_id})"


def is_link(text: object) -> bool:
    """Whether a text is a link that a page may have: of the web, without blanks; nothing that could run as a script.

    >>> [is_link(text) for text in ("https://crm.example/006", "javascript:alert(1)", "006", None)]
    [True, False, False, False]
    """
    return isinstance(text, str) and bool(LINK.fullmatch(text))
