"""Examples of messages: a field's own `example`, else a value that its name and type suggest. They fit the schema: a test sees
to that, and another sends those of requests."""
from model import INTEGERS

TIME = "2026-03-14T09:26:53.589793Z"
TRACE = "5f1d3a90c2b7e846"
TRUE = {"success", "is_active", "known", "ready", "recording", "healthy"}
TEXTS = {
    "map_id": "map_1a2b3c4d", "session_id": "session_5e6f7a8b", "current_map_id": "map_1a2b3c4d",
    "current_session_id": "session_5e6f7a8b", "sensor_id": "LIDAR_001", "name": "hall 3", "map_name": "hall 3",
    "username": "admin", "email": "admin@example.org", "full_name": "Ada Example", "version": "0.2.0", "message": "Done.",
    "robot_id": "OHT-50", "description": "", "cursor": "MTcyMDAwMDAwMDAwMDAwMDox", "unit": "N", "token_type": "bearer",
    "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl",
    "refresh_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl", "sensor_type": "lidar", "code": "force",
    "last_error": "", "last_warning": "", "error": "", "detail": "", "waits_for": "", "degraded": "", "reason": "",
}


def message_example(schema, name, request=False):
    """request: of the optional fields only those that name an example."""
    return {field.name: field_example(schema, field, request) for field in schema.messages[name].fields
            if not request or not field.optional or field.example is not None}


def field_example(schema, field, request=False):
    if field.example is not None:
        return field.example
    value = _element(schema, field, request)
    return [value] if field.type.count else value


def _element(schema, field, request):
    base = field.type.base
    if base == "message":
        return message_example(schema, field.type.ref, request)
    if base == "enum":
        return schema.enums[field.type.ref].values[0]
    if base == "bool":
        return field.name in TRUE
    if field.format:
        return {"json": {}, "time": TIME, "hex": TRACE, "fraction": 0.5}[field.format]
    if base == "text":
        text = TEXTS.get(field.name, field.name.replace("_", " "))[:field.type.length]
        return text if len(text) >= field.min_len else "x" * field.min_len
    if base == "blob":
        return "AAECAw=="[:field.type.length // 3 * 4]
    return _number(field)


def _number(field):
    low, high = INTEGERS.get(field.type.base, (None, None))
    low = low if field.min is None else field.min
    high = high if field.max is None else field.max
    if field.type.base in INTEGERS:
        return int(max(low, min(1, high)))
    if high - low <= 1:
        return low + 0.9 * (high - low)
    return float(max(low, min(1.0, high)))
