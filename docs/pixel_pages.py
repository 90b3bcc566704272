"""The page on what a perceptron does to pictures, with the numbers that `benchmarks/digits.py` measured."""

from __future__ import annotations

from functools import cache

from explanations import _page, _table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from chainrule import Augment, ImageModel, plots

# What `python benchmarks/digits.py` prints: means over five seeds. A slow test measures them again.
ACCURACY = {"augmented": 0.9942, "plain": 0.9836, "shuffled": 0.9840}
SHIFTED = {"augmented": (0.994, 0.953, 0.239, 0.089), "plain": (0.984, 0.516, 0.120, 0.087)}
SEEN = 4  # pictures whose saliency is shown


def pixel_pages() -> dict[str, str | plots.Picture]:
    """The page and its pictures, by file name."""
    digits, X_test, y_test, augmented, plain = trained()
    return {
        "pictures-and-perceptrons.md": page(),
        "pixels-augmented.svg": plots.augmented(digits[:3], Augment(shift=0.09, rotate=10, scale=0.1, noise=0.6)),
        "pixels-weights.svg": plots.pixel_weights(augmented),
        "pixels-saliency.svg": plots.saliency(augmented, X_test[:SEEN], None),
        "pixels-shifts.svg": plots.shifts({"with augmentation": augmented, "without": plain}, X_test, y_test),
    }


@cache
def trained():
    """Digits, those of the test with their classes, and a model with augmentation and one without."""
    digits = load_digits()
    X, X_test, y, y_test = train_test_split(digits.images, digits.target, test_size=0.25, random_state=0)
    models = [ImageModel.train(X, y, test=0, augment=augment, progress=False) for augment in ("usual", "none")]
    return digits.images, X_test, y_test, *models


def page() -> str:
    rows = [
        [name, *(f"{value:.3f}" for value in values)]
        for name, values in (("with augmentation", SHIFTED["augmented"]), ("without", SHIFTED["plain"]))
    ]
    first = 224 * 224 * 3 * 256
    return _page(
        "Pictures and perceptrons",
        "A multilayer perceptron takes a picture for a row of numbers. The pixels are laid out one after another (`Flatten`), "
        "scaled to mean 0 and variance 1, and each unit of the first layer multiplies each of them by a weight of its own: "
        "`z = W^T x + b`. For small pictures of one thing in the middle, as scikit-learn's 1,797 handwritten digits of "
        "8 x 8 pixels are, that goes far:",
        "```python\n"
        "from sklearn.datasets import load_digits\n"
        "digits = load_digits()\n"
        "model = chainrule.ImageModel.train(digits.images, digits.target)\n"
        "```",
        _table(
            ["trained", "accuracy on digits that it didn't see"],
            [
                ["with augmentation (the default)", f"{ACCURACY['augmented']:.4f}"],
                ["without", f"{ACCURACY['plain']:.4f}"],
                ["without, all pixels shuffled alike in every picture", f"{ACCURACY['shuffled']:.4f}"],
            ],
            (1,),
        ),
        "Means over five splits, a quarter of the digits held out each time, the same ones for all three "
        "(`python benchmarks/digits.py`).",
        "## What a unit looks for",
        "The weights of a unit of the first layer are as many as there are pixels, so they are a picture themselves. The sum "
        "of products is largest for a picture that is bright where the weights are positive and dark where they are negative: "
        "each unit is a template that is laid over the picture in one place.",
        "![The weights of 24 units of the first layer, as pictures](pixels-weights.svg)",
        "`chainrule plot weights MODEL` draws them.",
        "## Which pixels move the answer",
        "The same backward pass that trains goes on from the first layer to the inputs: `dL/dx = W dL/dz`. Begun at the score of "
        "a class before softmax, it says how much each pixel of this very picture moves that score (Simonyan, Vedaldi and "
        "Zisserman, 2013).",
        "![Digits, the gradient of their class's score by each pixel, and probabilities](pixels-saliency.svg)",
        "`chainrule plot saliency MODEL PICTURE`, or `model.saliency(picture)`, which tests hold against finite differences. A "
        "gradient speaks of small changes. That a pixel's is small doesn't say that the network would answer the same without "
        "the stroke it belongs to.",
        "## What it doesn't know",
        "**That pixels have neighbours.** Shuffle the pixels, in every picture in the same way: a person sees noise, and the "
        f"network learns it as well as before ({ACCURACY['shuffled']:.3f} beside {ACCURACY['plain']:.3f}). Its weights are "
        "shuffled along; nothing else in it has an order.",
        "**That a thing is the same thing one pixel further.** Templates have places. What is learned in one place says nothing "
        "of the next, so a picture that is shifted by a pixel of eight is another picture:",
        "![Accuracy against the shift in pixels, with augmentation and without](pixels-shifts.svg)",
        _table(["accuracy on pictures shifted by", "0 pixels", "1", "2", "3"], rows, (1, 2, 3, 4)),
        "## Augmentation, and where it ends",
        "What a network can't know it may be shown: every epoch sees each picture a little shifted, turned and scaled, other than "
        "the time before, and the label stays.",
        "![Three digits, and what seven epochs see of them](pixels-augmented.svg)",
        "That is why the upper curve stays up for as far as training went, about three quarters of a pixel and a little more, "
        "and then falls as the lower one does: shifts were learned as examples, not understood. Showing all of them costs "
        "units and epochs for each place, for each size, for each background.",
        "The draws come from the run's own random stream, and a thread prepares the next pictures while the core trains: a run "
        "that is saved and resumed is the uninterrupted one, bit for bit. Noise and mixup do the same for rows of any numbers: "
        "`Model.fit(X, y, augment=Augment(noise=0.1, mixup=0.2))`.",
        "## Where it stops, and what to use then",
        f"- **Size.** A photograph of 224 x 224 pixels in colour has 150,528 numbers, and a first layer of 256 units "
        f"{first:,} weights, more than most data sets have pictures to decide about. A layer of convolutions with 64 filters of "
        "3 x 3 pixels has 1,728, the same for every place.\n"
        "- **Place.** Things that stand anywhere, in several sizes, one beside another, before backgrounds that change.\n"
        "- **Detail.** Folders are read at 32 pixels by default; what is to be told by finer marks than that is gone.",
        "Then take a convolutional network, or better a network that others have trained on millions of pictures: its last layer "
        "but one makes a few hundred numbers of a picture, and these are a table that a perceptron is good at. `ImageModel` is "
        "for digits, letters, symbols, sensor images of fixed frame, and for seeing what each weight does.",
        "How to train one, step by step: [from pictures to a model](../tutorials/from-pictures-to-model.md).",
    )
