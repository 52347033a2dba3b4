import json
import shutil
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from tests.books import plain_model, rows_of, sign

from walkaway.asof.history import History
from walkaway.errors import BundleError, UsageError
from walkaway.files import write_json
from walkaway.heads import HoursHead, WinHead, WorthHead
from walkaway.heads.bag import Bag
from walkaway.heads.calibration import Calibration
from walkaway.models import bundle
from walkaway.models.base_rates import PastDeals
from walkaway.models.bundle import load_bundle, save_bundle
from walkaway.models.facts import Facts
from walkaway.models.model import make_calls, read_rows
from walkaway.models.reference_profile import ReferenceProfile
from walkaway.models.registry import champion_version, load_champion, rollback, set_champion

pytest_plugins = ("tests.books",)

BOOSTERS = [f"{head}-{i}.txt" for head in ("win", "worth", "hours", "no_decision") for i in (0, 1)]
FILES = ["bundle.json", "model.json", "past_deals.json", "settled.parquet", *BOOSTERS]


def flip_a_bit(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def change_a_digit(data: bytes) -> bytes:
    at = max(data.rfind(digit) for digit in b"0123456789")
    return data[:at] + (b"8" if data[at : at + 1] == b"9" else b"9") + data[at + 1 :]


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1] if data[-1:] != b"\n" else data[:-2],
    "with one bit flipped": flip_a_bit,
    "with a digit changed": change_a_digit,
    "empty": lambda data: b"",
    "of zeros": lambda data: bytes(len(data)),
}


def folder_of(models):
    return models / champion_version(models)


def test_the_bundle_holds_the_files_these_tests_damage(saved_models):
    assert sorted(path.name for path in folder_of(saved_models).iterdir()) == sorted(FILES)


def test_a_model_read_back_makes_the_same_calls_to_the_bit(trained, champion, book):
    rows = read_rows(History(book), trained.calls[["deal_id", "as_of"]], trained.model.plan)
    written, read = (make_calls(model, rows, 70.0).table for model in (trained.model, champion))

    pd.testing.assert_frame_equal(read, written, check_exact=True)


def test_a_model_read_back_is_the_model_but_for_its_version(trained, champion, saved_models):
    model = trained.model

    assert (champion.plan, champion.curve, champion.facts) == (model.plan, model.curve, model.facts)
    assert (champion.signal, champion.floor_hours) == (model.signal, model.floor_hours)
    assert champion.heads.win.calibration == model.heads.win.calibration
    assert champion.version == folder_of(saved_models).name


def test_a_model_without_boosters_is_read_back_whole(tmp_path):
    model = plain_model(worth=WorthHead(750.0, -0.25), signal=False)
    read = load_bundle(save_bundle(model, tmp_path))

    assert (read.heads, read.curve, read.signal, read.facts) == (model.heads, model.curve, False, Facts(currency="EUR"))


def test_a_model_saved_again_has_the_same_version_and_bytes(champion, saved_models, tmp_path):
    folder = save_bundle(champion, tmp_path)

    assert folder.name == folder_of(saved_models).name
    for name in FILES:
        assert (folder / name).read_bytes() == (folder_of(saved_models) / name).read_bytes()


def test_saving_over_a_damaged_bundle_of_the_same_version_repairs_it(champion, models):
    (folder_of(models) / "win-0.txt").write_bytes(b"")

    assert save_bundle(champion, models) == folder_of(models)
    assert load_champion(models).version == champion.version


def test_a_version_is_the_day_until_which_the_book_was_known_and_a_checksum(saved_models):
    day, short = folder_of(saved_models).name.split("-")

    assert (day, len(short)) == ("20250804", 12)
    assert set(short) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "other",
    [
        {"floor_hours": 0.6},
        {"signal": False},
        {"facts": Facts(currency="USD")},
        {"worth": WorthHead(1000.0, 1e-9)},
        {"hours": HoursHead(2.0 + 1e-12)},
    ],
    ids=["floor", "signal", "facts", "worth", "hours"],
)
def test_a_model_that_differs_at_all_has_another_version(other, tmp_path):
    assert save_bundle(plain_model(**other), tmp_path).name != save_bundle(plain_model(), tmp_path).name


