import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from tests.books import UNTIL
from tests.reports import EVIL, LONG, SCRIPT

from walkaway.report.html import digest, gather, page
from walkaway.report.html.annotated_calls import CALLS
from walkaway.report.html.digest import plain
from walkaway.report.html.drawings import _attributes

pytest_plugins = ("tests.reports",)


class _Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def html(content):
    return page(content)


@pytest.fixture(scope="module")
def parsed(html):
    return _Page(html)


def test_words_of_a_crm_appear_as_text_whatever_they_hold(html, parsed):
    text = "".join(parsed.text)

    for word in EVIL:
        assert word[:399] in text, word[:40]
    assert html.count("<script>") == 1  # the page's own
    assert SCRIPT not in html
    assert "49" not in [word.strip() for word in parsed.text]  # {{ 7*7 }} is no template


def test_nothing_is_fetched_and_no_style_or_handler_stands_in_an_element(html, parsed):
    fetching = {"src", "srcset", "poster", "data", "action", "formaction", "background"}
    for tag, attributes in parsed.elements:
        assert not fetching & set(attributes), tag
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        target = attributes.get("href") or attributes.get("xlink:href") or "#"
        assert target.startswith("#") or target in ("deals.csv", "deals.xlsx"), target
    assert not re.search(r"url\((?!#)", html)
    assert [tag for tag, _ in parsed.elements if tag in ("link", "iframe", "img", "object", "embed", "form")] == []


def test_the_policy_allows_this_style_and_script_and_nothing_else(parsed):
    [policy] = [a["content"] for tag, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"]

    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; script-src 'sha256-[\w+/=]{44}'; base-uri 'none'; "
        r"form-action 'none'",
        policy,
    )


def test_every_id_is_there_once_and_every_link_leads_to_one(parsed):
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    links = {a["href"][1:] for tag, a in parsed.elements if tag == "a" and a["href"].startswith("#")}

    assert sorted(ids) == sorted(set(ids))
    assert links <= set(ids)


def test_every_table_has_a_caption_and_every_figure_a_title_and_a_table(parsed):
    tags = [tag for tag, _ in parsed.elements]

    assert tags.count("caption") == tags.count("table") > 5
    assert tags.count("svg") == len([a for tag, a in parsed.elements if tag == "svg" and a.get("role") == "img"]) >= 2
    assert tags.count("title") == 1 + tags.count("svg")


def test_the_answer_comes_first_and_the_bar_is_where_it_was_set(content, parsed):
    text = " ".join("".join(parsed.text).split())
    answer = content.answer

    assert f"Stopping work on {answer.let_go} of {answer.open_deals} open deals frees" in text
    assert text.index("Stopping work on") < text.index("Trade-off: hours freed and value lost")
    assert "worth less than the bar (EUR 600), so it is better spent on another deal. The bar is set by hand." in text


def test_each_dropped_deal_has_a_card_that_says_how_to_leave_the_door_open(content, html):
    assert len(content.stories) == len(content.of(*CALLS)) > 5
    assert html.count("Leave the door open:") == len(content.stories)


def test_a_report_without_a_replay_says_what_proof_needs(parsed):
    assert "No replay was given, so these calls have not been tested on your own past deals." in "".join(parsed.text)


def test_no_name_of_a_feature_reaches_a_reader(content, parsed):
    text = "".join(parsed.text)
    names = [planned.column for planned in content_columns(content) if "_" in planned.column]

    assert [name for name in names if name in text] == []


def content_columns(content):
    from tests.books import trained_until_day_210

    return trained_until_day_210().model.plan.features


def test_a_digest_is_fifteen_lines_of_markdown_whose_words_are_text(content):
    told = digest(content)

    assert len(told.splitlines()) <= 15
    assert told.startswith("**Stopping work on ")
    assert "<script>" not in told
    assert told.rstrip().endswith("A person decides; people are not scored.")


def test_words_in_markdown_are_one_line_and_no_command():
    assert plain(f"{SCRIPT}\n# h") == "\\<script\\>alert('x')\\</script\\> \\# h"
    assert len(plain(LONG)) == 120


@pytest.mark.parametrize("style", ["fill: none; stroke: #000000", "font: 11px sans-serif", ""])
def test_a_style_becomes_attributes(style):
    assert "style" not in _attributes(style)
    assert _attributes("fill: none; stroke: #000000") == 'fill="none" stroke="#000000"'


def test_the_page_says_if_there_is_no_deal_to_stop(hostile, model, settings):
    low = settings.model_copy(update={"score": settings.score.model_copy(update={"bar": 0.0})})
    sold_at_a_loss = gather(hostile, model, UNTIL, low).of("walk_away")["deal_id"]
    kept = pd.DataFrame({"deal_id": sold_at_a_loss, "decision": "pursue", "by": "x", "reason": "", "date": UNTIL})
    content = gather(hostile, model, UNTIL, low, decisions=kept)
    html = page(content)
    text = " ".join("".join(_Page(html).text).split())

    assert content.of(*CALLS).empty
    assert "is below the bar: keep them all." in text
    assert "Walk away: stop now None." in text
    assert 'id="which"' not in html
    assert len(digest(content).splitlines()) <= 15


@pytest.fixture(scope="module")
def named(content):
    """The page of deals that have names, owners and links, one of them a script."""
    first = content.calls["deal_id"].iloc[0]
    links = content.calls["deal_id"].map({first: "javascript:alert(1)"}).fillna("https://crm.example/record")
    calls = content.calls.assign(name=SCRIPT, account_name="Acme & Co", owner_name="Ann Miller", url=links)
    return _Page(page(replace(content, calls=calls)))


def test_each_deal_in_a_list_is_shown_by_name_and_linked_to_its_record(named, content):
    links = {target for tag, found in named.elements if tag == "a" and (target := found["href"])[:1] != "#"}

    assert links == {"https://crm.example/record", "deals.csv", "deals.xlsx"}
    assert SCRIPT in named.text
    assert named.text.count("Acme & Co") >= len(content.of(*CALLS))
    assert "Ann Miller" in named.text


def test_the_digest_names_deals(content):
    calls = content.calls.assign(name="Acme *renewal*")

    assert "Acme \\*renewal\\* (d" in digest(replace(content, calls=calls))
