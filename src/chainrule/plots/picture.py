"""A picture: drawn when it is looked at, in the theme and size that are wanted."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.atomic import check_writable, replace
from chainrule.errors import FileError, InputError
from chainrule.limits import COUNT
from chainrule.plain import shortened, visible
from chainrule.plots.themes import PIXELS_PER_INCH, Theme, get_theme, need_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
MADE_BY = "Made by chainrule"
WIDTH = 800  # pixels, unless something else is asked for
_LIMITS = (200, 8000)  # of the width
_LINE = 0.19  # inches of a line of the caption

_SIMILAR = {"DejaVu Sans": "Verdana, sans-serif", "DejaVu Sans Mono": "Menlo, Consolas, monospace"}

_ID = re.compile(r'(?<=[#"])([a-zA-Z]+)[0-9a-f]{10}(?=[")])')

Draw = Callable[["Figure", Theme], None]


class Picture:
    """Something drawn by matplotlib, with a title above, a caption below, and the numbers that are in it.

    It shows itself in notebooks. `values` holds what is drawn as plain numbers and arrays, by name.

    Arguments:
        draw: puts axes and all else into a figure, in the colours of a theme.
        title: one line.
        caption: what the picture shows and how it was made: sentences, which are broken into lines.
        values: what is drawn.
        height: inches of the drawing itself where it is 8 wide, which are 800 pixels.
        theme: "light" or "dark".

    Raises:
        MissingDependencyError: matplotlib isn't installed.

    >>> picture = Picture(lambda figure, theme: figure.subplots().plot([1, 4, 9]) and None, title="Squares")
    >>> picture
    <Picture: Squares>
    >>> picture.to_svg()[:5], picture.to_png()[1:4]
    ('<?xml', b'PNG')
    """

    def __init__(
        self,
        draw: Draw,
        *,
        title: str,
        caption: str = "",
        values: Mapping[str, Any] | None = None,
        height: float = 4.5,
        theme: str = "light",
    ):
        need_matplotlib()
        self.title = visible(title)
        self.caption = visible(caption)
        self.values = dict(values or {})
        self.theme = get_theme(theme)
        self._draw, self._height = draw, height

    def in_theme(self, theme: str) -> Picture:
        """The same picture in another theme.

        Arguments:
            theme: "light" or "dark".

        Raises:
            InputError: there is no such theme.

        >>> Picture(lambda figure, theme: None, title="Nothing").in_theme("dark").theme.name
        'dark'
        """
        return Picture(
            self._draw, title=self.title, caption=self.caption, values=self.values, height=self._height, theme=theme
        )

    def figure(self) -> Figure:
        """The matplotlib figure, drawn anew: to add to, or to look into.

        >>> [axes.get_lines()[0].get_ydata().tolist() for axes in
        ...  Picture(lambda figure, theme: figure.subplots().plot([1, 4]) and None, title="").figure().axes]
        [[1, 4]]
        """
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        lines = _lines(self.caption, 7.4, 9)
        above, below = (0.42 if self.title else 0.1), (_LINE * len(lines) + 0.16 if lines else 0.04)
        height = self._height + above + below
        with rc_context(self.theme.settings()):
            figure = Figure(figsize=(8, height), layout="constrained")
            FigureCanvasAgg(figure)
            bounds = (0.012, below / height, 0.976, self._height / height)
            figure.get_layout_engine().set(rect=bounds, w_pad=0.06, h_pad=0.05)  # type: ignore[union-attr, call-arg]
            self._draw(figure, self.theme)
            if self.title:
                figure.text(0.15 / 8, 1 - 0.13 / height, self.title, weight="bold", size=12, va="top", gid="title")
            for i, line in enumerate(lines):
                y = (below - 0.06 - _LINE * i) / height
                figure.text(0.15 / 8, y, line, color=self.theme.soft, size=9, va="top", gid=f"caption-{i + 1}")
        return figure

    def to_png(self, *, width: int = WIDTH) -> bytes:
        """The picture as PNG.

        Arguments:
            width: pixels; the whole picture grows with it.

        Raises:
            InputError: the width isn't from 200 to 8,000 pixels.
        """
        return self._written("png", width, {"Software": MADE_BY, "Title": self.title, "Description": self.caption})

    def to_svg(self, *, width: int = WIDTH) -> str:
        """The picture as SVG: the same text every time, with no date in it.

        Arguments:
            width: pixels; the whole picture grows with it.

        Raises:
            InputError: the width isn't from 200 to 8,000 pixels.
        """
        told = ". ".join(text for text in (self.title, self.caption) if text)
        text = self._written("svg", width, {"Creator": MADE_BY, "Date": None, "Title": told or None}).decode()
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
        assert box is not None
        size = f'width="{width}" height="{width * float(box[2]) / float(box[1]):.0f}"'
        text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', size, text, count=1)
        ids: dict[str, str] = {}  # matplotlib's are hashes of coordinates, whose last digits may differ from run to run
        text = re.sub(_ID, lambda match: ids.setdefault(match[0], f"{match[1]}-{len(ids) + 1}"), text)
        for font, others in _SIMILAR.items():  # where a reader hasn't our font, one of about the same widths
            text = text.replace(f"'{font}'", f"'{font}', {others}")
        text = re.sub(r"<[a-z][^>]*>", lambda tag: _short(tag[0]), text)
        return re.sub(r"\n *(?=</?(?:g|path|use|defs|clipPath|rect|image)\b(?! id=\"axes))", "", text)

    def save(self, path: str | Path, *, width: int = WIDTH) -> None:
        """Write the picture to a file: PNG, SVG or PDF, by the end of its name.

        Arguments:
            path: the file, which is replaced as a whole.
            width: pixels; the whole picture grows with it.

        Raises:
            FileError: the name ends in something else, or there is no writing to it.
            InputError: the width isn't from 200 to 8,000 pixels.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Picture(lambda figure, theme: None, title="Nothing").save(f"{folder}/nothing.png")
        """
        ending = check_ending(path)
        check_writable(path)
        if ending == ".svg":
            data = self.to_svg(width=width).encode()
        elif ending == ".png":
            data = self.to_png(width=width)
        else:
            data = self._written("pdf", width, {"Creator": MADE_BY, "CreationDate": None, "Title": self.title})
        replace(path, data)

    def _written(self, form: str, width: int, metadata: Mapping[str, Any]) -> bytes:
        from matplotlib import rc_context

        check_width(width)
        figure, out = self.figure(), io.BytesIO()
        dpi = PIXELS_PER_INCH * width / 800
        with warnings.catch_warnings(), rc_context(self.theme.settings()):
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in letters that the font hasn't
            figure.savefig(out, format=form, dpi=dpi, metadata=dict(metadata))
        return out.getvalue()

    def _repr_png_(self) -> bytes:
        return self.to_png()

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"


def _lines(text: str, width: float, size: float) -> list[str]:
    """A text broken into lines of at most so many inches in letters of a size, as wide as they are in our font."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font, lines = FontProperties(family="DejaVu Sans", size=size), [""]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            fits = text_to_path.get_text_width_height_descent(longer, font, ismath=False)[0] <= 72 * width
            lines[-1:] = [longer] if fits else [lines[-1], word]
    return [line for line in lines if line]


