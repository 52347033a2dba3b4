"""Minimum counts of settled deals for base rates, buyer events and waits."""

from __future__ import annotations

__all__ = ["LEAST_CAME", "LEAST_DEALS_A_RATE", "LEAST_SHARE_CAME"]

LEAST_DEALS_A_RATE = 20  # a share of fewer deals is unreliable, and could identify single deals
LEAST_CAME, LEAST_SHARE_CAME = 5, 0.05  # an event that came in fewer of these deals is too rare to wait for
