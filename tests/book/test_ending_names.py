import pytest

from walkaway.book.ending_names import speaks_of_the_end, words_of


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Elapsed Days In Sales Stage", "elapsed"),
        ("Sales Stage Change Count", "change stage"),
        ("Total Days Identified Through Closing", "closing"),
        ("Total Days Identified Through Qualified", "total days"),
        ("Ratio Days Validated To Total Days", "total days"),
        ("RatioDaysQualified", "ratio days"),
        ("Opportunity Result", "result"),
        ("loss_reason", "loss"),
        ("Reason", "reason"),
        ("stage_reached", "reached"),
        ("stage changes", "changes stage"),
        ("closeDate", "close date"),
        ("days_to_close", "close days"),
        ("ratio", "ratio"),
        ("Age", "age"),
        ("deal_age", "age deal"),
        ("LASTActivity", "last activity"),
    ],
)
def test_english_names_that_speak_of_the_end(name, word):
    assert speaks_of_the_end(name) == word


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Verlustgrund", "verlustgrund"),
        ("Tage gesamt", "tage gesamt"),
        ("Grund", "grund"),
        ("Erreichte_Phase_erreicht", "erreicht"),
        ("Motif de perte", "motif"),
        ("Jours écoulés", "ecoules"),
        ("Date de clôture", "cloture"),
        ("Résultat", "resultat"),
        ("Motivo de pérdida", "motivo"),
        ("Días totales", "dias totales"),
        ("Cambios de etapa", "cambios etapa"),
        ("Fecha de cierre", "cierre"),
        ("Motivo da perda", "motivo"),
        ("Data de fechamento", "fechamento"),
        ("Mudanças de estágio", "mudancas estagio"),
        ("Dias decorridos", "decorridos"),
    ],
)
def test_names_of_other_languages_that_speak_of_the_end(name, word):
    assert speaks_of_the_end(name) == word


@pytest.mark.parametrize(
    "name",
    [
        "foreclosing_area",
        "ratio_of_employees",
        "reason_for_inquiry",
        "reached_via",
        "raison sociale",
        "Razón social",
        "Hintergrund",
        "window_type",
        "winter_campaign",
        "lostwithiel_branch",
        "final user",
        "contract duration",
        "close competitor",
        "stage",
        "last name",
        "total_employees",
        "language",
        "package",
        "weight loss product",
        "segment",
        "age of founder",
    ],
)
def test_names_that_hold_such_letters_or_mean_something_known_from_the_start(name):
    assert speaks_of_the_end(name) == ""


def test_a_name_is_split_at_capitals_signs_and_digits_and_loses_its_accents():
    assert words_of("HTTPResultCode2_clôture-Straße") == ("http", "result", "code", "cloture", "strasse")


def test_a_name_without_words_says_nothing():
    assert speaks_of_the_end("") == ""
    assert speaks_of_the_end("2024") == ""
