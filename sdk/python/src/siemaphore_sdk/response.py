"""Short ways to read a SIEM's answer."""

from json import loads
from typing import Any
from unicodedata import category

from wit_world.exports import formatter as contract

_MOST_CHARACTERS = 200


def is_success(response: contract.Response) -> bool:
    return 200 <= response.status < 300


def header(response: contract.Response, name: str) -> str | None:
    """The value of a header by its lowercase name."""
    return next((value for key, value in response.headers if key == name), None)


def text(response: contract.Response) -> str:
    """The body as text, with U+FFFD for what is not UTF-8."""
    return response.body.decode(errors="replace")


def parsed(response: contract.Response) -> Any:
    """The body as a JSON value; `None` when it is none."""
    try:
        return loads(text(response))
    except (ValueError, RecursionError):
        return None


def reason(response: contract.Response) -> str:
    """The status and the beginning of the body's words, on one line: `status 403: forbidden`."""
    beginning = text(response).strip()[:_MOST_CHARACTERS]
    words = "".join(" " if category(character) == "Cc" else character for character in beginning)
    return f"status {response.status}: {words}" if words else f"status {response.status}"
