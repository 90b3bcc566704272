"""One thing that ails a training: where, how much of it, because of what, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

# Every code, and what it means in a word or two.
CODES: Final = {
    "vanishing": "vanishing gradients",
    "exploding": "exploding numbers",
    "dead-units": "dead units",
    "saturated": "saturated units",
    "rate-too-high": "learning rate too high",
    "rate-too-low": "learning rate too low",
    "overfitting": "overfitting",
    "leak": "leaking target",
    "constant-output": "constant output",
    "unscaled-inputs": "unscaled inputs",
}


@dataclass(frozen=True)
class Finding:
    """One thing that ails a training.

    Arguments:
        code: which, one of ten: vanishing, exploding, dead-units, saturated, rate-too-high, rate-too-low, overfitting,
            leak, constant-output, unscaled-inputs.
        words: the verdict: where, how much, because of what.
        remedy: what helps.
        layer: the layer that it is about, if it is about one.
        evidence: the numbers that it stands on, by name.
        quantity: an affected quantity by its name in derivations, such as `"dL/dz[hidden,3]"`.
        explain: makes the derivation that has it.

    >>> finding = Finding("dead-units", "24 of 32 units are dead.", "A smaller rate.", "hidden", {"dead": 0.75})
    >>> print(finding)
    dead units in layer "hidden": 24 of 32 units are dead.
    """

    code: str
    words: str
    remedy: str
    layer: str | None = None
    evidence: dict[str, float] = field(default_factory=dict)
    quantity: str | None = None
    explain: Callable[[], Derivation] | None = field(default=None, repr=False, compare=False)

    def derivation(self) -> Any:
        """The derivation of a quantity that is affected, with all its numbers.

        Raises:
            InputError: the finding is about no single quantity.

        >>> from chainrule import Model, Network
        >>> model = Model(Network.mlp(2, [2], 1), "squared_error", seed=1)
        >>> model.set_parameters({"hidden": {"b": [-90, -90]}})
        >>> found = model.diagnose([[0.5, -1.0], [1.0, 0.5], [-1.0, 2.0]], [1.0, 2.0, 1.5])
        >>> dead = next(finding for finding in found.findings if finding.code == "dead-units")
        >>> print(dead.derivation())
        dL/dz[hidden,1] = dL/dh[hidden,1]*dh/dz[hidden,1] = ...*0 = ...
        """
        if self.quantity is None or self.explain is None:
            raise InputError(f'"{self.code}" is about no single quantity of the network: there is nothing to derive')
        return self.explain()[self.quantity]

    def to_json(self) -> dict[str, Any]:
        """What a program reads of it.

        >>> Finding("leak", "Column 2 tells the target.", "Leave it out.").to_json()["code"]
        'leak'
        """
        return {
            "code": self.code, "layer": self.layer, "words": self.words, "remedy": self.remedy,
            "evidence": self.evidence, "quantity": self.quantity,
        }  # fmt: skip

    def __str__(self) -> str:
        where = f' in layer "{self.layer}"' if self.layer else ""
        return f"{CODES[self.code]}{where}: {self.words}"
