"""Names to objects, once, at the edge: `"relu"` becomes `ReLU()`, an object stays as it is.

Everything configurable (activations, losses, initializers, optimizers, schedules, layers) is a frozen
dataclass with a `name`, and its JSON form is that name with the fields that differ from their defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from chainrule.errors import InputError, did_you_mean, listed

T = TypeVar("T")


def resolve(kind: str, given: object, base: type[T], table: Mapping[str, type[T]]) -> T:
    """The object that `given` stands for: an instance, a name, or a JSON form `{"name": …}`.

    `kind` is the word for error messages ("activation").
    """
    if isinstance(given, base):
        return given
    if isinstance(given, type) and issubclass(given, base):
        given = getattr(given, "name", given.__name__)
    options: dict[str, Any] = {}
    if isinstance(given, Mapping):
        options = {key: value for key, value in given.items() if key != "name"}
        given = given.get("name")
    if not isinstance(given, str):
        raise InputError(f"{kind} is {given!r}; it must be a name or one of chainrule's {kind} objects")
    cls = table.get(given.lower().replace("-", "_").replace(" ", "_"))
    if cls is None:
        raise InputError(
            f'there is no {kind} "{given}".{did_you_mean(given, table)} These exist: {listed(table, limit=40)}'
        )
    try:
        return cls(**options)
    except TypeError as error:
        known = listed(field.name for field in fields(cls) if field.init) or "no options"  # type: ignore[arg-type]  # every entry is a dataclass
        told = listed(options) or "none"
        raise InputError(f'{kind} "{given}" takes {known}; given were {told}') from error


def to_form(thing: Any) -> Any:
    """The JSON form of a configurable object: its name, or its name with the fields that were set.

    >>> from chainrule.activations import LeakyReLU
    >>> to_form(LeakyReLU()), to_form(LeakyReLU(slope=0.2))
    ('leaky_relu', {'name': 'leaky_relu', 'slope': 0.2})
    """
    options = set_fields(thing)
    return {"name": thing.name, **options} if options else thing.name


def set_fields(thing: Any, leave_out: str = "") -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults, in JSON form."""
    options = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if field.name != leave_out and value != default:
            options[field.name] = to_form(value) if hasattr(value, "name") else value
    return options
