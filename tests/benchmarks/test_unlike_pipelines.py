import pytest
from tests.scripts import script

from walkaway.asof.history import History, known
from walkaway.training.fitting import fit_as_of


@pytest.fixture(scope="module")
def benchmark():
    with script("benchmarks/unlike_pipelines.py") as module:
        yield module


def test_the_pipelines_share_no_deal_account_or_owner(benchmark):
    deals = benchmark.two_pipelines(60, 1, unlike=True).book.deals

    assert deals["pipeline"].value_counts().tolist() == [60, 60]
    for name in ("deal_id", "account_id", "owner_id"):
        assert not set(deals.loc[deals["pipeline"] == "renewal", name]) & set(
            deals.loc[deals["pipeline"] != "renewal", name]
        )


def test_the_other_market_turns_the_industries_round(benchmark):
    def rates(sample):
        deals = sample.book.deals
        return (deals["outcome"] == "won").groupby(deals["industry"]).mean()

    one, other = rates(benchmark.make_sample(1_500, 3)), rates(benchmark.other_market(1_500, 3))

    assert one["pharma"] > one["retail"] + 0.05
    assert other["retail"] > other["pharma"] + 0.05


def test_the_heads_part_by_unlike_pipelines_of_a_book(benchmark):
    book = known(benchmark.two_pipelines(420, 1, unlike=True).book, benchmark.UNTIL)

    assert fit_as_of(History(book), benchmark.UNTIL, benchmark.TrainSettings()).parted_by == "attribute[pipeline]"
