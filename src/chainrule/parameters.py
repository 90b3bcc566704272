"""All parameters in one flat vector, and the named views into it.

All weights stand first, then all biases and scales; every span starts at a multiple of 16 elements (64 bytes in
float32). The padding between spans stays zero. So a snapshot, a restore, an average or an optimizer step is one
operation on one vector, and what concerns weights alone is one slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from chainrule.arrays import Array, is_finite, whole
from chainrule.errors import InputError, did_you_mean, listed
from chainrule.layers.base import Kind, ParameterSpec, Shape, StateSpec
from chainrule.plain import shortened

ALIGNMENT = 16  # elements
Views = tuple[dict[str, Array], ...]
Named = dict[str, dict[str, Array]]


@dataclass(frozen=True)
class Span:
    """Where one array of one layer lies in the vector."""

    step: int
    layer: str
    spec: ParameterSpec | StateSpec
    offset: int
    name: str = field(init=False)  # within its layer: "W"
    shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.spec.name)
        object.__setattr__(self, "shape", self.spec.shape)

    @property
    def key(self) -> str:
        """The array's name within the network: `"hidden/W"`."""
        return f"{self.layer}/{self.name}"

    @property
    def least(self) -> float:
        """The least number that may stand in it."""
        return getattr(self.spec, "least", -math.inf)

    @cached_property
    def slice(self) -> slice:
        """The array's elements in the vector."""
        return slice(self.offset, self.offset + math.prod(self.shape))


