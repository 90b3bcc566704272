"""Pictures in every form: the same each time, with their title and caption in them, in the size that was asked for."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from drawn import drawn

from chainrule import plots
from chainrule.errors import FileError, InputError
from chainrule.plots.picture import Picture, check_ending, is_picture_of_ours, rounded

pytest.importorskip("matplotlib")


def squares(**options) -> Picture:
    def draw(figure, theme):
        figure.subplots().plot([1, 2, 3], [1, 4, 9], label="squares", gid="squares", **theme.series(0))

    return Picture(draw, **{"title": "Squares <of> $3$", "caption": "Three & no more.", **options})


def png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack(">II", data[16:24])


def test_a_picture_is_800_pixels_wide_unless_something_else_is_asked_for():
    assert png_size(squares().to_png())[0] == 800
    wide = png_size(squares().to_png(width=1200))
    assert wide[0] == 1200
    assert wide[1] / 1200 == pytest.approx(png_size(squares().to_png())[1] / 800, abs=0.002)
    assert ElementTree.fromstring(squares().to_svg(width=500)).get("width") == "500"


@pytest.mark.parametrize("width", [0, 199, 8001, 800.0, True, "wide"])
def test_widths_that_cant_be(width):
    with pytest.raises(InputError, match="a whole number of pixels from 200 to 8,000"):
        squares().to_png(width=width)


def test_svg_is_the_same_text_every_time_and_holds_its_words():
    text = squares().to_svg()
    assert text == squares().to_svg()
    root = ElementTree.fromstring(text)
    spaces = {"svg": "http://www.w3.org/2000/svg"}
    words = ["".join(one.itertext()).strip() for one in root.iterfind(".//svg:text", spaces)]
    assert "Squares <of> $3$" in words  # dollars are no formulas
    assert "Three & no more." in words
    (title,) = root.iterfind("svg:title", spaces)
    assert title.text == "Squares <of> $3$. Three & no more."
    assert "date" not in text.lower().replace("metadata", "")


@pytest.mark.slow
def test_svg_is_the_same_text_in_every_process():
    code = "from chainrule import plots; print(plots.curves({'a': ([1, 2], [3, 5])}, title='t').to_svg())"
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, text=True, check=True)
    assert other.stdout.startswith("<?xml")
    assert other.stdout.rstrip() == plots.curves({"a": ([1, 2], [3, 5])}, title="t").to_svg().rstrip()


def test_svg_is_short_and_its_words_are_untouched():
    text = squares(caption="pi is 3.14159265: yes; really").to_svg()
    tags = re.findall(r"<[a-z][^>]*>", text)
    assert not [tag for tag in tags if re.search(r"\d\.\d{3}", tag)]
    assert not [tag for tag in tags if "\n" in tag]
    assert "pi is 3.14159265: yes; really</text>" in text
    (curve,) = re.findall(r'<g id="squares">(<path[^>]*>)', text)
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", re.search(r' d="(.*?)"', curve)[1])]
    points = np.array(numbers).reshape(3, 2)  # 1, 4 and 9 over 1, 2 and 3: the places of the three are in proportion
    steps = np.diff(points, axis=0)
    assert steps[0, 0] == pytest.approx(steps[1, 0], abs=0.02)
    assert steps[0, 1] / steps[1, 1] == pytest.approx(3 / 5, abs=0.001)


def test_themes_colour_everything():
    light, dark = squares(), squares().in_theme("dark")
    assert light.theme.paper in light.to_svg()
    assert dark.theme.paper in dark.to_svg()
    assert light.theme.paper not in dark.to_svg()
    assert light.theme.name == "light"  # the first one stays as it is


def test_long_captions_are_lines_that_fit():
    picture = squares(caption="many words of a caption " * 40)
    lines = [artist for name, artist in drawn(picture).items() if name.startswith("caption")]
    assert len(lines) > 5
    figure = lines[0].figure
    figure.draw_without_rendering()
    boxes = [artist.get_window_extent() for artist in lines]
    assert all(box.x1 <= 800 and box.y0 >= 0 for box in boxes)
    assert all(above.y0 >= below.y1 - 1 for above, below in pairwise(boxes))
    assert figure.axes[0].get_tightbbox().y0 >= boxes[0].y1  # the drawing stands above them


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_files_are_of_the_form_that_their_names_say(tmp_path, ending):
    path = tmp_path / f"picture.{ending}"
    squares().save(path)
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending.lower()]
    first = path.read_bytes()
    assert first.startswith(begins)
    assert is_picture_of_ours(path)
    squares().save(path)
    assert path.read_bytes() == first


def test_files_that_cant_be(tmp_path):
    for name, why in (("a.gif", "ends in .gif"), ("a", "has no ending")):
        with pytest.raises(FileError, match=rf"its name {why}; it must be .png, .svg or .pdf"):
            squares().save(tmp_path / name)
    with pytest.raises(FileError, match="there is no folder"):
        squares().save(tmp_path / "nowhere" / "a.png")
    assert check_ending("a.b.SVG") == ".svg"


def test_a_file_of_somebody_elses_is_none_of_ours(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG and so on")
    assert not is_picture_of_ours(tmp_path / "photo.png")


def test_notebooks_are_shown_it():
    picture = squares()
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture._repr_svg_() == picture.to_svg()
    assert repr(picture) == "<Picture: Squares <of> $3$>"


def test_letters_that_the_font_hasnt_are_no_error():
    assert squares(title="漢字 😀").to_png()


def test_the_figure_is_matplotlibs_own():
    figure = squares().figure()
    np.testing.assert_array_equal(figure.axes[0].get_lines()[0].get_ydata(), [1, 4, 9])


def test_values_as_json():
    values = {"a": np.array([1.0, np.nan, np.inf]), "b": (1, "x", None), "c": np.float32(0.1), 3: True}
    assert rounded(values) == {"a": [1.0, None, None], "b": [1, "x", None], "c": 0.1, "3": True}
