import pandas as pd
import pytest

from walkaway.book.schema import Book
from walkaway.errors import UsageError
from walkaway.scoring.decisions import decisions_in_force, read_decisions, settle_decisions

NOW = pd.Timestamp("2026-03-01", tz="UTC")
FILE = """deal_id,decision,by,reason,date
a,pursue,ann,they called me,2026-02-01
b,Walk away,bob,"no, thanks",2026-02-02T10:00
a,nurture,ann,wait for budget,2026-02-20
"""


def read(tmp_path, text=FILE):
    path = tmp_path / "decisions.csv"
    path.write_text(text)
    return read_decisions(path)


def test_decisions_are_read_with_their_words_as_they_are(tmp_path):
    told = read(tmp_path)

    assert told["decision"].tolist() == ["pursue", "walk_away", "nurture"]
    assert told["reason"].tolist() == ["they called me", "no, thanks", "wait for budget"]
    assert told["date"].iloc[1] == pd.Timestamp("2026-02-02T10:00", tz="UTC")


def test_the_newest_decision_on_a_deal_stands_and_a_later_one_is_not_known_yet(tmp_path):
    told = read(tmp_path)

    assert decisions_in_force(told, NOW).set_index("deal_id")["decision"].to_dict() == {
        "a": "nurture",
        "b": "walk_away",
    }
    assert (
        decisions_in_force(told, pd.Timestamp("2026-02-10", tz="UTC")).set_index("deal_id")["decision"]["a"] == "pursue"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "deal_id,decision,by,date\na,pursue,x,2026-02-01",
            "column reason is missing, found deal_id, decision, by, date",
        ),
        (FILE.replace("pursue", "maybe"), "row 2, decision must be pursue, walk_away, nurture, found 'maybe'"),
        (FILE.replace("2026-02-20", "soon"), "row 4, date must be a day such as 2026-03-31, found 'soon'"),
    ],
)
def test_what_is_wrong_is_named_with_its_row_and_the_remedy(tmp_path, text, said):
    with pytest.raises(UsageError, match=said):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read as decisions"):
        read_decisions(tmp_path / "none.csv")


def test_people_and_the_model_are_settled_alike(tmp_path):
    """Of a and b the model would have kept b only; a was won, b is still open."""
    deals = {"deal_id": ["a", "b"], "created_at": "2026-01-01T00:00Z", "closed_at": ["2026-02-25T00:00Z", None]}
    book = Book.of(deals=pd.DataFrame(deals | {"outcome": ["won", None]}))
    calls = pd.DataFrame(
        {
            "deal_id": ["a", "a", "b"],
            "as_of": pd.to_datetime(["2026-02-15", "2026-02-21", "2026-02-01"], utc=True),
            "verdict": ["walk_away", "pursue", "pursue"],
        }
    )
    told = settle_decisions(read(tmp_path, FILE.replace("nurture", "pursue")), calls, book, NOW)

    assert told.values.tolist() == [["keep", "stop", 1, 0, 0], ["stop", "keep", 1, 1, 1]]
