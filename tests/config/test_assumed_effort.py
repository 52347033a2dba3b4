import pytest
from pydantic import ValidationError

from walkaway.config import EffortSettings


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"hours_per_deal": 1, "hours_per_open_week": 1}, "found both"),
        ({"hours_per_deal": 1, "by": "stage"}, "or neither of them"),
        ({"by": "stage", "hours": {"demo": 1}}, "must have hours_per_deal too"),
        ({"hours_per_deal": 1, "by": "amount", "hours": {"large": 2}}, "least amounts"),
        ({"hours_per_deal": 0}, "greater than 0"),
    ],
)
def test_contradictions_are_refused(given, rule):
    with pytest.raises(ValidationError, match=rule):
        EffortSettings(**given)


def test_classes_of_amounts_are_in_order():
    assert EffortSettings(hours_per_deal=1, by="amount", hours={"900": 3, "1000": 5}).by_size == {900.0: 3, 1000.0: 5}
