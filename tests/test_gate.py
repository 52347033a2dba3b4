from dataclasses import replace

import pandas as pd
import pytest
from tests.books import END_DAY, TINY, UNTIL, book_with_signal, day, plain_model

from walkaway.config import BoosterSettings
from walkaway.gate import Comparison, Decision, decide, forced, trained_at
from walkaway.heads import HoursHead, WinHead
from walkaway.train import train

pytest_plugins = ("tests.books",)

NOW = day(END_DAY)


@pytest.fixture(scope="module")
def challenger(book):
    return train(book, NOW, TINY)


def champion_of(trained, **changed):
    return replace(trained.model, version="champion", **changed)


def asked(book, challenger, *champions, settings=TINY) -> Decision:
    return decide(book, NOW, challenger, champions, settings)


def coin(trained, **facts):
    """A champion of that training's time that knows nothing: a coin, and two hours for each deal."""
    told = trained.model.facts | facts
    return plain_model(win=WinHead(0.5), hours=HoursHead(2.0), plan=trained.model.plan, version="coin", facts=told)


def test_a_champion_that_knows_nothing_is_replaced(book, challenger, trained):
    found = asked(book, challenger, coin(trained))

    assert found.promoted
    assert found.reason == "better than coin beyond doubt (by bundle)"
    [one] = found.comparisons
    assert (one.against, one.by, one.since) == ("coin", "bundle", f"{UNTIL + pd.Timedelta(days=7):%Y-%m-%d}")
    assert 0 < one.log_loss_gain_low < one.log_loss_gain < one.log_loss_gain_high
    assert one.settled_deals <= one.deals


def test_the_same_recipe_soon_afterwards_is_not_better_beyond_doubt(book, challenger, trained):
    found = asked(book, challenger, champion_of(trained))

    assert not found.promoted
    assert found.reason == "not better than champion beyond doubt"


def test_only_calls_after_the_champion_was_trained_are_compared(book, challenger, trained):
    """It has seen how earlier ones ended."""
    [one] = asked(book, challenger, champion_of(trained)).comparisons
    later = challenger.calls[challenger.calls["as_of"] > UNTIL]

    assert (one.calls, one.deals) == (len(later), later["deal_id"].nunique())


def test_a_challenger_that_is_worse_is_held(book, challenger, trained):
    """Its probabilities are turned round."""
    calls = challenger.calls.assign(
        win_probability=1 - challenger.calls["win_probability"], value_per_hour=-challenger.calls["value_per_hour"]
    )
    found = asked(book, replace(challenger, calls=calls.assign(known_until=UNTIL)), champion_of(trained))

    assert not found.promoted
    assert found.reason == "worse than champion beyond doubt (by bundle)"


def test_the_best_of_all_champions_is_the_one_to_beat(book, challenger, trained):
    """The coin is in use, a good model before it: it is not enough to beat the coin."""
    found = asked(book, challenger, coin(trained), champion_of(trained))

    assert [one.against for one in found.comparisons] == ["champion", "coin"]
    assert found.comparisons[1].better
    assert not found.comparisons[0].better
    assert not found.promoted


def test_a_champion_that_cannot_read_the_book_is_not_replaced_unasked(book, challenger, trained):
    found = asked(book, challenger, champion_of(trained, facts=trained.model.facts | {"currency": "USD"}))

    assert not found.promoted
    assert found.reason.startswith("the champion cannot read this book, so the two cannot be compared")


def test_an_earlier_champion_that_cannot_read_the_book_is_passed_over(book, challenger, trained):
    foreign = champion_of(trained, facts=trained.model.facts | {"currency": "USD"})

    assert [one.against for one in asked(book, challenger, coin(trained), foreign).comparisons] == ["coin"]


def test_the_same_recipe_on_the_same_data_says_nothing_new(book, challenger):
    found = asked(book, challenger, champion_of(challenger))

    assert found == Decision(
        False, f"the same recipe, and too few deals settled since {NOW:%Y-%m-%d} to tell whether it is better"
    )


