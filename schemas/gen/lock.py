"""The released baseline: fields and enum values that may not change or vanish any more."""
import json
from pathlib import Path


def baseline(schema):
    messages = {
        message.name: {f.name: {"type": f.type.text, "optional": f.optional} for f in message.fields}
        for message in schema.messages.values()
    }
    enums = {enum.name: enum.values for enum in schema.enums.values()}
    return {"enums": dict(sorted(enums.items())), "messages": dict(sorted(messages.items()))}


def write_lock(schema, path):
    Path(path).write_text(json.dumps(baseline(schema), indent=1) + "\n", encoding="utf-8")


def check_lock(schema, path):
    path = Path(path)
    if not path.exists():
        return schema
    try:
        locked = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        schema.wrong(path.name, "", f"is not JSON: {error}; restore it from version control")
        return schema
    for name, fields in locked.get("messages", {}).items():
        _message(schema, path.name, name, fields)
    for name, values in locked.get("enums", {}).items():
        _enum(schema, path.name, name, values)
    return schema


def _message(schema, file, name, locked):
    message = schema.messages.get(name)
    if not message:
        schema.wrong(f"{file}: [{name}]", "", "is released and may not be dropped; put it back")
        return
    for field_name, was in locked.items():
        field = message.find(field_name)
        if not field:
            schema.wrong(message.where, field_name, "is released and may not be dropped; put it back")
        elif field.type.text != was["type"]:
            schema.wrong(message.where, field_name, f"is released as {was['type']} and may not become "
                         f"{field.type.text}; add a new field instead")
        elif field.optional != was["optional"]:
            was_text = "optional" if was["optional"] else "required"
            schema.wrong(message.where, field_name, f"is released as {was_text} and must stay so")
    for field in message.fields:
        if field.name not in locked and not (field.optional and field.since):
            schema.wrong(message.where, field.name, "is new in a released message; "
                         "add optional = true and since = the version it comes with")


def _enum(schema, file, name, values):
    enum = schema.enums.get(name)
    if not enum:
        schema.wrong(f"{file}: [{name}]", "", "is released and may not be dropped; put it back")
    elif enum.values[:len(values)] != values:
        schema.wrong(enum.where, "", f"released values {', '.join(values)} must stay first and in this order")
