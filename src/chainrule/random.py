"""Random numbers that are the same everywhere: Philox4x32-10, written out.

A counter-based generator turns (key, counter) into four random 32-bit words with no hidden state:
the word for row 7 of step 12 is the same whoever asks, in which order and from how many threads.
The key is the seed; the counter is (block, step, stream, member).

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.arrays import Doubles, Order
from chainrule.compiled import core
from chainrule.errors import InputError

Words = NDArray[np.uint32]

# The third counter word. Layers use their own step index, so the other streams count from the top.
SHUFFLE: Final = 0xFFFFFFFF
DRAW: Final = 0xFFFFFFFE
INITIALIZE: Final = 0xFFFFFFFD
SPLIT: Final = 0xFFFFFFFC
EXERCISE: Final = 0xFFFFFFFB
START: Final = 0xFFFFFFFA
AUGMENT: Final = 0xFFFFFFF9
NOISE: Final = 0xFFFFFFF0  # and those below it, one for each input of the network

_MULTIPLIER_0: Final = np.uint64(0xD2511F53)
_MULTIPLIER_1: Final = np.uint64(0xCD9E8D57)
_WEYL_0: Final = 0x9E3779B9
_WEYL_1: Final = 0xBB67AE85
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_CHUNK: Final = 1 << 13  # numbers that are drawn at a time, so that what they are made from stays small


def philox(seed: int, block: ArrayLike, step: int, stream: int, member: int = 0) -> Words:
    """Four random 32-bit words for each block number, shape (len(block), 4).

    Ten rounds of `(c0, c1, c2, c3) -> (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0))`,
    the key growing by the Weyl constants between rounds.

    >>> [hex(word) for word in philox(0, [0], 0, 0)[0]]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0 = np.atleast_1d(np.asarray(block, dtype=np.uint64)) & _LOW
    c1 = np.full_like(c0, step & 0xFFFFFFFF)
    c2 = np.full_like(c0, stream & 0xFFFFFFFF)
    c3 = np.full_like(c0, member & 0xFFFFFFFF)
    key0, key1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        product0 = _MULTIPLIER_0 * c0
        product1 = _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (product1 >> _SHIFT) ^ c1 ^ np.uint64(key0),
            product1 & _LOW,
            (product0 >> _SHIFT) ^ c3 ^ np.uint64(key1),
            product0 & _LOW,
        )
        key0, key1 = (key0 + _WEYL_0) & 0xFFFFFFFF, (key1 + _WEYL_1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1).astype(np.uint32)


def words(n: int, seed: int, step: int, stream: int, member: int = 0, begin: int = 0) -> Words:
    """The `n` random 32-bit words of a stream from word `begin` on (a multiple of 4), shape (n,)."""
    blocks = np.arange(begin // 4, begin // 4 + (n + 3) // 4)
    return philox(seed, blocks, step, stream, member).reshape(-1)[:n]


def keys(n: int, seed: int, step: int, stream: int, member: int = 0, begin: int = 0) -> NDArray[np.uint64]:
    """The `n` random 64-bit numbers of a stream from number `begin` on (an even one), shape (n,).

    Where the native core is there it draws them; the numbers are the same.
    """
    native = core()
    if native is None:
        return joined_words(n, seed, step, stream, member, begin)
    numbers = np.empty(n, dtype=np.uint64)
    native.random_keys(seed, step & 0xFFFFFFFF, stream & 0xFFFFFFFF, member & 0xFFFFFFFF, begin, numbers)
    return numbers


def joined_words(n: int, seed: int, step: int, stream: int, member: int, begin: int) -> NDArray[np.uint64]:
    """What `keys` returns, in NumPy: every two words are one number, the higher half first."""
    pairs = words(2 * n, seed, step, stream, member, 2 * begin).reshape(n, 2).astype(np.uint64)
    return (pairs[:, 0] << _SHIFT) | pairs[:, 1]


def uniform(n: int, seed: int, step: int, stream: int, member: int = 0, begin: int = 0) -> Doubles:
    """Numbers drawn uniformly from [0, 1) with 53 random bits each, shape (n,); from number `begin` on, an even one."""
    numbers = np.empty(n)
    for done in range(0, n, _CHUNK):
        part = keys(min(_CHUNK, n - done), seed, step, stream, member, begin + done)
        numbers[done : done + _CHUNK] = (part >> np.uint64(11)) * 2.0**-53
    return numbers


def normal(n: int, seed: int, step: int, stream: int, member: int = 0, begin: int = 0) -> Doubles:
    """Standard normal numbers by Box and Muller: `sqrt(-2 ln u) cos(2 pi v)` and its sine, shape (n,).

    They begin at number `begin` of the stream, an even one.
    """
    numbers = uniform(n + n % 2, seed, step, stream, member, begin)
    for done in range(0, n, _CHUNK):
        pairs = numbers[done : done + _CHUNK].reshape(-1, 2)
        radius = np.sqrt(-2.0 * np.log1p(-pairs[:, 0]))  # 1 - u is never 0
        angle = 2.0 * np.pi * pairs[:, 1]
        pairs[:, 0], pairs[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return numbers[:n]


def permutation(n: int, seed: int, epoch: int, member: int = 0, stream: int = SHUFFLE) -> Order:
    """A random order of `n` rows, each once: row numbers sorted by a random 64-bit key.

    Where the native core is there it sorts; the order is the same.

    >>> permutation(5, seed=0, epoch=0).tolist()
    [3, 4, 0, 2, 1]
    """
    native = core()
    if native is not None:
        order = np.empty(n, dtype=np.int64)
        native.permutation(seed, epoch & 0xFFFFFFFF, stream, member & 0xFFFFFFFF, order)
        return order
    return np.argsort(joined_words(n, seed, epoch, stream, member, 0), kind="stable").astype(np.int64)


def draws(n: int, seed: int, epoch: int, member: int = 0) -> Order:
    """`n` row numbers drawn uniformly with replacement from `n` rows: `floor(n u)`."""
    return np.floor(uniform(n, seed, epoch, DRAW, member) * n).astype(np.int64)


def keep_mask(
    shape: tuple[int, ...], rate: float, seed: int, step: int, layer: int, member: int = 0
) -> NDArray[np.bool_]:
    """The dropout mask of one layer in one step: true where the element is kept.

    An element is kept when its 32 bits are at least `floor(rate * 2**32)`.
    """
    threshold = np.uint32(min(int(rate * 2**32), 2**32 - 1))
    return (words(int(np.prod(shape)), seed, step, layer, member) >= threshold).reshape(shape)


def check_seed(seed: object) -> int:
    """A seed as a whole number from 0 to 2**64 - 1, or an error that says so."""
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and 0 <= seed < 2**64:
        return int(seed)
    raise InputError(f"seed is {seed!r}: it must be a whole number from 0 to 2**64 - 1")
