"""What a mapping says of how deals ended: by values of a column, conditions on columns, or columns that are filled."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from walkaway.importers.mapping_base import Strict

__all__ = ["Condition", "Days", "OutcomePart", "Wanted"]

Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Wanted = tuple[str | bool | float, ...]
Condition = dict[str, Wanted]


def _each_a_list(conditions: Any) -> Any:
    """One condition as a list of one, and one wanted value as a list of one."""
    listed = [conditions] if isinstance(conditions, dict) else conditions
    if not isinstance(listed, list | tuple) or not all(isinstance(condition, dict) for condition in listed):
        raise ValueError("must be a condition such as { IsWon = true }, or a list of them")
    if not all(listed) or any(values == [] for condition in listed for values in condition.values()):
        raise ValueError("must name a column and the value it must have in each condition, such as { IsWon = true }")
    return [{c: v if isinstance(v, list | tuple) else [v] for c, v in condition.items()} for condition in listed]


Conditions = Annotated[tuple[Condition, ...], BeforeValidator(_each_a_list)]


class OutcomePart(Strict):
    """How deals ended. A deal that is none of won, lost and open by these rules, or two of them, is quarantined.

    `won`, `lost` and `open` list values of `column`; "" is an empty cell. With `field` in place of `column` they are
    values of that field in the history ([[changes]]): the first record of one that is won or lost closes the deal.
    `won_if`, `lost_if` and `open_if` are conditions on columns, all of which must hold: { IsClosed = true, IsWon =
    false }. A condition wants a text as the file has it, true or false in any spelling (true, TRUE, yes, 1), or a
    number; a list of them wants any. Where one of several conditions is enough, list the conditions. `won_if_filled`
    and `lost_if_filled` name a column that is filled in deals that ended so; without closed_at its date is the close.
    `others = "open"` makes all other deals open.
    `every` is the outcome of all deals of a file.

    A deal that is still open `lost_after_days` days after it was created counts as lost on that day. Where losses are
    not recorded, `lost = []` says so. `loss_reasons` gives the loss reason of lost values: {value: reason}.
    """

    column: str | None = None
    field: str | None = None
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] | None = None
    open: tuple[str, ...] = ()
    won_if: Conditions = ()
    lost_if: Conditions = ()
    open_if: Conditions = ()
    won_if_filled: str | None = None
    lost_if_filled: str | None = None
    others: Literal["open"] | None = None
    every: Literal["won", "lost", "open"] | None = None
    lost_after_days: Days | None = None
    loss_reasons: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _every_stands_alone(self) -> Self:
        more = sorted(self.model_fields_set - {"every", "lost_after_days"})
        if self.every and more:
            raise ValueError(
                f"every is the outcome of all deals of the file, found {more[0]} too; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _values_have_a_column(self) -> Self:
        listed = [name for name in ("won", "lost", "open") if getattr(self, name)]
        if self.field is not None and (self.column is not None or self.open):
            more = "column" if self.column is not None else "open"
            raise ValueError(f"field must stand without column and open, found {more} too; leave one of them out")
        if listed and self.column is None and self.field is None:
            raise ValueError(f"column must be given, since {listed[0]} lists its values")
        if self.column is not None and not listed:
            raise ValueError("column must have values listed in won, lost or open, found none")
        return self

    @model_validator(mode="after")
    def _says_what_is_won_and_lost(self) -> Self:
        if self.every:
            return self
        if not (self.won or self.won_if or self.won_if_filled):
            raise ValueError(
                "must say which deals are won: by won (values of column), won_if (conditions) or won_if_filled (a "
                "column)"
            )
        if self.lost is None and not (self.lost_if or self.lost_if_filled or self.lost_after_days):
            raise ValueError(
                "must say which deals are lost: by lost (values of column), lost_if (conditions), lost_if_filled (a "
                "column) or lost_after_days (a number). Where losses are not recorded, write lost = []"
            )
        return self

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        lost = self.lost or ()
        listed = (*self.won, *lost, *self.open)
        twice = [value for value in listed if listed.count(value) > 1]
        if twice:
            raise ValueError(f"each value must be listed once in won, lost or open, found {twice[0]} twice")
        stray = [value for value in self.loss_reasons if value not in lost]
        if stray:
            raise ValueError(f"loss_reasons must name values of lost, found {stray[0]}")
        if self.won_if_filled and self.won_if_filled == self.lost_if_filled:
            raise ValueError(
                f"won_if_filled and lost_if_filled must name two columns, found {self.won_if_filled} twice"
            )
        return self

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns that tell the outcome by being filled."""
        return tuple(column for column in (self.won_if_filled, self.lost_if_filled) if column)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that tell the outcome, each once."""
        conditions = (*self.won_if, *self.lost_if, *self.open_if)
        named = [self.column] if self.column else []
        return tuple(dict.fromkeys([*named, *(column for c in conditions for column in c), *self.filled]))

    @property
    def others_are_open(self) -> bool:
        """Whether all deals but those won and lost are open: as set, or where columns are only filled or not."""
        return self.others == "open" or self.field is not None or (self.columns == self.filled and not self.every)

    @property
    def says_when(self) -> bool:
        """Whether all closed deals are told by the history or by columns that are filled: these hold the close, too."""
        listed = self.column is not None and (self.won or self.lost)
        otherwise = listed or self.won_if or self.lost_if or self.every in ("won", "lost")
        return bool(self.filled or self.field) and not otherwise

    @property
    def records_losses(self) -> bool:
        """Whether any deal can be lost by what the file records."""
        return bool(self.lost or self.lost_if or self.lost_if_filled or self.every)
