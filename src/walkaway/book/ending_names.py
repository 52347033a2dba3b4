"""Names of columns that speak of how or when a deal ended, or of what was counted until today.

Such a column is often filled in or counted after the outcome is known. Its values need not show that: the days that a
deal took in total are honest numbers, only nobody knows them beforehand. So the name is shown to a person, who decides.
The words are those of English, German, French, Spanish and Portuguese exports. They are compared with whole words of a
name: "foreclosing_area" does not speak of closing.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["speaks_of_the_end", "words_of"]

# One of these is enough.
ALONE_IN = {
    "en": "elapsed closing closed result results outcome outcomes reason reasons reached won lost win wins loss losses "
    "winner converted conversion final probability signed invoiced churn churned cancelled canceled cancellation "
    "duration disqualified rejected rejection",
    "de": "abschluss abschlussdatum abschlussgrund abschlussquote abschlusswahrscheinlichkeit abgeschlossen gewonnen "
    "verloren verlust verlustgrund gewinngrund absagegrund ablehnungsgrund abbruchgrund stornogrund grund ergebnis "
    "ausgang erreicht verstrichen vergangen gesamtdauer gesamttage gesamtzeit dauer phasenwechsel stufenwechsel "
    "statuswechsel wahrscheinlichkeit storniert abgesagt abgelehnt schlussdatum",
    "fr": "cloture cloturee fermeture ferme fermee gagne gagnee perdu perdue perte resultat motif raison atteint "
    "atteinte ecoule ecoulee ecoules probabilite conclu conclue signe signee duree",
    "es": "cierre cerrado cerrada ganado ganada perdido perdida resultado motivo razon alcanzado alcanzada "
    "transcurrido transcurridos probabilidad duracion",
    "pt": "fechamento fechado fechada encerramento encerrado encerrada ganho ganhou perda razao alcancado alcancada "
    "decorrido decorridos probabilidade duracao",
}
ALONE = frozenset(word for words in ALONE_IN.values() for word in words.split())
# These are enough together, in any order.
TIME = ("days", "day", "time", "hours", "weeks", "months")
TOGETHER = (
    *(("total", word) for word in (*TIME, "visits", "calls", "emails", "meetings", "activities", "touches")),
    *((word, "stage") for word in (*TIME, "changes", "change", "reached", "last", "current")),
    *((word, "pipeline") for word in TIME),
    *(("ratio", word) for word in (*TIME, "stage", "stages", "win", "won", "lost", "close", "conversion")),
    *(("close", word) for word in (*TIME, "date", "rate", "ratio", "month", "quarter", "year", "at", "on", "to")),
    *(("cycle", word) for word in (*TIME, "sales", "deal", "length")),
    *(("age", word) for word in ("deal", "lead", "opportunity", "days")),
    ("end", "date"),
    ("last", "activity"),
    ("last", "contact"),
    ("last", "modified"),
    ("push", "count"),
    ("days", "open"),
    *(("tage", word) for word in ("gesamt", "offen", "phase", "stufe", "bis")),
    ("phase", "wechsel"),
    ("verhaltnis", "tage"),
    *(("jours", word) for word in ("total", "totaux", "etape", "ouvert")),
    ("changements", "etape"),
    *(("dias", word) for word in ("total", "totales", "totais", "etapa", "abierto", "aberto", "estagio")),
    *((word, stage) for word in ("cambios", "mudancas") for stage in ("etapa", "fase", "estagio")),
)
# A name that is this word and no other.
WHOLE = frozenset({"ratio", "close", "age", "end", "ende", "fin", "fim", "quote"})
# Beside one of these, the word means something known from the start.
HARMLESS = {
    "reason": ("inquiry", "enquiry", "contact", "visit", "request", "interest", "call", "referral"),
    "reasons": ("inquiry", "enquiry", "contact", "visit", "request", "interest", "call", "referral"),
    "grund": ("anfrage", "kontakt", "besuch"),
    "raison": ("sociale",),
    "razon": ("social",),
    "razao": ("social",),
    "motif": ("demande", "contact", "visite", "appel"),
    "motivo": ("consulta", "contacto", "contato", "visita"),
    "reached": ("by", "via", "through", "out"),
    "erreicht": ("uber", "durch"),
    "final": ("user", "customer", "client", "cliente", "usuario"),
    "duration": ("contract", "subscription", "term"),
    "dauer": ("vertrag",),
    "duree": ("contrat",),
    "duracion": ("contrato",),
    "duracao": ("contrato",),
    "loss": ("weight", "adjuster"),
    "churn": ("previous", "past"),
}


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case and without accents.

    >>> words_of("TotalDays_inStage"), words_of("Durée écoulée (j)")
    (('total', 'days', 'in', 'stage'), ('duree', 'ecoulee', 'j'))
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return tuple(re.findall(r"[a-z]+", apart.lower().replace("ß", "ss")))


def speaks_of_the_end(name: str) -> str:
    """The word or words by which a column's name speaks of the end of a deal; empty if it does not.

    >>> speaks_of_the_end("Elapsed Days In Sales Stage"), speaks_of_the_end("total_days_identified")
    ('elapsed', 'total days')
    >>> speaks_of_the_end("foreclosing_area"), speaks_of_the_end("ratio_of_employees")
    ('', '')
    """
    words = words_of(name)
    if len(words) == 1 and words[0] in WHOLE:
        return words[0]
    for word in words:
        if word in ALONE and not set(HARMLESS.get(word, ())) & set(words):
            return word
    return next((f"{one} {other}" for one, other in TOGETHER if one in words and other in words), "")
