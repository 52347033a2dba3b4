"""How sure: may the answer be acted on today, how such calls fared on the past, and what else speaks for or against."""

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
MOVED = 0.05  # of the bar; less changes nothing
AGES = ("day_old", "older")


def use(content: Content) -> tuple[str, str]:
    """Whether the list may be acted on today: (yes, with care, or not yet; what to do)."""
    told, act = content.wording, " ".join(one.plain_found for one in _found(content, "act"))
    level, why_not = confidence(content)
    until_then = "Until then it says which deals to look at, not which to stop."
    if act:
        remedy = "An analyst trains again (walkaway train) and makes this page anew."
        return "not yet", f"{act} {remedy} {until_then}"
    if level == "low":
        return "not yet", f"{capital(why_not)} An analyst looks for the cause first. {until_then}"
    if level == "unproved":
        return "with care", f"{NO_PROOF} Begin with the few deals that would take most hours."
    if content.findings is None and content.notes:
        return "with care", f"{' '.join(content.notes)} Look at each deal before it is let go."
    counts = {row["call"]: told.number(row["deals"]) for row in content.answer.by_call.to_dict("records")}
    steps = {
        "walk_away": "stop {}",
        "nurture": "let {} wait",
        CHECK_FIRST: "check {} before they are let go",
    }
    todo = ", ".join(steps[call].format(count) for call, count in counts.items())
    return "yes", f"As advice, each confirmed by a person: {todo}." if todo else "There is nothing to let go."


def confidence(content: Content) -> tuple[str, str]:
    """How well such calls fared on the past, (unproved, low, fair or good; a sentence).

    Low: more value was lost than expected, beyond chance. Fair: no more value was lost, but fewer hours were saved than
    expected, beyond chance. Good: neither.
    """
    proof, told = content.proof, content.wording
    if proof is None or pd.isna(proof.followed["value_forgone"]):
        return "unproved", NO_PROOF
    came, lost = proof.followed, _share(proof, "value_forgone", told)
    if came["value_forgone_low"] > came["expected_value_forgone"]:
        expected = _share(proof, "expected_value_forgone", told)
        return "low", f"on your own past, calls like these lost {lost} of the value won, and {expected} was expected."
    if came["hours_saved_high"] < came["expected_hours_saved"]:
        return (
            "fair",
            f"on your own past, calls like these lost no more than expected, but saved less.{_since(content)}",
        )
    told_so = "on your own past, calls like these lost no more and saved no less than expected."
    return "good", f"{told_so}{_since(content)}"


def _since(content: Content) -> str:
    """What another bar than that of the past lets expect; empty where it is much the same."""
    answer, told, proof = content.answer, content.wording, content.proof
    if proof is None or abs(answer.bar - proof.bar) <= MOVED * proof.bar:
        return ""
    side, hours, value = ("higher", "more", "more") if answer.bar > proof.bar else ("lower", "fewer", "less")
    return (
        f" Today's bar, {told.money(answer.bar)}, is {side} than the {told.money(proof.bar)} tried then: expect "
        f"{hours} hours saved and {value} value lost than came then."
    )


def tried(proof: Proof, told: LocaleFormat) -> list[tuple[str, str, str]]:
    """What following the verdicts would have done on the past: (measure, what was expected, what came)."""
    earned = proof.earned.set_index("name")
    rows = [
        ("hours saved", _share(proof, "expected_hours_saved", told), _achieved(proof, "hours_saved", told)),
        (
            "won value lost by it",
            _share(proof, "expected_value_forgone", told),
            _achieved(proof, "value_forgone", told),
        ),
    ]
    rows.append(
        (
            "an hour on deals kept earned",
            f"{told.money(proof.bar)} or more",
            _money(proof.followed["value_per_hour_kept"], told),
        )
    )
    for name, words in (
        ("clear", "an hour on those to stop or let wait earned"),
        ("close", "an hour on those to check first earned"),
    ):
        if earned.loc[name, "deals"]:
            rows.append((words, f"less than {told.money(proof.bar)}", _money(earned.loc[name, "value_per_hour"], told)))
    return rows


