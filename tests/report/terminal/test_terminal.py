from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from tests.books import CURVE, TINY, UNTIL, plain_model, rows_of

from walkaway.config import ScoreSettings
from walkaway.economics import DROPPED, Curve
from walkaway.explain import Example, FlipCondition, Reason, SimilarDeals, explain, tell
from walkaway.models.model import make_calls
from walkaway.report.cards import show_story, steps_of
from walkaway.report.terminal.score_tables import show_score
from walkaway.report.terminal.training_tables import show_training
from walkaway.scoring.score import score
from walkaway.training.promotion import Comparison, Decision
from walkaway.training.run import Retrained
from walkaway.training.tune import TRIED, Tuned

pytest_plugins = ("tests.books",)

WAIT = (
    "call from the buyer: of 100 deals as silent as this that nobody worked on, it came to 40, of which 20 were won; "
    "of the others 5 were"
)
LONG = "0061v00000ABCDEFGHIJ-a-very-long-name-of-a-deal-as-some-systems-have-them-0001"


def shown(renderable, width: int = 80) -> str:
    out = StringIO()
    Console(file=out, width=width, highlight=False).print(renderable)
    return out.getvalue()


def words(text: str) -> str:
    """The text with every run of spaces and line ends as one space."""
    return " ".join(text.replace("│", " ").split())


@pytest.fixture(scope="module")
def done(trained):
    gained = Comparison(
        "20250101-ffffffffffff", "bundle", "2025-01-02", 900, 120, 80, 0.01, -0.002, 0.022, 0.1, 0.02, 0.2
    )
    decision = Decision(False, "not better than 20250101-ffffffffffff beyond doubt", (gained,))
    return Retrained(trained, Path("models/20250804-0123456789ab"), "3", "20250101-ffffffffffff", decision)


@pytest.fixture(scope="module")
def story(trained, book):
    table = score(book, trained.model, pd.DatetimeIndex([UNTIL]), ScoreSettings(forgo=0.1, reasons=0))
    best = table["deal_id"].iloc[0]
    [told] = explain(
        book, replace(trained.model, version="20250804-0123456789ab"), [best], UNTIL, ScoreSettings(forgo=0.1)
    )
    return told


@pytest.fixture(scope="module")
def called(trained, book):
    at = pd.DatetimeIndex([UNTIL - pd.Timedelta(days=7), UNTIL])
    return score(book, replace(trained.model, version="v1"), at, ScoreSettings(forgo=0.1, bar=150.0, reasons=1))


@pytest.fixture(scope="module")
def screens(done, story, called, trained):
    wordy = Reason("timing", ("x",), 9.9, "a word and " * 20, 120, 40)
    long = replace(story, deal_id=LONG, reasons=(wordy, *story.reasons))
    loss = replace(plain_model(), version="v1")
    [sold_low] = tell(loss, make_calls(loss, rows_of([1000.0], [-0.05]), 150.0), 0.125)
    return {
        "training": show_training(done),
        "training without signal": show_training(
            replace(done, trained=replace(done.trained, model=replace(trained.model, signal=False), tables={}))
        ),
        "score": show_score(called, trained.model, "reports/" + "x" * 90 + ".csv"),
        "story": show_story(story),
        "story of a long name": show_story(long),
        "story to nurture": show_story(replace(story, verdict="nurture", wait_for=WAIT, wait_until=UNTIL)),
        "story of a loss": show_story(sold_low),
    }


SCREENS = [
    "training",
    "training without signal",
    "score",
    "story",
    "story of a long name",
    "story to nurture",
    "story of a loss",
]


@pytest.mark.parametrize("name", SCREENS)
def test_no_line_is_longer_than_80_columns_and_nothing_is_cut(screens, name):
    text = shown(screens[name])

    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "…" not in text
    assert len(text.splitlines()) > 2


@pytest.mark.parametrize("name", ["training", "score", "story"])
def test_no_number_is_broken_over_two_lines_at_80_columns(screens, name):
    """A screen twice as wide has room for all; each of its numbers stands whole on the narrow one too."""
    numbers = {word for word in shown(screens[name], 160).split() if any(c.isdigit() for c in word) and len(word) < 20}
    narrow = set(shown(screens[name]).split())

    assert numbers - narrow == set()


