"""All of `walkaway report`: gather, render and write into one folder. The calls are kept for the next comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from walkaway.book import Book
from walkaway.config import Settings
from walkaway.files import exclusive, write_bytes, write_frame
from walkaway.models import Model
from walkaway.report.html.content import Content, earlier, gather
from walkaway.report.html.digest import board_sentence, digest
from walkaway.report.html.lists import FILES, write_lists
from walkaway.report.html.markup import page
from walkaway.report.html.pdf import INSTALL, have_weasyprint, write_pdf

__all__ = ["Written", "write_report"]

HTML, PDF, DIGEST, CALLS = "report.html", "report.pdf", "digest.md", "calls.parquet"
COMPARED = ["deal_id", "as_of", "verdict", "expected_value", "value_per_hour", "bar"]
WRITES = {"all": (HTML, PDF, DIGEST), "html": (HTML,), "pdf": (PDF,), "md": (DIGEST,)}


@dataclass(frozen=True)
class Written:
    """What was written: the folder, its files with sizes in bytes, and notes on what was left out and why."""

    content: Content
    digest: str
    out: Path
    files: dict[str, int]
    notes: tuple[str, ...]

    def summary(self) -> str:
        """What the command prints."""
        wording = self.content.wording
        sizes = [
            f"{name} {wording.number(size / 1e6, 1)} MB" if size >= 1e5 else name for name, size in self.files.items()
        ]
        return "\n".join([board_sentence(self.content), f"Written to {self.out}: {', '.join(sizes)}.", *self.notes])


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
        wanted, notes = WRITES[form], tuple[str, ...]()
        if form == "all" and not have_weasyprint():
            wanted, notes = (HTML, DIGEST), (f"{PDF} was left out: WeasyPrint is not installed ({INSTALL}).",)
        digest_text = digest(content)
        if HTML in wanted:
            write_bytes(out / HTML, page(content).encode())
        if PDF in wanted:
            write_pdf(page(content, for_print=True), out / PDF)
        if DIGEST in wanted:
            write_bytes(out / DIGEST, digest_text.encode())
        lists: tuple[str, ...] = ()
        if form != "md":
            write_lists(content.calls, out)
            lists = FILES
        write_frame(_kept(previous, content.calls[COMPARED]), str(out / CALLS))
        notes += tuple(_stale(out, wanted))
        files = {name: (out / name).stat().st_size for name in (*wanted, *lists)}
        return Written(content, digest_text, out, files, notes)
