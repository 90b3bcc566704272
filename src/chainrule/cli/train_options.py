"""The options of `chainrule train`: each one's type and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.engines.choose import engine_choices

_COLUMNS, _NETWORK, _TRAINING, _PICTURES, _OUTPUT = "Table", "Network", "Training", "Pictures", "Output"


def _option(text: str, panel: str | None, default: str = "decided from the table") -> Any:
    """An option that may be left out; what it is then."""
    return typer.Option(help=f"{text}  [default: {default}]", show_default=False, rich_help_panel=panel)


def _columns(text: str) -> Any:
    """An option that names columns, once or several times."""
    return typer.Option(
        metavar="COLUMN",
        help=f"{text} May be given again.  [default: decided from the table]",
        show_default=False,
        rich_help_panel=_COLUMNS,
    )


Target = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="TEXT",
        help="The column of a table to predict, or several that one network learns together: gender,age,mood, or the "
        "option again for each; left out of a folder of pictures.",
        show_default=False,
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        help="classification or regression, of several targets as in age=regression,mood=classification; found from "
        "the target when left out.",
        show_default=False,
    ),
]
Drop = Annotated[list[str] | None, _columns("A column that is left out.")]
Numeric = Annotated[
    list[str] | None, _columns('A column of numbers; as in "price=," the decimal mark where that is in doubt.')
]
Categorical = Annotated[list[str] | None, _columns("A column whose values are kinds, also where they are numbers.")]
Date = Annotated[list[str] | None, _columns('A column of dates; as in "when=%d/%m/%Y" how they are written.')]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="A text that stands for a missing value, besides the usual ones such as NA or n/a; may be given again.  "
        "[default: none]",
        show_default=False,
        rich_help_panel=_COLUMNS,
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option(
        "--no-header",
        help="The first line is data: columns are called column_1, column_2 ...",
        rich_help_panel=_COLUMNS,
    ),
]
Separator = Annotated[
    str | None, _option("What stands between the cells of a text file; a tab is \\t.", _COLUMNS, "found in the file")
]
Encoding = Annotated[str | None, _option("Of a text file, as in utf-16 or cp1252.", _COLUMNS, "found in the file")]
MaxCategories = Annotated[
    str | None, _option("A column of text with more different values is left out.", _COLUMNS, "100,000")
]
Effort = Annotated[
    str,
    typer.Option(help="quick (one network), good (several, and their mean) or best (several of each of a few kinds)."),
]
TimeLimit = Annotated[
    float | None, _option("Seconds that training may take; the best until then is kept.", None, "no limit")
]
Hidden = Annotated[
    str | None,
    _option("Units of the hidden layers, as in 64,64; 'none' for no hidden layer.", _NETWORK),
]
Activation = Annotated[
    str | None,
    typer.Option(
        help="Activation of hidden layers, decided from the table if left out: relu, tanh, sigmoid, gelu, silu ...",
        show_default=False,
        rich_help_panel=_NETWORK,
    ),
]
Dropout = Annotated[float | None, _option("Share of hidden units silent in a step, in [0, 1).", _NETWORK)]
Bins = Annotated[int | None, _option("Pieces of a function of each number beside it; 0: the number alone.", _NETWORK)]
BatchNorm = Annotated[
    bool | None,
    typer.Option(
        "--batch-norm",
        help="Batch normalization before every hidden activation.  [default: decided from the table]",
        show_default=False,
        rich_help_panel=_NETWORK,
    ),
]
Optimizer = Annotated[str | None, _option("adam, adamw, sgd, rmsprop, adagrad or lbfgs.", _TRAINING)]
LearningRate = Annotated[float | None, _option("Step size.", _TRAINING, "the optimizer's own")]
BatchSize = Annotated[
    str | None,
    _option("Rows of a step: a number, full, or auto (32; fewer of few, more of many).", _TRAINING),
]
Epochs = Annotated[int | None, _option("Passes over the training rows, at most.", _TRAINING)]
Patience = Annotated[int | None, _option("Stop after so many epochs without a better validation loss.", _TRAINING)]
LabelSmoothing = Annotated[
    float | None, _option("Share of each class target that is spread over all classes.", _TRAINING, "0")
]
LossWeights = Annotated[
    str | None,
    _option("How much each of several targets counts, as in age=2,mood=0.5.", _TRAINING, "1 each"),
]
L2 = Annotated[float | None, _option("Penalty on the squares of the weights.", _TRAINING)]
ClipNorm = Annotated[float | None, _option("Greatest norm of a step's gradient.", _TRAINING, "no limit")]
Members = Annotated[int | None, _option("How many networks, whose mean is the prediction.", _TRAINING)]
Folds = Annotated[
    int | None,
    _option("Into how many parts rows are dealt; each network leaves out one.", _TRAINING, "as many as networks"),
]
Group = Annotated[
    str | None,
    _option("A column; rows that have the same there stay together in every split.", _TRAINING, "none"),
]
Validation = Annotated[
    float | None,
    _option(
        "Share of the rows that each network leaves out to know when to stop, in place of a fold.",
        _TRAINING,
        "a fold; 0.15 for one network",
    ),
]
Test = Annotated[float, typer.Option(help="Share of the rows kept for the final score.", rich_help_panel=_TRAINING)]
Seed = Annotated[
    int, typer.Option(help="Decides splits, starting weights and the order of rows.", rich_help_panel=_TRAINING)
]
Engine = Annotated[str, typer.Option(help=f"{engine_choices()}.", rich_help_panel=_TRAINING)]
TestFolder = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Pictures for the final score; left out, those of --test are.",
        rich_help_panel=_PICTURES,
        show_default=False,
    ),
]  # fmt: skip
Size = Annotated[
    str | None,
    _option(
        "Width and height in pixels, as in 24x16, or one number.", _PICTURES, "that of most of them, at most 32 pixels"
    ),
]
Augmentation = Annotated[
    str | None,
    _option(
        "What is done to pictures before each epoch: usual, none, or as in shift=0.1,rotate=10,scale=0.1,noise=0.1,"
        "mixup=0.2,erase=0.3,flip=horizontal.",
        _PICTURES,
        "usual",
    ),
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="Where to save the model.  [default: the name of TABLE or FOLDER with .safetensors, in this folder]",
        show_default=False,
        rich_help_panel=_OUTPUT,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.", rich_help_panel=_OUTPUT)]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of tables.", rich_help_panel=_OUTPUT)
]
