"""The section `search`: which sizes and brackets go together."""

import pytest


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"search__eta": 1}, "search.eta must be at least 2, found 1"),
        ({"search__max_epochs": 2}, "search.max_epochs must be at least eta (3), found 2"),
        ({"search__brackets": [4]}, "search.brackets must be from 0 to 3 for max_epochs 27 and eta 3, found 4"),
        ({"search__brackets": [1, 1]}, "search.brackets must hold each bracket once, found 1 twice"),
        ({"search__brackets": []}, "search.brackets must hold at least one bracket, found none; leave it out for all"),
        (
            {"search__algorithm": "predicted-random", "search__full": 2},
            "search.full must be at least 3 with algorithm predicted-random, found 2",
        ),
        (
            {"search__algorithm": "one-epoch", "search__trials": 3, "search__full": 3},
            "search.trials must be more than full (3), found 3",
        ),
        (
            {"search__algorithm": "random", "search__full": 3},
            "search.full must be left out with algorithm random, of which all trials train fully",
        ),
        (
            {"search__full": 3},
            "search.full must be left out with algorithm swift-hyperband, whose size follows from max_epochs",
        ),
        (
            {"search__algorithm": "one-epoch", "search__brackets": [0]},
            "search.brackets must be left out with algorithm one-epoch, which has none",
        ),
        ({"search__brackets": [0, "all"]}, "search.brackets[1] must be a whole number, found 'all'"),
    ],
)
def test_a_search_of_no_size_is_one_line_with_its_key(message, changes, expected):
    assert message(**changes) == f"study.yaml: {expected}"
