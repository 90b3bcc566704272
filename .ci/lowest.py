"""Write pip's constraints for the lowest versions that pyproject.toml promises: `name>=1.2` becomes `name==1.2`."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = ("test", "plots", "images", "excel")


def requirements() -> list[str]:
    """What the package and its tests want, with what builds it."""
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    wanted += [one for extra in EXTRAS for one in extras[extra]]
    return [one for one in wanted if not one.startswith("chainrule[")]  # the extras themselves, named by another


def lowest(requirement: str) -> str:
    """The requirement as a constraint on exactly its lower bound."""
    found = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
    if found is None:
        sys.exit(f"pyproject.toml: {requirement!r} has no lower bound of the form name>=1.2")
    return "{}=={}".format(*found.groups())


if __name__ == "__main__":
    print("\n".join(lowest(one) for one in requirements()))
