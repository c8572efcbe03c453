"""What an answer means, in one call each."""

from json import dumps, loads
from typing import Any, Iterable

from wit_world.exports import formatter as contract


def standard() -> contract.Verdict:
    """Judge by the status alone."""
    return contract.Verdict_Standard()


def delivered() -> contract.Verdict:
    """Every record has arrived. Believed on a 2xx only."""
    return contract.Verdict_Delivered(None)


def delivered_but(reason: str, hint: str, pause_ms: int | None = None) -> contract.Verdict:
    """Delivered, with something that the operator should know, and perhaps a pause before the next request."""
    return contract.Verdict_Delivered(contract.Note(reason, hint, pause_ms))


def retry(reason: str, after_ms: int | None = None) -> contract.Verdict:
    """Send the whole batch again: after so long, or after the host's own backoff."""
    return contract.Verdict_Retry(contract.Retry(after_ms, reason))


def split() -> contract.Verdict:
    """Too large: send it in halves."""
    return contract.Verdict_Split()


def hold(reason: str, hint: str) -> contract.Verdict:
    """Every batch would fail: keep everything and tell the operator what to do."""
    return contract.Verdict_Hold(contract.Refusal(reason, hint))


def rejected(reason: str, hint: str) -> contract.Verdict:
    """The batch will never be taken. Of more than one record, the host sends halves to find the culprit."""
    return contract.Verdict_Rejected(contract.Refusal(reason, hint))


def uncertain(lost: int, reason: str) -> contract.Verdict:
    """The SIEM did not take so many records, and does not say which."""
    return contract.Verdict_Uncertain(contract.Uncertain(lost, reason))


def rejected_at(refusals: Iterable[tuple[int, str]]) -> contract.Verdict:
    """The SIEM refused the records at these places, each with its reason, and has taken all others."""
    runs = [contract.Run(index, 1, contract.Fate_Rejected(reason)) for index, reason in sorted(refusals)]
    return partial(runs, contract.Fate_Delivered())


def partial(runs: list[contract.Run], rest: contract.Fate, note: contract.Note | None = None) -> contract.Verdict:
    """Runs of neighbouring records with the same fate, in order, and the fate of all others."""
    return contract.Verdict_Partial(contract.Partial(runs, rest, note))


def pending(
    after_ms: int, query: dict[str, str] | None = None, body: bytes = b"", state: Any = None
) -> contract.Verdict:
    """Ask again later, at the profile's follow-up path. `state` is a JSON value: `remembered` reads it."""
    remembered = b"" if state is None else dumps(state).encode()
    return contract.Verdict_Pending(contract.Pending(after_ms, list((query or {}).items()), body, remembered))


def remembered(response: contract.Response) -> Any:
    """What `pending` was given as `state`; `None` in the first phase."""
    return loads(response.state) if response.state else None
