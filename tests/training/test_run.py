import json
import sys
from dataclasses import replace

import pandas as pd
import pytest
from tests.books import UNTIL, settings_of

from walkaway.asof.history import known
from walkaway.errors import BundleError, LockedError, UsageError
from walkaway.files import exclusive
from walkaway.models.registry import champion_version
from walkaway.training import run as module
from walkaway.training.promotion import Promotion
from walkaway.training.run import retrain, roll_back

pytest_plugins = ("tests.books",)

HELD = Promotion(False, "not better than x")
EARLIER = UNTIL - pd.Timedelta(days=7)


@pytest.fixture
def told(monkeypatch, trained):
    """What training and MLflow were asked: both are replaced, since what they do is tested elsewhere."""
    asked = []

    def train(book, until, settings, step):
        asked.append(("train", until))
        return replace(
            trained, model=replace(trained.model, facts=trained.model.facts.model_copy(update={"known_until": until}))
        )

    def log(model, folder, tables, figures, *, models, uri, texts, tags):
        asked.append(("log", folder.name, sorted(figures), uri))
        return f"v{len(asked)}"

    def decide_promotion(book, until, challenger, champions, settings, step):
        asked.append(("compare", [model.version for model in champions]))
        return HELD

    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "decide_promotion", decide_promotion)
    monkeypatch.setattr(module, "log_training", log)
    monkeypatch.setattr(module, "mirror_champion", lambda v, *, models, uri: asked.append(("alias", v, uri)))
    return asked


def test_the_first_model_becomes_champion_and_gets_the_alias(book, tmp_path, told):
    done = retrain(book, tmp_path, UNTIL, settings_of("sqlite:///x.db"))

    assert (done.promoted, done.champion) == (True, done.folder.name)
    assert champion_version(tmp_path) == done.folder.name
    assert told == [
        ("train", UNTIL),
        ("log", done.folder.name, [], "sqlite:///x.db"),
        ("alias", done.folder.name, "sqlite:///x.db"),
    ]


def test_a_second_model_that_is_not_promoted_is_saved_and_does_not_become_champion(book, tmp_path, told):
    first = retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of())

    assert second.folder != first.folder
    assert second.folder.is_dir()
    assert (second.promoted, second.champion, champion_version(tmp_path)) == (False, first.champion, first.champion)
    assert [what for what, *_ in told] == ["train", "log", "alias", "train", "compare", "log", "alias"]
    assert ("compare", [first.champion]) in told
    assert told[-1][1] == first.champion  # an alias that somebody moved is put right


def test_a_second_model_becomes_champion_when_promoted(book, tmp_path, told):
    retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of(), promote=True)

    assert (second.promoted, champion_version(tmp_path)) == (True, second.folder.name)
    assert told[-1] == ("alias", second.folder.name, None)


def test_a_second_model_that_is_promoted_becomes_champion(book, tmp_path, told, monkeypatch):
    monkeypatch.setattr(module, "decide_promotion", lambda *asked: Promotion(True, "better than x"))
    retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of())

    assert (second.promoted, champion_version(tmp_path)) == (True, second.folder.name)


def test_every_champion_is_compared_that_is_remembered_and_whole(book, tmp_path, told):
    versions = [retrain(book, tmp_path, UNTIL - pd.Timedelta(days=d), settings_of(), promote=True) for d in (21, 14, 7)]
    first, second, third = (done.champion for done in versions)
    (tmp_path / second / "model.json").write_text("{}")
    retrain(book, tmp_path, UNTIL, settings_of())

    assert ("compare", [third, first]) in told


def test_each_decision_is_a_line_of_the_log(book, tmp_path, told):
    first = retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of())
    lines = [json.loads(line) for line in (tmp_path / "decisions.jsonl").read_text().splitlines()]

    assert [(line["version"], line["promoted"], line["reason"]) for line in lines] == [
        (first.folder.name, True, "the first model"),
        (second.folder.name, False, "not better than x"),
    ]


def test_the_model_card_is_kept_and_logged(book, tmp_path, told, monkeypatch):
    logged = {}
    monkeypatch.setattr(module, "log_training", lambda *model, texts, **others: logged.update(texts) or "1")
    done = retrain(book, tmp_path, UNTIL, settings_of(), card=lambda trained, version, decision: f"# {version}\n")

    assert (tmp_path / "cards" / f"{done.champion}.md").read_text() == f"# {done.champion}\n"
    assert logged["model_card.md"] == f"# {done.champion}\n"
    assert sorted(logged) == ["audit/features.csv", "audit/sources.csv", "decision.json", "model_card.md"]


def test_a_damaged_champion_stops_a_training_before_it_begins(book, tmp_path, told):
    first = retrain(book, tmp_path, EARLIER, settings_of())
    (first.folder / "model.json").write_text("{}")
    told.clear()

    with pytest.raises(BundleError, match=r"it does not match its checksum in bundle\.json"):
        retrain(book, tmp_path, UNTIL, settings_of())
    assert told == []


def test_rolled_back_the_model_before_is_in_use_and_the_alias_follows(book, tmp_path, told):
    first = retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of(), promote=True)

    assert roll_back(tmp_path, settings_of("sqlite:///x.db")) == (second.champion, first.champion)
    assert champion_version(tmp_path) == first.champion
    assert told[-1] == ("alias", first.champion, "sqlite:///x.db")


