"""Confidence: whether to act on the report today, how such calls did on past deals, and what else matters."""

from __future__ import annotations

import pandas as pd

from walkaway.formatting import LocaleFormat
from walkaway.monitoring import Finding, Level
from walkaway.report.html.annotated_calls import CHECK_FIRST
from walkaway.report.html.content import Content
from walkaway.report.html.phrases import NO_PROOF, capital
from walkaway.report.html.proof import Proof

__all__ = ["confidence", "period", "proved", "sure", "tried", "use"]

UNKNOWN = "unknown"
MOVED = 0.05  # of the bar; a smaller difference is not worth a sentence
AGES = ("day_old", "older")


def use(content: Content) -> tuple[str, str]:
    """Whether the list can be acted on today: (yes, with care, not yet, or no; what to do)."""
    wording, act = content.wording, " ".join(finding.plain_found for finding in _findings(content, "act"))
    level, why_not = confidence(content)
    until_then = "Until then, use this list to choose which deals to review, not which to stop."
    if not content.actionable:
        return "no", "Use this list to choose which deals to review, not which to stop."
    if act:
        remedy = "Have an analyst retrain the model (walkaway train) and write this report again."
        return "not yet", f"{act} {remedy} {until_then}"
    if level == "low":
        return "not yet", f"{capital(why_not)} Have an analyst find the cause first. {until_then}"
    if level == "untested":
        first = "that would take the most hours" if wording.by_hour else f"with the lowest {wording.ranked_by}"
        return "with care", f"{NO_PROOF} Start with the few deals {first}."
    if content.findings is None and content.notes:
        return "with care", f"{' '.join(content.notes)} Review each deal before you stop it."
    counts = {row["call"]: wording.number(row["deals"]) for row in content.answer.by_call.to_dict("records")}
    steps = {
        "walk_away": "stop {}",
        "nurture": "let {} wait",
        CHECK_FIRST: "check {} before stopping",
    }
    todo = ", ".join(steps[call].format(count) for call, count in counts.items())
    return "yes", f"This is advice, and a person confirms each deal: {todo}." if todo else "There are no deals to stop."


def confidence(content: Content) -> tuple[str, str]:
    """How well such calls did on past deals: (untested, low, fair or good; a sentence).

    Low: more value was lost than expected, by more than chance. Fair: no more value was lost than expected, but fewer
    hours were saved, by more than chance. Good: neither.
    """
    proof, wording = content.proof, content.wording
    if proof is None or pd.isna(proof.followed["value_forgone"]):
        return "untested", NO_PROOF
    actual, lost = proof.followed, _share(proof, "value_forgone", wording)
    if actual["value_forgone_low"] > actual["expected_value_forgone"]:
        expected = _share(proof, "expected_value_forgone", wording)
        lost_more = f"calls like these lost {lost} of the {wording.won}; {expected} was expected."
        return "low", f"on your own past deals, {lost_more}"
    no_more_lost = "on your own past deals, calls like these lost no more value than expected"
    saved, let_go = ("saved", "hours") if wording.by_hour else ("let", "deals go")
    if actual["hours_saved_high"] < actual["expected_hours_saved"]:
        return "fair", f"{no_more_lost}, but {saved} fewer {let_go}.{_other_bar(content)}"
    return "good", f"{no_more_lost} and {saved} no fewer {let_go}.{_other_bar(content)}"


def _other_bar(content: Content) -> str:
    """What to expect if today's bar differs from the one tested on the past; empty if they are close."""
    answer, wording, proof = content.answer, content.wording, content.proof
    if proof is None or abs(answer.bar - proof.bar) <= MOVED * proof.bar:
        return ""
    side, hours, value = ("higher", "more", "more") if answer.bar > proof.bar else ("lower", "fewer", "less")
    more_saved = f"{hours} hours saved" if wording.by_hour else f"{hours} deals to stop"
    return (
        f" Today's bar ({wording.worth(answer.bar)}) is {side} than the one tested ({wording.worth(proof.bar)}): "
        f"expect {more_saved} and {value} {wording.lost} than in that test."
    )


def tried(proof: Proof, wording: LocaleFormat) -> list[tuple[str, str, str]]:
    """What following the verdicts would have done on past deals: (measure, expected, actual)."""
    earned, of_value = proof.earned.set_index("name"), wording.ranked_by if wording.by_hour else "value"
    rows = [
        (
            "hours saved" if wording.by_hour else "deals let go",
            _share(proof, "expected_hours_saved", wording),
            _achieved(proof, "hours_saved", wording),
        ),
        (
            wording.lost,
            _share(proof, "expected_value_forgone", wording),
            _achieved(proof, "value_forgone", wording),
        ),
    ]
    rows.append(
        (
            f"{of_value} of deals kept",
            f"{wording.worth(proof.bar)} or more",
            _money(proof.followed["value_per_hour_kept"], wording),
        )
    )
    for name, words in (
        ("clear", f"{of_value} of deals to stop or let wait"),
        ("close", f"{of_value} of deals to check first"),
    ):
        if earned.loc[name, "deals"]:
            rows.append(
                (words, f"less than {wording.worth(proof.bar)}", _money(earned.loc[name, "value_per_hour"], wording))
            )
    return rows


