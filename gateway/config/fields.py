"""The kinds of values that a configuration file holds beyond texts and numbers: secrets, files, URLs, durations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from sources.settings import Secret

from . import units
from .names import PLURALS

MAX_SECRET_BYTES = 64 * 1024
PROBLEM = "problem"
"""The type of our own validation errors: their message is fit to be shown."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What values are read against: files relative to ``base``, variables from ``environ``."""

    base: Path
    environ: Mapping[str, str]


class SecretFile(BaseModel):
    """The content of a file, relative to the configuration file, without the line break at its end."""

    model_config = ConfigDict(extra="forbid")
    file: str


class SecretVariable(BaseModel):
    """The content of an environment variable."""

    model_config = ConfigDict(extra="forbid")
    env: str


def _problem(message: str) -> PydanticCustomError:
    # The message goes in as a value: pydantic would read braces in a template.
    return PydanticCustomError(PROBLEM, "{text}", {"text": message})


def _surroundings(info: ValidationInfo) -> Surroundings:
    if not isinstance(info.context, Surroundings):
        raise TypeError("the configuration must be validated with its surroundings")
    return info.context


def _read_secret(value: object, info: ValidationInfo) -> Secret:
    around = _surroundings(info)
    match value:
        case str():
            text = value
        case {"env": str(name), **rest} if not rest:
            if name not in around.environ:
                raise _problem(f"the environment variable {name} is not set. Set it before the gateway starts.")
            text = around.environ[name]
        case {"file": str(name), **rest} if not rest:
            text = _content(around.base, name)
        case _:
            raise _problem("must be a text in quotes, {file: path} or {env: NAME}.")
    if not text:
        raise _problem("is empty. Give the secret, or leave the key out.")
    return Secret(text)


def _content(base: Path, name: str) -> str:
    try:
        with (base / name).open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is no path"
        raise _problem(f"the file cannot be read: {reason}. {_relative(base)}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise _problem(f"the file is larger than {MAX_SECRET_BYTES // 1024} KB, which no secret is.")
    try:
        return content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _problem("the file is not UTF-8 text.") from None


def _check_sealing(secret: Secret) -> Secret:
    if len(secret.reveal()) < 16:
        raise _problem("must be at least 16 characters. Make one with: openssl rand -base64 32")
    return secret


def _header_value(secret: Secret) -> Secret:
    if not re.fullmatch(r"[\x21-\x7e]+", secret.reveal()):
        raise _problem("goes into an HTTP header: it must be ASCII without spaces and line breaks.")
    return secret


def _seconds(value: object) -> float:
    try:
        return units.seconds(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _problem(f"{error}.") from None


def _size(value: object) -> int:
    try:
        return units.size(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _problem(f"{error}.") from None


def _positive(value: float) -> float:
    if value <= 0:
        raise _problem("must be more than nothing.")
    return value


def _existing(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise _problem("must be the path of a file.")
    base = _surroundings(info).base
    path = base / value
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise _problem(f"there is no such file. {_relative(base)}")
    return path


def _writable(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise _problem("must be the path of a file.")
    base = _surroundings(info).base
    path = base / value
    try:
        usable = path.parent.is_dir() and not path.is_dir()
    except (OSError, ValueError):
        usable = False
    if not usable:
        raise _problem(f"cannot be written: its directory must exist, and be none itself. {_relative(base)}")
    return path


def _relative(base: Path) -> str:
    # The path itself is not repeated: it may be a secret in the wrong place.
    return f"Paths are relative to {base}."


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise _problem("must be a URL that begins with https:// or http:// and a host.")
    if parts.username is not None or parts.password is not None:
        raise _problem("must not hold a user or a password. Put credentials under auth.")
    if parts.query or parts.fragment or re.search(r"[\s?#]", value):
        raise _problem("must not hold a query or a fragment (nothing from ? or # on), nor a space.")
    return value.rstrip("/")


def _endpoint(value: str) -> str:
    if value.startswith("/"):
        if re.search(r"[\s?#]", value):
            raise _problem("must be a path without a query, a fragment or a space.")
        return value
    return _url(value)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise _problem("must be an IANA time zone, like Europe/Stockholm.") from None
    return value


def _resources(value: object) -> tuple[str, ...] | Literal[True]:
    if value is True:
        return True
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise _problem("must be a list of resources, or true for all of them.")


ResourceName = Annotated[str, Field(examples=list(PLURALS))]
"""A resource in any spelling; ``references`` holds it against the standard."""

SomeResources = Annotated[
    tuple[str, ...] | Literal[True],
    PlainValidator(_resources, json_schema_input_type=list[ResourceName] | Literal[True]),
]
SecretValue = Annotated[Secret, PlainValidator(_read_secret, json_schema_input_type=str | SecretFile | SecretVariable)]
SealingSecret = Annotated[SecretValue, AfterValidator(_check_sealing)]
HeaderSecret = Annotated[SecretValue, AfterValidator(_header_value)]
_DurationText = Annotated[str, Field(pattern=units.DURATION)]
_SizeText = Annotated[str, Field(pattern=units.SIZE)]
Duration = Annotated[float, PlainValidator(_seconds, json_schema_input_type=_DurationText)]
Timeout = Annotated[Duration, AfterValidator(_positive)]
Size = Annotated[int, PlainValidator(_size, json_schema_input_type=_SizeText), AfterValidator(_positive)]
ExistingFile = Annotated[Path, PlainValidator(_existing, json_schema_input_type=str)]
Writable = Annotated[Path, PlainValidator(_writable, json_schema_input_type=str)]
Url = Annotated[str, AfterValidator(_url)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Zone = Annotated[str, AfterValidator(_zone)]
