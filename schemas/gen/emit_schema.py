"""JSON Schema of messages, shared by OpenAPI and AsyncAPI."""
from model import FLOATS, INTEGERS


def schema_name(name):
    return name.replace(".", "_")


def reference(name):
    return {"$ref": f"#/components/schemas/{schema_name(name)}"}


def field_schema(schema, field, wire=False):
    """One field; wire: as on the bus, else as in JSON over HTTP."""
    out = _element(schema, field, wire)
    if field.type.count:
        out = {"type": "array", "items": out, "maxItems": field.type.count}
    if field.nullable:
        out = {"anyOf": [out, {"type": "null"}]}
    notes = {"description": field.doc}
    if field.unit:
        notes["x-unit"] = field.unit
    if field.since:
        notes["x-since"] = field.since
    if field.example is not None:
        notes["examples"] = [field.example]
    if "$ref" in out:
        return {"allOf": [out], **notes}
    return {**out, **notes}


def _element(schema, field, wire):
    base = field.type.base
    if base == "message":
        return reference(field.type.ref)
    if base == "enum":
        return {"type": "string", "enum": schema.enums[field.type.ref].values}
    if base == "bool":
        return {"type": "boolean"}
    if field.format in ("json", "time", "hex") and not wire:
        return {"json": {}, "time": {"type": "string", "format": "date-time"},
                "hex": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}[field.format]
    if base == "text":
        out = {"type": "string", "maxLength": field.type.length}
        return out | ({"minLength": field.min_len} if field.min_len else {})
    if base == "blob":
        return {"type": "string", "contentEncoding": "base64", "maxLength": (field.type.length + 2) // 3 * 4}
    low, high = INTEGERS.get(base, (None, None))
    out = {"type": "number", "format": "float" if base == "f32" else "double"} if base in FLOATS else \
          {"type": "integer"}
    return out | {"minimum": low if field.min is None else field.min,
                  "maximum": high if field.max is None else field.max}


def message_schema(schema, message, wire=False):
    out = {"type": "object", "description": message.doc,
           "properties": {f.name: field_schema(schema, f, wire) for f in message.fields}}
    required = [f.name for f in message.fields if not f.optional or f.nullable and not wire]
    if required:
        out["required"] = required
    return out


def closure(schema, names):
    """The messages of that name and all they embed, in catalogue order."""
    wanted, todo = set(), [name for name in names if name]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += [f.type.ref for f in schema.messages[name].fields if f.type.base == "message"]
    return [message for message in schema.messages.values() if message.name in wanted]
