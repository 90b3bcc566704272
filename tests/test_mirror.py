"""Where things are: no two rooms of one name, and tests where the house has what they test.

`tests/layers/test_dense.py` tests `layers/dense.py`, `engines/test_native_machine.py` one side of `engines/native.py`.
What tests several rooms at once stands in the folder of them all, with its reason here.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import chainrule

SOURCE = Path(chainrule.__file__).parent
TESTS = Path(__file__).parent

GENERAL = {
    "test_against_torch.py": "every layer, activation and loss, held against PyTorch",
    "test_gradients.py": "every layer, activation and loss, held against differences",
    "test_registered.py": "everything registered is in every general test",
    "test_copies.py": "whatever can be copied",
    "test_docstrings.py": "every public name",
    "test_docs.py": "the pages of docs/",
    "test_examples.py": "the programs of examples/",
    "test_readme.py": "README.md",
    "test_faults.py": "kills, full disks and read-only folders, wherever something is saved",
    "test_floors.py": "which room may import from which",
    "test_images_corpus.py": "the corpus of picture folders",
    "test_mirror.py": "where things are",
    "test_pairwise.py": "a helper of the tests",
    "test_sick_runs.py": "generated runs that judge the diagnosis",
    "test_public_names.py": "chainrule/__init__.py",
    "test_tables_corpus.py": "the corpus of tables",
    "cli/test_help.py": "every command's help",
    "cli/test_model_files.py": "what commands do with files of models",
    "cli/test_processes.py": "the installed command, in processes of its own",
    "engines/test_elsewhere.py": "an engine that isn't ours",
    "estimators/test_added_parameters.py": "parameters that scikit-learn's estimators don't have, in both",
    "estimators/test_callbacks.py": "callbacks of both",
    "estimators/test_checks.py": "scikit-learn's own checks, of both",
    "estimators/test_ecosystem.py": "other libraries' tools, with both",
    "estimators/test_files.py": "both, saved and loaded",
    "estimators/test_parameters.py": "every parameter of both",
    "estimators/test_parity.py": "both, beside scikit-learn's",
    "estimators/test_parity_generated.py": "the same, on generated settings",
    "estimators/test_upstream.py": "scikit-learn's own tests of its estimators, of both",
    "estimators/test_weights.py": "row weights and class weights, of both",
    "explain/expression/test_derivatives.py": "every derivative, held against differences",
    "explain/marking/test_own_parameters.py": "marking, of layers of one's own",
    "explain/network/test_lookups.py": "Embedding, EmbeddingSum and PiecewiseLinear, explained",
    "explain/network/test_own_layers.py": "layers of one's own, explained",
    "explain/network/test_scale_and_codes.py": "Scale and OneHot, explained",
    "explain/render/test_notebooks.py": "what notebooks show of everything",
    "explain/test_goldens.py": "whole worked examples, byte for byte",
    "explain/marking/test_generated_sheets.py": "marking, of generated sheets",
    "explain/marking/test_special_layers.py": "marking, of layers that are no sums of products",
    "explain/render/test_rendering.py": "every form of a derivation",
    "explain/worksheets/test_hostile_sheets.py": "sheets that mean harm, read and marked",
    "files/test_forged.py": "files made to do harm, of every kind",
    "files/test_load.py": "files/__init__.py, which holds `load`",
    "files/test_old_formats.py": "files of older versions, of every kind",
    "fuzz/test_fuzz.py": "the fuzzer's own tests",
    "layers/test_joins.py": "add.py and concatenate.py, which join values",
    "cli/test_tables_as_found.py": "what commands make of each table of the corpus",
    "cli/test_several_targets.py": "commands on tables with several targets",
    "tables/test_several_targets.py": "table models of several targets, from the table to the file",
    "tables/test_package.py": "what the package of tables names",
    "training/test_divergence.py": "training that diverges, wherever that is noticed",
    "training/test_not_finite.py": "what isn't finite, wherever a fit meets it",
    "training/test_refused.py": "what a fit refuses",
    "training/test_resume.py": "fits cut in two and gone on with",
    "training/test_several_rules.py": "stopping rules beside each other",
}  # folders of worked examples mirror nothing: they follow textbooks
WORKED = "worked"


def modules(folder: Path) -> list[str]:
    """The modules and folders of a room."""
    return [path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()] if folder.is_dir() else []


def test_no_two_rooms_have_one_name() -> None:
    rooms = defaultdict(list)
    for path in SOURCE.rglob("*.py"):
        if path.stem not in ("__init__", "__main__"):
            rooms[path.name].append(str(path.relative_to(SOURCE)))
    twins = [" and ".join(sorted(paths)) for paths in rooms.values() if len(paths) > 1]
    assert not twins, f"two files of one name can't be told apart when people speak of them: {'; '.join(twins)}"


def test_tests_stand_where_the_source_has_what_they_test() -> None:
    astray = []
    for path in sorted(TESTS.rglob("test_*.py")):
        place = path.relative_to(TESTS)
        about = path.stem.removeprefix("test_")
        there = any(about == name or about.startswith(f"{name}_") for name in modules(SOURCE / place.parent))
        if not there and place.as_posix() not in GENERAL and place.parts[0] != WORKED:
            astray.append(place.as_posix())
    assert not astray, f"no module of these names, and no reason in GENERAL: {', '.join(astray)}"


def test_every_general_test_is_there_and_has_no_module_of_its_name() -> None:
    for name in GENERAL:
        place = Path(name)
        assert (TESTS / place).is_file(), f"{name} is no longer there: take it off GENERAL"
        assert place.stem.removeprefix("test_") not in modules(SOURCE / place.parent), f"{name} mirrors a module"
