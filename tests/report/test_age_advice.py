from dataclasses import replace

from rich.console import Group
from tests.books import UNTIL
from tests.screens import shown, words

from walkaway.formatting import LocaleFormat
from walkaway.models import Facts
from walkaway.report.age_advice import AGE_HEADERS, AGE_TITLE, age_rows, age_sentences
from walkaway.report.html import gather, page
from walkaway.report.model_card import model_card
from walkaway.report.terminal.training_tables import _dated_training
from walkaway.training.promotion import promoted_without_comparison

pytest_plugins = ("tests.reports",)

EN = LocaleFormat("en", "EUR")
CHANCES = ((0, 1000, 40), (14, 700, 10), (30, 500, 4))
RULE = (
    "A rule that needs no model: stop work on deals older than 30 days. 0.8% of them are won (4 of 500), "
    "of all deals 4.0%. These are 10% of all wins."
)
YOUNGER = {"measure": "walk-away skill", "by": "younger", "gain": -0.1, "low": -0.2, "high": -0.05}


def test_nothing_is_said_where_the_model_ranks_better_than_age():
    assert age_sentences(Facts(), EN) == []
    assert age_rows(Facts(), EN) == []


def test_the_rule_is_told_with_its_counts():
    assert age_sentences(Facts(chance_by_age=CHANCES), EN) == [
        "Age alone ranks deals as well as this model: the youngest first.",
        RULE,
    ]


def test_where_age_ranks_better_that_is_told_already_and_only_the_rule_is_added():
    assert age_sentences(Facts(chance_by_age=CHANCES, beaten_by=(YOUNGER,)), EN) == [RULE]


def test_without_a_rule_only_the_comparison_is_told():
    assert len(age_sentences(Facts(chance_by_age=((0, 100, 40), (14, 70, 30))), EN)) == 1


def test_the_chance_by_age_is_a_table():
    assert age_rows(Facts(chance_by_age=CHANCES), EN) == [
        ("all", "1,000", "40", "4.0%", "100%"),
        ("14 days", "700", "10", "1.4%", "25%"),
        ("30 days", "500", "4", "0.8%", "10%"),
    ]


def test_training_the_card_and_the_report_say_it_first_and_show_the_table(trained, hostile, settings):
    facts = trained.model.facts.model_copy(update={"chance_by_age": CHANCES})
    model = replace(trained.model, facts=facts)
    told = replace(trained, model=model)
    card = model_card(told, "v1", promoted_without_comparison("the first model"), EN)
    printed = words(shown(Group(*_dated_training(told, EN))))
    on_page = page(gather(hostile, model, UNTIL, settings))

    assert f"**{RULE}**" in card.split("## Intended use")[0]
    assert "| 30 days | 500 | 4 | 0.8% | 10% |" in card
    assert RULE in printed.split("features")[0]
    assert AGE_TITLE in printed
    assert on_page.index(RULE) < on_page.index('class="answer"')
    assert '<td>30 days</td><td class="n">500</td>' in on_page
    for header in AGE_HEADERS:
        assert header in card
