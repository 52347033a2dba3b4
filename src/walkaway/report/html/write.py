"""All of `walkaway report`: gather, render and write into one folder. The calls are kept for the next comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from walkaway.book import Book
from walkaway.config import Settings
from walkaway.files import exclusive, write_bytes, write_frame
from walkaway.models import Model
from walkaway.report.html.content import Content, earlier, gather
from walkaway.report.html.digest import board_sentence, digest
from walkaway.report.html.lists import FILES, write_lists
from walkaway.report.html.markup import page, undated_page
from walkaway.report.html.pdf import INSTALL, have_weasyprint, write_pdf
from walkaway.report.html.undated_page import UndatedContent, answer_sentence, gather_undated, undated_digest

__all__ = ["Written", "write_report", "write_undated_report"]

HTML, PDF, DIGEST, CALLS = "report.html", "report.pdf", "digest.md", "calls.parquet"
COMPARED = ["deal_id", "as_of", "verdict", "expected_value", "value_per_hour", "bar"]
WRITES = {"all": (HTML, PDF, DIGEST), "html": (HTML,), "pdf": (PDF,), "md": (DIGEST,)}


@dataclass(frozen=True)
class Written:
    """What was written: the folder, its files with sizes in bytes, and notes on what was left out and why.

    answer: the content in one sentence.
    """

    content: Content | UndatedContent
    answer: str
    digest: str
    out: Path
    files: dict[str, int]
    notes: tuple[str, ...]

    def summary(self) -> str:
        """What the command prints."""
        sizes = [
            f"{name} {self.content.wording.number(size / 1e6, 1)} MB" if size >= 1e5 else name
            for name, size in self.files.items()
        ]
        return "\n".join([self.answer, f"Written to {self.out}: {', '.join(sizes)}.", *self.notes])


def _previous(path: Path) -> pd.DataFrame | None:
    """The calls of earlier reports in the folder; None if there are none or they cannot be read."""
    try:
        return pd.read_parquet(path, columns=COMPARED)
    except (OSError, ValueError, KeyError):
        return None


def _kept(previous: pd.DataFrame | None, calls: pd.DataFrame) -> pd.DataFrame:
    """The calls to keep for later comparison: these, and the newest ones before them."""
    before = earlier(previous, calls["as_of"].iloc[0])
    return calls if before is None else pd.concat([before, calls], ignore_index=True)


def _stale(out: Path, wanted: tuple[str, ...]) -> Iterator[str]:
    """A note for each file of another format that an earlier report left in the folder; it is not touched."""
    for name in (HTML, PDF, DIGEST):
        if name not in wanted and (out / name).exists():
            yield f"{name} in that folder is from an earlier report."


def write_report(
    book: Book,
    model: Model,
    as_of: pd.Timestamp,
    settings: Settings,
    out: Path,
    form: str = "all",
    replayed: Path | None = None,
    decisions: pd.DataFrame | None = None,
    advice: pd.DataFrame | None = None,
) -> Written:
    """Write the report for a moment. Arguments are those of `gather`, the folder `out`, and `form` (a key of WRITES).

    The calls are kept in the folder, so that the next report there can be compared with this one.

    Raises:
        UsageError: as for `gather`, or only the PDF is asked for and it cannot be made.
        LockedError: another run writes to the folder.
    """
    with exclusive(out):
        previous = _previous(out / CALLS)
        content = gather(book, model, as_of, settings, replayed, decisions, previous, advice)
        written = _write(content, out, form, partial(page, content), digest(content), board_sentence(content))
        write_frame(_kept(previous, content.calls[COMPARED]), str(out / CALLS))
    return written


def write_undated_report(book: Book, model: Model, settings: Settings, out: Path, form: str = "all") -> Written:
    """Write the report of a book without dates; arguments as of `write_report`.

    Raises:
        UsageError: no deal is open, or only the PDF is asked for and it cannot be made.
        DataError: the book does not fit the model.
        LockedError: another run writes to the folder.
    """
    with exclusive(out):
        content = gather_undated(book, model, settings)
        answer, text = answer_sentence(content), undated_digest(content)
        return _write(content, out, form, partial(undated_page, content), text, answer)


def _write(
    content: Content | UndatedContent,
    out: Path,
    form: str,
    pages: Callable[[bool], str],
    digest_text: str,
    answer: str,
) -> Written:
    """Write the files of a form; `pages` makes the page, for the screen or for print."""
    wanted, notes = WRITES[form], tuple[str, ...]()
    if form == "all" and not have_weasyprint():
        wanted, notes = (HTML, DIGEST), (f"{PDF} was left out: WeasyPrint is not installed ({INSTALL}).",)
    if HTML in wanted:
        write_bytes(out / HTML, pages(False).encode())
    if PDF in wanted:
        write_pdf(pages(True), out / PDF)
    if DIGEST in wanted:
        write_bytes(out / DIGEST, digest_text.encode())
    lists: tuple[str, ...] = ()
    if form != "md":
        write_lists(content.calls, out)
        lists = FILES
    notes += tuple(_stale(out, wanted))
    files = {name: (out / name).stat().st_size for name in (*wanted, *lists)}
    return Written(content, answer, digest_text, out, files, notes)
