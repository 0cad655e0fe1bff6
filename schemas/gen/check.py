"""Cross references, names in C, dependency order, nesting depth, endpoints' parameters."""
from model import ERRORS, MAX_DEPTH, MAX_FIELDS, SERVICES


def check(schema):
    for message in schema.messages.values():
        _fields(schema, message)
    _c_names(schema)
    for topic in schema.topics:
        _message(schema, topic.where, "message", topic.message)
        _service(schema, topic.where, "producer", topic.producer)
        for consumer in topic.consumers:
            _service(schema, topic.where, "consumer", consumer)
        _once(schema, topic.where, "consumer", topic.consumers)
        if topic.producer == "*" and not topic.instanced:
            schema.wrong(topic.where, "", 'producer "*" needs an {instance} that tells the services apart')
    for request in schema.requests:
        _service(schema, request.where, "server", request.server)
        _message(schema, request.where, "takes", request.takes)
        _message(schema, request.where, "gives", request.gives)
        _errors(schema, request)
    for endpoint in schema.endpoints:
        _endpoint(schema, endpoint)
    for frame in schema.frames:
        _message(schema, frame.where, "message", frame.message)
        if frame.bare and not frame.message:
            schema.wrong(frame.where, "", "bare without a message; name one or drop it")
    for socket in schema.sockets:
        for name in socket.types:
            if not any((frame.of or frame.name) == name and frame.permission for frame in schema.frames):
                schema.wrong(socket.where, "", f"type '{name}' is no frame with a permission; define it or drop it")
    _unique(schema, [*schema.topics, *schema.requests, *schema.endpoints], lambda row: row.macro)
    _unique(schema, schema.endpoints, lambda row: f"{row.profile} {row.method} {_shape(row.path)}")
    if not schema.errors:
        _order(schema)
    if not schema.errors:
        _settings(schema)
    return schema


def _fields(schema, message):
    if len(message.fields) > MAX_FIELDS:
        schema.wrong(message.where, "", f"has more than {MAX_FIELDS} fields; move some into a message of their own")
    members = {}
    for field in message.fields:
        kind, ref = field.type.base, field.type.ref
        if kind == "enum" and ref not in schema.enums:
            schema.wrong(message.where, field.name, f"unknown enum '{ref}'; {_near(ref, schema.enums)}")
        if kind == "message" and ref not in schema.messages:
            schema.wrong(message.where, field.name,
                         f"unknown type or message '{ref}'; {_near(ref, schema.messages)}")
        names = [field.c] + [f"has_{field.name}"] * field.optional
        names += [f"{field.name}_count"] * bool(field.type.count)
        for name in names:
            if name in members:
                schema.wrong(message.where, field.name,
                             f"becomes '{name}' in C, as does field '{members[name]}'; rename one")
            members[name] = field.name


def _settings(schema):
    """A setting is written as JSON by people, so all of it must be readable from JSON."""
    def blob(message):
        return any(field.type.base == "blob" or
                   (field.type.base == "message" and blob(schema.messages[field.type.ref])) for field in message.fields)

    for message in schema.messages.values():
        if message.setting and blob(message):
            schema.wrong(message.where, "", "is a setting but holds a blob, which JSON cannot say; use text")


def _near(name, known):
    short = name.split(".")[-1]
    same = [other for other in known if other.split(".")[-1] == short]
    return f"did you mean {same[0]}?" if same else "define it or mend the name"


def _c_names(schema):
    seen = {}
    for row in [*schema.enums.values(), *schema.messages.values()]:
        if row.c in seen:
            schema.wrong(row.where, "", f"becomes {row.c}_t in C, as does {seen[row.c]}; rename one")
        seen[row.c] = row.where


def _message(schema, where, key, name):
    if name and name not in schema.messages:
        schema.wrong(where, "", f"{key} '{name}' is an unknown message; {_near(name, schema.messages)}")
        return False
    return True


def _service(schema, where, key, name):
    if name != "*" and name not in SERVICES:
        schema.wrong(where, "", f"{key} '{name}' is an unknown service; use \"*\" or one of {', '.join(SERVICES)}")


def _once(schema, where, key, names):
    for name in sorted({n for n in names if names.count(n) > 1}):
        schema.wrong(where, "", f"{key} '{name}' stands twice; drop one")


def _errors(schema, row):
    for error in row.errors:
        if error not in ERRORS:
            schema.wrong(row.where, "", f"unknown error '{error}'; use one of {', '.join(ERRORS)}")
    _once(schema, row.where, "error", row.errors)


def _unique(schema, rows, key):
    seen = {}
    for row in rows:
        name = key(row)
        if name in seen:
            schema.wrong(row.where, "", f"becomes '{name}', as does {seen[name]}; rename one")
        seen[name] = row.where


def _shape(path):
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _endpoint(schema, endpoint):
    for key in ("params", "body", "answer"):
        _message(schema, endpoint.where, key, getattr(endpoint, key))
    _errors(schema, endpoint)
    _once(schema, endpoint.where, "path parameter", endpoint.path_parameters)
    if not endpoint.built:
        for key in ("params", "body", "answer", "errors"):
            if getattr(endpoint, key):
                schema.wrong(endpoint.where, "", f"{key} of a route that is not built; drop it or built = false")
        return
    params = schema.messages.get(endpoint.params)
    for name in endpoint.path_parameters:
        field = params.find(name) if params else None
        if not field:
            schema.wrong(endpoint.where, name, "path parameter without a field; "
                         f"add {name} to the params message ({endpoint.params or 'params = …'})")
        elif field.optional or field.type.count or field.type.base in ("message", "blob"):
            schema.wrong(endpoint.where, name, "a path parameter is one required value, not an array or message")
    for field in params.fields if params else []:
        if field.type.base in ("message", "blob"):
            schema.wrong(endpoint.where, field.name, "a query parameter is text, number, bool or enum")
    if endpoint.body and endpoint.method in ("GET", "DELETE"):
        schema.wrong(endpoint.where, "", f"{endpoint.method} takes no body; use params")
    if endpoint.body and endpoint.body_type != "application/json":
        schema.wrong(endpoint.where, "", "body is for JSON; drop it or body_type")
    if endpoint.example and not endpoint.body:
        schema.wrong(endpoint.where, "", "example is that of a body; drop it or name one")
    if endpoint.body_optional and not endpoint.body:
        schema.wrong(endpoint.where, "", "body_optional without a body; name one or drop it")
    if endpoint.envelope != "none" and not endpoint.answer:
        schema.wrong(endpoint.where, "", "an envelope needs an answer; name one or drop it")
    if endpoint.answer and endpoint.answer_type != "application/json":
        schema.wrong(endpoint.where, "", "answer is for JSON; drop it or answer_type")


def _order(schema):
    """Sorts messages so that each stands behind those it embeds; refuses cycles and deep nesting."""
    done, path = {}, []

    def visit(name):
        if name in done:
            return done[name]
        message = schema.messages[name]
        if name in path:
            schema.wrong(message.where, "", f"contains itself through {' > '.join([*path, name])}; break the cycle")
            return 0
        path.append(name)
        depth = 1
        for field in message.fields:
            inner = visit(field.type.ref) if field.type.base == "message" else 0
            depth = max(depth, 1 + inner + bool(field.type.count))
        path.pop()
        if depth > MAX_DEPTH:
            schema.wrong(message.where, "", f"nests {depth} deep; at most {MAX_DEPTH}: flatten it")
        done[name] = depth
        return depth

    for name in schema.messages:
        visit(name)
    if not schema.errors:
        schema.messages = {name: schema.messages[name] for name in done}
