from walkaway.config import Levels
from walkaway.monitoring.finding import cannot_tell, level_of, named, worst


def test_a_value_at_its_threshold_is_not_beyond_it():
    assert [level_of(v, Levels(watch=0.1, act=0.2)) for v in (0.1, 0.11, 0.2, 0.21)] == ["ok", "watch", "watch", "act"]


def test_the_worst_level_comes_first_and_nothing_told_is_worse_than_ok():
    assert worst(["ok", "cannot_tell"]) == "cannot_tell"
    assert worst([]) == "ok"


def test_more_than_three_names_are_counted():
    assert (named(["a"]), named(["a", "b", "c", "d"])) == ("a", "a, b, c and 1 more")


def test_what_cannot_be_told_says_why_with_its_figures():
    assert cannot_tell("D1", "too few.", deals=3).as_json() == {
        "code": "D1",
        "name": "columns",
        "level": "cannot_tell",
        "sentence": "Cannot tell: too few.",
        "note": "",
        "figures": {"deals": 3},
    }
