"""How many settled deals it takes before a model says what became of deals like them."""

from __future__ import annotations

__all__ = ["LEAST_CAME", "LEAST_DEALS_A_RATE", "LEAST_SHARE_CAME"]

LEAST_DEALS_A_RATE = 20  # that were once so: a share of fewer is no base rate, and would name single deals
LEAST_CAME, LEAST_SHARE_CAME = 5, 0.05  # of them: what came to fewer is nothing to wait or to hope for
