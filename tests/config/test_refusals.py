import pytest

from walkaway.errors import UsageError


def refused(read, text, *arguments, **variables):
    with pytest.raises(UsageError, match=text) as caught:
        read(*arguments, **variables)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ("[train]\nfold = 3", r"^file walkaway\.toml: there is no setting train\.fold\. Did you mean train\.folds\?$"),
        ("[trai]\nfolds = 3", r"there is no setting trai\. Did you mean train\?$"),
        ("cadence_days = 3", r"there is no setting cadence_days\. Did you mean train\.cadence_days\?$"),
        ("zzz = 3", r"there is no setting zzz\. `walkaway config show` lists all settings\.$"),
        (
            "[train]\nfolds = 0",
            r"train\.folds must be at least 1, found 0\. Correct it, or",
        ),
        ("[train]\nfolds = 'x'", r"train\.folds must be a whole number, found 'x'\."),
        ("train = 3", r"train must be a table, found 3\."),
        ("[train.features]\ndenied = 'a'", r"train\.features\.denied must be a list, found 'a'\."),
        ("[money]\ncurrency = 'eur'", r"money\.currency must be three capital letters, such as EUR, found 'eur'\."),
        ("[[money.rates]]\ncurrency = 'USD'\nrate = 1", r"money\.rates\.0\.from is required, found none\. Add it\."),
        ("tracking_uri = ['https://a:b@c']", r"tracking_uri must be text, found a secret\."),
        ("[train", r"^walkaway\.toml: must be TOML in UTF-8, found: .*\. Correct the file\.$"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place_rule_value_and_remedy(given, toml, text):
    refused(given, text, toml)


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("WALKAWAY_SCORE__FORG", "0.2", r"^WALKAWAY_SCORE__FORG: there is no setting.* mean WALKAWAY_SCORE__FORGO\?$"),
        ("WALKAWAY_CADENCE_DAYS", "1", r"Did you mean WALKAWAY_TRAIN__CADENCE_DAYS\?$"),
        ("WALKAWAY_SCORE__BAR__X", "1", r"there is no setting score\.bar\.x\."),
        (
            "WALKAWAY_SCORE__FORGO",
            "2",
            r"^WALKAWAY_SCORE__FORGO: score\.forgo must be at most 1, found '2'",
        ),
        ("WALKAWAY_SCORE", "x", r"^WALKAWAY_SCORE: lists and tables must be JSON"),
        ("WALKAWAY_SCORE", "5", r"^WALKAWAY_SCORE: score must be a table, found 5\."),
        (
            "WALKAWAY_TRAIN__FEATURES__DENIED",
            "stage",
            r"^WALKAWAY_TRAIN__FEATURES__DENIED: lists and tables must be JSON",
        ),
        ("WALKAWAY_CONFIG", "none.toml", r"^WALKAWAY_CONFIG=none\.toml: cannot be read \(No such file"),
    ],
)
def test_a_mistake_in_a_variable_is_told_by_the_variables_name(given, variable, value, text):
    refused(given, text, **{variable: value})


def test_a_named_file_that_is_absent_is_refused(given, tmp_path):
    refused(given, r"^--config .*none\.toml: cannot be read \(No such file", file=tmp_path / "none.toml")


def test_only_the_variable_that_is_no_json_is_named_among_those_of_its_section(given):
    others = {"WALKAWAY_TRAIN__FOLDS": "three", "WALKAWAY_TRAIN__FEATURES__ALLOWED": '["stage"]'}

    refused(given, r"^WALKAWAY_TRAIN__FEATURES__DENIED: lists", WALKAWAY_TRAIN__FEATURES__DENIED="[", **others)
