"""Accuracy of defaults on a suite of tables: `TableModel` beside the boosted trees and the networks that others would take.

    python benchmarks/tables.py FOLDER [--models good,quick,catboost,...] [--splits 3] [--only TABLE,TABLE]
                                [--out build/tables.jsonl] [--readme] [--by-table]

FOLDER has `index.json` (a list of `{"name": ..., "task": ...}`) and `NAME.csv.gz` with a column `target`. A quarter of the
rows is the test; errors are 1 - AUC (two classes), log loss (more) and RMSE (numbers); seconds are processor seconds of one
thread, training and prediction. What OUT has already isn't run again. Peers, as a user would call them: `pip install
lightgbm xgboost catboost` and, for RealMLP and TabM, `torch` and `pytabkit`; those that aren't there are left out.

Means over tables: the rank among those present, the error over the best one's and the seconds over CatBoost's (geometric
means; errors below 0.001 count as 0.001). A table on which ours fails counts as last, at five times the best; a peer's
failure takes that peer from that table. `ECE` is the expected calibration error of the probabilities (15 bins of the
likeliest class's), `covered` the share of test rows in the 90 % intervals.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CHAINRULE_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

OURS = ("quick", "good", "best")
PEERS = {
    "catboost": "catboost", "lightgbm": "lightgbm", "xgboost": "xgboost", "histgb": "sklearn", "sklearn-mlp": "sklearn",
    "realmlp-td-s": "pytabkit", "realmlp-td": "pytabkit", "tabm-d": "pytabkit",
}  # fmt: skip
USUAL = ("good", "quick", "catboost", "lightgbm", "xgboost", "histgb", "sklearn-mlp", "realmlp-td-s")
LEAST = 1e-3  # an error below is one row more or less
README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- tables: written by benchmarks/tables.py --readme -->", "<!-- end of tables -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", default=",".join(USUAL))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path, default=Path("build/tables.jsonl"))
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--by-table", action="store_true")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    models = [model for model in given.models.split(",") if _is_there(model)]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    records = [json.loads(line) for line in given.out.open()] if given.out.exists() else []
    done = {(r["data"], r["model"], r["split"]) for r in records}
    for table in json.loads((given.folder / "index.json").read_text()):
        name, task = table["name"], table["task"]
        if given.only and name not in given.only.split(","):
            continue
        frame = pd.read_csv(given.folder / f"{name}.csv.gz")
        for split in range(given.splits):
            for model in models:
                if (name, model, split) in done:
                    continue
                record = {"data": name, "task": task, "model": model, "split": split} | measure(
                    model, task, frame, split
                )
                records.append(record)
                with given.out.open("a") as out:
                    out.write(json.dumps(record) + "\n")
                print(record, flush=True)
    summary, errors = ranked([r for r in records if r["model"] in models])
    print(summary.round(3).to_string())
    if given.by_table:
        print(errors.round(4).to_string())
    if given.readme:
        write_readme(summary)


def _is_there(model: str) -> bool:
    if model in OURS:
        return True
    if model not in PEERS:
        sys.exit(f"there is no model {model}; there are {', '.join((*OURS, *PEERS))}")
    there = find_spec(PEERS[model]) is not None
    if not there:
        print(f"{model} is left out: {PEERS[model]} isn't installed", file=sys.stderr)
    return there


def measure(model: str, task: str, frame: pd.DataFrame, split: int) -> dict[str, Any]:
    """The error on a quarter of the rows, and what it took; a failure is a note and no error."""
    classes = task == "classification"
    train, test = train_test_split(
        frame, test_size=0.25, random_state=split, stratify=frame["target"] if classes else None
    )
    begun = time.process_time()
    try:
        answer = ours(model, task, train, test, split) if model in OURS else peer(model, task, train, test, split)
    except Exception as error:
        return {"error": None, "seconds": time.process_time() - begun, "note": f"{type(error).__name__}: {error}"[:200]}
    seconds = round(time.process_time() - begun, 3)
    truth = test["target"].to_numpy()
    if not classes:
        predicted, low, high = answer
        record = {"error": float(np.sqrt(np.mean((predicted - truth) ** 2)))}
        if low is not None:
            record["covered"] = float(np.mean((low <= truth) & (truth <= high)))
    else:
        probabilities, names = answer
        at = {str(name): i for i, name in enumerate(names)}
        places = np.array([at[str(value)] for value in truth])
        record = {"error": class_error(places, probabilities), "ece": calibration_error(places, probabilities)}
    return record | {"seconds": seconds, "note": ""}


def class_error(places: Any, probabilities: Any) -> float:
    """1 - AUC of two classes, the log loss of more."""
    if probabilities.shape[1] == 2:
        return float(1 - roc_auc_score(places, probabilities[:, 1]))
    return float(log_loss(places, np.clip(probabilities, 1e-7, 1), labels=range(probabilities.shape[1])))


def calibration_error(places: Any, probabilities: Any, bins: int = 15) -> float:
    """The mean gap between how sure the likeliest class is and how often it is right, over bins of equal width."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == places
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=sure - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(places))


