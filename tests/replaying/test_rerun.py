"""Replays of a small book: resumed they end with the same bytes, and what cannot be is said in a sentence."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tests.books import END_DAY, TINY, book_with_signal, day, plain_model

from walkaway.asof.history import History
from walkaway.asof.snapshots import open_snapshots
from walkaway.config import ReplaySettings, ScoreSettings, Settings
from walkaway.errors import DataError, LockedError, UsageError
from walkaway.files import exclusive
from walkaway.formatting import LocaleFormat
from walkaway.models import Facts
from walkaway.models.base_rates import PastDeals
from walkaway.models.bundle import load_bundle
from walkaway.models.model import make_calls, read_rows
from walkaway.models.reference_profile import ReferenceProfile
from walkaway.replaying import Period, replay
from walkaway.replaying.summary import _model_notes
from walkaway.training.train import train

pytest_plugins = ("tests.books",)

PERIOD = Period(day(180), day(222), every_days=7, retrain_days=21)
SETTINGS = Settings(train=TINY, replay=ReplaySettings(grace_days=30, bootstrap=20))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("replay") / "out"


@pytest.fixture(scope="module")
def done(book, out):
    return replay(book, out, PERIOD, SETTINGS)


def test_a_model_calls_until_the_next_one_and_knew_nothing_later(done, out):
    by_model = done.ledger.groupby("model_version")["as_of"].agg(["min", "max"]).sort_values("min")

    assert by_model["min"].tolist() == [day(180), day(201), day(222)]
    assert by_model["max"].tolist() == [day(194), day(215), day(222)]
    for version, first in by_model["min"].items():
        assert load_bundle(out / "models" / str(version)).known_until == first


def test_every_open_deal_is_called_at_every_moment(done, book):
    for moment, calls in done.ledger.groupby("as_of"):
        deals = book.deals
        still_open = deals[(deals["created_at"] <= moment) & ~(deals["closed_at"] <= moment)]
        assert set(calls["deal_id"]) == set(still_open["deal_id"])


def test_the_bar_is_the_one_the_model_knew(done, out):
    for version, calls in done.ledger.groupby("model_version"):
        [bar] = calls["bar"].unique()
        assert bar == load_bundle(out / "models" / str(version)).curve.bar_for_forgo(0.10)


def test_calls_are_those_of_the_model_that_training_makes_of_what_was_known(done, book):
    """Though the replay's own models remember nothing to explain them by, and no curve is learned at another pace."""
    model = train(book, day(201), TINY.model_copy(update={"calls_every_days": 7.0})).model
    snapshots = open_snapshots(book, pd.DatetimeIndex([day(208)]))
    told = make_calls(model, read_rows(History(book), snapshots, model.plan), model.curve.bar_for_forgo(0.10)).table
    mine = done.ledger[done.ledger["as_of"] == day(208)].reset_index(drop=True)
    said = ["deal_id", "win_probability", "value_per_hour", "bar", "verdict"]

    pd.testing.assert_frame_equal(mine[said], told[said], check_exact=True)


def test_models_of_a_replay_keep_what_calls_need_and_nothing_to_explain_them_by(done, out):
    for folder in (out / "models").iterdir():
        model = load_bundle(folder)
        assert (model.past_deals, model.reference) == (PastDeals(), ReferenceProfile())
        assert model.curve.bars


def test_the_summary_on_disk_is_what_was_found(done, out):
    assert json.loads((out / "summary.json").read_text()) == done.summary
    assert pd.read_parquet(out / "ledger.parquet").equals(done.ledger)
    assert done.summary["measures"]["followed"]["hours_saved"] == done.measures["followed"]["hours_saved"]


@pytest.mark.parametrize(
    "lost", [["calls/0001.parquet"], ["ledger.parquet", "summary.json"], ["calls", "models"], ["models"]]
)
def test_a_replay_that_lost_parts_makes_them_again_to_the_byte(done, book, out, tmp_path, lost):
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    for name in lost:
        shutil.rmtree(copy / name) if (copy / name).is_dir() else (copy / name).unlink()
    replay(book, copy, PERIOD, SETTINGS)

    assert bytes_of(copy) == bytes_of(out)


def test_half_of_a_file_is_cleared(done, book, out, tmp_path):
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    for name in (".0001.parquet.abcd1234", ".summary.json.abcd1234"):
        where = copy / "calls" if "parquet" in name else copy
        (where / name).write_text("half")
    replay(book, copy, PERIOD, SETTINGS)

    assert {name for name in bytes_of(copy) if "abcd1234" in name} == set()


def test_a_folder_of_another_replay_is_refused(done, book, out):
    with pytest.raises(UsageError, match=r"holds a replay of another book, period or settings .*replay\.json"):
        replay(book, out, PERIOD, SETTINGS.model_copy(update={"score": ScoreSettings(bar=50.0)}))


