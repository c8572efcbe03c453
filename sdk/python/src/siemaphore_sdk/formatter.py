"""From what an author writes to the four functions of the contract."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from json import dumps
from typing import Any, Type

from componentize_py_types import Err
from wit_world.exports import formatter as contract

from . import verdict
from .records import RecordBuffer
from .settings import Refused, checked, schema


class Rejected(Exception):
    """Raised by `format`: the SIEM could never take this event. It is dead-lettered with that reason."""


@dataclass
class Authentication:
    """One way to authenticate: the name of the host's scheme and its non-secret parameters."""

    scheme: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass
class Product:
    """What people and forms need to know about a formatter."""

    name: str
    version: str
    vendor: str
    title: str
    summary: str
    settings: dict[str, Any]
    """The `properties` and `required` of a JSON Schema."""
    settings_example: dict[str, Any]
    endpoint_example: str
    secret_name: str
    authentication: list[Authentication]
    """The usual way first."""


class Formatter(ABC):
    """One destination's formatter. The host makes a fresh one for every batch and calls `configure` first."""

    product: Product

    @abstractmethod
    def configure(self, settings: dict[str, Any], destination: str) -> contract.RequestProfile:
        """Takes settings that fit the schema, with its defaults filled in, and says what a request looks like."""

    @abstractmethod
    def format(self, event: contract.Event) -> str | bytes:
        """The record of one event. Raise `Rejected` for an event that can have none."""

    def interpret(self, response: contract.Response) -> contract.Verdict:
        """What an answer means. By default the host judges by the status alone."""
        return verdict.standard()


def export(author: Type[Formatter]) -> type:
    """The class that componentize-py looks for: `Formatter = export(MySiem)` at the end of the module."""

    class Exported:
        # Of the class: componentize-py makes an object for each call.
        formatter: Formatter

        def describe(self) -> contract.Description:
            return _description(author.product)

        def configure(self, settings: str, destination: str) -> contract.RequestProfile:
            formatter = type(self).formatter = author()
            try:
                return formatter.configure(checked(author.product.settings, settings), destination)
            except Refused as refused:
                raise Err(refused.problems) from None
            except Exception as error:
                raise Err([contract.SettingProblem("", _defect(error))]) from error

        def format(self, events: list[contract.Event]) -> contract.Records:
            try:
                return _records(self.formatter, events)
            except Exception as error:
                raise Err(_defect(error)) from error

        def interpret(self, response: contract.Response) -> contract.Verdict:
            return self.formatter.interpret(response)

    return Exported


def _records(formatter: Formatter, events: list[contract.Event]) -> contract.Records:
    records = RecordBuffer()
    for index, event in enumerate(events):
        # Anything but `Rejected` is a defect and must not look like one of the event's: it ends the call, and the host
        # finds the event by halving the batch.
        try:
            record = formatter.format(event)
        except Rejected as rejected:
            records.reject(index, str(rejected))
        else:
            records.add(record)
    return records.finish()


def _defect(error: Exception) -> str:
    """What broke and where. A component has no standard error to print a traceback to, and cannot read its source."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        place = f" ({file}, line {trace.tb_lineno})"
    return f"{type(error).__name__}: {error}{place}"


def _description(product: Product) -> contract.Description:
    hints = product.authentication
    return contract.Description(
        name=product.name,
        version=product.version,
        vendor=product.vendor,
        title=product.title,
        summary=product.summary,
        settings_schema=dumps(schema(product.settings)),
        settings_example=dumps(product.settings_example),
        endpoint_example=product.endpoint_example,
        secret_name=product.secret_name,
        authentication=[contract.AuthenticationHint(hint.scheme, dumps(hint.parameters)) for hint in hints],
    )