def test_numbers_are_kept_to_the_last_bit(tmp_path):
    win, worth = WinHead(0.1, None, Calibration(1 / 3, 5e-324)), WorthHead(0.1 + 0.2, np.nextafter(1.0, 2.0))
    odd = plain_model(win=win, worth=worth, floor_hours=1e-300)
    read = load_bundle(save_bundle(odd, tmp_path))

    assert (read.heads, read.floor_hours) == (odd.heads, odd.floor_hours)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named_before_anything_of_it_is_parsed(models, monkeypatch, name, damage):
    path, parsed, read_json = folder_of(models) / name, [], json.loads
    damaged = damage(path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    monkeypatch.setattr(bundle.json, "loads", lambda data: parsed.append(data) or read_json(data))
    monkeypatch.setattr(bundle.Bag, "from_texts", lambda texts: parsed.extend(t.encode() for t in texts))

    changed = rf"/{name}: it (was changed after|does not match) .*\. Restore the file, or train again"
    with pytest.raises(BundleError, match=changed):
        load_champion(models)
    assert damaged not in parsed
    assert [text for text in parsed if text.startswith(b"tree")] == []


@pytest.mark.parametrize("name", FILES)
def test_a_deleted_file_is_named(models, name):
    (folder_of(models) / name).unlink()

    with pytest.raises(BundleError, match=rf"{name}.* Restore the file, or train again"):
        load_champion(models)


def test_a_deleted_bundle_is_named(models):
    folder = folder_of(models)
    shutil.rmtree(folder)

    with pytest.raises(BundleError, match=folder.name):
        load_champion(models)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_pointer_is_named(models, damage):
    path = models / "champion.json"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(BundleError, match=r"/champion\.json: (it was changed after|must be readable JSON)"):
        load_champion(models)


@pytest.mark.parametrize("name", ["champion.json", "bundle.json"])
def test_each_flipped_bit_of_the_pointer_or_the_manifest_is_noticed(models, name):
    path = models / name if name == "champion.json" else folder_of(models) / name
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        with pytest.raises(BundleError, match=name):
            champion_version(models)


@pytest.mark.parametrize(
    "text", ["[]", "3", "null", '{"version": "x"}', '{"version": [], "manifest": "", "checksum": ""}']
)
def test_a_pointer_of_another_form_is_refused(models, text):
    (models / "champion.json").write_text(text)

    with pytest.raises(BundleError, match=r"champion\.json: it was changed after it was written"):
        champion_version(models)


def test_a_pointer_to_another_version_by_hand_is_refused(models):
    pointer = json.loads((models / "champion.json").read_text())
    write_json(models / "champion.json", pointer | {"version": "20990101-000000000000"})

    with pytest.raises(BundleError, match=r"champion\.json: it was changed after it was written"):
        champion_version(models)


@pytest.mark.parametrize("text", ["{}", "[]", "3"])
def test_a_manifest_without_a_format_is_refused(models, text):
    folder = folder_of(models)
    (folder / "bundle.json").write_text(text)

    with pytest.raises(BundleError, match=r"bundle\.json: format_version must be 1, found None\. Restore the file"):
        load_bundle(folder)


def test_a_manifest_of_another_format_is_of_another_version_and_the_remedy_is_to_train(models):
    folder = folder_of(models)
    (folder / "bundle.json").write_text('{"format_version": 2, "files": {}}')

    with pytest.raises(
        BundleError, match=r"must be 1, found 2, so another version of walkaway wrote this bundle\. Train again with"
    ):
        load_bundle(folder)


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": 1}',
        '{"format_version": 1, "files": ["model.json"]}',
        '{"format_version": 1, "files": {}, "version": "0", "more": 1}',
        '{"format_version": 1, "files": {}}',
    ],
)
def test_a_manifest_holds_a_format_a_version_and_files_and_nothing_else(models, text):
    folder = folder_of(models)
    (folder / "bundle.json").write_text(text)

    with pytest.raises(BundleError) as refused:
        load_bundle(folder)
    assert str(refused.value).startswith(
        f"{folder / 'bundle.json'}: must list the bundle's files, each with a checksum. Restore the file"
    )


def test_a_manifest_may_only_name_files_of_a_bundle(models):
    folder = folder_of(models)
    files = {"../champion.json": "0"}
    write_json(folder / "bundle.json", {"format_version": 1, "version": bundle._short(files), "files": files})

    with pytest.raises(
        BundleError, match=r"bundle\.json: names '\.\./champion\.json', which is not a file of a bundle\."
    ):
        load_bundle(folder)


