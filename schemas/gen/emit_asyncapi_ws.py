"""asyncapi-ws.json: AsyncAPI 3.0 of the WebSocket, from the sockets and frames of ws.toml."""
from emit_example import TIME, message_example
from emit_schema import closure, message_schema, reference, schema_name

SUMMARY = (
    "Live values of the robot. Every path takes the token in `Authorization`, in `?token=` or in `Sec-WebSocket-Protocol`; without "
    "one the upgrade is refused with 401, and a token that expires or is revoked closes with 4001. Frames are JSON: "
    "`{type, data, timestamp, priority, source, seq}`, `seq` counting the frames of a type. Further close codes: 1001 the gateway "
    "ends, 1002 and 1007 a frame that is none, 1009 one above 16 KiB, 1013 more than 200 messages a second, or a client too slow "
    "for what may not be lost. A user may hold 10 connections open (`ws_per_user`); `/ws/logs` begins at level warn "
    "(`set_log_level`). A client that reads too slowly loses the older frames of a type to newer ones, alerts never.")


def asyncapi_ws(schema, version):
    sent = [f for f in schema.frames if f.sender == "server"]
    heard = [f for f in schema.frames if f.sender == "client"]
    used = closure(schema, [f.message for f in schema.frames if not f.bare] + ["http.error"] * any(f.fails for f in schema.frames))
    channels, operations = {}, {}
    for socket in schema.sockets:
        _socket(socket, sent, heard, channels, operations)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Gantry WebSocket", "version": version, "description": SUMMARY, "contact": {"name": "Gantry"},
                 "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
                 "tags": [{"name": "live", "description": "Values as they come."}]},
        "servers": {"gateway": {"host": "localhost:8000", "protocol": "ws", "description": "This gateway.",
                                "security": [{"$ref": "#/components/securitySchemes/bearer"}]}},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {f.name: _message(schema, f) for f in schema.frames},
            "schemas": {schema_name(m.name): message_schema(schema, m) for m in used},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                                           "description": "The access token of POST /api/v1/auth/login."}},
        },
    }


def _socket(socket, sent, heard, channels, operations):
    key = socket.path.strip("/").replace("/", "_")
    channels[key] = {
        "address": socket.path, "description": socket.doc, "servers": [{"$ref": "#/servers/gateway"}],
        "messages": {f.name: {"$ref": f"#/components/messages/{f.name}"} for f in sent + heard},
        "x-subscribed": socket.types}
    channel = {"$ref": f"#/channels/{key}"}

    def listed(frames):
        return [{"$ref": f"#/channels/{key}/messages/{f.name}"} for f in frames]

    operations[f"{key}_send"] = {"action": "send", "channel": channel, "summary": "What the gateway sends.",
                                 "description": f"{socket.doc} Subscribed on connect: {', '.join(socket.types) or 'nothing'}.",
                                 "messages": listed(sent)}
    operations[f"{key}_receive"] = {"action": "receive", "channel": channel, "summary": "What clients may say.",
                                    "description": "A frame that is not understood is answered by `error`; the connection stays open.",
                                    "messages": listed(heard)}


def _message(schema, frame):
    out = {"name": frame.name, "title": frame.name, "summary": frame.doc, "contentType": "application/json",
           "payload": _payload(schema, frame), "examples": [{"name": frame.name, "payload": _example(schema, frame)}]}
    if frame.sender == "server" and not frame.control and not frame.bare:
        out["x-subscription"] = frame.of or frame.name
    if frame.permission:
        out["x-permission"] = frame.permission
    if frame.max_hz:
        out["x-max-hz"] = frame.max_hz
    return out


def _text(doc, **more):
    return {"type": "string", "description": doc, **more}


def _payload(schema, frame):
    kind = {"type": _text("What this frame is.", const=frame.name)}
    if frame.bare:
        inner = message_schema(schema, schema.messages[frame.message])
        return {"type": "object", "description": frame.doc, "properties": kind | inner["properties"],
                "required": ["type", *inner.get("required", [])]}
    data = {"anyOf": [reference(frame.message), reference("http.error")]} if frame.fails else \
        reference(frame.message) if frame.message else None
    properties = kind | ({"data": data} if data else {})
    required = ["type"]
    if frame.sender == "server":
        required.append("data")
        properties |= {"timestamp": _text("When it held.", format="date-time"), "source": _text("Service that said it.")}
    if frame.sender == "server" and not frame.control:
        required += ["timestamp", "priority", "source", "seq"]
        properties |= {
            "priority": {"type": "integer", "description": "1 is the most important.", "enum": [frame.priority] if frame.priority else [2, 3]},
            "seq": {"type": "integer", "minimum": 0, "description": "Counts the frames of this type."},
            "trace": _text("Found in the logs.", pattern="^[0-9a-f]{16}$"),
            "born_age_ms": {"type": "number", "minimum": 0, "description": "Age of the value when it was sent."},
            "born_ns": {"type": "integer", "minimum": 0, "description": "Its birth on the host's monotonic clock."}}
    return {"type": "object", "description": frame.doc, "required": required, "properties": properties}


def _example(schema, frame):
    client = frame.sender == "client"
    data = message_example(schema, frame.message, client) if frame.message else {}
    if frame.bare:
        return {"type": frame.name, **data}
    out = {"type": frame.name} | ({"data": data} if frame.message else {})
    if client or frame.control:
        return out
    return out | {"timestamp": TIME, "priority": frame.priority or 2, "source": "api-gateway", "seq": 1}
