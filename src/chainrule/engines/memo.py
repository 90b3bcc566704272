"""What memoization kept, and what it saved: the report of one forward and backward pass.

Going back through a layer needs numbers of its forward pass. Either they are kept (the memo), or the network before
that layer is run again, for every layer: then the cost grows with the square of the depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.arrays import AnyArray
from chainrule.steps import Program


class CountingMemo(Mapping[str, AnyArray]):
    """A memo that counts how often each of its arrays is read."""

    def __init__(self, arrays: Mapping[str, AnyArray]):
        self.arrays = arrays
        self.reads = dict.fromkeys(arrays, 0)

    def __getitem__(self, name: str) -> AnyArray:
        array = self.arrays[name]
        self.reads[name] += 1
        return array

    def __contains__(self, name: object) -> bool:
        return name in self.arrays  # asking isn't reading

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


@dataclass(frozen=True)
class KeptArray:
    """One array of one step's memo; `owned` is false where it is another step's value that is kept anyway."""

    step: int
    layer: str
    name: str
    numbers: int
    bytes: int
    reads: int
    owned: bool


@dataclass(frozen=True)
class MemoReport:
    """What one backward pass found in the memo.

    `deltas` counts the gradients `dL/d(value)`, each computed once; `delta_reads` how many gradients were computed from
    them: by parameters, and by the values before. `forward_steps` were done with the memo; without it the backward pass
    would have done `steps_without_memo`, running again what stands before each layer.
    """

    kept: tuple[KeptArray, ...]
    deltas: int
    delta_reads: int
    forward_steps: int
    steps_without_memo: int

    @property
    def bytes(self) -> int:
        """The memory that the memo took, each array counted once."""
        return sum(array.bytes for array in self.kept if array.owned)

    @property
    def reused(self) -> int:
        """How many kept numbers the backward pass read and need not compute again."""
        return sum(array.numbers * array.reads for array in self.kept)

    def __str__(self) -> str:
        lines = []
        for array in self.kept:
            noun, shared = "number " if array.numbers == 1 else "numbers", "" if array.owned else "  (shared)"
            size = f"{array.numbers:>10,} {noun}  {array.bytes:>12,} bytes"
            lines.append(f"{array.layer:<20} {array.name:<8} {size}  read {array.reads}x{shared}")
        lines.append(f"kept {self.bytes:,} bytes; {self.reused:,} numbers were reused")
        lines.append(f"{self.deltas} deltas were computed once and read {self.delta_reads} times")
        lines.append(f"forward steps: {self.forward_steps} with memo, {self.steps_without_memo} without")
        return "\n".join(lines)


def steps_without_memo(program: Program) -> int:
    """Forward steps of a training step that keeps nothing: one pass for the loss, and one up to each layer going back.

    >>> from chainrule.network import Network
    >>> steps_without_memo(Network.mlp(2, [2], 1, activation="sigmoid").program)  # four steps: 4 + 4 + 3 + 2 + 1
    14
    """
    ancestors: dict[int, frozenset[int]] = {slot.index: frozenset() for slot in program.inputs}
    total = len(program.steps)
    for step in program.steps:
        before = frozenset().union(*(ancestors[slot] for slot in step.inputs)) | {step.index}
        ancestors[step.output] = before
        total += len(before)
    return total


def kept_arrays(program: Program, memos: list[CountingMemo]) -> tuple[KeptArray, ...]:
    """The arrays of all memos, each marked with whether an earlier step keeps it too."""
    seen: set[int] = set()
    kept = []
    for step, memo in zip(program.steps, memos, strict=True):
        for name, array in memo.arrays.items():
            owner = _address(array)
            kept.append(
                KeptArray(step.index, step.name, name, array.size, array.nbytes, memo.reads[name], owner not in seen)
            )
            seen.add(owner)
    return tuple(kept)


def _address(array: AnyArray) -> int:
    return int(np.asarray(array).__array_interface__["data"][0])
