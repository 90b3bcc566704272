"""Seconds of `import chainrule` beside `import numpy` alone: medians of whole processes that take turns.

    python benchmarks/import_time.py [--rounds 10]

Target: at most 1.5 times NumPy's. The third line is the import of what most programs use, `Model` and `Network`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

TARGET = 1.5
PROGRAMS = {
    "numpy": "import numpy",
    "chainrule": "import numpy, chainrule",
    "chainrule, Model used": "import chainrule; chainrule.Model; chainrule.Network; chainrule.Adam",
}
TIMER = "import time; begun = time.perf_counter(); {}; print(time.perf_counter() - begun)"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=10, help="processes of each (default 10)")
    rounds = arguments.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds + 1):  # the first round fills the caches
        for name, program in PROGRAMS.items():
            run = subprocess.run(
                [sys.executable, "-c", TIMER.format(program)], capture_output=True, text=True, check=True
            )
            times[name].append(float(run.stdout))
    medians = {name: statistics.median(seconds[1:]) for name, seconds in times.items()}
    print(f"seconds of import, medians of {rounds} processes")
    for name, seconds in medians.items():
        print(f"  {name:<24} {seconds:.4f}   {seconds / medians['numpy']:.2f} x NumPy")
    ratio = medians["chainrule"] / medians["numpy"]
    print(f"target {TARGET}: {'met' if ratio <= TARGET else 'MISSED'}")


if __name__ == "__main__":
    main()
