import numpy as np

from walkaway.heads.examples import Examples, latest_rows


def test_the_latest_row_of_each_deal_is_its_last_one():
    assert latest_rows(np.array([0, 0, 0, 1, 2, 2])).tolist() == [2, 2, 2, 3, 5, 5]


def test_without_rows_there_is_no_latest_row():
    assert latest_rows(np.array([], dtype=np.int64)).tolist() == []


def test_a_part_keeps_which_rows_are_of_one_deal_and_takes_another_target():
    whole = Examples(np.arange(8.0).reshape(4, 2), np.zeros(4), np.array([1, 1, 3, 3]), [0], np.array([1.0, 2, 3, 4]))
    part = whole.part(np.array([False, True, True, True]), np.array([5.0, 6.0, 7.0]))

    assert (part.X.tolist(), part.target.tolist()) == ([[2, 3], [4, 5], [6, 7]], [5, 6, 7])
    assert (part.latest.tolist(), part.weight.tolist(), part.deals) == ([1, 3, 3], [2, 3, 4], 2)
    assert whole.target.tolist() == [0, 0, 0, 0]


def test_without_weights_all_rows_count_alike():
    assert Examples(np.zeros((2, 1)), np.zeros(2), np.arange(2), []).weights().tolist() == [1.0, 1.0]
