from dataclasses import replace

import pytest
from tests.books import CURVE, plain_model

from walkaway.asof import History
from walkaway.book import with_lost_after
from walkaway.config import EffortSettings
from walkaway.errors import DataError
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts, caveats_of, may_be_acted_on
from walkaway.models.model import check_fits

SAME = "Hours are not recorded: each open deal is taken to need the same. Bars are money per deal."
BY_STAGE = EffortSettings(hours_per_deal=1, by="stage", hours={"demo": 2})


def codes(**facts):
    return [caveat.code for caveat in caveats_of(replace(plain_model(), facts=Facts(**facts)), LocaleFormat())]


def test_a_model_with_signal_and_recorded_hours_needs_no_caveat():
    assert codes(assumed_hours_share=0.4) == []
    assert may_be_acted_on(replace(plain_model(), facts=Facts(assumed_hours_share=0.4)))


@pytest.mark.parametrize("facts", [{"assumed_hours_share": 1.0}, {"effort": BY_STAGE}, {"effort": EffortSettings()}])
def test_hours_that_are_all_assumed_are_said_and_not_acted_on(facts):
    assert codes(**facts) == ["hours_assumed"]
    assert not may_be_acted_on(replace(plain_model(), facts=Facts(**facts)))


def test_a_curve_of_young_folds_is_said_and_may_be_acted_on():
    young = replace(plain_model(), facts=Facts(assumed_hours_share=0.4, young_curve=True))

    assert codes(assumed_hours_share=0.4, young_curve=True) == ["young_curve"]
    assert may_be_acted_on(young)


@pytest.mark.parametrize(("wins", "found"), [(0.0, []), (9.9, ["few_wins"]), (10.0, [])])
def test_value_from_few_wins_is_said_and_may_be_acted_on(wins, found):
    model = replace(plain_model(), facts=Facts(assumed_hours_share=0.4), curve=replace(CURVE, wins=wins))

    assert [caveat.code for caveat in caveats_of(model, LocaleFormat())] == found
    assert may_be_acted_on(model)


def test_no_signal_comes_first():
    model = replace(plain_model(), signal=False, facts=Facts(effort=EffortSettings()))

    first, second = caveats_of(model, LocaleFormat())

    assert first.sentence.startswith("No signal: on later deals")
    assert second.sentence == SAME


def test_losses_by_age_are_told_and_stop_nobody_from_acting():
    model = replace(plain_model(), facts=Facts(assumed_hours_share=0.4, lost_after_days=120, counted_lost=3, lost=4))

    [caveat] = caveats_of(model, LocaleFormat())

    told = "Deals still open 120 days after they were created count as lost on that day: 3 of 4 lost deals."
    assert caveat == ("lost_after_days", told)
    assert may_be_acted_on(model)


def test_a_model_refuses_a_book_whose_deals_count_as_lost_at_another_age(make_book):
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-01")
    model = replace(plain_model(), facts=Facts(deals=9, lost_after_days=30, effort=EffortSettings()))

    with pytest.raises(
        DataError, match=r"count as lost never, and in the model's training after 30 days\. Set the same"
    ):
        check_fits(book, model)
    check_fits(with_lost_after(book, 30), model)


@pytest.mark.parametrize(
    ("learned", "found"),
    [(None, "trained on a book with recorded work"), (BY_STAGE, "trained on a book with assumed effort per hour")],
)
def test_a_model_does_not_call_deals_whose_effort_is_counted_otherwise(make_book, learned, found):
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-01")
    model = replace(plain_model(), facts=Facts(effort=learned, assumed_hours_share=0.5))

    with pytest.raises(DataError, match=f"this book has assumed effort per deal, and the model was {found}"):
        check_fits(book, model)
    check_fits(book, replace(model, facts=Facts(effort=EffortSettings(), assumed_hours_share=1.0)))


def test_without_events_no_assumed_hours_change_with_the_age_of_a_deal(make_book, snapshots):
    book = make_book(deals="deal_id | created_at\nd1 | 2026-01-01")

    for effort in (EffortSettings(), EffortSettings(hours_per_deal=3), BY_STAGE):
        view = History(book.with_effort(effort)).at(snapshots("d1 2026-01-02", "d1 2026-06-02"))
        assert len(set(view.assumed_hours)) == 1
