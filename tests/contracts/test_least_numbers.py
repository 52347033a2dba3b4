"""How few are too few is said once for each meaning: two modules do not share a name for it, of one value or of two."""

import ast
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src/walkaway"


def least_numbers(folder: Path) -> Counter[str]:
    """How many modules give a value to each name that begins with LEAST."""
    counts: Counter[str] = Counter()
    for path in folder.rglob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
        names = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        counts.update(name for name in names if name.startswith("LEAST"))
    return counts


def shared(counts: Counter[str]) -> list[str]:
    return sorted(name for name, modules in counts.items() if modules > 1)


def test_no_two_modules_give_a_value_to_the_same_least_number():
    counts = least_numbers(SOURCE)

    assert len(counts) > 15
    assert shared(counts) == []


def test_a_name_that_two_modules_give_a_value_to_is_found(tmp_path):
    (tmp_path / "one.py").write_text("LEAST_DEALS, LEAST_CAME = 20, 5\n")
    (tmp_path / "two.py").write_text("LEAST_DEALS = 30\nMOST = LEAST_DEALS * 2\n")
    (tmp_path / "three.py").write_text("from one import LEAST_CAME\n\nENOUGH = LEAST_CAME\n")

    assert shared(least_numbers(tmp_path)) == ["LEAST_DEALS"]
