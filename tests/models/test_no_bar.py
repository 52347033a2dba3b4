from dataclasses import replace

import pytest
from tests.books import CURVE, plain_model

from walkaway.economics import Curve
from walkaway.models import no_bar

NONE = Curve((), (), (), ())
FEW = replace(CURVE, wins=3.0)


@pytest.mark.parametrize(
    ("changes", "bar", "by_hand", "reason"),
    [
        ({}, 20.0, False, ""),
        ({}, 0.0, False, "because each one tested loses more value than is accepted"),
        ({"curve": FEW}, 20.0, False, "because nearly all past value comes from a few deals"),
        ({"curve": NONE}, 0.0, False, "because too few deals have been settled to test one"),
        ({"curve": NONE}, 5.0, True, ""),
        ({}, 0.0, True, ""),
        ({"signal": False}, 20.0, True, "because the model cannot tell which of them will be won"),
        ({"signal": False, "curve": NONE}, 0.0, False, "because the model cannot tell which of them will be won"),
    ],
)
def test_why_no_bar_can_be_set(changes, bar, by_hand, reason):
    assert no_bar(replace(plain_model(), **changes), bar, by_hand) == reason
