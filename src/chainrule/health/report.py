"""A diagnosis: findings, and a table of the layers, as text, as JSON, as HTML."""

from __future__ import annotations

from html import escape
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Doubles
from chainrule.engines.vitals import QUANTITIES, Vitals
from chainrule.errors import counted
from chainrule.health.ailment import CODES, Finding
from chainrule.health.evidence import Evidence, middle

if TYPE_CHECKING:
    from chainrule.plots.picture import Picture

SHOWN = {
    "gradient": "gradient", "update": "update / weights", "noise": "noise", "dead": "dead", "flat": "flat",
    "spread": "spread",
}  # fmt: skip


class Diagnosis:
    """What is wrong with a training, or that nothing was found.

    Arguments:
        findings: what was found, causes first.
        evidence: what it stands on.

    >>> import numpy as np
    >>> from chainrule import Model, Network
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4)); y = X[:, 0] - X[:, 1] * X[:, 2]
    >>> model = Model(Network.mlp(4, [16], 1), "mse", "adam")
    >>> history = model.fit(X, y, epochs=40)
    >>> print(str(model.diagnose(X, y)).splitlines()[0])
    Healthy: nothing was found in 200 rows, 40 epochs.
    """

    def __init__(self, findings: list[Finding], evidence: Evidence):
        self.findings = findings
        self._evidence = evidence
        self.layers = _medians(evidence)

    @property
    def codes(self) -> set[str]:
        """The codes of the findings; empty where nothing was found."""
        return {finding.code for finding in self.findings}

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def vitals(self) -> Vitals | None:
        """What was measured of sampled steps."""
        return self._evidence.vitals

    def series(self) -> dict[str, dict[str, Doubles]]:
        """What was measured over the sampled steps, by layer and quantity (`chainrule.engines.vitals.QUANTITIES`).

        >>> from chainrule import Model, Network
        >>> found = Model(Network.mlp(1, [3], 1), "mse").diagnose([[1.0], [-1.0], [0.5]] * 9, [1.0, 2.0, 0.0] * 9)
        >>> len(found.series()["hidden"]["gradient"]) == len(found.vitals.steps)
        True
        """
        vitals = self.vitals
        return {} if vitals is None else _series(self._evidence, vitals)

    def picture(self) -> Picture:
        """All that was measured, layer by step, in one picture (`chainrule.plots.vitals`).

        >>> from chainrule import Model, Network
        >>> Model(Network.mlp(1, [3], 1), "mse").diagnose([[1.0], [-1.0], [0.5]] * 9, [1.0, 2.0, 0.0] * 9).picture()
        <Picture: Layer by step: how the training went>
        """
        from chainrule.plots.vital_signs import vitals

        return vitals(self)

    def to_text(self, width: int = 100) -> str:
        """The findings in words, and the layers as a table.

        Arguments:
            width: of a line.

        >>> from chainrule import Model, Network
        >>> found = Model(Network.mlp(2, [3], 1), "mse").diagnose([[1000.0, 2.0], [-950.0, 1.0]] * 9, [1.0, 2.0] * 9)
        >>> print(found.to_text(72))
        1 finding in 18 rows, ...: unscaled inputs.
        <BLANKLINE>
        1. Unscaled inputs, layer "hidden"
           Column 1 has numbers of the size 975 ...
        """
        lines = [self.heading]
        for i, finding in enumerate(self.findings, 1):
            where = f', layer "{finding.layer}"' if finding.layer else ""
            words = finding.words[0].upper() + finding.words[1:]
            lines += ["", f"{i}. {CODES[finding.code].capitalize()}{where}"]
            lines += [fill(words + ".", width, initial_indent="   ", subsequent_indent="   ")]
            lines += [fill("What helps: " + finding.remedy, width, initial_indent="   ", subsequent_indent="   ")]
        if self.layers:
            lines += ["", *self._table(width)]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """What a program reads of it: plain numbers and texts.

        >>> from chainrule import Model, Network
        >>> found = Model(Network.mlp(1, [3], 1), "mse").diagnose([[1.0], [-1.0], [0.5]] * 9, [1.0, 2.0, 0.0] * 9)
        >>> sorted(found.to_json())
        ['constant_answer_loss', 'findings', 'healthy', 'layers', 'loss', 'rows', 'short_training']
        """
        evidence = self._evidence
        return {
            "healthy": self.healthy,
            "findings": [finding.to_json() for finding in self.findings],
            "layers": self.layers,
            "rows": len(evidence.rows),
            "loss": _plain(evidence.last_loss),
            "constant_answer_loss": _plain(evidence.baseline),
            "short_training": evidence.probed,
        }

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Diagnosis: {', '.join(finding.code for finding in self.findings) or 'healthy'}>"

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        found = "".join(
            f"<li><b>{escape(CODES[f.code])}{escape(f', layer {chr(34)}{f.layer}{chr(34)}' if f.layer else '')}</b><br>"
            f"{escape(f.words)}.<br><i>{escape(f.remedy)}</i></li>"
            for f in self.findings
        )
        head = "".join(f"<th>{escape(title)}</th>" for title in ("layer", *SHOWN.values()))
        body = "".join(
            f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{_short(row[key])}</td>" for key in SHOWN) + "</tr>"
            for name, row in self.layers.items()
        )
        return f"<p>{escape(self.heading)}</p><ol>{found}</ol><table><tr>{head}</tr>{body}</table>"

    @property
    def heading(self) -> str:
        """All of it in one line."""
        evidence = self._evidence
        of = counted(len(evidence.rows), "row")
        n = len(evidence.history.epochs)
        seen = f"{of}, {counted(n, 'epoch')}" if n else of
        if self.healthy:
            return f"Healthy: nothing was found in {seen}."
        return f"{counted(len(self.findings), 'finding')} in {seen}: {', '.join(CODES[f.code] for f in self.findings)}."

    def _table(self, width: int) -> list[str]:
        names = list(self.layers)
        shown = dict(SHOWN)
        while True:
            rows = [
                ["layer", *shown.values()],
                *([name, *(_short(self.layers[name][key]) for key in shown)] for name in names),
            ]
            wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
            if sum(wide) + 2 * (len(wide) - 1) <= width or len(shown) <= 2:
                break
            shown.popitem()
        return [
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, wide, strict=True))
            ).rstrip()
            for row in rows
        ]


def _series(evidence: Evidence, vitals: Vitals) -> dict[str, dict[str, Doubles]]:
    """Each quantity over the samples, by layer: of its matrix, or of the function behind it."""
    table: dict[str, dict[str, Doubles]] = {}
    for layer in evidence.layers:
        table[layer.name] = {}
        for name in QUANTITIES:
            own = name in ("gradient", "update", "noise")
            values = evidence.of(vitals, name, layer.dense if own or layer.function is None else layer.function)
            if not np.isfinite(values).any() and not own:
                values = evidence.of(vitals, name, layer.dense)
            table[layer.name][name] = values
    return table


def _medians(evidence: Evidence) -> dict[str, dict[str, float | None]]:
    """The median of each quantity over the samples, by layer; where there are none, the start's."""
    watched = evidence.vitals is not None and len(evidence.vitals.steps)
    table = _series(evidence, evidence.vitals if watched else evidence.before)  # type: ignore[arg-type]  # it is there
    medians = {layer: {name: _plain(middle(v)) for name, v in of_layer.items()} for layer, of_layer in table.items()}
    return medians if watched else {layer: {**row, "update": None} for layer, row in medians.items()}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"
