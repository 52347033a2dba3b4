import numpy as np

from walkaway.heads import fit_plain_lightgbm

X = np.column_stack([np.repeat([0.0, 1.0], 100), np.arange(200.0)]).astype(np.float32)
WON = np.repeat([0.0, 1.0], 100)


def test_it_learns_the_outcome_from_a_category_and_gives_the_same_prediction_each_time():
    predict, again = (fit_plain_lightgbm(X, WON, [0]) for _ in range(2))

    assert predict(X[:1])[0] < 0.01
    assert predict(X[-1:])[0] > 0.99
    assert predict(X).tolist() == again(X).tolist()


def test_without_features_it_predicts_the_share_won():
    assert fit_plain_lightgbm(np.zeros((4, 0), dtype=np.float32), np.array([1.0, 0, 0, 0]), [])(
        np.zeros((2, 0), dtype=np.float32)
    ).tolist() == [0.25, 0.25]
