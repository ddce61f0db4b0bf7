"""Content checked against a JSON schema: every violation at once, in one line that a user can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from vbiflow.observation import OBSERVATION_MODELS
from vbiflow.provenance import ROOT
from vbiflow.reading import suggest
from vbiflow.study.document import shorten_value

SCHEMAS = ROOT / "config" / "schemas"
SHOWN = 5
"""Mistakes that one message tells."""
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "key: value pairs",
    "null": "nothing",
}
"""What JSON schema's types are called."""
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
"""What an error says of bounds."""
TRUTH = ("yes", "no", "on", "off", "y", "n")


def check_schema(content: Mapping[str, Any], schema: str, where: str) -> dict[str, Any]:
    """Content that ``config/schemas/<schema>.schema.yaml`` allows, 1.0e4 as an integer where it asks for one.

    Raises
    ------
    ValueError
        With all violations in one line.
    """
    checker = validator(schema)
    content = coerce(content, checker.schema, checker.schema)
    errors = sorted(checker.iter_errors(content), key=lambda error: list(map(str, error.path)))
    join_all((describe_error(error) for error in errors), f"{where}: ")
    return content


def join_all(messages: Iterable[str], start: str = "") -> None:
    """Raise an error of one line with each of the messages, if there is one."""
    different = list(dict.fromkeys(messages))
    more = f"; and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    if different:
        raise ValueError(one_line(f"{start}{'; also '.join(different[:SHOWN])}{more}", 2000))


def one_line(text: str, most: int = 600) -> str:
    """Text without line breaks, of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}..."


@cache
def validator(schema: str) -> Draft202012Validator:
    """What checks content, with an entry of each observation model; parsed once for all studies."""
    content = yaml.safe_load((SCHEMAS / f"{schema}.schema.yaml").read_text(encoding="utf-8"))
    if "observation_model" in content.get("$defs", {}):
        own = {name: {"$ref": "#/$defs/observation_model"} for name in OBSERVATION_MODELS}
        content["properties"]["observation"]["properties"] |= own
    return Draft202012Validator(content)


def coerce(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """`value` with whole floats as integers, and numbers as text, where the schema takes nothing else."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types)
    if isinstance(value, float) and "integer" in types and "number" not in types and value.is_integer():
        return int(value)
    numeric = "integer" in types or "number" in types
    if isinstance(value, int) and not isinstance(value, bool) and "string" in types and not numeric:
        return str(value)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [coerce(entry, schema["items"], root) for entry in value]
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties")
        other = other if isinstance(other, dict) else {}
        return {key: coerce(entry, known.get(key, other), root) for key, entry in value.items()}
    return value


def describe_error(error: Any) -> str:
    """One line on a jsonschema error: where, what was found, what is allowed."""
    where = ".".join(map(str, error.path)) or "top level"
    if error.validator == "additionalProperties":
        allowed = list(error.schema.get("properties", ()))
        unknown = next(key for key in error.instance if key not in allowed)
        hint = suggest(unknown, allowed) or "."
        return f"{where}: unknown key {shorten_value(unknown)}{hint} Allowed: {', '.join(allowed)}"
    if error.validator == "required":
        missing = [key for key in error.schema["required"] if key not in error.instance]
        return f"{where}: missing {', '.join(missing)}"
    if error.validator in ("anyOf", "oneOf"):
        return (
            f"{where}: found {shorten_value(error.instance)}; write {error.schema.get('description', 'another value')}"
        )
    if error.validator == "enum":
        allowed = ["null" if value is None else str(value) for value in error.validator_value]
        found = shorten_value(error.instance)
        return f"{where}: found {found}; choose from {', '.join(allowed)}{suggest(error.instance, allowed)}"
    if error.validator == "pattern":
        return f"{where}: name {shorten_value(error.instance)}; write letters, digits, - and _"
    if error.validator == "type" and "boolean" in error.validator_value and error.instance in TRUTH:
        return f"{where}: found {error.instance!r}; write true or false"
    found = shorten_value(error.instance)
    if error.validator in BOUNDS:
        share = ", a share: 34 % is 0.34" if "maximum" in error.validator.lower() and error.validator_value == 1 else ""
        return f"{where}: found {found}; write a number {BOUNDS[error.validator]} {error.validator_value:g}{share}"
    if error.validator == "uniqueItems":
        twice = next(value for k, value in enumerate(error.instance) if value in error.instance[:k])
        return f"{where}: {shorten_value(twice)} stands twice; leave one out"
    if error.validator == "type":
        types = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
        return f"{where}: found {found}; write {' or '.join(map(TYPES.get, types))}"
    return f"{where}: {error.message.replace(repr(error.instance), found, 1)}"