def _short(tag: str) -> str:
    """An SVG element's tag on one line, with coordinates to a hundredth of a point."""
    tag = re.sub(r"\s*\n\s*", "" if tag.startswith("<image") else " ", tag)
    tag = re.sub(r"-?\d+\.\d{2,}(?![\w.])", lambda number: f"{round(float(number[0]), 2) + 0:.6g}", tag)
    tag = re.sub(r' d="([ML\d\s.-]+)( z)? "', _lines_alone, tag)
    return re.sub(r' style="[^"]*"', lambda style: style[0].replace(": ", ":").replace("; ", ";"), tag)


def _lines_alone(d: re.Match[str]) -> str:
    """A path of straight lines: after M further points are lines without saying so."""
    points, end = d[1].replace(" L ", " "), d[2] or ""
    return f' d="{points}{end}"'


def check_ending(path: str | Path) -> str:
    """The end of a picture's file name, in small letters.

    Arguments:
        path: the file.

    Raises:
        FileError: no picture is written to a file of such a name.

    >>> check_ending("curves.PNG")
    '.png'
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        what = f"ends in {ending}" if ending else "has no ending"
        raise FileError(f"can't save a picture to {path}: its name {what}; it must be .png, .svg or .pdf")
    return ending


def check_width(width: int) -> None:
    """Raise an `InputError` where a picture can't be so wide.

    Arguments:
        width: pixels.

    >>> check_width(1200)
    """
    least, most = _LIMITS
    if not COUNT.holds(width) or not least <= width <= most:
        raise InputError(
            f"the width is {shortened(width)}; it must be a whole number of pixels from {least} to {most:,}"
        )


def is_picture_of_ours(path: Path) -> bool:
    """Whether a file is a picture that chainrule made, so that another may take its place.

    Arguments:
        path: of the file.

    >>> is_picture_of_ours(Path("nothing.png"))
    False
    """
    try:
        return MADE_BY.encode() in path.read_bytes()
    except OSError:
        return False


def rounded(value: Any, digits: int = 6) -> Any:
    """A picture's values as JSON can hold them: arrays as lists, numbers to so many digits, what is no number as None.

    Arguments:
        value: a number, a text, an array, or mappings and sequences of them.
        digits: significant ones.

    >>> rounded({"loss": [0.123456789, float("nan")], "epochs": 3})
    {'loss': [0.123457, None], 'epochs': 3}
    """
    if isinstance(value, Mapping):
        return {str(key): rounded(one, digits) for key, one in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [rounded(one, digits) for one in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value