def test_the_training_screen_says_what_went_in(screens):
    text = words(shown(screens["training"]))

    assert "171 deals known until 2025-08-04T00:00: 61 won, 77 lost, 33 open." in text
    assert (
        "1,375 events, 897 snapshots (14% of them of deals still open), 30 features. Share of hours assumed: 11%."
        in text
    )
    assert "573 out-of-time calls, 446 of them settled since" in text


def test_the_training_screen_names_the_model_in_use(done):
    text = words(shown(show_training(done)))
    other = words(shown(show_training(replace(done, champion=done.folder.name))))

    assert "Model 20250804-0123456789ab, version 3 in MLflow: kept" in text
    assert text.endswith("kept; in use is 20250101-ffffffffffff")
    assert other.endswith("Model 20250804-0123456789ab, version 3 in MLflow: in use (champion)")


def test_each_baseline_stands_beside_the_model(screens, trained):
    lines = shown(screens["training"]).splitlines()
    auc = trained.tables["win"]["auc"]
    for label, name in (
        ("this model", "win_probability"),
        ("logistic regression", "logistic"),
        ("naive Bayes, as Odoo", "naive_bayes"),
        ("win rate of the stage", "stage_rate"),
        ("base rate", "base_rate"),
    ):
        assert [line for line in lines if line.startswith(label) and f"{auc[name]:.3f}" in line] != []


def test_without_signal_the_screen_says_so(screens):
    text = words(shown(screens["training without signal"]))

    assert (
        "No signal: out of time no better than the base rate. It is published instead; each verdict is unsure." in text
    )
    assert "No signal" not in shown(screens["training"])


def test_without_a_curve_a_bar_by_hand_is_proposed(done):
    model = replace(done.trained.model, curve=Curve((), (), (), ()))
    text = words(shown(show_training(replace(done, trained=replace(done.trained, model=model)))))

    assert "No curve: too few settled deals to try a bar on. Set one by hand with --bar." in text


def test_the_gates_decision_is_shown_with_its_figures(done):
    said = words(shown(show_training(done)))

    assert "beside 20250101-ffffffffffff by bundle, 80 deals settled, from 2025-01-02:" in said
    assert "log loss gain +0.0100 (90%: -0.0020 to +0.0220); skill gain +0.100 (90%: +0.020 to +0.200)" in said
    assert "Gate: held, not better than 20250101-ffffffffffff beyond doubt." in said


TRIALS = pd.DataFrame(
    {"state": ["complete", "complete", "pruned"], "log_loss": [0.51, 0.5, None]}
    | {name: [1.0, 100.0, 3.0] for name in (*TRIED, "decay")}
)
GAINS = ("log_loss_gain", "log_loss_gain_low", "log_loss_gain_high", "skill_gain", "skill_gain_low", "skill_gain_high")
UNSEEN = {"since": "2025-06-01T00:00:00+00:00", "settled_deals": 70} | dict.fromkeys(GAINS, 0.01)


def test_what_tuning_gained_on_unseen_deals_is_shown_with_the_settings_to_keep(done):
    said = words(shown(show_training(replace(done, tuned=Tuned(TINY, TRIALS, UNSEEN, True)))))

    assert "Tuning: 3 trials (2 complete, 1 pruned)." in said
    assert "On 70 deals after 2025-06-01, which no trial saw, the best gains in log loss +0.0100" in said
    assert "train.heads = { decay = 100, win = { trees = 100, learning_rate = 100," in said


def test_tuning_that_gained_nothing_says_what_was_trained_with(done):
    said = words(shown(show_training(replace(done, tuned=Tuned(TINY, TRIALS, UNSEEN, False)))))

    assert "That is no gain, so the settings given were trained with." in said
    assert "walkaway.toml" not in said


def test_a_curve_is_shown_at_five_shares_and_called_an_estimate(done):
    model = replace(done.trained.model, curve=CURVE)
    text = shown(show_training(replace(done, trained=replace(done.trained, model=model))))
    [_, below] = text.split("What a bar frees")
    rows = [line.split() for line in below.splitlines() if " EUR " in line]

    assert "What a bar frees and forgoes (an estimate)" in text
    assert rows == [["0.0%", "EUR", "10", "10%", "9"]] * 3 + [["10.0%", "EUR", "20", "50%", "5"]] * 2


