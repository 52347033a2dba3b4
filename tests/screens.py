"""What a terminal of some width shows of a table or a card."""

from io import StringIO

from rich.console import Console


def shown(renderable, width: int = 80) -> str:
    """The screen as text, without colours."""
    out = StringIO()
    Console(file=out, width=width, highlight=False).print(renderable)
    return out.getvalue()


def words(text: str) -> str:
    """The text with every run of spaces and line ends as one space."""
    return " ".join(text.replace("│", " ").split())


def too_long(text: str, width: int = 80) -> list[str]:
    """Lines that a terminal of this width would break."""
    return [line for line in text.splitlines() if len(line) > width]


def broken_numbers(renderable) -> set[str]:
    """Numbers that stand whole on a screen of 160 columns, which has room for all, and not on one of 80."""
    numbers = {word for word in shown(renderable, 160).split() if any(c.isdigit() for c in word) and len(word) < 20}
    return numbers - set(shown(renderable).split())
