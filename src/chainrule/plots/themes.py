"""How every picture looks: two themes, and series that can be told apart without their colours.

Each series differs from the others in three ways (colour, line, marker), so that it is found again in print, in grey
and by people who don't see every colour. Sizes are those of a picture that is 800 pixels wide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from chainrule.errors import InputError, MissingDependencyError, did_you_mean, listed
from chainrule.plain import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

LINES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.4)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (9, 3)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">", "h", "*")
PIXELS_PER_INCH = 100


@dataclass(frozen=True)
class Theme:
    """Colours of a picture.

    Arguments:
        name: what it is called.
        paper: behind everything.
        ink: text and axes.
        soft: what stands back: notes, ticks.
        grid: lines that help the eye.
        colors: of series, the first few of very different lightness (after Okabe and Ito's colour-blind safe ones).
        low, middle, high: of numbers below, at and above the middle of a scale.

    >>> THEMES["dark"].series(1)["linestyle"]
    (0, (5, 1.6))
    """

    name: str
    paper: str
    ink: str
    soft: str
    grid: str
    colors: tuple[str, ...]
    low: str
    middle: str
    high: str

    def series(self, number: int, *, marked: bool = False) -> dict[str, Any]:
        """How a series is drawn: its colour, its line and, where it is marked, its marker.

        Arguments:
            number: of the series, from 0; the ways to draw lines and their colours come again after different counts.
            marked: whether its points have markers.
        """
        look = {"color": self.colors[number % len(self.colors)], "linestyle": LINES[number % len(LINES)]}
        return look | ({"marker": MARKERS[number % len(MARKERS)]} if marked else {})

    def scale(self) -> LinearSegmentedColormap:
        """Numbers as colours, from `low` over `middle` to `high`."""
        from matplotlib.colors import LinearSegmentedColormap

        return LinearSegmentedColormap.from_list(f"chainrule-{self.name}", [self.low, self.middle, self.high])

    def settings(self) -> Any:
        """Matplotlib's settings for a picture in this theme."""
        return {
            "figure.facecolor": self.paper, "savefig.facecolor": self.paper, "figure.dpi": PIXELS_PER_INCH,
            "axes.facecolor": self.paper, "axes.edgecolor": self.soft, "axes.labelcolor": self.ink,
            "axes.titlecolor": self.ink, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.labelsize": 10,
            "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
            "axes.linewidth": 0.8, "axes.unicode_minus": True, "axes.formatter.use_mathtext": False,
            "grid.color": self.grid, "grid.linewidth": 0.7, "lines.linewidth": 2.0, "lines.markersize": 5,
            "xtick.color": self.soft, "ytick.color": self.soft, "xtick.labelcolor": self.ink,
            "ytick.labelcolor": self.ink, "xtick.labelsize": 9, "ytick.labelsize": 9,
            "text.color": self.ink, "text.parse_math": False, "font.family": ["DejaVu Sans"], "font.size": 10,
            "legend.frameon": False, "legend.fontsize": 9, "legend.handlelength": 3.2,
            "path.simplify_threshold": 0.3, "svg.fonttype": "none", "svg.hashsalt": "chainrule",
            "image.interpolation": "nearest",
        }  # fmt: skip


LIGHT = Theme(
    "light", paper="#ffffff", ink="#1c1d21", soft="#63666f", grid="#e3e5ea",
    colors=("#0b5394", "#d55e00", "#009e73", "#7b3f8c", "#56b4e9", "#8a6d00", "#000000", "#cc79a7"),
    low="#2c6cb0", middle="#f6f6f8", high="#c9472c",
)  # fmt: skip
DARK = Theme(
    "dark", paper="#16181d", ink="#eceef2", soft="#a3a7b2", grid="#31343d",
    colors=("#6cb8ff", "#ff9a4d", "#3fd6a4", "#cf9be0", "#b5d9f2", "#e8cf5a", "#ffffff", "#f2a6c8"),
    low="#5aa2ea", middle="#2a2d35", high="#f0795c",
)  # fmt: skip
THEMES: Mapping[str, Theme] = {theme.name: theme for theme in (LIGHT, DARK)}


def get_theme(name: object) -> Theme:
    """The theme of a name.

    Arguments:
        name: "light" or "dark".

    Raises:
        InputError: there is no such theme.

    >>> get_theme("dark").paper
    '#16181d'
    """
    theme = THEMES.get(name) if isinstance(name, str) else None
    if theme is None:
        raise InputError(
            f'there is no theme "{shortened(name)}".{did_you_mean(name, THEMES)} There are {listed(THEMES)}'
        )
    return theme


def need_matplotlib() -> None:
    """Raise a `MissingDependencyError` that says what to install, where matplotlib can't be loaded."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'pictures are drawn by matplotlib, which isn\'t installed: pip install "chainrule[plots]"'
        ) from error


def named(text: object, limit: int = 40) -> str:
    """A name of somebody's (a column, a class, a layer) as a label: visible, short, and never left out of a legend.

    Arguments:
        text: the name.
        limit: the most characters.

    >>> named("_private"), named("x" * 50, limit=5)
    ('\\u200a_private', 'xxxx…')
    """
    label = shortened(str(text), limit)
    return f"\u200a{label}" if label.startswith("_") else label  # legends leave out what begins with _


def called(thing: Any) -> str:
    """What a picture calls something registered: by its name, or with the options that aren't the usual ones.

    Arguments:
        thing: an activation, an optimizer, a schedule.

    >>> from chainrule import SGD
    >>> from chainrule.activations import LeakyReLU
    >>> called(LeakyReLU()), called(SGD(0.05))
    ('leaky_relu', 'SGD(learning_rate=0.05)')
    """
    usual = {one.name: one.default for one in fields(thing) if one.init}
    set_ = {name: value for name in usual if (value := getattr(thing, name)) != usual[name]}
    return f"{type(thing).__name__}({', '.join(f'{n}={v!r}' for n, v in set_.items())})" if set_ else str(thing.name)


def legend_above(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend of the whole figure, at the right of its title.

    Arguments:
        figure: whose legend.
        handles, labels: what matplotlib's legends take.
    """
    figure.legend(handles, labels, loc="upper right", bbox_to_anchor=(0.995, 0.998), ncols=len(labels))


def logarithmic(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis whose numbers are plain text: 0.001, 1, 10⁻⁹.

    Arguments:
        axes: where everything is drawn already.
        which: "x" or "y".
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = sorted(axis.get_view_interval())
    subs = (1, 1.5, 2, 3, 5, 7) if high < 20 * low else (1, 2, 5) if high < 1e3 * low else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    if value <= 0 or 1e-4 < value < 1e5:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    power = "10" + str(int(exponent)).translate(_RAISED)
    return power if mantissa == "1" else f"{mantissa}·{power}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
