from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from tests.books import plain_model, rows_of

from walkaway.asof.history import History
from walkaway.economics import value_per_hour
from walkaway.explaining import attribute, explanation
from walkaway.explaining.attribution import TERMS, _agreed, _chord, _shap
from walkaway.heads import HoursHead, WinHead, WorthHead
from walkaway.heads.calibration import Calibration
from walkaway.models.base_rates import PastDeals
from walkaway.models.model import Rows, make_calls, read_rows

pytest_plugins = ("tests.books",)

CALIBRATIONS = [Calibration(), Calibration(0.4, -1.5), Calibration(2.5, 3.0), Calibration(1.0, -600.0)]


@pytest.fixture(scope="module")
def rows(trained, book):
    """Every out-of-time call's snapshot, with amounts that are missing and margins of all kinds."""
    read = read_rows(History(book), trained.calls[["deal_id", "as_of"]], trained.model.plan)
    assert read.terms["amount"].isna().any()
    assert (read.terms["margin"] < 0).any()
    return read


def with_win(model, calibration):
    return replace(model, heads=replace(model.heads, win=model.heads.win.calibrated(calibration)))


def assert_adds_up(model, rows):
    """typical x the product of a row's factors is its value per hour, for each row that is explained."""
    found = attribute(model, rows)
    said = make_calls(model, rows, 0.0).table["value_per_hour"].to_numpy()
    product = found.typical * np.exp(found.terms.sum(axis=1))
    explained = found.explained

    assert explained.any()
    np.testing.assert_allclose(product[explained], said[explained], rtol=1e-9, atol=0)
    np.testing.assert_allclose(
        (found.typical * found.factors().prod(axis=1))[explained], said[explained], rtol=1e-9, atol=1e-300
    )


def test_the_model_of_these_tests_has_boosters_in_all_three_heads(trained):
    heads = trained.model.heads

    assert [len(head.bag.boosters) for head in (heads.win, heads.worth, heads.hours)] == [2, 2, 2]


@pytest.mark.parametrize("calibration", CALIBRATIONS[:3])
def test_typical_times_the_product_of_the_factors_is_the_value_per_hour(trained, rows, calibration):
    assert_adds_up(with_win(trained.model, calibration), rows)


def test_factors_multiply_exactly_where_the_probability_is_too_small_to_write_nearly(trained, rows):
    assert_adds_up(with_win(trained.model, CALIBRATIONS[3]), rows)


@pytest.mark.parametrize("floor", [1e-6, 0.1, 50.0])
def test_factors_multiply_exactly_whatever_the_floor_under_hours(trained, rows, floor):
    assert_adds_up(replace(trained.model, floor_hours=floor), rows)


@pytest.mark.parametrize(
    "heads",
    [
        {"win": WinHead(0.3)},
        {"win": WinHead(0.3, None, Calibration(0.5, 1.0))},
        {"worth": WorthHead(321.0, -0.7)},
        {"hours": HoursHead(4.0)},
        {"hours": HoursHead(0.0)},
        {"win": WinHead(0.3), "worth": WorthHead(321.0), "hours": HoursHead(4.0)},
    ],
    ids=["win", "win calibrated", "worth", "hours", "no hours", "all"],
)
def test_factors_multiply_exactly_where_heads_have_no_boosters(trained, rows, heads):
    assert_adds_up(replace(trained.model, heads=replace(trained.model.heads, **heads)), rows)


def test_a_plain_model_has_no_factors_but_size_and_margin():
    found = attribute(plain_model(), rows_of([2000.0, float("nan")], [0.25, float("nan")]))

    # half of 1000 over two hours and a floor of half an hour
    assert found.typical == pytest.approx(200.0, rel=1e-15)
    assert found.factors().round(12).tolist() == [[1.0, 2.0, 0.25, 1.0], [1.0, 1.0, 1.0, 1.0]]
    assert found.columns == ("age_days", *TERMS)


def test_deals_of_less_than_one_unit_of_money_have_factors_too():
    found = attribute(plain_model(worth=WorthHead(0.5)), rows_of([0.25, float("nan")], [0.5, 0.5]))

    assert found.explained.tolist() == [True, True]
    assert found.typical == pytest.approx(0.1, rel=1e-15)  # half of 0.5 over two and a half hours
    assert found.factors().round(12).tolist() == [[1.0, 0.5, 0.5, 1.0], [1.0, 1.0, 0.5, 1.0]]


def test_without_rows_there_are_no_factors():
    assert attribute(plain_model(), rows_of([])).factors().shape == (0, 4)


def test_the_floor_lowers_what_few_hours_lift(trained, rows):
    found = attribute(replace(trained.model, floor_hours=5.0), rows)
    hours = trained.model.heads.hours
    base = exp(_shap(hours.bag, rows.X)[1].mean() + hours.log_scale)
    remaining = hours.hours(rows.X)

    np.testing.assert_allclose(found.factors()[:, -1], (1 + 5 / base) / (1 + 5 / remaining), rtol=1e-9)