def test_nothing_is_rolled_back_while_a_training_runs(book, tmp_path, told):
    retrain(book, tmp_path, EARLIER, settings_of())
    second = retrain(book, tmp_path, UNTIL, settings_of(), promote=True)
    with exclusive(tmp_path), pytest.raises(LockedError):
        roll_back(tmp_path, settings_of())

    assert champion_version(tmp_path) == second.champion


def test_the_same_training_again_is_in_use_already(book, tmp_path, told):
    first = retrain(book, tmp_path, UNTIL, settings_of())
    again = retrain(book, tmp_path, UNTIL, settings_of())

    assert (again.promoted, again.folder) == (True, first.folder)


def test_with_advice_training_sees_dropped_deals_without_an_outcome(book, tmp_path, told, monkeypatch):
    fake, seen = module.train, []

    def train(read, *rest):
        seen.append(read.deals.set_index("deal_id"))
        return fake(read, *rest)

    monkeypatch.setattr(module, "train", train)
    lost = known(book, UNTIL).deals.query("outcome == 'lost'").iloc[-1]
    row = {"deal_id": [lost["deal_id"]], "advised_at": lost["closed_at"] - pd.Timedelta(days=1), "verdict": "walk_away"}
    row |= {"value_per_hour": 1.0, "bar": 2.0, "model_version": "v1", "keep_share": 0.0, "kept": False}
    pd.DataFrame(row).to_csv(tmp_path / "advice.csv", index=False)
    retrain(book, tmp_path / "models", UNTIL, settings_of(), advice=tmp_path / "advice.csv")
    retrain(book, tmp_path / "models", UNTIL, settings_of())

    assert [pd.isna(deals.loc[lost["deal_id"], "outcome"]) for deals in seen] == [True, False]


def test_figures_are_drawn_of_the_training_and_logged(book, tmp_path, told):
    retrain(book, tmp_path, UNTIL, settings_of(), figures=lambda done: {f"{len(done.calls)}.png": None})

    assert told[1][2] == ["573.png"]


def test_a_held_lock_stops_a_second_training_before_it_begins(book, tmp_path, told):
    text = r"models is in use by another run \(it holds .*models/\.lock\)\. Wait for it to end\."

    with exclusive(tmp_path / "models"), pytest.raises(LockedError, match=text) as caught:
        retrain(book, tmp_path / "models", UNTIL, settings_of())
    assert caught.value.exit_code == 5
    assert told == []


def test_the_lock_is_free_after_a_training_that_failed(book, tmp_path, told):
    with pytest.raises(UsageError, match="--advice"):
        retrain(book, tmp_path, None, settings_of(), advice=tmp_path / "advice.csv")

    assert retrain(book, tmp_path, UNTIL, settings_of()).promoted is True


def test_a_damaged_pointer_stops_a_training_before_it_begins(book, tmp_path, told):
    (tmp_path / "champion.json").write_text("{}")

    with pytest.raises(BundleError, match=r"champion\.json: it was changed after it was written"):
        retrain(book, tmp_path, UNTIL, settings_of())
    assert told == []


def test_promoting_repairs_a_damaged_pointer(book, tmp_path, told):
    (tmp_path / "champion.json").write_text("{}")
    done = retrain(book, tmp_path, UNTIL, settings_of(), promote=True)

    assert champion_version(tmp_path) == done.folder.name


def test_a_training_that_mlflow_refuses_leaves_the_champion_alone(book, tmp_path, told, monkeypatch):
    first = retrain(book, tmp_path, EARLIER, settings_of())

    def refuse(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(module, "log_training", refuse)
    with pytest.raises(OSError, match="no space left"):
        retrain(book, tmp_path, UNTIL, settings_of(), promote=True)
    assert champion_version(tmp_path) == first.champion


@pytest.fixture
def without_mlflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)


@pytest.mark.usefixtures("without_mlflow")
def test_a_training_without_mlflow_is_kept_and_has_no_version_there(book, tmp_path, told):
    done = retrain(book, tmp_path, UNTIL, settings_of())

    assert (done.registered, done.champion) == (None, champion_version(tmp_path))
    assert [what for what, *_ in told] == ["train", "alias"]


@pytest.mark.usefixtures("without_mlflow")
def test_a_tracking_uri_without_mlflow_stops_a_training_before_it_begins(book, tmp_path, told):
    text = r"tracking_uri is set, and MLflow is not installed: pip install 'walkaway\[mlflow\]'"

    with pytest.raises(UsageError, match=text):
        retrain(book, tmp_path / "models", UNTIL, settings_of("sqlite:///x.db"))
    assert told == []
    assert not (tmp_path / "models").exists()


def test_a_tracking_uri_without_mlflow_stops_a_rollback_before_the_pointer_moves(book, tmp_path, told, monkeypatch):
    for until in (EARLIER, UNTIL):
        done = retrain(book, tmp_path, until, settings_of(), promote=True)
    monkeypatch.setitem(sys.modules, "mlflow", None)

    with pytest.raises(UsageError, match="MLflow is not installed"):
        roll_back(tmp_path, settings_of("sqlite:///x.db"))
    assert champion_version(tmp_path) == done.champion
