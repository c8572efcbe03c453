"""JSON as text, with texts that are JSON already spliced in as they are."""

from dataclasses import dataclass
from json import dumps
from typing import Any


@dataclass
class Raw:
    """JSON text that is written as it stands, such as an event's document: neither parsed nor changed."""

    text: str


def json(members: dict[str, Any]) -> str:
    """One JSON object on one line. Members that are `None` are left out; a member may be `Raw`."""
    written = (f"{_compact(name)}:{_member(value)}" for name, value in members.items() if value is not None)
    return "{" + ",".join(written) + "}"


def _member(value: Any) -> str:
    return value.text if isinstance(value, Raw) else _compact(value)


def _compact(value: Any) -> str:
    # `NaN` and `Infinity` are no JSON.
    return dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
