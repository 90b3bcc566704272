"""scikit-learn's small data sets."""

from __future__ import annotations

import pytest

from chainrule.tables.datasets import DATASETS, read_dataset


@pytest.mark.parametrize("name", DATASETS)
def test_columns_and_target(name: str) -> None:
    frame = read_dataset(name)
    first, shape, targets = {
        "iris": ("sepal length (cm)", (150, 5), {"setosa", "versicolor", "virginica"}),
        "wine": ("alcohol", (178, 14), {"class_0", "class_1", "class_2"}),
        "digits": ("pixel_0_0", (1797, 65), set(range(10))),
        "breast_cancer": ("mean radius", (569, 31), {"benign", "malignant"}),
        "diabetes": ("age", (442, 11), None),
    }[name]
    assert frame.columns[0] == first
    assert frame.columns[-1] == "target"
    assert frame.shape == shape
    assert targets is None or set(frame["target"]) == targets


def test_diabetes_is_to_be_predicted_as_a_number() -> None:
    assert read_dataset("diabetes")["target"][0] == 151.0
