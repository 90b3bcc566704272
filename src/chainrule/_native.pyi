"""The native core: whole epochs at the speed of the machine."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy
import numpy.typing
from numpy.typing import NDArray


def instruction_sets() -> list[str]:
    """The instruction sets that run here, best first."""

def instruction_set() -> str:
    """The instruction set in use."""

def use_instruction_set(name: str) -> None:
    """Use another one from now on."""

def available_threads() -> int:
    """How many threads a call may use."""

def permutation(seed: int, epoch: int, stream: int, member: int, out: numpy.typing.NDArray[numpy.int64]) -> None:
    """Fill `out` with the random row order of an epoch."""

def random_keys(seed: int, step: int, stream: int, member: int, begin: int, out: numpy.typing.NDArray[numpy.uint64]) -> None:
    """
    Fill `out` with the random 64-bit numbers of a stream from number `begin` on.
    """

class Program:
    """
    A network, its losses and the runs of its parameters, as the core runs them.
    """

    def __init__(self, *, widths: list[int], inputs: list[int], codes: list[int], outputs: list[int], steps: list[dict[str, Any]], heads: list[dict[str, Any]], runs: list[tuple[int, int, bool, float, float, float, float]], parameters: int, state: int, mean: bool, sklearn: bool) -> None: ...

    def train(self, *, parameters: Annotated[NDArray, dict(device='cpu')], state: Annotated[NDArray, dict(device='cpu')], slots: Annotated[NDArray, dict(device='cpu')], inputs: Sequence[object], targets: Sequence[object], weights: Sequence[object], order: Annotated[NDArray, dict(device='cpu', writable=False)], batch_size: int, rates: Annotated[NDArray, dict(device='cpu', writable=False)], weight_decays: object | None, scheduled: Sequence[object], first_step: int, memory_from: int, loss_sums: Annotated[NDArray, dict(device='cpu')], weight_sums: Annotated[NDArray, dict(device='cpu')], penalty_sums: Annotated[NDArray, dict(device='cpu')], optimizer: dict, seed: int, clip_norm: object | None, every: int, watched: Sequence[int], vitals: Annotated[NDArray, dict(device='cpu')], vital_losses: Annotated[NDArray, dict(device='cpu')], vital_weights: Annotated[NDArray, dict(device='cpu')], should_stop: object | None, threads: int) -> tuple:
        """
        Do one step for each learning rate, with the weight decay of each unless they are None, and with the values
        of each step for the numbers that are scheduled; returns the steps done, the step and the member that diverged
        (-1 if none did), and whether it was stopped. Of each step whose number is a multiple of `every` (unless that
        is 0) it writes vitals, as `watched` says for each step of the program, and the heads' losses and weights.
        """

    def predict(self, *, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], state: Annotated[NDArray, dict(device='cpu', writable=False)], inputs: Sequence[object], outputs: Sequence[Annotated[NDArray, dict(device='cpu')]], threads: int) -> bool:
        """
        Write each output, (members, rows, width), into its array; returns True where sums say that every number that
        came in and went out is finite.
        """

    def losses(self, *, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], state: Annotated[NDArray, dict(device='cpu', writable=False)], inputs: Sequence[object], targets: Sequence[object], weights: Sequence[object], loss_sums: Annotated[NDArray, dict(device='cpu')], weight_sums: Annotated[NDArray, dict(device='cpu')], penalty_sums: Annotated[NDArray, dict(device='cpu')], threads: int) -> None:
        """Add the head losses over all rows, as in prediction, to the sums."""

    def gradients(self, *, parameters: Annotated[NDArray, dict(device='cpu', writable=False)], state: Annotated[NDArray, dict(device='cpu')], inputs: Sequence[object], targets: Sequence[object], weights: Sequence[object], training: bool, seed: int, step: int, scheduled: Sequence[object], gradient: Annotated[NDArray, dict(device='cpu')], loss_sums: Annotated[NDArray, dict(device='cpu')], weight_sums: Annotated[NDArray, dict(device='cpu')], penalty_sums: Annotated[NDArray, dict(device='cpu')], threads: int) -> None:
        """
        All rows as one batch: fill `gradient`, follow the statistics in `state`.
        """
