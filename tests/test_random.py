"""Random numbers: Philox's published answers, and what is drawn from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from strategies import seeds

from chainrule import InputError, random

# Known answers of philox4x32-10 (Random123 1.14, tests/kat_vectors): counter, key, result
KNOWN = [
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
N = 40_000


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], expected: str) -> None:
    block, step, stream, member = counter
    result = random.philox(key[0] | key[1] << 32, [block], step, stream, member)
    assert " ".join(f"{word:08x}" for word in result[0]) == expected
    assert result.dtype == np.uint32


@given(seed=seeds, blocks=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6), step=seeds, stream=seeds)
def test_a_word_depends_on_its_counter_alone(seed: int, blocks: list[int], step: int, stream: int) -> None:
    """Whoever asks, in which order, for how many at once."""
    together = random.philox(seed, np.array(blocks), step, stream)
    for block, words in zip(blocks, together, strict=True):
        np.testing.assert_array_equal(random.philox(seed, block, step, stream)[0], words)


def test_words_are_the_blocks_in_order_cut_to_length() -> None:
    blocks = random.philox(3, np.arange(3), 5, 6, 7).reshape(-1)
    for n in range(13):
        np.testing.assert_array_equal(random.words(n, 3, 5, 6, 7), blocks[:n])


def test_every_part_of_the_place_matters() -> None:
    place = {"seed": 1, "step": 2, "stream": 3, "member": 4}
    first = random.words(64, **place)
    for name in place:
        assert not (random.words(64, **{**place, name: 9}) == first).any()
    assert not (random.words(64, **{**place, "seed": 1 + 2**32}) == first).any(), "the upper half of a 64-bit seed"


def test_uniform_numbers() -> None:
    """Kolmogorov and Smirnov on 40,000 numbers of a fixed seed; 53 bits mean that none is 1 and few are equal."""
    u = random.uniform(N, 5, 0, 0)
    assert u.dtype == np.float64
    assert 0 <= u.min() < u.max() < 1
    assert len(np.unique(u)) == N
    assert stats.kstest(u, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 5 / math.sqrt(N)


def test_normal_numbers() -> None:
    z = random.normal(N, 5, 0, 0)
    assert stats.kstest(z, "norm").pvalue > 0.01
    assert abs(np.corrcoef(z[::2], z[1::2])[0, 1]) < 5 / math.sqrt(N / 2), "the cosine and the sine of a pair"
    np.testing.assert_array_equal(random.normal(7, 5, 0, 0), z[:7])


@given(n=st.integers(1, 300), seed=st.integers(0, 2**64 - 1), epoch=st.integers(0, 2**32 - 1))
def test_a_permutation_has_every_row_once(n: int, seed: int, epoch: int) -> None:
    order = random.permutation(n, seed, epoch)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(n))
    np.testing.assert_array_equal(order, random.permutation(n, seed, epoch))


def test_all_permutations_are_equally_likely() -> None:
    """The 24 orders of 4 rows over 4,800 epochs: chi-squared with 23 degrees of freedom, seed fixed."""
    counts: dict[tuple[int, ...], int] = {}
    for epoch in range(4800):
        order = tuple(random.permutation(4, 1, epoch).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_draws_are_uniform_over_the_rows() -> None:
    drawn = np.concatenate([random.draws(20, 1, epoch) for epoch in range(500)])
    assert stats.chisquare(np.bincount(drawn, minlength=20)).pvalue > 0.01
    assert drawn.min() == 0
    assert drawn.max() == 19


@given(n=st.integers(1, 10**6))
def test_draws_stay_inside(n: int) -> None:
    size = min(n, 100)
    rows = random.draws(size, 0, n)
    assert rows.min() >= 0
    assert rows.max() < size


def test_streams_of_shuffling_and_drawing_differ() -> None:
    assert not np.array_equal(random.permutation(100, 1, 2), np.argsort(random.uniform(100, 1, 2, random.DRAW)))
    assert len({random.SHUFFLE, random.DRAW, random.INITIALIZE, random.SPLIT}) == 4
    assert min(random.SHUFFLE, random.DRAW, random.INITIALIZE, random.SPLIT) > 2**31, "layers count from 0"


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_keep_masks_keep_what_the_words_say(rate: float) -> None:
    mask = random.keep_mask((100, 100), rate, seed=4, step=3, layer=2, member=1)
    expected = random.words(10_000, 4, 3, 2, 1) >= math.floor(rate * 2**32)
    np.testing.assert_array_equal(mask, expected.reshape(100, 100))
    assert abs(mask.mean() - (1 - rate)) <= 5 * math.sqrt(rate * (1 - rate) / 10_000)


def test_a_rate_next_to_1_is_within_32_bits() -> None:
    assert not random.keep_mask((50, 50), np.nextafter(1, 0), 0, 0, 0).any()


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int64(3), np.uint64(2**64 - 1)])
def test_seeds(seed: int) -> None:
    checked = random.check_seed(seed)
    assert type(checked) is int
    assert checked == int(seed)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, None, "1", np.float64(2)])
def test_seeds_that_are_none(seed: object) -> None:
    with pytest.raises(InputError, match=r"it must be a whole number from 0 to 2\*\*64 - 1"):
        random.check_seed(seed)
