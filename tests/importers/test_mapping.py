import pytest

from walkaway.errors import MappingError
from walkaway.importers.mapping import load_mapping, shipped_mappings
from walkaway.importers.xes_mapping import XesMapping

WHOLE = """
source = "xes"
[case]
deal_id = "concept:name"
[[outcome]]
outcome = "won"
events = ["signed"]
[[activity]]
events = "W_call*"
kind = "call"
[work]
events = "W_*"
done = "COMPLETE"
begun = "START"
clip_hours = 1.0
[[field]]
field = "stage"
events = "*"
"""


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str) -> XesMapping:
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        return load_mapping(str(tmp_path / "mine.toml"))

    return write_and_load


def test_the_shipped_mapping_of_bpic2012_names_what_wins_a_deal():
    assert load_mapping("bpic2012").outcome[0].events == ("A_APPROVED", "A_REGISTERED", "A_ACTIVATED")


def test_every_shipped_mapping_loads():
    assert [load_mapping(name).source for name in shipped_mappings()] == ["xes", "table", "table", "table"]


def test_an_unknown_name_suggests_a_near_one():
    with pytest.raises(
        MappingError,
        match=r"bpic2021: must be a file or a built-in mapping \(.*maven_crm.*\)\. Did you mean bpic2012",
    ):
        load_mapping("bpic2021")


def test_a_name_near_to_none_suggests_none():
    with pytest.raises(MappingError, match=r"zzz: must be a file or a built-in mapping \(.*\)\. Correct the name\.$"):
        load_mapping("zzz")


def test_a_file_of_the_users_own_is_read(load):
    assert load(WHOLE).case.deal_id == "concept:name"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("deal_id =", "id ="), r"case.deal_id: must be given"),
        (
            ('outcome = "won"', 'outcome = "draw"'),
            r"outcome.0.outcome: must be 'won' or 'lost' \(found 'draw'\)",
        ),
        (("clip_hours = 1.0", "clip_hours = 0"), r"work.clip_hours: must be above 0 \(found 0\)"),
        (("clip_hours = 1.0", ""), r"work.clip_hours: must be given"),
        (('["signed"]', "[]"), r"outcome.0.events: must hold at least 1"),
        (
            ('kind = "call"', 'kind = "call"\ncolour = 1'),
            r"activity.0.colour: there is no such key \(found 1\)",
        ),
        (
            ('kind = "call"', 'kind = "call"\nhours = -1'),
            r"activity.0.hours: must be at least 0",
        ),
        (('"xes"', '"csv"'), r"source: must be one of table, xes \(found 'csv'\)"),
        (('source = "xes"', 'source = "xes"\ntimezone = "Europe/Amsterdm"'), r"timezone: .*Europe/Amsterdm"),
    ],
)
def test_a_wrong_part_is_named_with_the_value_found(load, change, says):
    with pytest.raises(MappingError, match=f"mine.toml: {says}.*Correct this part"):
        load(WHOLE.replace(*change, 1))


def test_a_file_that_is_not_toml_says_where(load):
    with pytest.raises(MappingError, match=r"mine.toml: must be TOML in UTF-8, found: .*line 1.*Correct the file"):
        load("source = = 1")


def test_a_file_that_is_not_text_is_not_toml(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(MappingError, match=r"must be TOML in UTF-8, found: 'utf-8' codec can't decode byte 0xff"):
        load_mapping(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("name", "part"),
    [("W_call back", "ActivityMapping"), ("W_write", "WorkMapping"), ("signed", "FieldMapping")],
)
def test_an_event_means_the_first_part_that_fits_activities_before_work_before_fields(load, name, part):
    assert type(load(WHOLE).meaning_of(name)).__name__ == part


def test_an_event_that_fits_no_part_means_nothing():
    assert load_mapping("bpic2012").meaning_of("X_UNKNOWN") is None


def test_patterns_tell_upper_from_lower_case():
    assert load_mapping("bpic2012").meaning_of("a_submitted") is None


@pytest.mark.parametrize(
    ("transition", "status"), [("START", "begun"), ("COMPLETE", "done"), ("SCHEDULE", None), ("", None)]
)
def test_a_transition_the_mapping_does_not_name_has_no_status(load, transition, status):
    assert load(WHOLE).work.status_of(transition) == status