def period(proof: Proof, wording: LocaleFormat) -> str:
    """The days of the replay."""
    return f"{wording.date(pd.Timestamp(proof.begin))} to {wording.date(pd.Timestamp(proof.end))}"


def proved(proof: Proof, wording: LocaleFormat) -> str:
    """When and how the calls were tested on past deals."""
    return (
        f"Tested on your own past deals, {period(proof, wording)}. Models that knew only what was known at the "
        "time called every open deal, and the calls were later compared with what really happened. "
        f"{_share(proof, 'turned_back', wording)} of the deals to stop rose above the bar later. The test counts them "
        "as stopped for good; in daily use they would have come back."
    )


def sure(content: Content) -> list[str]:
    """Other points for or against the answer, a sentence each."""
    answer, wording, proof = content.answer, content.wording, content.proof
    watch = " ".join(finding.plain_advice for finding in _findings(content, "watch"))
    rows = [_bias(proof, wording) if proof else "", _young(content), f"Watch: {watch}" if watch else ""]
    assumed = wording.percent(answer.assumed_hours_share)
    learned = wording.date(pd.Timestamp(answer.known_until)) if answer.known_until else "an unknown date"
    hours = f"{assumed} of the hours are assumed rather than recorded. " if wording.by_hour else ""
    model = f"The calls come from model {answer.model_version}, trained on what was known until {learned}."
    rows.append(f"{hours}{model}")
    return [row for row in rows if row]


def _findings(content: Content, level: Level) -> list[Finding]:
    findings = content.findings.findings if content.findings else ()
    return [finding for finding in findings if finding.level == level]


def _bias(proof: Proof, wording: LocaleFormat) -> str:
    """Whether past chances to win or hours were too high or too low, by more than chance; empty if neither was."""
    sentences = []
    for predicted, shown, unit, gap in (
        ("the chances to win were", "the money on this page is", "wins", proof.chances),
        ("the expected hours were", "the hours on this page are", "hours", proof.hours),
    ):
        if gap and gap["surely"] and gap["came"]:
            much, side = wording.percent(abs(gap["expected"] / gap["came"] - 1.0)), "high" if gap["gap"] < 0 else "low"
            expected, came = (wording.number(round(gap[name])) for name in ("expected", "came"))
            counts = f"{expected} {unit} expected, {came} in reality"
            sentences.append(f"{predicted} {much} too {side} ({counts}), so {shown} probably too {side}")
    return f"In the past, {'; '.join(sentences)}." if sentences else ""


def _young(content: Content) -> str:
    """How many deals to stop are less than a day old, and what such deals earned in the past."""
    answer, wording = content.answer, content.wording
    if not answer.day_old:
        return ""
    are = "is" if answer.day_old == 1 else "are"
    young_deals = f"{wording.number(answer.day_old)} of the deals to stop {are} less than a day old"
    sentence = f"{young_deals}, so little is known about them."
    rows = content.proof.earned.set_index("name") if content.proof else pd.DataFrame({"deals": []})
    if not set(AGES) <= set(rows.index[rows["deals"] > 0]):
        return sentence
    young, older = (float(rows.loc[name, "value_per_hour"]) for name in AGES)
    each = "an hour" if wording.by_hour else "each"
    rates = f"in the past, such deals earned {_money(young, wording)} {each} and older ones {_money(older, wording)}."
    return (
        f"{sentence} {'Even so, ' if young <= older else ''}{rates}"
        if young <= older
        else f"{sentence} {capital(rates)}"
    )


def _share(proof: Proof, name: str, wording: LocaleFormat) -> str:
    part = proof.followed.get(name, float("nan"))
    return wording.percent(part, 1) if part == part else UNKNOWN


def _achieved(proof: Proof, name: str, wording: LocaleFormat) -> str:
    """The actual share with its 90% interval."""
    low, high = (_share(proof, f"{name}_{end}", wording) for end in ("low", "high"))
    return _share(proof, name, wording) + (f" ({low} to {high})" if UNKNOWN not in (low, high) else "")


def _money(amount: float, wording: LocaleFormat) -> str:
    return wording.money(amount) if amount == amount else UNKNOWN