def test_the_score_screen_counts_the_newest_moment_only(called, trained):
    text = words(shown(show_score(called, trained.model, "calls.csv")))
    last = called[called["as_of"] == UNTIL]
    dropped = last[last["verdict"].isin(DROPPED)]

    assert text.startswith(f"{len(last)} deals open at 2025-08-04 00:00 UTC: ")
    for verdict, count in dropped["verdict"].value_counts().items():
        assert f"{count} {verdict}" in text
    hours = f"{dropped['remaining_hours'].sum():,.0f} of {last['remaining_hours'].sum():,.0f} expected hours"
    assert f"Walking away frees {hours}" in text
    assert "Bar: EUR 150 per hour" in text
    assert f"{len(called)} calls written to calls.csv" in text


def test_the_deals_most_worth_dropping_are_those_that_would_take_most_hours(called, trained):
    text = shown(show_score(called, trained.model, "calls.csv"))
    last = called[(called["as_of"] == UNTIL) & called["verdict"].isin(DROPPED)]
    expected = last.sort_values("remaining_hours", ascending=False)["deal_id"].head(10).tolist()

    assert [line.split()[0] for line in text.splitlines() if line[:1] == "d" and line[1:4].isdigit()] == expected


def test_calls_of_moments_before_the_model_learned_are_said_to_prove_nothing(called, trained):
    """One of the two moments lies a week before the model's last lesson; the other is that very moment."""
    text = words(shown(show_score(called, trained.model, "calls.csv")))
    late = int((called["as_of"] < UNTIL).sum())

    assert text.endswith(
        f"{late} of them lie before 2025-08-04 00:00, until when this model learned: it has seen what came next, "
        "so they prove nothing. Train with --until to test on the past."
    )
    newest = called[called["as_of"] == UNTIL]
    assert "prove nothing" not in words(shown(show_score(newest, trained.model, "calls.csv")))


@pytest.mark.parametrize("width", [80, 120])
def test_no_reason_is_cut_off_however_large_the_money(called, trained, width):
    reason = "no reply from the buyer for 41 days"
    large = called.assign(
        deal_id=[f"deal-{i:06d}" for i in range(len(called))],
        expected_value=12_345_678.0,
        value_per_hour=1_234_567.0,
        verdict="walk_away",
        reason_1=reason,
        factor_1=0.4875,
        reason_2=None,
        factor_2=float("nan"),
    )
    text = shown(show_score(large, trained.model, "calls.csv"), width)

    rows = [line for line in text.splitlines() if "deal-" in line]
    told = words(text.split("why")[1])
    assert len(rows) == 10
    assert told.count(f"{reason} ×0.49") == 10


def test_a_score_without_any_drop_lists_none(called, trained):
    text = shown(show_score(called.assign(verdict="pursue"), trained.model, "calls.csv"))

    assert "Most worth dropping" not in text
    assert "Walking away frees 0 of" in words(text)


def test_a_story_begins_with_the_verdict_the_value_of_an_hour_and_the_bar():
    [told] = tell(plain_model(), make_calls(plain_model(version="v2"), rows_of([3000.0]), 120.0), 0.125)
    text = words(shown(show_story(told)))

    assert "Deal d0 at 6 Jan 2025, 00:00 UTC" in text
    assert "PURSUE an hour on it is worth EUR 600; the bar is EUR 120" in text
    assert "50% to win × EUR 3,000 = EUR 1,500 expected, for 2.0 hours still to spend" in text
    assert "a typical open deal EUR 200 deal size of EUR 3,000 ×3.00 EUR 600" in text


def test_a_deal_to_nurture_says_what_to_wait_for_and_until_when(story, called, trained):
    card = words(shown(show_story(replace(story, verdict="nurture", wait_for=WAIT, wait_until=UNTIL))))
    waiting = called.assign(verdict="nurture", wait_for=WAIT, wait_until=UNTIL)
    table = words(shown(show_score(waiting, trained.model, "calls.csv"), 120))

    sign, why = WAIT.split(": ")
    assert f"No hours, but wait for {sign}, until 4 Aug 2025 at the latest: {why}." in card.replace("│ ", "")
    assert table.count("until 2025-08-04: wait for call from the buyer") == 10
    assert "wait for" not in words(
        shown(show_score(called.assign(verdict="walk_away"), trained.model, "calls.csv"), 120)
    )


def test_deals_kept_to_learn_from_free_nothing_and_are_not_listed(called, trained):
    last = called[called["as_of"] == UNTIL].assign(verdict="walk_away")
    kept = last.assign(kept_to_learn=[True] * 20 + [False] * (len(last) - 20))
    text = words(shown(show_score(kept, trained.model, "calls.csv"), 120))

    freed = kept["remaining_hours"].iloc[20:].sum()
    assert f"Walking away frees {freed:,.0f} of" in text
    assert "20 below the bar are to be worked all the same, to learn from." in text
    assert not set(kept["deal_id"].head(20)) & set(text.split())