@dataclass(frozen=True)
class Layout:
    """Spans of one vector, in the order of the vector; `n_steps` is the number of steps of the network."""

    spans: tuple[Span, ...]
    size: int
    n_steps: int

    @classmethod
    def of(cls, entries: Iterable[tuple[int, str, ParameterSpec | StateSpec]], n_steps: int) -> Layout:
        """Lay out (step, layer name, spec) entries: weights first, the others after them."""
        ordered = sorted(entries, key=lambda entry: getattr(entry[2], "kind", "") != "weight")  # stable
        spans, offset = [], 0
        for step, layer, spec in ordered:
            spans.append(Span(step, layer, spec, offset))
            offset += -(-math.prod(spec.shape) // ALIGNMENT) * ALIGNMENT
        return cls(tuple(spans), offset, n_steps)

    def zeros(self, members: int, dtype: DTypeLike) -> Array:
        """A vector of zeros for each member, shape (members, size), aligned to 64 bytes."""
        try:
            return aligned_zeros((members, self.size), dtype)
        except (MemoryError, ValueError, OverflowError):  # which of them depends on how far too large it is
            raise InputError(f"{members * self.size:,} parameters don't fit into memory") from None

    def views(self, vector: Array) -> Views:
        """For each step of the network its arrays by name, as views into one member's vector, shape (size,)."""
        views: Views = tuple({} for _ in range(self.n_steps))
        for span in self.spans:
            views[span.step][span.name] = vector[span.slice].reshape(span.shape)
        return views

    def named(self, vector: Array) -> Named:
        """The arrays by layer and name, as views: `named(v)["hidden"]["W"]`."""
        result: Named = {}
        for span in sorted(self.spans, key=lambda span: span.step):
            result.setdefault(span.layer, {})[span.name] = vector[span.slice].reshape(span.shape)
        return result

    def first_not_finite(self, vectors: Array) -> Span | None:
        """The first span, in the order of the layers, where a member's vector holds a NaN or an infinity."""
        if is_finite(vectors):
            return None
        spans = sorted(self.spans, key=lambda span: span.step)
        return next((span for span in spans if not np.isfinite(vectors[:, span.slice]).all()), None)

    def first_too_small(self, vectors: Array) -> Span | None:
        """The first span where a member's vector holds less than may stand there, such as a variance below 0."""
        return next((span for span in self.spans if (vectors[:, span.slice] < span.least).any()), None)

    def assign(self, vector: Array, values: Mapping[str, Mapping[str, ArrayLike]]) -> None:
        """Write named arrays into one member's vector; nothing is written unless all of them fit."""
        spans = {(span.layer, span.name): span for span in self.spans}
        layers = {span.layer for span in self.spans}
        for name, given in (("", values), *(values.items() if isinstance(values, Mapping) else ())):
            if not isinstance(given, Mapping):
                of = f' of layer "{name}"' if name else ""
                raise InputError(
                    f'arrays{of} are given by name, as in {{"hidden": {{"W": ...}}}}, not as {shortened(given)}'
                )
        checked: list[tuple[Span, Array]] = []
        for layer, arrays in values.items():
            if layer not in layers:
                raise InputError(
                    f'no layer "{layer}" has parameters.{did_you_mean(layer, layers)} These have: {listed(layers)}'
                )
            for name, value in arrays.items():
                span = spans.get((layer, name))
                if span is None:
                    has = listed(n for owner, n in spans if owner == layer)
                    raise InputError(f'layer "{layer}" has no parameter "{name}"; it has {has}')
                try:
                    array = np.asarray(whole(value), dtype=vector.dtype)
                except (TypeError, ValueError) as error:
                    raise InputError(f"{span.key} must be numbers: {error}") from None
                if array.shape != span.shape:
                    raise InputError(f"{span.key} has shape {span.shape}; given was shape {array.shape}")
                if (array < span.least).any():
                    raise InputError(f"{span.key} is {array.min():g} somewhere; {span.least:g} is the least it can be")
                checked.append((span, array))
        for span, array in checked:
            vector[span.slice] = array.reshape(-1)


@dataclass(frozen=True)
class ParameterRun:
    """Neighbouring parameters of one description: how they learn, and what they are charged.

    Penalties are `l2 w^2 + l1 |w|`; the factors multiply the learning rate and the optimizer's weight decay.
    """

    begin: int
    end: int
    kind: Kind = "weight"
    trainable: bool = True
    rate_factor: float = 1.0
    decay_factor: float = 1.0
    l1: float = 0.0
    l2: float = 0.0

    @property
    def slice(self) -> slice:
        """The run's elements in the vector."""
        return slice(self.begin, self.end)

    @property
    def charge(self) -> tuple[float, float]:
        """l1 and l2."""
        return self.l1, self.l2


def parameter_runs(layout: Layout, l1: float = 0.0, l2: float = 0.0) -> tuple[ParameterRun, ...]:
    """The description of every parameter; `l1` and `l2` are for those that are penalized and say nothing themselves."""
    runs = []
    for span in layout.spans:
        spec = span.spec
        assert isinstance(spec, ParameterSpec)
        charge = (
            (l1 if spec.l1 is None else spec.l1, l2 if spec.l2 is None else spec.l2) if spec.penalized else (0.0, 0.0)
        )
        runs.append(
            ParameterRun(
                span.slice.start,
                span.slice.stop,
                spec.kind,
                spec.trainable,
                spec.rate_factor,
                spec.decay_factor,
                *charge,
            )
        )
    return merged(runs, lambda run: replace(run, begin=0, end=0))


def merged(runs: Iterable[ParameterRun], says: Callable[[ParameterRun], object]) -> tuple[ParameterRun, ...]:
    """Neighbours of which `says` says the same as one run; those of which it says None are left out.

    The padding between them is zero and stays zero.
    """
    result: list[ParameterRun] = []
    for run in runs:
        if says(run) is None:
            continue
        last = result[-1] if result else None
        if last is not None and run.begin - last.end < ALIGNMENT and says(run) == says(last):
            result[-1] = replace(last, end=run.end)
        else:
            result.append(run)
    return tuple(result)


def aligned_zeros(shape: Shape, dtype: DTypeLike, boundary: int = 64) -> Array:
    """An array of zeros whose first element lies at a multiple of `boundary` bytes."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(n_bytes + boundary, dtype=np.uint8)
    start = -raw.ctypes.data % boundary
    return raw[start : start + n_bytes].view(dtype).reshape(shape)
