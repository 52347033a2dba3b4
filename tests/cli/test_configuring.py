import json

pytest_plugins = ("tests.books",)


def test_config_show_prints_a_table_on_stdout(walkaway, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 11")
    code, out, err = walkaway("config", "show")
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line.strip()}

    assert (code, err) == (0, "")
    assert rows["score.bar"] == "11.0 file walkaway.toml"
    assert rows["score.forgo"] == "0.1 default"


def test_config_show_says_what_a_bar_set_by_hand_would_have_gained(walkaway, models, tmp_path):
    (tmp_path / "walkaway.toml").write_text("[score]\nbar = 600")
    _, _, err = walkaway("config", "show", "--models", models)

    assert "a bar of EUR 600 an hour" in " ".join(err.split()).replace(chr(160), " ")
    assert "of won value lost)" in " ".join(err.split())


def test_config_show_prints_json_with_secrets_masked(walkaway, monkeypatch):
    monkeypatch.setenv("WALKAWAY_TRACKING_URI", "https://ann:s3cret@mlflow.example.com")
    code, out, err = walkaway("config", "show", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["tracking_uri"] == {
        "value": "https://***@mlflow.example.com",
        "from": "environment WALKAWAY_TRACKING_URI",
    }
