"""One body, three heads: gender (binary), age (regression) and mood (three classes), each with its own loss.

A label that is missing (None, NaN) takes its row out of that head's loss alone. Run: python examples/people.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

import chainrule as cr

COLUMNS = ["height", "hair", "pulse", "lens", "sleep", "friends"]
MOODS = ["sad", "calm", "happy"]


def network() -> cr.Network:
    """Two layers that all share, and a layer for each head."""
    x = cr.Input(len(COLUMNS), name="x")
    h = cr.Dense(32, activation="relu", name="body_1")(x)
    h = cr.Dense(16, activation="relu", name="body_2")(h)
    return cr.Network(
        inputs=x,
        outputs={
            "gender": cr.Dense(1, activation="sigmoid", name="gender")(h),
            "age": cr.Dense(1, name="age")(h),
            "mood": cr.Dense(3, activation="softmax", name="mood")(h),
        },
    )


def rows() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The people of `people.csv`: standardized columns, and labels with NaN where there is none."""
    with open(Path(__file__).with_name("people.csv"), newline="", encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    X = np.array([[float(one[name]) for name in COLUMNS] for one in people])
    y = {
        "gender": [float(one["gender"] == "female") if one["gender"] else np.nan for one in people],
        "age": [(float(one["age"]) - 49) / 18 if one["age"] else np.nan for one in people],
        "mood": [MOODS.index(one["mood"]) if one["mood"] else np.nan for one in people],
    }
    return (X - X.mean(axis=0)) / X.std(axis=0), {name: np.array(values) for name, values in y.items()}


def main() -> None:
    """Train on 450 of them, and score each head on the others that have its label."""
    X, y = rows()
    loss = cr.Objective(
        {"gender": "binary_cross_entropy", "age": "squared_error", "mood": "cross_entropy"},
        loss_weights={"gender": 1.4, "age": 1.0, "mood": 0.9},  # 1 / what the trivial answer costs
    )
    metrics = {"gender": ["accuracy"], "age": ["r2"], "mood": ["accuracy"]}
    model = cr.Model(network(), loss, cr.Adam(3e-3), metrics=metrics, l2=1e-3, seed=0)
    train, test = slice(450), slice(450, None)
    history = model.fit(
        X[train], {name: values[train] for name, values in y.items()}, epochs=200, validation=0.2,
        stop=cr.EarlyStopping(15), progress=False,
    )  # fmt: skip
    print(f"{len(history)} epochs: {history.stopped_by}")
    for name, value in model.evaluate(X[test], {name: values[test] for name, values in y.items()}).items():
        print(f"{name:16} {value:.3f}")


if __name__ == "__main__":
    main()
