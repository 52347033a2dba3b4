"""Deals that sell by rules of their own: every other member of the win head parts by them before anything else.

A tree of a few leaves seldom meets the pipeline and what matters within it; where two pipelines sell differently, it
learns the mean of both. Members whose trees begin with the pipeline are models of each pipeline, members whose trees do
not are the model of all, and the mean of their log-odds lies between (partial pooling). The bag stays a bag.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from walkaway.config import BoosterSettings

__all__ = ["Parting"]

LEAVES_A_GROUP = 3


@dataclass(frozen=True)
class Parting:
    """What trees part by first.

    column: position of a column of category codes.
    groups: codes with deals enough to be a model of their own, two or more; all other codes go with the last of them.
    """

    column: int
    groups: tuple[int, ...]

    def _splits(self) -> dict[str, object]:
        """LightGBM's forced splits: one group against those after it, and so on."""
        tree: dict[str, object] = {}
        for code in reversed(self.groups[:-1]):
            tree = {"feature": self.column, "threshold": code} | ({"right": tree} if tree else {})
        return tree

    def roomy(self, booster: BoosterSettings) -> BoosterSettings:
        """The same booster with leaves enough that each group has some of its own.

        >>> Parting(0, (1, 2)).roomy(BoosterSettings(leaves=4)).leaves
        6
        """
        return booster.model_copy(update={"leaves": max(booster.leaves, LEAVES_A_GROUP * len(self.groups))})

    @contextmanager
    def file(self) -> Iterator[Path]:
        """The forced splits as the file that LightGBM asks for; gone afterwards."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "splits.json"
            path.write_text(json.dumps(self._splits()), encoding="utf-8")
            yield path