def ours(effort: str, task: str, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[Any, ...]:
    import chainrule as cr

    model = cr.TableModel.train(train, "target", task=task, test=0.0, seed=seed, effort=effort, progress=False)
    columns = test.drop(columns="target")
    if task == "classification":
        return model.predict_proba(columns), model.target.classes
    low = high = None
    if effort != "quick":
        low, high = model.predict_interval(columns, coverage=0.9).T
    return model.predict(columns), low, high


def peer(model: str, task: str, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> tuple[Any, ...]:
    classes, y = None, train["target"].to_numpy()
    if task == "classification":
        classes, y = np.unique(train["target"].astype(str), return_inverse=True)
    columns = [name for name in train if name != "target"]
    texts = [name for name in columns if not pd.api.types.is_numeric_dtype(train[name])]
    both = pd.concat([train[columns], test[columns]])
    for name in texts:
        both[name] = both[name].astype("string").fillna("missing").astype("category").cat.rename_categories(str)
    X, Z = both.iloc[: len(train)], both.iloc[len(train) :]
    estimator = make_peer(model, task == "classification", columns, texts, seed)
    if PEERS[model] == "pytabkit":  # takes no missing numbers
        middle = X[[name for name in columns if name not in texts]].median()
        X, Z = X.fillna(middle), Z.fillna(middle)
    estimator.fit(X, y)
    return (estimator.predict(Z), None, None) if classes is None else (estimator.predict_proba(Z), classes)


def make_peer(model: str, classify: bool, columns: list[str], texts: list[str], seed: int) -> Any:
    """A peer with its own defaults."""

    def pick(module: str, classifier: str, regressor: str, **options: Any) -> Any:
        return getattr(import_module(module), classifier if classify else regressor)(**options)

    if model == "catboost":
        return pick("catboost", "CatBoostClassifier", "CatBoostRegressor", random_seed=seed, verbose=0, thread_count=1,
                    cat_features=texts, allow_writing_files=False)  # fmt: skip
    if model == "lightgbm":
        return pick("lightgbm", "LGBMClassifier", "LGBMRegressor", random_state=seed, verbose=-1, n_jobs=1)
    if model == "xgboost":
        return pick("xgboost", "XGBClassifier", "XGBRegressor", random_state=seed, enable_categorical=True, n_jobs=1)
    if model == "histgb":
        return pick("sklearn.ensemble", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor",
                    categorical_features="from_dtype", random_state=seed)  # fmt: skip
    if model == "sklearn-mlp":
        return sklearn_mlp(classify, columns, texts, seed)
    import_module("torch").set_num_threads(1)
    kind = {"realmlp-td-s": "RealMLP_TD_S", "realmlp-td": "RealMLP_TD", "tabm-d": "TabM_D"}[model]
    return pick("pytabkit", f"{kind}_Classifier", f"{kind}_Regressor", device="cpu", random_state=seed, n_threads=1)


def sklearn_mlp(classify: bool, columns: list[str], texts: list[str], seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    encoded = make_column_transformer(
        (numbers, [name for name in columns if name not in texts]), (OneHotEncoder(handle_unknown="ignore"), texts)
    )
    network = (MLPClassifier if classify else MLPRegressor)(early_stopping=True, random_state=seed)
    pipeline = make_pipeline(encoded, network)
    return pipeline if classify else TransformedTargetRegressor(pipeline, transformer=StandardScaler())


def ranked(records: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures by model, and the mean errors by table."""
    errors, seconds = [], []
    for name, rows in pd.DataFrame(records).groupby("data"):
        error = rows.pivot_table(index="split", columns="model", values="error", dropna=False).astype(float)
        finished = [model for model in error if error[model].notna().any()]
        whole = error[finished].dropna()
        if whole.empty:
            continue
        mean = whole.mean().clip(lower=LEAST)
        for model in set(OURS) & set(rows.model) - set(finished):
            mean[model] = 5 * mean.min()
        errors.append(mean.rename(name))
        took = rows.pivot_table(index="split", columns="model", values="seconds")
        seconds.append(took.loc[whole.index].mean().rename(name))
    table, took = pd.DataFrame(errors), pd.DataFrame(seconds)
    ranks, relative = table.rank(axis=1), table.div(table.min(axis=1), axis=0)
    summary = pd.DataFrame(
        {
            "tables": table.notna().sum(),
            "mean rank": ranks.mean(),
            "first": ranks.eq(1).sum(),
            "error / best": np.exp(np.log(relative).mean()),
        }
    )
    if "catboost" in took:
        summary["seconds / CatBoost's"] = np.exp(np.log(took.div(took["catboost"], axis=0)).mean())
    extra = pd.DataFrame(records).reindex(columns=["data", "model", "ece", "covered"])
    by_table = extra.groupby(["model", "data"])[["ece", "covered"]].mean().groupby("model").mean()
    summary = summary.join(by_table.rename(columns={"ece": "ECE"}))
    return summary.sort_values("mean rank"), table


def write_readme(summary: pd.DataFrame) -> None:
    """The table between README's marks."""
    lines = ["| model | mean rank | first | error / best | seconds / CatBoost's | ECE |", "|---|---|---|---|---|---|"]
    for model, row in summary.iterrows():
        name = f"`chainrule` {model}" if model in OURS else SHOWN.get(model, model)
        ece = "" if pd.isna(row["ECE"]) else f"{row['ECE']:.3f}"
        lines.append(
            f"| {name} | {row['mean rank']:.2f} | {row['first']:.0f} | {row['error / best']:.3f} "
            f"| {row.get(SECONDS, float('nan')):.2f} | {ece} |"
        )
    text = README.read_text()
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.split(END)[1]}")


SHOWN = {
    "catboost": "CatBoost", "lightgbm": "LightGBM", "xgboost": "XGBoost", "histgb": "HistGradientBoosting",
    "sklearn-mlp": "scikit-learn's MLP", "realmlp-td-s": "RealMLP-TD-S", "realmlp-td": "RealMLP-TD", "tabm-d": "TabM-D",
}  # fmt: skip
SECONDS = "seconds / CatBoost's"

if __name__ == "__main__":
    main()
