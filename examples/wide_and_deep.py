"""Wide and deep: a table of weights that remembers single pairs, beside layers that generalize, in one sum.

After Cheng et al., 2016, "Wide & Deep Learning for Recommender Systems". Run: python examples/wide_and_deep.py
"""

from __future__ import annotations

import numpy as np

import chainrule as cr

USERS, ITEMS = 12, 10


def network(wide: bool, deep: bool) -> cr.Network:
    """Whether somebody buys, from two numbers and from who meets what (the pair's code).

    The wide part gives each pair a number of its own, the deep part is a perceptron of the numbers; their sum is the
    log-odds, so that the loss trains both at once.
    """
    numbers = cr.Input(2, name="numbers")
    pair = cr.Input(1, name="pair", dtype="integer")
    parts = []
    if wide:
        parts.append(cr.EmbeddingSum((USERS * ITEMS,), 1, name="wide", initializer="zeros")(pair))
    if deep:
        h = cr.Dense(32, activation="relu", name="deep_1")(numbers)
        h = cr.Dense(16, activation="relu", name="deep_2")(h)
        parts.append(cr.Dense(1, name="deep")(h))
    odds = cr.Add(name="log_odds")(*parts) if len(parts) > 1 else parts[0]
    inputs = [own for own, there in ((numbers, deep), (pair, wide)) if there]
    return cr.Network(inputs=inputs, outputs={"buys": cr.Activation("sigmoid", name="buys")(odds)})


def rows(n: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Buyers by a smooth function of two numbers; but one pair of five has a mind of its own."""
    own = np.where(np.random.default_rng(1).random(USERS * ITEMS) < 0.2, 4.0, 0.0)
    own *= np.random.default_rng(2).choice([-1, 1], USERS * ITEMS)
    rng = np.random.default_rng(seed)
    numbers, pair = rng.normal(size=(n, 2)), rng.integers(0, USERS * ITEMS, n)
    odds = 2 * np.sin(2 * numbers[:, 0]) + numbers[:, 1] ** 2 - 1 + own[pair]
    return {"numbers": numbers, "pair": pair[:, None]}, (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)


def main() -> None:
    """Train the wide part, the deep part, and both; print what each scores on new rows."""
    X, y = rows(4000, seed=3)
    X_test, y_test = rows(4000, seed=4)
    for wide, deep in ((True, False), (False, True), (True, True)):
        net = network(wide, deep)
        given = [{name: part[name] for name in net.input_shapes} for part in (X, X_test)]
        model = cr.Model(net, "binary_cross_entropy", cr.Adam(0.01), metrics=["accuracy"], seed=0)
        model.fit(given[0], y, epochs=60, validation=0.2, stop=cr.EarlyStopping(8), progress=False)
        scores = model.evaluate(given[1], y_test)
        name = "wide and deep" if wide and deep else "wide alone" if wide else "deep alone"
        print(f"{name:13}  log loss {scores['loss']:.3f}  accuracy {scores['accuracy']:.3f}")


if __name__ == "__main__":
    main()
