"""openapi.json: OpenAPI 3.1 from the endpoints."""
from emit_schema import closure, field_schema, message_schema, reference, schema_name
from model import ERRORS

ERROR_SCHEMA = {
    "type": "object", "description": "Every error answer.",
    "required": ["success", "error", "detail", "code", "timestamp", "request_id"],
    "properties": {
        "success": {"type": "boolean", "const": False, "description": "Always false."},
        "error": {"type": "string", "description": "One sentence for a person."},
        "detail": {"description": "A sentence, or for validation errors a list of the fields at fault.",
                   "oneOf": [{"type": "string"}, {"type": "array", "items": {
                       "type": "object", "required": ["loc", "msg", "type"], "properties": {
                           "loc": {"type": "array", "items": {"type": ["string", "integer"]},
                                   "description": "Path of the field at fault."},
                           "msg": {"type": "string", "description": "What is wrong with it."},
                           "type": {"type": "string", "description": "Kind of fault."}}}}]},
        "code": {"type": "string", "description": "Machine code, e.g. VALIDATION_ERROR.",
                 "examples": ["VALIDATION_ERROR"]},
        "timestamp": {"type": "string", "format": "date-time", "description": "When it was answered."},
        "request_id": {"type": "string", "description": "The trace id: find it in the logs."},
    },
}
REASONS = {400: "A rule says no.", 401: "No token, or one that does not hold.",
           403: "The role lacks the permission.", 404: "No such thing.",
           409: "The present state does not allow it.", 413: "Over a size limit.",
           416: "The range lies behind the end; Content-Range says where that is.",
           422: "A field is missing, mistyped or out of bounds.", 429: "Too often; see Retry-After.",
           500: "A fault of the server.", 501: "Stands in the API, not built yet.",
           503: "The service or module is not there now.", 504: "No answer in time."}


ENVELOPE_PARAMETER = {"name": "envelope", "in": "query", "required": False, "schema": {"type": "string", "enum": ["none"]},
                      "description": "none: what stands in `data`, by itself."}


def _count(doc):
    return {"type": "integer", "minimum": 0, "description": doc}


def _enveloped(kind, data):
    """What stands around data: docs in envelope.h of the gateway."""
    properties = {"success": {"type": "boolean", "const": True, "description": "Always true."}, "data": data}
    if kind == "list":
        data = properties["data"] = {"type": "array", "items": data}
        total = _count("Rows in all; absent where counting them would cost more than the page.")
        properties |= {
            "total_count": total, "page": _count("Number of this page, from 1."), "limit": _count("Rows asked for."),
            "meta": {"type": "object", "required": ["page", "per_page"], "properties": {
                "page": _count("As above."), "per_page": _count("As `limit`."), "total": total,
                "total_pages": _count("Pages in all, where the total is known."),
                "cursor": {"type": "string", "description": "For the next page; absent on the last."}}},
            "links": {"type": "object", "required": ["self"], "properties": {
                "self": {"type": "string", "description": "This page."},
                "next": {"type": "string", "description": "The next one; absent on the last."}}}}
    properties |= {
        "timestamp": {"type": "string", "format": "date-time", "description": "When it was answered."},
        "request_id": {"type": "string", "description": "The trace id: find it in the logs."}}
    required = [name for name in properties if name != "total_count"]
    return {"anyOf": [{"type": "object", "required": required, "properties": properties}, data]}


def openapi(schema, version):
    paths = {}
    endpoints = schema.endpoints_of("http")
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(schema, endpoint)
    used = closure(schema, [n for e in endpoints for n in (e.body, e.answer)])
    schemas = {schema_name(m.name): message_schema(schema, m) for m in used}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gantry", "version": version,
                 "description": "The web API of the robot's back end.",
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR_SCHEMA, **schemas},
            "responses": {str(status): _error_response(status) for status in _statuses(paths)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


DETAIL = {"type": "object", "description": "An error.", "required": ["detail"], "properties": {
    "detail": {"type": "string", "description": "One sentence for a person."}}}
INVALID = {"type": "object", "description": "What is wrong with a request.", "required": ["detail"],
           "properties": {"detail": ERROR_SCHEMA["properties"]["detail"]["oneOf"][1]}}
BENCH_REASONS = {"400": "The present state does not allow it.", "503": "The service behind it is not there now."}


def openapi_bench(schema, version):
    """The test-bench profile: bare answers, no token, errors as {"detail"}."""
    paths = {}
    endpoints = schema.endpoints_of("bench")
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _bench_operation(schema, endpoint)
    used = closure(schema, [n for e in endpoints for n in (e.body, e.answer)])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gantry, test bench", "version": version, "description": "Test sessions and their readings."},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(e.tag for e in endpoints)],
        "paths": paths,
        "components": {"schemas": {"Detail": DETAIL, "Invalid": INVALID,
                                   **{schema_name(m.name): message_schema(schema, m) for m in used}}},
    }


