"""A network's diagram as SVG text: no script, nothing fetched, light and dark by its style, every number in it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from chainrule.explain.diagram.drawn import ABOUT, TITLE, Bound, Diagram, Group, Link, Point, Unit, short
from chainrule.explain.formula.writer import shown
from chainrule.plain import shortened, visible

FEWEST = 0.8  # pixels of the thinnest line, and how much more the thickest has
MORE = 3.6

# Red and blue that people with any kind of colour vision tell apart; lines of negative weights are dashed as well.
STYLE = """
.chainrule-diagram { --d-ink: #1c1d21; --d-soft: #5b5e67; --d-paper: #fff; --d-unit: #f5f6f9; --d-plus: #1f5fbf;
  --d-minus: #c2410c; --d-gradient: #6d28a8; --d-path: #facc15; margin: .8rem 0;
  overflow-x: auto; color: var(--d-ink); }
.chainrule-diagram svg { display: block; margin: 0 auto; height: auto; font-family: system-ui, -apple-system,
  "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.chainrule-diagram text { fill: var(--d-ink); font-size: 11px; text-anchor: middle; }
.chainrule-diagram .number { font-size: 10px; font-variant-numeric: tabular-nums; stroke: var(--d-paper);
  stroke-width: 3px; paint-order: stroke; stroke-linejoin: round; }
.chainrule-diagram .inside { stroke: none; }
.chainrule-diagram .layer { font-weight: 600; font-size: 12px; }
.chainrule-diagram .about, .chainrule-diagram .short, .chainrule-diagram .dots { fill: var(--d-soft); }
.chainrule-diagram .gradient { fill: var(--d-gradient); }
.chainrule-diagram .link { fill: none; stroke: var(--d-soft); }
.chainrule-diagram .plus { stroke: var(--d-plus); }
.chainrule-diagram .minus { stroke: var(--d-minus); stroke-dasharray: 5 3; }
.chainrule-diagram .faint { opacity: .5; }
.chainrule-diagram .passing { stroke-dasharray: 2 3; }
.chainrule-diagram circle { fill: var(--d-unit); stroke: var(--d-ink); stroke-width: 1.2px; }
.chainrule-diagram .path { stroke: var(--d-path); stroke-width: 11px; fill: none; stroke-linecap: round;
  stroke-dasharray: none; opacity: .75; }
.chainrule-diagram circle.path { stroke-width: 7px; }
.chainrule-diagram figcaption { color: var(--d-soft); font-size: .82rem; text-align: center; margin-top: .3rem; }
.chainrule-diagram svg { min-width: calc(.8 * var(--d-width)); }
@media (max-width: 40rem) {
  .chainrule-diagram svg { min-width: calc(.7 * var(--d-width)); }
  .chainrule-diagram text, .chainrule-diagram .number { font-size: 13px; }
  .chainrule-diagram .layer { font-size: 14px; }
  .chainrule-diagram .room { display: none; }
}
@media (prefers-color-scheme: dark) {
  .chainrule-diagram { --d-ink: #e7e8ec; --d-soft: #a2a6b1; --d-paper: #14161a; --d-unit: #262a33; --d-plus: #7db2ff;
    --d-minus: #ff9a66; --d-gradient: #d0a6ff; --d-path: #8a6d00; }
}
@media print { .chainrule-diagram { overflow: visible; break-inside: avoid; } }
"""


def figure(diagram: Diagram, words: str = "") -> str:
    """The diagram as a figure for a page: its style, the SVG, and below it what is what, or words."""
    size = f'style="width:100%;max-width:{min(diagram.width * 1.25, 1100):.0f}px;--d-width:{diagram.width:.0f}px"'
    return (
        f'<figure class="chainrule-diagram">\n<style>{STYLE}</style>\n{_svg(diagram, size)}\n'
        f"<figcaption>{escape(visible(words or legend(diagram)))}</figcaption>\n</figure>"
    )


def drawing(diagram: Diagram, width: int | None = None) -> str:
    """The diagram as an SVG file of its own, on paper of its own.

    Arguments:
        diagram: what is drawn.
        width: in pixels; the diagram's own when left out.
    """
    scale = 1.0 if width is None else width / diagram.width
    size = f'width="{diagram.width * scale:.0f}" height="{diagram.height * scale:.0f}" class="chainrule-diagram"'
    paper = f'<rect width="{_n(diagram.width)}" height="{_n(diagram.height)}" rx="6" style="fill:var(--d-paper)"/>'
    style = STYLE.replace(".chainrule-diagram svg", "svg.chainrule-diagram")
    return _svg(diagram, f'xmlns="http://www.w3.org/2000/svg" {size}', f"<style>{style}</style>\n{paper}\n") + "\n"


def legend(diagram: Diagram) -> str:
    """What is what in a diagram, in a sentence or two."""
    said = "Lines are weights: solid where positive, dashed where negative, the thicker the larger."
    if diagram.row is not None:
        of_row = f" of row {diagram.row}" if diagram.rows > 1 else ""
        said = f"In the circles the values{of_row}, b the biases. {said}"
    if diagram.has_gradients:
        said += " With ∂ the derivative of the loss by each; a unit's is by its pre-activation."
    if diagram.left_out:
        said += " Numbers that would stand on others are left out."
    if diagram.path is not None and diagram.start is not None and diagram.path.edges:
        product = shown(diagram.path.product, diagram.digits)
        said += f" Highlighted: of the paths from {diagram.start.symbol} to the loss one that weighs most, {product}."
    return said


def told(bound: Bound, digits: int) -> str:
    """A number with its symbol: what is told of it when the pointer rests on it."""
    return f"{bound.symbol} = {shown(bound.value, digits)}"


def thickness(value: float, largest: float) -> float:
    """Of a line, in pixels."""
    share = abs(value) / largest if largest and abs(value) <= largest else 0.0
    return FEWEST + MORE * share


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _svg(diagram: Diagram, size: str, before: str = "") -> str:
    drawn = "\n".join(_shapes(diagram))
    return visible(
        f'<svg {size} viewBox="0 0 {_n(diagram.width)} {_n(diagram.height)}" role="img" '
        f'aria-label="{escape(_aria(diagram))}">\n{before}{drawn}\n</svg>',
        lines=True,
    )


def _aria(diagram: Diagram) -> str:
    loss = next((unit.values[0] for unit in diagram.units if unit.is_loss), None)
    return diagram.says + ("" if loss is None else f"; {told(loss, diagram.digits)}")


def _shapes(diagram: Diagram) -> Iterator[str]:
    """The path first, below everything; then lines, circles, and all words and numbers above them."""
    on_path = [link for link in diagram.links if link.on_path]
    yield from (f'<path class="path" d="{_way(link, diagram)}"/>' for link in on_path)
    for a, b in diagram.hops:
        (x, y0), (_, y1) = diagram.units[a].place, diagram.units[b].place
        yield f'<path class="path" d="M{_n(x)} {_n(y0)}Q{_n(x + 56)} {_n((y0 + y1) / 2)} {_n(x)} {_n(y1)}"/>'
    yield from (_link(link, diagram) for link in diagram.links)
    for unit in diagram.units:
        if unit.is_dots:
            yield from _dots(unit.place, f"{unit.folded:,} more")
        else:
            yield _circle(unit, diagram)
    if diagram.folded is not None:
        (x, y), count = diagram.folded
        yield _text((x, y), "· · ·", "layer dots")
        yield _text((x, y + 16), f"{count} more", "about")
    yield from (_link_numbers(link) for link in diagram.links if link.label is not None)
    for group in diagram.groups:
        yield from _heading(group)


def _text(at: Point, text: str, kind: str) -> str:
    return f'<text x="{_n(at[0])}" y="{_n(at[1])}" class="{kind}">{escape(text)}</text>'


def _way(link: Link, diagram: Diagram) -> str:
    (x0, y0), (x1, y1) = diagram.units[link.source].place, diagram.units[link.target].place
    if not link.bends:
        return f"M{_n(x0)} {_n(y0)}L{_n(x1)} {_n(y1)}"
    (xa, lane), (xb, _) = link.bends
    first, second = (x0 + xa) / 2, (xb + x1) / 2
    return (
        f"M{_n(x0)} {_n(y0)}C{_n(first)} {_n(y0)} {_n(first)} {_n(lane)} {_n(xa)} {_n(lane)}"
        f"L{_n(xb)} {_n(lane)}C{_n(second)} {_n(lane)} {_n(second)} {_n(y1)} {_n(x1)} {_n(y1)}"
    )


def _link(link: Link, diagram: Diagram) -> str:
    kind, width, title = "passing", 1.0, ""
    if link.weight is not None:
        kind = "minus" if link.weight.value < 0 else "plus"
        width = thickness(link.weight.value, diagram.largest)
        numbers = [link.weight, *([link.gradient] if link.gradient else [])]
        title = f"<title>{escape(chr(10).join(told(bound, diagram.digits) for bound in numbers))}</title>"
    elif link.factor != 1:
        title = f"<title>times {shown(link.factor, diagram.digits)}</title>"
    kind += " faint" * (diagram.is_dense and not link.on_path)
    return f'<path class="link {kind}" stroke-width="{width:.2f}" d="{_way(link, diagram)}">{title}</path>'


def _link_numbers(link: Link) -> str:
    assert link.label is not None
    assert link.weight is not None
    x, y = link.label
    symbol = "" if "[" in link.weight.symbol else f'<tspan class="room">{escape(link.weight.symbol)} </tspan>'
    top = y + 3.5 - 5.5 * (link.gradient is not None)
    weight = f'<text x="{_n(x)}" y="{_n(top)}" class="number">{symbol}{short(link.weight.value)}</text>'
    if link.gradient is None:
        return weight
    return weight + "\n" + _text((x, top + 11), f"∂ {short(link.gradient.value)}", "number gradient room")


def _circle(unit: Unit, diagram: Diagram) -> str:
    x, y = unit.place
    r = diagram.radius
    known = [*unit.values, *unit.gradients, *unit.learned, *unit.learned_gradients]
    known += [unit.target] if unit.target is not None else []
    title = f"<title>{escape(chr(10).join(told(bound, diagram.digits) for bound in known) or unit.label)}</title>"
    halo = f'<circle class="path" cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"/>\n' if unit.on_path else ""
    shapes = [f'{halo}<g><circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"/>']
    if unit.values:
        shapes.append(_text((x, y + 3.5), short(unit.values[-1].value), "number inside"))
    shapes.append(_text((x, y - r - 5), unit.above, "number short"))
    below = [f"∂ {short(unit.gradients[0].value)}"] if unit.gradients else []
    if below:
        shapes.append(_text((x, y + r + 11), below[0], "number gradient"))
    if unit.target is not None:
        at = (x, y + r + 11 + 11 * len(below))
        shapes.append(_text(at, f"y {short(unit.target.value)}", "number short"))
    return "".join(shapes) + f"{title}</g>"


def _dots(at: Point, text: str) -> Iterator[str]:
    x, y = at
    yield _text((x, y), "⋮", "layer dots")
    yield _text((x, y + 13), text, "number about")


def _heading(group: Group) -> Iterator[str]:
    x, y = group.place
    whole = f"<title>{escape(', '.join(group.layers))}: {escape(group.about)}</title>"
    name, about = _text((x, y), shortened(group.title, TITLE), "layer"), shortened(group.about, ABOUT)
    yield f"<g>{name}{_text((x, y + 14), about, 'about')}{whole}</g>"