def test_a_folder_belongs_to_a_replay_once_it_holds_calls(book, tmp_path):
    with pytest.raises(DataError):
        replay(book, tmp_path, Period(day(2), day(20)), SETTINGS)

    assert replay(book, tmp_path, Period(day(200), day(207), every_days=7), SETTINGS).summary["calls"] > 0


def test_how_calls_are_measured_may_change(done, book, out, tmp_path):
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    patient = SETTINGS.model_copy(update={"replay": ReplaySettings(grace_days=60, bootstrap=20)})

    assert replay(book, copy, PERIOD, patient).summary["judged_calls"] < done.summary["judged_calls"]


def test_a_book_mapped_otherwise_is_another_book(done, book, out):
    manifest = book.manifest.model_copy(update={"fixed_at_creation": ()})

    with pytest.raises(UsageError, match="holds a replay of another book"):
        replay(replace(book, manifest=manifest), out, PERIOD, SETTINGS)


def test_models_learn_their_curve_at_the_pace_of_the_replay(done, book, tmp_path):
    daily = replay(book, tmp_path, Period(day(200), day(202)), SETTINGS)

    assert (daily.summary["train"]["calls_every_days"], done.summary["train"]["calls_every_days"]) == (1.0, 7.0)


def test_a_guarantee_that_no_bar_meets_is_reported(book, tmp_path):
    promise = SETTINGS.model_copy(update={"score": ScoreSettings(forgo=0.02, guarantee=True)})
    found = replay(book, tmp_path, Period(day(200), day(207), every_days=7), promise)

    assert found.ledger["bar"].unique().tolist() == [0.0]
    assert "No bar meets a 2% loss limit at 90% confidence; none is set" in " ".join(found.summary["notes"])


def test_two_replays_do_not_write_to_one_folder(book, tmp_path):
    with exclusive(tmp_path), pytest.raises(LockedError, match="in use by another run"):
        replay(book, tmp_path, PERIOD, SETTINGS)


def test_a_bar_that_drops_nothing_or_everything_is_told(book, tmp_path):
    for bar, told in ((0.0, None), (1e12, "The bar dropped every deal.")):
        settings = SETTINGS.model_copy(update={"score": ScoreSettings(bar=bar)})
        found = replay(book, tmp_path / f"{bar:g}", PERIOD, settings)
        assert told is None or told in found.summary["notes"]
        assert 0 <= found.measures["followed"]["hours_saved"] <= 1


def test_a_bar_set_by_hand_is_told_with_what_it_would_have_gained_in_the_replay(book, done, tmp_path):
    settings = SETTINGS.model_copy(update={"score": ScoreSettings(bar=600.0)})
    found = replay(book, tmp_path, PERIOD, settings)
    gain = found.curve.gain_at(600.0)

    assert gain.hours == pytest.approx(found.measures["followed"]["hours_saved"] * found.curve.hours, rel=0.02)
    told = [note for note in found.summary["notes"] if "600 an hour" in note]
    assert len(told) == 1
    assert f"({gain.hours:,.0f} hours saved, worth" in told[0]
    assert not any("set by hand" in note.lower() for note in done.summary["notes"])


def test_models_with_too_short_a_history_are_told():
    facts = Facts(young_curve=True)
    models = [replace(plain_model(), facts=facts), plain_model()]

    assert _model_notes(models, ScoreSettings(), LocaleFormat("en")) == [
        "1 of 2 models had a history too short to test a bar well, so their bars may lose more value."
    ]


def test_a_period_at_the_end_of_the_book_has_nothing_to_judge(book, tmp_path):
    late = Period(day(END_DAY - 14), day(END_DAY - 7), every_days=7)
    found = replay(book, tmp_path, late, SETTINGS)

    assert found.measures == {}
    assert found.summary["notes"][0] == "No call is early enough to be measured: all are in the last days of the book."


def test_a_single_kind_of_ending_measures_nothing(tmp_path):
    book = book_with_signal()
    late = (book.deals["closed_at"] > day(180)) & (book.deals["outcome"] == "won")
    book = book.with_tables(deals=book.deals.assign(outcome=book.deals["outcome"].mask(late, "lost")))
    found = replay(book, tmp_path, PERIOD, SETTINGS)

    assert found.measures == {}
    assert found.summary["notes"][0].startswith("Every settled deal of the period was lost")


def test_what_cannot_be_replayed_is_refused(book, tmp_path):
    with pytest.raises(UsageError, match="is after the newest record of the book"):
        replay(book, tmp_path, Period(day(200), day(900)), SETTINGS)
    with pytest.raises(UsageError, match=r"--from 2024-12-01T00:00Z is before the first deal was created"):
        replay(book, tmp_path, Period(day(-36), day(20)), SETTINGS)
    with pytest.raises(DataError, match=r"no model can be trained as of 2025-01-08.* \(here, --until means --from\)"):
        replay(book, tmp_path, Period(day(2), day(20)), SETTINGS)
