import pytest

from walkaway import errors


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("WalkawayError", 1),
        ("UsageError", 2),
        ("DataError", 3),
        ("MappingError", 3),
        ("BookError", 3),
        ("BundleError", 3),
        ("PromotionError", 4),
        ("LockedError", 5),
        ("IncompleteError", 6),
    ],
)
def test_each_error_leaves_with_the_exit_code_its_tree_draws(name, code):
    assert getattr(errors, name).exit_code == code


def test_the_tree_in_the_docstring_names_every_error():
    drawn = {word for word in errors.__doc__.replace("+--", " ").split() if word.endswith("Error")}

    assert drawn == set(errors.__all__)


def test_one_except_clause_catches_everything_raised_on_purpose():
    assert [name for name in errors.__all__ if not issubclass(getattr(errors, name), errors.WalkawayError)] == []


def test_a_bad_mapping_book_or_bundle_is_bad_data():
    parents = {name: getattr(errors, name).__base__.__name__ for name in ("MappingError", "BookError", "BundleError")}

    assert parents == {"MappingError": "DataError", "BookError": "DataError", "BundleError": "DataError"}
