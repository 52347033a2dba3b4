from io import StringIO

from rich.console import Console

from walkaway.report.terminal.settings_table import show_settings


def words(renderable) -> list[str]:
    out = StringIO()
    Console(file=out, width=80, highlight=False).print(renderable)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_a_setting_is_shown_with_its_value_and_origin():
    rows = [("hours", {}, "default"), ("score.bar", None, "default"), ("batch.folder", "[out]", "file walkaway.toml")]

    assert words(show_settings(rows))[1:] == [
        "hours {} default",
        "score.bar null default",
        "batch.folder [out] file walkaway.toml",
    ]