def test_a_story_says_that_a_typical_amount_stands_in_for_a_missing_one():
    [told] = tell(plain_model(), make_calls(plain_model(), rows_of([float("nan")]), 120.0), 0.125)

    assert "50% to win × EUR 1,000 (no amount recorded yet, the typical one stands in) = EUR 500 expected" in words(
        shown(show_story(told))
    )


def test_the_steps_shown_multiply_from_the_typical_value_to_that_of_the_deal(story):
    steps = steps_of(story, 3)

    assert steps["value_per_hour"].iloc[[0, -1]].tolist() == [story.typical_value_per_hour, story.value_per_hour]
    product = story.typical_value_per_hour * steps["factor"].cumprod()
    np.testing.assert_allclose(product, steps["value_per_hour"], rtol=1e-12)
    told = sum(len(reason.features) for reason in story.reasons[:3])
    assert steps["sentence"].iloc[-1] == f"{len(story.factors) - told} other factors together"


def test_a_card_says_what_would_change_our_mind_and_deals_like_it(story):
    flip = FlipCondition("call from the buyer", 321.0, 212, 43, 20, UNTIL)
    similar = SimilarDeals(50, 9, 1.5, 40.0, (1.0,), (Example("d007", UNTIL, True, 900.0, 0.0),))
    dropped = replace(story, verdict="walk_away", flip_conditions=(flip,), similar_deals=similar)
    text = words(shown(show_story(dropped)).replace("│", ""))

    assert (
        "Would change our mind • call from the buyer: it came true for 43 of 212 deals like this, 20 of which were won "
        "(by 4 Aug 2025). An hour would then be worth EUR 321. Seen in past deals; not a promise"
    ) in text
    assert "9 of 50 were won; half took 1.5 hours or less from then on; an hour on them earned EUR 40." in text
    assert "Nearest: d007 won EUR 900 with no more work." in text


def test_a_dropped_deal_that_nothing_would_lift_is_told_so_and_a_kept_one_is_not(story):
    bare = replace(story, flip_conditions=())
    none = "Nothing that came to deals like this would lift it over the bar."

    assert none in words(shown(show_story(replace(bare, verdict="walk_away"))).replace("│", ""))
    assert none not in words(shown(show_story(replace(bare, verdict="pursue"))).replace("│", ""))


def test_a_model_without_background_and_a_deal_without_history_are_told_as_such(story):
    bare = words(shown(show_story(replace(story, background=False, events=0))).replace("│", ""))

    assert "This model remembers no settled deals" in bare
    assert "Nothing is recorded of it but its creation" in bare
    assert "Nothing is recorded of it but its creation" not in words(shown(show_story(story)))


def test_a_base_rate_that_is_that_of_the_whole_stage_is_not_told_again(story):
    whole = replace(story, typical=replace(story.typical, deals=200, won=80))
    reasons = tuple(replace(story.reasons[0], deals=deals, won=20) for deals in (195, 120))

    assert steps_of(replace(whole, reasons=reasons), 2)["base_rate"].str.contains("won").tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_a_story_of_a_loss_says_that_it_is_sold_at_a_loss(screens):
    text = words(shown(screens["story of a loss"]))

    assert "WALK AWAY" in text
    assert "Worth -EUR 50 even if won, sold at a loss: an amount of EUR 1,000 at a margin of -5%." in text
    assert "smaller factors together" not in text


def test_a_screen_without_a_terminal_holds_no_escape_codes(screens):
    assert [name for name, screen in screens.items() if "\x1b" in shown(screen)] == []


def pooled(done, signal: bool, **shares) -> str:
    summary = done.trained.summary | {"pooled_win": 0.7, "pooled_hours": 0.9} | shares
    model = replace(done.trained.model, signal=signal)
    return words(shown(show_training(replace(done, trained=replace(done.trained, summary=summary, model=model)))))


def test_few_deals_are_told_by_how_much_the_heads_pool(done):
    assert "heads pool: 70% of what the win head learns and 90% of what the hours head learns is" in pooled(done, True)
    assert "heads pool: 90% of what the hours head learns is" in pooled(done, False)
    assert "heads pool" not in pooled(done, True, pooled_win=0.09, pooled_hours=0.0)
