"""Settings: checked against their schema, with its defaults filled in.

The schema's common words are understood: `type`, `enum`, `minLength`, `minimum`, `maximum`, `items`, `properties`,
`required`, `additionalProperties: false` and `default`. A form may use all of JSON Schema; what it says beyond these is
for `configure` to check.
"""

from copy import deepcopy
from json import JSONDecodeError, dumps, loads
from typing import Any

from wit_world.exports import formatter as contract

_NAMES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    type(None): "null",
    int: "integer",
    float: "number",
}


def problem(pointer: str, message: str) -> contract.SettingProblem:
    """A setting that cannot be used: a JSON Pointer and what to write instead."""
    return contract.SettingProblem(pointer, message)


class Refused(Exception):
    """Raised by `configure`: settings that cannot be used."""

    def __init__(self, *problems: contract.SettingProblem) -> None:
        super().__init__("; ".join(f"{one.pointer or 'settings'}: {one.message}" for one in problems))
        self.problems = list(problems)


def schema(settings: dict[str, Any]) -> dict[str, Any]:
    """The whole schema of an author's `settings`: an object, and nothing in it that the schema does not name."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {},
        "additionalProperties": False,
        **settings,
    }


def checked(settings: dict[str, Any], text: str) -> dict[str, Any]:
    """The settings of this JSON text, complete."""
    try:
        value = loads(text)
    except JSONDecodeError as error:
        raise Refused(problem("", f"settings have to be a JSON object: {error}")) from None
    problems: list[contract.SettingProblem] = []
    value = _complete(value, schema(settings), "", problems)
    if problems:
        raise Refused(*problems)
    return value


def _complete(value: Any, schema: dict[str, Any], pointer: str, problems: list[contract.SettingProblem]) -> Any:
    def add(message: str) -> None:
        problems.append(problem(pointer, message))

    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is_of(one, value) for one in types):
        add(f"has to be {' or '.join(types)}, not {_NAMES[type(value)]}")
        return value
    if "enum" in schema and value not in schema["enum"]:
        add(f"has to be one of {', '.join(map(dumps, schema['enum']))}")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        add(f"has to have at least {schema['minLength']} characters")
    if _is_of("number", value):
        if value < schema.get("minimum", value):
            add(f"has to be at least {schema['minimum']}")
        if value > schema.get("maximum", value):
            add(f"has to be at most {schema['maximum']}")
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_complete(item, items, f"{pointer}/{index}", problems) for index, item in enumerate(value)]
    return _complete_object(value, schema, pointer, problems) if isinstance(value, dict) else value


def _complete_object(
    value: dict[str, Any], schema: dict[str, Any], pointer: str, problems: list[contract.SettingProblem]
) -> dict[str, Any]:
    properties = schema.get("properties", {})
    result = {}

    def at(name: str) -> str:
        return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"

    for name, member in properties.items():
        if name in value:
            result[name] = _complete(value[name], member, at(name), problems)
        elif "default" in member:
            result[name] = deepcopy(member["default"])
        elif name in schema.get("required", []):
            problems.append(problem(at(name), "is missing"))
    for name in [name for name in value if name not in properties]:
        if schema.get("additionalProperties") is False:
            known = ", ".join(properties) or "none"
            problems.append(problem(at(name), f"is not a setting; there is {known}"))
        else:
            result[name] = value[name]
    return result


def _is_of(kind: str, value: Any) -> bool:
    # Python's `True` is an integer, JSON's is not; JSON's 1.0 is one.
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "number":
        return isinstance(value, (int, float))
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return _NAMES[type(value)] == kind