def period(proof: Proof, told: LocaleFormat) -> str:
    """The days of the replay."""
    return f"{told.date(pd.Timestamp(proof.begin))} to {told.date(pd.Timestamp(proof.end))}"


def proved(proof: Proof, told: LocaleFormat) -> str:
    """When and how the past was tried."""
    return (
        f"Tried on your own past, {period(proof, told)}: every open deal was called by models that knew no more than "
        f"was known then, and settled by what came. {_share(proof, 'turned_back', told)} of the deals let go rose "
        "above the bar later; here they count as let go for good, in use they would have come back."
    )


def sure(content: Content) -> list[str]:
    """What else speaks for or against the answer, a sentence each."""
    answer, told, proof = content.answer, content.wording, content.proof
    watch = " ".join(one.plain_advice for one in _found(content, "watch"))
    rows = [_bias(proof, told) if proof else "", _young(content), f"Watch: {watch}" if watch else ""]
    assumed = told.percent(answer.assumed_hours_share)
    learned = told.date(pd.Timestamp(answer.known_until)) if answer.known_until else "an unknown day"
    rows.append(
        f"{assumed} of the hours are assumed rather than recorded. Called by model {answer.model_version}, which "
        f"learned from what was known until {learned}."
    )
    return [row for row in rows if row]


def _found(content: Content, level: Level) -> list[Finding]:
    found = content.findings.findings if content.findings else ()
    return [one for one in found if one.level == level]


def _bias(proof: Proof, told: LocaleFormat) -> str:
    """Whether chances to win and hours were too high or too low on the past, beyond chance; empty if neither was."""
    off = []
    for what, it, unit, gap in (
        ("chances to win were", "money", "wins", proof.chances),
        ("hours expected were", "time", "hours", proof.hours),
    ):
        if gap and gap["surely"] and gap["came"]:
            much, side = told.percent(abs(gap["expected"] / gap["came"] - 1.0)), "high" if gap["gap"] < 0 else "low"
            expected, came = (told.number(round(gap[name])) for name in ("expected", "came"))
            counts = f"{expected} {unit} expected, {came} came"
            off.append(f"{what} {much} too {side} ({counts}), so the {it} on this page is rather too {side}")
    return f"On the past {'; '.join(off)}." if off else ""


def _young(content: Content) -> str:
    """How many deals let go are not a day old, and what such deals earned on the past."""
    answer, told = content.answer, content.wording
    if not answer.day_old:
        return ""
    are = "is" if answer.day_old == 1 else "are"
    said_so = f"{told.number(answer.day_old)} of the deals let go {are} not a day old, so little is known of them"
    rows = content.proof.earned.set_index("name") if content.proof else pd.DataFrame({"deals": []})
    if not set(AGES) <= set(rows.index[rows["deals"] > 0]):
        return f"{said_so}."
    young, older = (float(rows.loc[name, "value_per_hour"]) for name in AGES)
    rates = f"an hour on such deals let go earned {_money(young, told)}, on older ones {_money(older, told)}"
    return f"{said_so}; {'all the same, ' if young <= older else ''}on the past {rates}."


def _share(proof: Proof, name: str, told: LocaleFormat) -> str:
    part = proof.followed.get(name, float("nan"))
    return told.percent(part, 1) if part == part else UNKNOWN


def _achieved(proof: Proof, name: str, told: LocaleFormat) -> str:
    """A realised share with its 90% interval."""
    low, high = (_share(proof, f"{name}_{end}", told) for end in ("low", "high"))
    return _share(proof, name, told) + (f" ({low} to {high})" if UNKNOWN not in (low, high) else "")


def _money(amount: float, told: LocaleFormat) -> str:
    return told.money(amount) if amount == amount else UNKNOWN