@pytest.mark.parametrize(
    ("amount", "margin"),
    [(0.0, 0.5), (100.0, -0.1), (100.0, 0.0), (-5.0, 0.5)],
    ids=["nothing", "loss", "zero", "credit"],
)
def test_a_deal_worth_nothing_or_less_is_not_explained_by_factors(amount, margin):
    found = attribute(plain_model(), rows_of([amount, 100.0], [margin, 0.5]))

    assert found.explained.tolist() == [False, True]


def test_a_negative_amount_at_a_negative_margin_has_factors_that_multiply_or_none():
    rows, model = rows_of([-100.0, 100.0], [-0.5, 0.5]), plain_model()
    assert_adds_up(model, rows)


def test_the_rows_that_are_not_explained_are_those_worth_nothing_or_less(trained, rows):
    value = trained.model.heads.worth.value(rows.X, rows.terms)

    assert attribute(trained.model, rows).explained.tolist() == (value > 0).tolist()


@pytest.mark.parametrize("head", ["win", "worth", "hours"])
def test_shap_values_are_those_of_lightgbm_bit_for_bit(trained, rows, head):
    bag = getattr(trained.model.heads, head).bag
    values, bases = _shap(bag, rows.X)
    for member, booster in enumerate(bag.boosters):
        contributions = booster.predict(rows.X, pred_contrib=True)
        assert values[member].tobytes() == np.ascontiguousarray(contributions[:, :-1]).tobytes()
        assert set(contributions[:, -1]) == {bases[member]}


def test_shap_values_and_their_base_sum_to_the_raw_score(trained, rows):
    bag = trained.model.heads.win.bag
    values, bases = _shap(bag, rows.X)

    np.testing.assert_allclose(values.sum(axis=2) + bases[:, None], bag.raw_by_member(rows.X), rtol=0, atol=1e-12)


def test_a_head_without_boosters_has_shap_values_of_zero():
    values, bases = _shap(None, np.ones((2, 3), np.float32))

    assert (values.tolist(), bases.tolist()) == ([[[0.0] * 3] * 2], [0.0])


def test_the_chord_is_the_rise_of_the_log_probability_over_the_step():
    slope = _chord(Calibration(), np.array([0.0]), -log(3.0))

    # from 1/4 to 1/2 in one step of ln 3
    assert slope[0] == pytest.approx(log(2.0) / log(3.0), rel=1e-14)


@pytest.mark.parametrize("step", [0.0, 1e-10, -1e-10])
def test_the_chord_at_the_base_is_the_derivative(step):
    calibration = Calibration(0.5, 0.25)
    p = calibration.probability(np.array([0.7]))[0]

    assert _chord(calibration, np.array([0.7 + step]), 0.7)[0] == pytest.approx(0.5 * (1 - p), rel=1e-9)


def test_the_chord_goes_over_into_the_derivative_without_a_jump():
    steps = np.array([1e-5, 1e-6, 1e-7, 1e-8, 2e-9, 5e-10])
    slopes = _chord(Calibration(), 0.3 + steps, 0.3)

    np.testing.assert_allclose(slopes, slopes[-1], rtol=1e-5)


def test_a_chord_is_always_positive_so_that_no_term_changes_sign():
    raw = np.linspace(-700, 700, 1401)

    assert (_chord(Calibration(0.6, -0.2), raw, 1.3) > 0).all()


def by_member_of(model, rows):
    """Terms of each member's features, (members, rows, features), before size is added to the amount."""
    win, worth, hours = (_shap(getattr(model.heads, h).bag, rows.X) for h in ("win", "worth", "hours"))
    raw = model.heads.win.raw_by_member(rows.X).mean(axis=0)
    chord = _chord(model.heads.win.calibration, raw, float(win[1].mean()))[:, None]
    return win[0] * chord + worth[0] - hours[0]


def test_a_group_is_agreed_only_where_members_give_it_its_sign_and_no_less_than_half_or_more_than_twice_its_size(
    trained, rows
):
    """Of a bag of two, both must agree."""
    model, found = trained.model, attribute(trained.model, rows)
    members = by_member_of(model, rows)
    place = model.plan.columns.index("amount")
    size = np.log(model.heads.worth.amount(rows.terms["amount"].to_numpy()) / model.heads.worth.typical_amount)
    members[..., place] += size
    told = np.stack([members[..., list(g)].sum(axis=-1) for g in found.groups[:-3]], axis=-1)[:, found.explained]
    share = told / told.mean(axis=0)
    expected = ((share >= 0.5) & (share <= 2.0)).all(axis=0)

    assert 0.1 < expected.mean() < 0.9
    near_the_limits = (np.abs(share - 0.5) < 1e-9).any(axis=0) | (told.mean(axis=0) == 0)
    agreed = found.agreed[found.explained][:, :-3]
    assert (agreed == expected)[~near_the_limits].all()
    assert found.agreed[found.explained][:, -3:].all()  # arithmetic


