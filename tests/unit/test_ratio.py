"""How measurements that were taken together compare."""

import pytest

from services.bench.ratio import ROUNDS, Ratio


def test_what_is_always_as_much_more_has_no_spread() -> None:
    pairs = [(1.5 * base, base) for base in range(1, ROUNDS + 1)]

    assert Ratio.of(pairs) == Ratio(1.5, 1.5, 1.5)


def test_the_mean_of_ratios_is_between_its_bounds_and_the_same_either_way() -> None:
    pairs = [(1.0, 2.0), (2.0, 1.0)] * (ROUNDS // 2)

    ratio = Ratio.of(pairs)

    # The logarithms are ±0.693; their deviation 0.741, by the root of 8 and times 2.365: 0.6196.
    assert (ratio.mean, ratio.low, ratio.high) == (1.0, 0.538, 1.858)
    assert ratio == Ratio.of([(second, first) for first, second in pairs])
    assert str(ratio) == "1.00 (0.54 to 1.86)"


def test_one_round_says_nothing_of_the_spread() -> None:
    with pytest.raises(ValueError, match="at least two"):
        Ratio.of([(1.0, 1.0)])