def test_a_file_that_the_manifest_does_not_name_is_named(models):
    stray = folder_of(models) / "win-7.txt"
    stray.write_text("")

    with pytest.raises(BundleError) as refused:
        load_bundle(folder_of(models))
    assert str(refused.value) == f"{stray}: the bundle's manifest does not name it. Move it elsewhere."


def test_a_manifest_whose_version_is_of_other_files_is_named(models):
    folder = folder_of(models)
    manifest = json.loads((folder / "bundle.json").read_text())
    write_json(folder / "bundle.json", manifest | {"version": "20250804-000000000000"})

    with pytest.raises(BundleError) as refused:
        load_bundle(folder)
    assert str(refused.value).startswith(f"{folder / 'bundle.json'}: its version does not match the files it names.")


def test_a_number_that_json_does_not_know_is_refused_as_a_change(models):
    """json.loads reads NaN, which walkaway never writes."""
    (models / "champion.json").write_text('{"version": NaN}')

    with pytest.raises(BundleError, match=r"champion\.json: it was changed after it was written\."):
        bundle.read_strictly(models / "champion.json")


def test_past_deals_are_read_back_as_they_were(champion, trained):
    written, read = trained.model.past_deals, champion.past_deals

    assert (read.rates, read.groups, read.buyer_events, read.typical_margin) == (
        written.rates,
        written.groups,
        written.buyer_events,
        written.typical_margin,
    )
    pd.testing.assert_frame_equal(read.settled.ends, written.settled.ends, check_exact=True)
    assert read.settled.terms.dtype == np.float32
    np.testing.assert_array_equal(read.settled.terms, np.asarray(written.settled.terms, dtype=np.float32))
    assert np.abs(read.settled.terms).sum() > 0


def test_names_are_written_as_they_are_and_sorted(champion, saved_models):
    text = (folder_of(saved_models) / "model.json").read_text(encoding="utf-8")

    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True)


