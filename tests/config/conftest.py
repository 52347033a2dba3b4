import os

import pytest

from walkaway.config import read_settings


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Settings read in an empty folder, from the text of walkaway.toml, if any, and these variables alone."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.upper().startswith("WALKAWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def read(toml=None, file=None, **variables):
        if toml is not None:
            (tmp_path / "walkaway.toml").write_text(toml, encoding="utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_settings(file)

    return read