def _bench_operation(schema, endpoint):
    def error(name, doc):
        return {"description": doc, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}

    out = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.doc,
           "parameters": _parameters(schema, endpoint)}
    if endpoint.body:
        out["requestBody"] = {"required": not endpoint.body_optional,
                              "content": {"application/json": {"schema": reference(endpoint.body)}}}
    answer = reference(endpoint.answer) if endpoint.answer else {}
    if endpoint.envelope == "array":
        answer = {"type": "array", "items": answer}
    out["responses"] = {"200": {"description": "Done.", "content": {endpoint.answer_type: {"schema": answer}}}}
    if endpoint.params or endpoint.body:
        out["responses"]["422"] = error("Invalid", REASONS[422])
    statuses = sorted({"400" if ERRORS[e] == 409 else "503" for e in endpoint.errors})
    return out | {"responses": out["responses"] | {s: error("Detail", BENCH_REASONS[s]) for s in statuses}}


def _statuses(paths):
    """The error statuses that some operation answers with."""
    answers = {status for path in paths.values() for operation in path.values()
               for status in operation["responses"]}
    return sorted(status for status in REASONS if str(status) in answers)


def _error_response(status):
    out = {"description": REASONS[status],
           "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    headers = {401: ("WWW-Authenticate", "string"), 429: ("Retry-After", "integer")}
    if status in headers:
        name, kind = headers[status]
        out["headers"] = {name: {"schema": {"type": kind}}}
    return out


def _operation(schema, endpoint):
    out = {"operationId": endpoint.id, "tags": [endpoint.tag], "summary": endpoint.doc}
    parameters = _parameters(schema, endpoint)
    if parameters:
        out["parameters"] = parameters
    if endpoint.body:
        out["requestBody"] = {"required": not endpoint.body_optional,
                              "content": {"application/json": {"schema": reference(endpoint.body)}}}
    elif endpoint.body_type != "application/json":
        out["requestBody"] = {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}}
                                                            for kind in endpoint.body_type.split(", ")}}
    out["responses"] = _responses(endpoint)
    out["security"] = [] if endpoint.permission == "public" else [{"bearer": []}]
    out["x-permission"] = endpoint.permission
    return out


def _parameters(schema, endpoint):
    if not endpoint.built:
        return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in endpoint.path_parameters]
    params = schema.messages.get(endpoint.params)
    out = []
    for field in params.fields if params else []:
        in_path = field.name in endpoint.path_parameters
        body = field_schema(schema, field)
        out.append({"name": field.name, "in": "path" if in_path else "query",
                    "required": not field.optional, "description": body.pop("description"), "schema": body})
    return out + ([ENVELOPE_PARAMETER] if endpoint.envelope in ("object", "list") else [])


def _responses(endpoint):
    if not endpoint.built:
        return _errors(endpoint, {500, 501})
    success = {"description": "Done."}
    if endpoint.answer:
        data = reference(endpoint.answer)
        body = data if endpoint.envelope == "none" else _enveloped(endpoint.envelope, data)
        success["content"] = {"application/json": {"schema": body}}
    elif endpoint.status not in (204, 301, 302, 303, 304, 307, 308):
        success["content"] = {kind: {"schema": {}} for kind in endpoint.answer_type.split(", ")}
    statuses = {ERRORS[error] for error in endpoint.errors} | {500}
    if endpoint.params or endpoint.body:
        statuses.add(422)
    if endpoint.body or endpoint.body_type != "application/json":
        statuses.add(413)
    parts = {"206": {**success, "description": "The part that Range asks for."},
             "304": {"description": "As If-None-Match has it already."}} if endpoint.ranges else {}
    return {str(endpoint.status): success, **parts, **_errors(endpoint, statuses | ({416} if endpoint.ranges else set()))}


def _errors(endpoint, statuses):
    """References to the error answers: those named and those that follow from the door's rules."""
    if endpoint.permission != "public":
        statuses |= {401} if endpoint.permission == "authenticated" else {401, 403}
    if not endpoint.rate_exempt:
        statuses.add(429)
    return {str(s): {"$ref": f"#/components/responses/{s}"} for s in sorted(statuses)}
