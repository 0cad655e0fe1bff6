"""Reads the TOML files into a Schema; whatever is missing, misspelt or of the wrong type is named."""
import re
import tomllib
from pathlib import Path

from model import (Endpoint, Enum, ENVELOPES, Field, FORMATS, FLOATS, Frame, INTEGERS, KINDS, LANES, Message, METHODS,
                   PROFILES, Request, Schema, Socket, Topic, full_name, parse_type)

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
MISSING = object()

# key: (type, default); MISSING must be given
TABLES = {
    "enum": {"doc": (str, MISSING), "values": (list, MISSING)},
    "message": {"doc": (str, MISSING), "setting": (bool, False), "field": (dict, {})},
    "topic": {"message": (str, MISSING), "producer": (str, MISSING), "consumers": (list, MISSING),
              "kind": (str, MISSING), "rate_hz": (float, 0.0), "durable": (bool, False),
              "doc": (str, MISSING)},
    "request": {"server": (str, MISSING), "takes": (str, MISSING), "gives": (str, MISSING),
                "errors": (list, []), "timeout_ms": (int, MISSING), "lane": (str, "normal"),
                "doc": (str, MISSING)},
    "endpoint": {"id": (str, MISSING), "tag": (str, MISSING), "permission": (str, MISSING),
                 "params": (str, ""), "body": (str, ""), "example": (dict, {}), "body_optional": (bool, False), "body_type": (str, "application/json"),
                 "answer": (str, ""), "answer_type": (str, "application/json"), "envelope": (str, "none"),
                 "ranges": (bool, False), "conditional": (bool, False), "versioned": (bool, False), "status": (int, 200), "rate_exempt": (bool, False), "ends_movement": (bool, False), "errors": (list, []), "built": (bool, True),
                 "doc": (str, MISSING), "about": (str, "")},
}
TABLES |= {
    "socket": {"types": (list, []), "doc": (str, MISSING)},
    "frame": {"from": (str, "server"), "of": (str, ""), "message": (str, ""), "fails": (bool, False), "bare": (bool, False), "control": (bool, False),
              "permission": (str, ""), "priority": (int, 3), "max_hz": (float, 0.0), "doc": (str, MISSING)},
}
FIELD = {"type": (str, MISSING), "doc": (str, MISSING), "unit": (str, ""), "min": (float, None),
         "max": (float, None), "min_len": (int, 0), "optional": (bool, False), "since": (int, 0),
         "format": (str, ""), "nullable": (bool, False), "example": (object, None)}
WORDS = {str: "text", list: "a list", dict: "a table", float: "a number", int: "an integer",
         bool: "true or false"}
HINTS = {"doc": 'add doc = "one sentence"', "permission": 'add permission = "public", "authenticated" or "resource:action"'}


def load(paths):
    schema = Schema()
    for path in sorted(map(Path, paths), key=lambda p: p.name):
        if not NAME.match(path.stem):
            schema.wrong(path.name, "", "a family is named in lower case; rename the file")
            continue
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            schema.wrong(path.name, "", f"is not TOML: {error}; mend the syntax (a name may stand only once)")
            continue
        _family(schema, path, content)
    return schema


def _family(schema, path, content):
    for kind, tables in content.items():
        if kind not in TABLES:
            schema.wrong(path.name, "", f"unknown table [{kind}]; use one of {', '.join(TABLES)}")
            continue
        for name, table in tables.items():
            quoted = name if NAME.match(name) else f'"{name}"'
            where = f"{path.name}: [{kind}.{quoted}]"
            if kind == "endpoint" and path.stem not in PROFILES:
                files = " and ".join(f"{profile}.toml" for profile in PROFILES)
                schema.wrong(where, "", f"endpoints stand in {files} only; move it there")
                continue
            values = _read(schema, where, "", table, TABLES[kind])
            if values is not None:
                globals()[f"_{kind}"](schema, path.stem, name, where, values)


def _is(value, wanted):
    if wanted is object:
        return True
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _read(schema, where, field, table, keys):
    """The values of a table by key, defaults filled in; None when something is wrong."""
    before = len(schema.errors)
    if not isinstance(table, dict):
        schema.wrong(where, field, "must be a table")
        return None
    for key in table:
        if key not in keys:
            schema.wrong(where, field, f"unknown key '{key}'; known are {', '.join(keys)}")
    values = {}
    for key, (wanted, default) in keys.items():
        value = table.get(key, default)
        if value is MISSING:
            schema.wrong(where, field, f"has no {key}; {HINTS.get(key, f'add {key} = …')}")
        elif key in table and not _is(value, wanted):
            schema.wrong(where, field, f"{key} must be {WORDS[wanted]}")
        elif key == "doc" and not value.strip():
            schema.wrong(where, field, f"has an empty doc; {HINTS['doc']}")
        elif wanted is list and not all(isinstance(v, str) for v in value):
            schema.wrong(where, field, f"{key} must be a list of texts")
        values[key] = value
    return values if len(schema.errors) == before else None


def _one_of(schema, where, key, value, allowed):
    if value not in allowed:
        schema.wrong(where, "", f"{key} '{value}' is unknown; use one of {', '.join(allowed)}")


