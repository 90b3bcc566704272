"""Drawings of the pages: plain SVG text, so that a page's picture can be written and checked like the page itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

INK, SOFT, RULE = "#1c1d21", "#63666f", "#d5d7de"
COLORS = ("#3b6fb6", "#d1495b", "#5a9367", "#8d6cab")


class Drawing:
    """Shapes on white paper, which reads well in the dark too."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.shapes = [f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>']

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str = RULE, width: float = 1) -> None:
        self.shapes.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width}"/>'
        )

    def rect(self, x: float, y: float, width: float, height: float, color: str) -> None:
        self.shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>')

    def curve(self, points: Sequence[tuple[float, float]], color: str, width: float = 2) -> None:
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(
            f'<polyline points="{text}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"/>'
        )

    def area(self, points: Sequence[tuple[float, float]], color: str, edge: str) -> None:
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polygon points="{text}" fill="{color}" stroke="{edge}" stroke-width=".6"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 13,
        color: str = INK,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="600"' if bold else ""
        self.shapes.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" text-anchor="{anchor}"{weight}>'
            f"{escape(text)}</text>"
        )

    def svg(self, title: str) -> str:
        inside = "\n".join(self.shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" font-family="system-ui, sans-serif" role="img">\n'
            f"<title>{escape(title)}</title>\n{inside}\n</svg>\n"
        )


def bars(
    drawing: Drawing, left: float, top: float, width: float, height: float, low: float, high: float,
    groups: Sequence[tuple[str, Sequence[float]]], labels: Callable[[float], str],
) -> None:  # fmt: skip
    """Groups of bars side by side on one scale from `low` to `high`, each with its number."""

    def y(value: float) -> float:
        return top + height * (high - value) / (high - low)

    drawing.line(left, y(0), left + width, y(0), SOFT)
    each = width / len(groups)
    for i, (name, values) in enumerate(groups):
        bar = each / (len(values) + 0.8)
        for k, value in enumerate(values):
            x = left + i * each + bar * (0.4 + k)
            drawing.rect(x + 1, min(y(value), y(0)), bar - 2, max(abs(y(value) - y(0)), 0.8), COLORS[k])
            drawing.text(x + bar / 2, y(max(value, 0)) - 5, labels(value), size=11)
        drawing.text(left + (i + 0.5) * each, top + height + 18, name, color=SOFT)


def surface(
    drawing: Drawing, left: float, top: float, width: float, height: float,
    f: Callable[[float, float], float], reach: float, cells: int = 14,
) -> None:  # fmt: skip
    """A surface over the square from -reach to reach, seen from the front corner, values from 0 to 1; far cells first."""

    def place(x: float, y: float, z: float) -> tuple[float, float]:
        u, v = x / reach, y / reach
        return left + width * (0.5 + 0.25 * (u - v)), top + height * (0.73 - 0.13 * (u + v) - 0.42 * z)

    ticks = [reach * (2 * i / cells - 1) for i in range(cells + 1)]
    corners = [(-reach, -reach), (reach, -reach), (reach, reach), (-reach, reach)]
    drawing.curve([place(x, y, 0) for x, y in [*corners, corners[0]]], RULE, 1)
    for i in reversed(range(cells)):
        for j in reversed(range(cells)):
            around = [
                (ticks[i], ticks[j]),
                (ticks[i + 1], ticks[j]),
                (ticks[i + 1], ticks[j + 1]),
                (ticks[i], ticks[j + 1]),
            ]
            heights = [f(x, y) for x, y in around]
            color = _blend(sum(heights) / 4)
            drawing.area([place(x, y, z) for (x, y), z in zip(around, heights, strict=True)], color, "#4a5a78")
    drawing.text(*_below(place(0, -reach, 0), 6, 16), "x1", size=11, color=SOFT)
    drawing.text(*_below(place(-reach, 0, 0), -6, 16), "x2", size=11, color=SOFT)


def _below(point: tuple[float, float], dx: float, dy: float) -> tuple[float, float]:
    return point[0] + dx, point[1] + dy


def _blend(share: float) -> str:
    """From blue (0) over white (a half) to red (1)."""
    low, middle, high = (70, 115, 185), (246, 246, 248), (209, 73, 91)
    first, second, t = (low, middle, 2 * share) if share < 0.5 else (middle, high, 2 * share - 1)
    return "#" + "".join(f"{round(a + (b - a) * t):02x}" for a, b in zip(first, second, strict=True))