def test_each_column_is_in_one_group(trained, rows):
    found = attribute(trained.model, rows)

    assert sorted(at for group in found.groups for at in group) == list(range(len(found.columns)))
    np.testing.assert_allclose(found.group_terms().sum(axis=1), found.terms.sum(axis=1), rtol=1e-12, atol=1e-12)
    alone = attribute(replace(trained.model, past_deals=PastDeals()), rows)
    assert alone.groups == tuple((at,) for at in range(len(alone.columns)))


def test_margins_are_held_against_the_typical_margin_and_factors_still_multiply_exactly(trained, rows):
    past_deals = replace(trained.model.past_deals, typical_margin=0.25)
    model = replace(trained.model, past_deals=past_deals)
    assert_adds_up(model, rows)

    found, at = attribute(model, rows), found_at(trained, "margin rate")
    known = rows.terms["margin"].notna().to_numpy() & found.explained
    rates = rows.terms["margin"].to_numpy()[known] / 0.25
    np.testing.assert_allclose(found.factors()[known, at], rates, rtol=1e-12)


def found_at(trained, name):
    return len(trained.model.plan.columns) + TERMS.index(name)


def test_the_shap_library_draws_what_it_is_given(trained, rows):
    """Its own waterfall, bars and beeswarm of our terms; they start at ln(typical) and end at ln(value per hour)."""
    import matplotlib

    matplotlib.use("Agg")
    import shap
    from matplotlib import pyplot

    found = attribute(trained.model, rows)
    told = explanation(found, rows)
    said = make_calls(trained.model, rows, 0.0).table["value_per_hour"].to_numpy()[found.explained]

    np.testing.assert_allclose(told.base_values + told.values.sum(axis=1), np.log(said), rtol=1e-9)
    assert told.feature_names == [*trained.model.plan.columns, *TERMS]
    np.testing.assert_array_equal(told.data[:, :-3], rows.X[found.explained])
    np.testing.assert_array_equal(told.data[:, -3:-1], rows.terms[["amount", "margin"]].to_numpy()[found.explained])
    for draw in (lambda: shap.plots.waterfall(told[0], show=False), lambda: shap.plots.bar(told, show=False)):
        draw()
        assert sum(len(axes.patches) for axes in pyplot.gcf().axes) > 3
        pyplot.close("all")
    shap.plots.beeswarm(told, show=False)
    assert sum(len(axes.collections) for axes in pyplot.gcf().axes) > 3
    pyplot.close("all")


def test_the_size_of_a_deal_is_told_with_its_amount_as_one_factor(trained, rows):
    model, found = trained.model, attribute(trained.model, rows)
    place = model.plan.columns.index("amount")
    heads = (_shap(getattr(model.heads, h).bag, rows.X)[0].mean(axis=0)[:, place] for h in ("win", "worth", "hours"))
    win, worth, hours = heads
    raw, base = model.heads.win.raw_by_member(rows.X).mean(axis=0), _shap(model.heads.win.bag, rows.X)[1].mean()
    size = np.log(model.heads.worth.amount(rows.terms["amount"].to_numpy()) / model.heads.worth.typical_amount)
    told = win * _chord(model.heads.win.calibration, raw, float(base)) + worth - hours + size

    worthy = found.explained
    np.testing.assert_allclose(found.terms[worthy, place], told[worthy], rtol=1e-9, atol=1e-12)
    assert not found.terms[:, found.columns.index("deal size")].any()


def test_a_row_explained_alone_has_the_terms_it_has_among_others(trained, rows):
    together = attribute(trained.model, rows)
    one = Rows(rows.snapshots.iloc[[3]], rows.X[3:4], rows.terms.iloc[[3]])
    alone = attribute(trained.model, one)

    assert (alone.typical, alone.terms.tolist()) == (together.typical, together.terms[3:4].tolist())


def test_the_typical_value_is_the_index_at_the_base_of_all_heads(trained, rows):
    heads = trained.model.heads
    base = {name: float(_shap(getattr(heads, name).bag, rows.X)[1].mean()) for name in ("win", "worth", "hours")}
    worth = heads.worth.typical_amount * exp(base["worth"] + heads.worth.log_ratio)
    p = heads.win.calibration.probability(np.array([base["win"]]))[0]
    hours = exp(base["hours"] + heads.hours.log_scale)

    assert attribute(trained.model, rows).typical == pytest.approx(value_per_hour(p * worth, hours, 0.1), rel=1e-12)


def test_members_that_give_a_term_more_than_twice_its_size_do_not_agree():
    mean = np.array([1.0])

    assert _agreed(np.full((5, 1), 2.0), mean).tolist() == [True]
    assert _agreed(np.full((5, 1), 2.1), mean).tolist() == [False]


@pytest.mark.parametrize(("size", "agreed"), [(0.5, True), (2.0, True), (0.49, False), (2.01, False), (-1.0, False)])
def test_four_of_five_members_at_half_or_twice_the_size_still_agree(size, agreed):
    members = np.array([[size]] * 4 + [[100.0]])

    assert _agreed(members, np.array([1.0])).tolist() == [agreed]