def _enum(schema, family, name, where, values):
    if not NAME.match(name):
        schema.wrong(where, "", "the name must be lower case with underscores")
    if not values["values"]:
        schema.wrong(where, "", 'has no values; add values = ["first", …]')
    seen = {"COUNT"}  # NAME_COUNT is the number of values
    for value in values["values"]:
        if not re.match(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", value):
            schema.wrong(where, "", f"value '{value}' may hold letters, digits, _ . - only")
        if re.sub(r"\W", "_", value).upper() in seen:
            schema.wrong(where, "", f"value '{value}' stands twice, or is the reserved word count; drop or rename it")
        seen.add(re.sub(r"\W", "_", value).upper())
    schema.enums[f"{family}.{name}"] = Enum(f"{family}.{name}", where, values["doc"], values["values"])


def _message(schema, family, name, where, values):
    if not NAME.match(name):
        schema.wrong(where, "", "the name must be lower case with underscores")
    message = Message(f"{family}.{name}", where, values["doc"], values["setting"])
    for field_name, table in values["field"].items():
        read = _read(schema, where, field_name, table, FIELD)
        field = _field(schema, family, where, field_name, read) if read else None
        if field:
            message.fields.append(field)
    schema.messages[message.name] = message


def _field(schema, family, where, name, values):
    type_ = parse_type(family, values["type"])
    if not type_:
        schema.wrong(where, name, f"unknown type '{values['type']}'; use bool u8 u16 u32 u64 i32 i64 f32 f64 "
                                  "text<bytes> blob<bytes> 'enum name' or a message, with [most] for arrays")
        return None
    field = Field(name, **{**values, "type": type_})
    if not NAME.match(name):
        schema.wrong(where, name, "the name must be lower case with underscores")
    if field.format and type_.base not in FORMATS.get(field.format, ()):
        known = ", ".join(f"{f} ({', '.join(t)})" for f, t in FORMATS.items())
        schema.wrong(where, name, f"format '{field.format}' does not fit {type_.base}; known are {known}")
    if field.nullable and (not field.optional or type_.count):
        schema.wrong(where, name, "is nullable: then it is optional and no array; its absence is written as null")
    if field.since and not field.optional:
        schema.wrong(where, name, "has since but is not optional; add optional = true")
    _bounds(schema, where, field)
    return field


def _bounds(schema, where, field):
    base = field.type.base
    if base in FLOATS:
        if field.min is None or field.max is None:
            schema.wrong(where, field.name, "has no bound; add min = … and max = …")
            return
    elif base in INTEGERS:
        low, high = INTEGERS[base]
        for key in ("min", "max"):
            value = getattr(field, key)
            if value is None:
                continue
            if value != int(value) or not low <= value <= high:
                schema.wrong(where, field.name, f"{key} must be an integer from {low} to {high}")
            elif base in ("u64", "i64") and abs(value) > 2**53:
                schema.wrong(where, field.name, f"{key} goes beyond 2^53; leave it out for the full range")
    elif field.min is not None or field.max is not None:
        schema.wrong(where, field.name, f"min and max are for numbers; drop them from a {base}")
    if field.min is not None and field.max is not None and field.min > field.max:
        schema.wrong(where, field.name, "min is greater than max; swap them")
    if field.min_len and base != "text":
        schema.wrong(where, field.name, "min_len is for text; drop it")
    if field.min_len < 0 or field.min_len > field.type.length:
        if base == "text":
            schema.wrong(where, field.name, f"min_len must be 0 to {field.type.length}")


def _topic(schema, family, name, where, values):
    if not re.match(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\{[a-z_]+\})?$", name):
        schema.wrong(where, "", "a topic is lower-case dotted nouns, with at most one {instance} at the end")
    _one_of(schema, where, "kind", values["kind"], KINDS)
    if values["rate_hz"] < 0:
        schema.wrong(where, "", "rate_hz must not be negative")
    values["message"] = full_name(family, values["message"])
    schema.topics.append(Topic(name, where, **values))


def _request(schema, family, name, where, values):
    if not re.match(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", name):
        schema.wrong(where, "", "a request is lower-case dotted nouns, e.g. robot.estop")
    _one_of(schema, where, "lane", values["lane"], LANES)
    if not 1 <= values["timeout_ms"] <= 600000:
        schema.wrong(where, "", "timeout_ms must be 1 to 600000")
    values["takes"] = full_name(family, values["takes"])
    values["gives"] = full_name(family, values["gives"])
    schema.requests.append(Request(name, where, **values))


def _endpoint(schema, family, name, where, values):
    method, _, path = name.partition(" ")
    _one_of(schema, where, "method", method, METHODS)
    if not re.match(r"^(/[A-Za-z0-9._-]+|/\{[a-z][a-z0-9_]*\})+$|^/$", path):
        schema.wrong(where, "", f"path '{path}' must be /segments or /{{parameters}}")
    permission = values["permission"]
    if permission not in ("public", "authenticated") and not re.match(r"^[a-z0-9_]+:[a-z0-9_]+$", permission):
        schema.wrong(where, "", f"permission '{permission}' must be public, authenticated or resource:action")
    if not NAME.match(values["id"]):
        schema.wrong(where, "", f"id '{values['id']}' must be lower case with underscores")
    _one_of(schema, where, "envelope", values["envelope"], ENVELOPES)
    if not 200 <= values["status"] <= 399:
        schema.wrong(where, "", "status is that of success: 200 to 399")
    for key in ("params", "body", "answer"):
        values[key] = full_name(family, values[key])
    schema.endpoints.append(Endpoint(name, where, family, method, path, **values))


def _socket(schema, family, name, where, values):
    schema.sockets.append(Socket(name, where, **values))


def _frame(schema, family, name, where, values):
    _one_of(schema, where, "from", values["from"], ["server", "client"])
    values["sender"] = values.pop("from")
    values["message"] = full_name(family, values["message"])
    schema.frames.append(Frame(name, where, **values))