def test_another_recipe_on_the_same_data_is_compared_over_all_folds(book, challenger):
    """The champion's settings allow one leaf more than none: a stump that learns next to nothing."""
    stump = BoosterSettings(trees=1, learning_rate=0.01, leaves=2, least_rows_in_leaf=150)
    poor = TINY.model_copy(update={"heads": TINY.heads.model_copy(update={"win": stump})})
    facts = challenger.model.facts | {"settings": poor.model_dump(mode="json")}
    found = asked(book, challenger, champion_of(challenger, facts=facts))

    assert found.reason == "better than champion beyond doubt (by recipe)"
    [one] = found.comparisons
    assert (one.by, one.calls) == ("recipe", len(challenger.calls))


def test_settings_that_only_judge_are_no_other_recipe(book, challenger):
    facts = challenger.model.facts | {"settings": challenger.model.facts["settings"] | {"bootstrap": 77, "folds": 9}}

    assert asked(book, challenger, champion_of(challenger, facts=facts)).comparisons == ()


def test_a_challenger_without_signal_is_judged_by_the_base_rate_it_would_publish(book, challenger, trained):
    without = replace(challenger, model=replace(challenger.model, signal=False))
    found = asked(book, without, champion_of(trained))

    assert not found.promoted
    assert found.comparisons[0].log_loss_gain < -0.02


def test_a_challenger_without_calls_is_held(book, challenger, trained):
    found = asked(book, replace(challenger, calls=challenger.calls.iloc[:0]), champion_of(trained))

    assert found.reason == "the challenger has no out-of-time calls: the book is too young to judge it"


def test_too_few_settled_deals_say_nothing(book, challenger, trained):
    late = champion_of(trained, facts=trained.model.facts | {"known_until": (NOW - pd.Timedelta(days=8)).isoformat()})

    assert asked(book, challenger, late).comparisons == ()


def comparison(loss=(0.0, -1.0, 1.0), skill=(0.0, -1.0, 1.0)) -> Comparison:
    return Comparison("x", "bundle", "2026-01-01", 9, 9, 9, *loss, *skill)


@pytest.mark.parametrize(
    ("loss", "skill", "better", "worse"),
    [
        ((0.1, 0.01, 0.2), (0.0, -0.1, 0.1), True, False),
        ((0.0, -0.1, 0.1), (0.1, 0.01, 0.2), True, False),
        ((0.1, -0.01, 0.2), (0.1, -0.01, 0.2), False, False),
        ((0.1, 0.01, 0.2), (-0.1, -0.2, -0.01), False, True),
        ((-0.1, -0.2, -0.01), (0.1, 0.01, 0.2), False, True),
    ],
)
def test_better_is_beyond_doubt_on_one_and_not_worse_beyond_doubt_on_the_other(loss, skill, better, worse):
    found = comparison(loss, skill)

    assert (found.better, found.worse) == (better, worse)


def test_a_forced_decision_names_its_reason_and_compares_nothing():
    assert forced("a person decided").as_json() == {
        "promoted": True,
        "reason": "a person decided",
        "comparisons": [],
    }


def test_a_gain_that_is_no_number_is_null_in_json():
    """Where nothing was won there is no skill."""
    told = Decision(False, "x", (comparison(skill=(float("nan"),) * 3),)).as_json()

    assert told["comparisons"][0]["skill_gain"] is None
    assert told["comparisons"][0]["log_loss_gain"] == 0.0


def test_a_model_knows_until_when_it_knew(trained):
    assert trained_at(trained.model) == UNTIL
    assert trained_at(plain_model()) is None


def test_a_constant_gain_has_no_spread(book, challenger, trained):
    """The same model in both places: nothing gained, nothing lost, to the bit."""
    one = champion_of(trained)
    said = challenger.calls.assign(known_until=UNTIL)
    from walkaway.calls import make_calls, read_rows
    from walkaway.history import History

    rows = read_rows(History(book), said[["deal_id", "as_of"]], one.plan)
    same = make_calls(one, rows, 0.0).table
    both = replace(challenger, calls=said.assign(**{c: same[c] for c in ("win_probability", "value_per_hour")}))
    [found] = asked(book, both, one).comparisons

    assert (found.log_loss_gain, found.log_loss_gain_low, found.log_loss_gain_high) == (0.0, 0.0, 0.0)
    assert (found.skill_gain, found.skill_gain_low, found.skill_gain_high) == (0.0, 0.0, 0.0)


def test_the_book_without_signal_promotes_nobody_twice():
    book = book_with_signal(signal=False)
    first, second = train(book, UNTIL, TINY), train(book, NOW, TINY)

    assert not asked(book, second, champion_of(first)).promoted
