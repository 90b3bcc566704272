"""What notebooks show of a derivation, of one quantity, of marks."""

from __future__ import annotations

from html.parser import HTMLParser

from chainrule import Dense, EmbeddingSum, Input, Model, Network, explain_expression


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("html", "body", "script", "link")  # a part of a page, which runs and fetches nothing
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_derivation() -> None:
    model = Model(Network.mlp(2, [2], 1, activation="sigmoid"), "squared_error", "sgd")
    for work in (model.explain([0.5, 0.8], [1.0]), explain_expression("exp(x)*x", {"x": 1})):
        assert "math" in Tags(work._repr_html_()).seen


def test_a_quantity() -> None:
    work = explain_expression("f = x**2; k = exp(f)", {"x": 1})
    assert work["dk/dx"]._repr_latex_() == (
        r"$\frac{\partial k}{\partial x} = \frac{\partial k}{\partial f} \cdot \frac{\partial f}{\partial x}"
        r" = 2.71828 \cdot 2 = 5.43656$"
    )
    assert work["x"]._repr_latex_() == "$x = 1$"


def test_marks() -> None:
    work = explain_expression("f = x**2; k = exp(f)", {"x": 1})
    page = Tags(work.mark({"f": "1.000", "k": "2.82", "dk/dx": "5.64", "<q>": "3"})._repr_html_())
    assert page.seen.count("tr") == 5
    assert "The first wrong step is k = 2.82: arithmetic: off by 0.102" in page.text
    assert "<q>" in page.text


def test_a_model_shows_its_weights_as_a_diagram() -> None:
    codes = Input(2, name="codes", dtype="integer")
    looked_up = EmbeddingSum((3, 4), 2, name="table")(codes)
    for network in (Network.mlp(2, [3], 1), Network(inputs=codes, outputs=Dense(1, name="out")(looked_up))):
        model = Model(network, "squared_error")
        page = model._repr_html_()
        assert {"svg", "circle", "path"} <= set(Tags(page).seen)
        assert "Model of" in page
        assert "∂" not in page, "no row goes in: there is nothing to differentiate"
