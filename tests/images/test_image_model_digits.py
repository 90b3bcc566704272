"""Digits: what the page on pictures says was measured, measured again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SEEDS = range(5)


@pytest.mark.slow
def test_digits_with_augmentation_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import digits
    import pixel_pages

    results = {way: [digits.run(seed, way) for seed in SEEDS] for way in digits.WAYS}
    means = {way: np.mean([one.accuracy for one in runs]) for way, runs in results.items()}
    assert means["augmented"] >= 0.985
    assert means["augmented"] > means["plain"]
    for way, told in pixel_pages.ACCURACY.items():
        assert means[way] == pytest.approx(told, abs=0.005)
    for way, told_by_shift in pixel_pages.SHIFTED.items():
        shifted = np.mean([one.shifted for one in results[way]], axis=0)
        np.testing.assert_allclose(shifted, told_by_shift, atol=0.04)
    for name in ("digits", "pixel_pages"):
        sys.modules.pop(name, None)
