"""The API's description as a test uses it: requests out of its examples, and what its schemas say of an answer."""
import copy
import json
import re
import urllib.parse

import jsonschema

FORMATS = jsonschema.FormatChecker()
METHODS = ("get", "post", "put", "patch", "delete")
WRONG = {"string": [{}], "integer": ["x", 1.5], "number": ["x"], "boolean": ["x"], "array": ["x"], "object": ["x"]}


@FORMATS.checks("date-time")
def is_utc(value):
    """Times are said in UTC, and in one way."""
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value) is not None


def strict(node):
    """The schema, refusing what it does not name."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: strict(value) for key, value in node.items()}
    if out.get("type") == "object" and isinstance(out.get("properties"), dict):
        out["additionalProperties"] = False
    return out


class Operation:
    def __init__(self, api, method, path, described):
        self.api, self.method, self.path, self.described = api, method.upper(), path, described
        self.id = described["operationId"]
        self.permission = described["x-permission"]
        self.responses = described["responses"]
        self.built = any(status < "400" for status in self.responses)
        self.parameters = described.get("parameters", [])
        content = described.get("requestBody", {}).get("content", {})
        self.body = content.get("application/json", {}).get("example")
        self.body_schema = self.inline(content.get("application/json", {}).get("schema", {}))
        self.takes_bytes = bool(content) and "application/json" not in content
        self.validators = {}

    def __str__(self):
        return f"{self.method} {self.path}"

    def inline(self, node):
        """The schema with its references written out."""
        if isinstance(node, list):
            return [self.inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = self.api
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return self.inline(target)
        return {key: self.inline(value) for key, value in node.items()}

    def url(self, values=None, query=None):
        """With the examples of what it needs, but for the values given."""
        path, asked = self.path, {}
        for parameter in self.parameters:
            name = parameter["name"]
            if "example" not in parameter and name not in (values or {}):
                continue
            value = str((values or {}).get(name, parameter.get("example")))
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
            else:
                asked[name] = value
        for name, value in (values or {}).items():
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
        asked |= query or {}
        return path + ("?" + urllib.parse.urlencode(asked) if asked else "")

    def faults(self, answer):
        """Where the answer is not as described, as sentences."""
        status = str(answer.status)
        if status not in self.responses:
            return [f"{self} answers {status}, which is not described: {answer.body[:300]}"]
        response = resolve(self.api, self.responses[status])
        out = [f"{self} {status} has no header {name}" for name, header in response.get("headers", {}).items()
               if resolve(self.api, header).get("required") and name not in answer.headers]
        content = response.get("content", {})
        if not content:
            return out + ([f"{self} {status} has a body: {answer.body[:100]}"] if answer.body else [])
        kind = answer.headers.get("Content-Type", "").split(";")[0]
        if kind not in content:
            return out + [f"{self} {status} is {kind}, not {list(content)}"]
        if kind != "application/json":
            return out
        out += [f"{self} {status}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                for error in self._validator(status, content[kind]).iter_errors(answer.json)]
        codes = {example["value"]["code"] for example in content[kind].get("examples", {}).values()}
        if codes and answer.json.get("code") not in codes:
            out.append(f"{self} {status}: code {answer.json.get('code')} is not described")
        return out

    def _validator(self, status, content):
        if status not in self.validators:
            schema = strict(copy.deepcopy(self.inline(content["schema"])))
            self.validators[status] = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
        return self.validators[status]

    def bad_bodies(self):
        """(body, field at fault) for each way in which one field is wrong; field "": the body as a whole."""
        if self.body is None:
            return
        yield "{", ""
        yield "[]", ""
        schema = self.body_schema
        for name in schema.get("required", []):
            yield json.dumps({key: value for key, value in self.body.items() if key != name}), name
        for name, field in schema.get("properties", {}).items():
            for value in wrong_values(field):
                yield json.dumps(self.body | {name: value}), name

    def bad_queries(self):
        """(path values, query, field) for each parameter with a wrong value, or without one that is needed."""
        for parameter in self.parameters:
            name, in_path = parameter["name"], parameter["in"] == "path"
            if parameter["in"] == "header" or name == "envelope":
                continue
            for value in wrong_values(parameter["schema"]):
                if not isinstance(value, dict) and not (in_path and value == ""):
                    yield {name: value}, {}, name


def resolve(api, node):
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        api = api[part]
    return api


def wrong_values(field):
    out = list(WRONG.get(field.get("type"), []))
    if "enum" in field:
        out.append("none of these")
    if field.get("type") in ("integer", "number"):
        out += [field["minimum"] - 1] if abs(field.get("minimum", 1e300)) < 1e15 else []
        out += [field["maximum"] + 1] if abs(field.get("maximum", 1e300)) < 1e15 else []
    if field.get("type") == "string" and "maxLength" in field:
        out += ["x" * (field["maxLength"] + 1)] + [""] * bool(field.get("minLength"))
    return out


def operations(api):
    return [Operation(api, method, path, methods[method]) for path, methods in api["paths"].items()
            for method in METHODS if method in methods]