def test_an_infinite_number_is_no_json_and_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_bundle(plain_model(floor_hours=float("inf")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_saving_an_undamaged_bundle_again_leaves_its_files_alone(champion, models):
    before = {path: path.stat().st_ino for path in folder_of(models).iterdir()}
    save_bundle(champion, models)

    assert {path: path.stat().st_ino for path in folder_of(models).iterdir()} == before


def test_a_whole_file_of_wrong_content_is_refused_by_name(models):
    """Checksums hold, yet a part is wrong: made by another program."""
    folder = folder_of(models)
    described = json.loads((folder / "model.json").read_text())
    write_json(folder / "model.json", described | {"win": {}})
    sign(folder)

    with pytest.raises(
        BundleError, match=r"model\.json: a part is missing or wrong: KeyError\('base_rate'\)\. Restore the file"
    ):
        load_bundle(folder)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"is not a model bundle: it has no bundle\.json\. Restore the file"):
        load_bundle(tmp_path)


def test_without_a_champion_the_remedy_is_to_train_one(tmp_path):
    assert champion_version(tmp_path) is None
    with pytest.raises(
        BundleError, match=r"has no model in use \(no champion\.json\)\. Train one: walkaway train --book"
    ):
        load_champion(tmp_path)


def test_a_deleted_pointer_leaves_no_champion(models):
    (models / "champion.json").unlink()

    with pytest.raises(BundleError, match=r"has no model in use \(no champion\.json\)"):
        load_champion(models)


def test_the_champion_is_the_version_last_set(tmp_path):
    one, two = (save_bundle(plain_model(floor_hours=h), tmp_path).name for h in (0.1, 0.2))
    set_champion(tmp_path, one)
    set_champion(tmp_path, two)

    assert champion_version(tmp_path) == two
    assert load_champion(tmp_path).floor_hours == 0.2


def test_twelve_members_come_back_in_their_order(trained, tmp_path):
    heads = trained.model.heads
    many = Bag((heads.win.bag.boosters + heads.hours.bag.boosters) * 3)
    model = replace(trained.model, heads=replace(heads, win=WinHead(0.5, many)))

    assert load_bundle(save_bundle(model, tmp_path)).heads.win.bag.texts() == many.texts()


def test_calls_of_a_plain_model_survive_the_disk(tmp_path):
    model, rows = plain_model(), rows_of([100.0, float("nan")])
    read = load_bundle(save_bundle(model, tmp_path))

    assert make_calls(read, rows, 20.0).table.equals(make_calls(model, rows, 20.0).table)


@pytest.fixture
def three(tmp_path):
    """Three models, each made champion in its turn: the folder and their versions."""
    versions = [save_bundle(plain_model(floor_hours=h), tmp_path).name for h in (0.1, 0.2, 0.3)]
    for version in versions:
        set_champion(tmp_path, version)
    return tmp_path, versions


def test_rolling_back_returns_to_each_champion_before_and_then_says_that_there_is_none(three):
    models, (one, two, _) = three

    assert (rollback(models), champion_version(models)) == (two, two)
    assert (rollback(models), champion_version(models)) == (one, one)
    with pytest.raises(UsageError, match="has no earlier model to return to"):
        rollback(models)
    assert champion_version(models) == one


def test_a_champion_set_again_is_remembered_once(three):
    models, (one, two, three_) = three
    set_champion(models, two)

    assert (rollback(models), rollback(models)) == (three_, one)


def test_a_damaged_model_does_not_come_back_into_use(three):
    models, (_, two, last) = three
    (models / two / "model.json").write_text("{}")
    with pytest.raises(BundleError, match=two):
        rollback(models)

    assert champion_version(models) == last


def test_a_pointer_that_remembers_nothing_at_all_was_written_by_no_champion(three):
    models, (one, *_) = three
    pointer = {"version": one, "manifest": sha256((models / one / "bundle.json").read_bytes()).hexdigest()}
    own = sha256(json.dumps(pointer, sort_keys=True).encode()).hexdigest()
    write_json(models / "champion.json", pointer | {"checksum": own})

    with pytest.raises(BundleError, match=r"champion\.json: it was changed after it was written"):
        champion_version(models)


def test_each_flipped_bit_of_the_pointers_history_is_noticed(three):
    models, _ = three
    path = models / "champion.json"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        with pytest.raises(BundleError):
            rollback(models)


def test_a_model_with_other_predictions_than_when_it_was_saved_is_refused(champion, tmp_path, monkeypatch):
    folder = save_bundle(champion, tmp_path)
    assert load_bundle(folder).version == folder.name
    probability = Calibration.probability
    monkeypatch.setattr(Calibration, "probability", lambda self, raw: probability(self, raw) * (1 + 1e-5))

    with pytest.raises(BundleError, match="win_probability of the golden rows differs from when the model was saved"):
        load_bundle(folder)


def test_the_picture_of_training_is_read_back_as_it_was_and_names_no_deal(champion, trained, saved_models, book):
    text = (folder_of(saved_models) / "model.json").read_text()

    assert champion.reference == trained.model.reference
    assert len(champion.reference.columns) > 10
    assert [deal for deal in book.deals["deal_id"] if f'"{deal}"' in text] == []


def test_a_model_of_a_fold_is_saved_with_all_parts_too(tmp_path):
    folder = save_bundle(plain_model(), tmp_path)

    assert sorted(json.loads((folder / "model.json").read_text())) == sorted(bundle.PARTS)
    assert (load_bundle(folder).reference, load_bundle(folder).past_deals) == (ReferenceProfile(), PastDeals())


@pytest.mark.parametrize("part", bundle.PARTS)
def test_a_bundle_without_one_of_its_parts_is_of_another_version_and_the_remedy_is_to_train(part, champion, tmp_path):
    folder = save_bundle(champion, tmp_path)
    described = json.loads((folder / "model.json").read_text())
    del described[part]
    (folder / "model.json").write_text(json.dumps(described))
    manifest = json.loads((folder / "bundle.json").read_text())
    files = manifest["files"] | {"model.json": sha256((folder / "model.json").read_bytes()).hexdigest()}
    write_json(folder / "bundle.json", manifest | {"version": bundle._short(files), "files": files})

    with pytest.raises(BundleError, match=rf"model\.json has no {part}, so another version of walkaway wrote"):
        load_bundle(folder)


def test_a_bundle_without_past_deals_is_of_another_version(champion, tmp_path):
    folder = save_bundle(champion, tmp_path)
    (folder / "past_deals.json").unlink()

    with pytest.raises(BundleError, match=r"no past_deals\.json, so another version .* Train again with --promote\."):
        load_bundle(sign(folder))


def test_golden_rows_reach_different_leaves_of_the_boosters(champion):
    said = bundle._golden(champion)

    assert len(set(said["win_probability"])) > 3
    assert {len(values) for values in said.values()} == {8}
