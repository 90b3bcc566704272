"""What every kind of picture takes on the command line, and how it is written and told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.screen import print_json, say
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.plots.picture import Picture

Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="The picture: PNG, SVG or PDF, by the end of its name."),
]
ThemeName = Annotated[str, typer.Option("--theme", metavar="THEME", help="light or dark.")]
Width = Annotated[int, typer.Option("--width", metavar="PIXELS", help="How wide it is; all in it grows along.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object with the numbers that are drawn.")]


@dataclass(frozen=True)
class Canvas:
    """Where a picture goes; made before anything is computed, so that a wrong name is said at once."""

    out: Path
    theme: str
    width: int
    option: str = "--out"  # that said where

    def __post_init__(self) -> None:
        from chainrule.plots.picture import check_ending, check_width, is_picture_of_ours
        from chainrule.plots.themes import get_theme, need_matplotlib

        need_matplotlib()
        get_theme(self.theme)
        check_width(self.width)
        check_ending(self.out)
        target = self.out.expanduser()
        if not target.is_dir() and not target.parent.is_dir():
            raise InputError(f"{self.option} is {self.out}, and there is no folder {target.parent}")
        if target.is_file() and target.stat().st_size and not is_picture_of_ours(target):
            raise InputError(
                f"{self.out} is there and isn't a picture of chainrule's: give {self.option} another name, or remove "
                "the file first"
            )

    def write(self, picture: Picture, as_json: bool, notes: Sequence[str] = ()) -> None:
        """Write the picture, and say what was drawn."""
        from chainrule.plots.picture import rounded

        picture.in_theme(self.theme).save(self.out.expanduser(), width=self.width)
        if as_json:
            facts: dict[str, Any] = {"picture": str(self.out), "title": picture.title, "caption": picture.caption}
            print_json({**facts, "notes": list(notes), "values": rounded(picture.values)})
            return
        say((str(self.out), "bold"), f": {picture.title}")
        if picture.caption:
            say(picture.caption, indent=2)
        for one in notes:
            say(one, indent=2)
