from walkaway.config import Levels
from walkaway.monitoring.finding import Finding, cannot_tell, level_of, listed, named, worst


def test_a_value_at_its_threshold_is_not_beyond_it():
    assert [level_of(v, Levels(watch=0.1, act=0.2)) for v in (0.1, 0.11, 0.2, 0.21)] == ["ok", "watch", "watch", "act"]


def test_the_worst_level_comes_first_and_nothing_told_is_worse_than_ok():
    assert worst(["ok", "cannot_tell"]) == "cannot_tell"
    assert worst([]) == "ok"


def test_more_than_three_names_are_counted():
    assert (named(["a"]), named(["a", "b", "c", "d"])) == ("a", "a, b, c and 1 more")


def test_a_finding_that_cannot_be_made_says_why():
    assert cannot_tell("D1", "too few.", deals=3).as_json() == {
        "code": "D1",
        "name": "columns",
        "level": "cannot_tell",
        "sentence": "Cannot tell: too few.",
        "note": "",
        "figures": {"deals": 3},
    }


def test_a_list_of_columns_over_words_is_left_out_for_readers_who_know_no_columns():
    names = ["age_days", "b", "c", "touches_in[7]"]

    assert listed("4 of 9 columns of deals moved", names[:1], ["age_days (now 4)"]) == (
        "4 of 9 columns of deals moved: age_days (now 4).",
        "4 of 9 signs of deals moved: age days (now 4).",
    )
    assert listed("Moved", names[2:], names[2:]) == ("Moved: c, touches_in[7].", "Moved.")
    assert listed("Moved", names, names)[1] == "Moved: age days, b, c and 1 more."  # the fourth is not named


def test_a_finding_is_told_with_its_remedy_and_plainly_without_its_level():
    old = Finding("D7", "act", "2 columns are old.", remedy="Train again.", plain="2 signs are old.")
    unknown = cannot_tell("D1", "too few.")

    assert (old.sentence, old.plain_found) == ("2 columns are old. Train again.", "2 signs are old.")
    assert old.plain_advice == "2 signs are old. Train again."
    assert (unknown.sentence, unknown.plain_advice) == ("Cannot tell: too few.", "too few.")
