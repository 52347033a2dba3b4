import pandas as pd
import pytest
from pydantic import ValidationError

from walkaway.models.facts import Facts


def test_only_what_was_given_is_written_and_it_reads_back():
    facts = Facts(known_until=pd.Timestamp("2026-01-05T09:00Z"), deals=3, settings={"folds": 2})

    assert facts.as_json() == {"known_until": "2026-01-05T09:00:00+00:00", "deals": 3, "settings": {"folds": 2}}
    assert Facts.model_validate(facts.as_json()) == facts


def test_counts_leave_out_names_settings_and_suspects():
    facts = Facts(deals=3, won=1, book="f00", currency="EUR", left_out=({"name": "deals.x"},), settings={"folds": 2})

    assert facts.counts() == {"deals": 3, "won": 1}


def test_the_moment_of_knowledge_is_utc():
    assert Facts(known_until="2026-01-05T10:00+01:00").until == pd.Timestamp("2026-01-05T09:00Z")
    assert Facts().until is None


def test_a_fact_that_is_not_known_is_refused():
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Facts(wins=3)
