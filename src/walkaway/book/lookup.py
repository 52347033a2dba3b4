"""Finding deals by id."""

from __future__ import annotations

import difflib

import numpy as np
import numpy.typing as npt
import pandas as pd

from walkaway.errors import UsageError

__all__ = ["deal_places"]

NEAR = 3  # similar ids suggested for a mistyped one


def deal_places(deal_ids: pd.Index, asked: pd.Series) -> npt.NDArray[np.int64]:
    """The position of each requested deal.

    Args:
        deal_ids: the unique ids of a book's deals.
        asked: requested ids, in any order, repeats allowed.

    Raises:
        UsageError: a deal is not in the book; similar ids are suggested.

    >>> deal_places(pd.Index(["d1", "d2"]), pd.Series(["d2", "d1", "d2"]))
    array([1, 0, 1])
    """
    which, distinct = pd.factorize(asked)
    places = deal_ids.get_indexer(pd.Index(distinct)).astype(np.int64)
    if (which < 0).any():
        raise UsageError("deal_id is required, found an empty one. Fill it in.")
    if (places < 0).any():
        raise _unknown(str(distinct[places < 0][0]), deal_ids)
    found: npt.NDArray[np.int64] = places[which]
    return found


def _unknown(deal_id: str, deal_ids: pd.Index) -> UsageError:
    near = difflib.get_close_matches(deal_id, deal_ids.astype("str").tolist(), n=NEAR)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return UsageError(f"deal {deal_id} is not in the book.{hint}")
