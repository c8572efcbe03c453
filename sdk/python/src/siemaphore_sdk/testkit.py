"""Runs a formatter natively, in `unittest`, as the host would run its component."""

from dataclasses import dataclass
from json import dumps, loads
from typing import Any

from componentize_py_types import Err
from wit_world.exports import formatter as contract

from .settings import Refused


def event(document: Any, **envelope: Any) -> contract.Event:
    """An event with this document (a value or JSON text), and an envelope to change by keywords."""
    members: dict[str, Any] = {
        "key": "00112233445566778899aabbccddeeff",
        "id": "evt_1",
        "event_type": "dlp.pii_blocked",
        "timestamp": "2026-06-08T20:15:30Z",
        "timestamp_ns": 1_780_949_730_000_000_000,
        "received_ns": 1_780_949_731_000_000_000,
        "severity": contract.Severity.HIGH,
        "source": "gateway",
        "producer": "generic",
        "organization": "acme",
        "project": None,
        "document": document if isinstance(document, str) else dumps(document),
    }
    return contract.Event(**(members | envelope))


def answer(status: int, body: Any = "", **more: Any) -> contract.Response:
    """The SIEM's answer to a request with ten records."""
    members: dict[str, Any] = {
        "phase": contract.Phase.FIRST,
        "state": b"",
        "status": status,
        "headers": [("content-type", "application/json")],
        "body": (body if isinstance(body, str) else dumps(body)).encode(),
        "truncated": False,
        "records": 10,
        "body_bytes": 10_000,
    }
    return contract.Response(**(members | more))


def follow_up(pending: contract.Verdict_Pending, status: int, body: Any = "", **more: Any) -> contract.Response:
    """The answer to the follow-up that a `pending` verdict asks for."""
    return answer(status, body, **({"phase": contract.Phase.FOLLOW_UP, "state": pending.value.state} | more))


@dataclass
class Rejection:
    """Why an event has no record."""

    reason: str


@dataclass
class Configured:
    """A configured formatter and the request that it asks for."""

    profile: contract.RequestProfile
    exported: type

    def records(self, events: list[contract.Event]) -> list[str | Rejection]:
        """The record of each event as text, or why it was rejected."""
        try:
            records = self.exported().format(events)
        except Err as error:
            # The component's answer is its text.
            raise error.__cause__ or error
        reasons = {rejection.index: rejection.reason for rejection in records.rejected}
        starts = [0, *records.ends]
        texts = [records.data[start:end].decode() for start, end in zip(starts, records.ends)]
        return [Rejection(reasons[at]) if at in reasons else text for at, text in enumerate(texts)]

    def record(self, event: contract.Event) -> str:
        """The record of one event that must not be rejected."""
        [record] = self.records([event])
        if isinstance(record, Rejection):
            raise AssertionError(f"the event is rejected: {record.reason}")
        return record

    def interpret(self, response: contract.Response) -> Any:
        return self.exported().interpret(response)


def configure(exported: type, settings: dict[str, Any], destination: str = "destination-1") -> Configured:
    """Configures what `export` has made. Raises `Refused`."""
    # Its state is the class's: each instance of the component has its own.
    instance = type("Instance", (exported,), {})
    try:
        profile = instance().configure(dumps(settings), destination)
    except Err as error:
        raise error.__cause__ or Refused(*error.value)
    return Configured(profile, instance)


def check_laws(exported: type, events: list[contract.Event]) -> None:
    """Checks the laws that can be checked natively, with the example settings. Raises the law that is broken."""
    description = exported().describe()
    loads(description.settings_schema)
    configured = configure(exported, loads(description.settings_example))
    whole = configured.records(events)
    for cut in range(len(events) + 1):
        if configured.records(events[:cut]) + configured.records(events[cut:]) != whole:
            raise AssertionError(f"cutting the batch at event {cut} changes its records")
    for record in whole:
        if isinstance(record, Rejection):
            continue
        if isinstance(configured.profile.framing, contract.Framing_Newline) and "\n" in record:
            raise AssertionError(f"a raw newline in {record!r}")
        if "json" in configured.profile.content_type:
            loads(record)
