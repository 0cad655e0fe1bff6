"""The API's description as it is generated from the real schemas: whole, and with examples that fit it."""
import re
import sys
import unittest
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "schemas" / "gen"))

from check import check  # noqa: E402
from emit_asyncapi_ws import asyncapi_ws  # noqa: E402
from emit_openapi import openapi  # noqa: E402
from emit_openapi_bench import openapi_bench  # noqa: E402
from load import load  # noqa: E402
from openapi_words import CODES, REASONS, TAGS  # noqa: E402

METHODS = {"get", "post", "put", "patch", "delete"}


def contents(node, where=""):
    """Each place of the document that says what a body is, with its path."""
    if isinstance(node, list):
        for i, item in enumerate(node):
            yield from contents(item, f"{where}/{i}")
    elif isinstance(node, dict):
        for kind, content in node.get("content", {}).items() if isinstance(node.get("content"), dict) else ():
            yield f"{where}/{kind}", content
        for key, value in node.items():
            yield from contents(value, f"{where}/{key}")


class Description(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = check(load((ROOT / "schemas").glob("*.toml")))
        cls.api = openapi(cls.schema, "1")

    def operations(self):
        for path, methods in self.api["paths"].items():
            for method in METHODS & set(methods):
                yield f"{method.upper()} {path}", methods[method]

    def fits(self, schema, example, where):
        resolver = jsonschema.RefResolver("", self.api)
        validator = jsonschema.Draft202012Validator(schema, resolver=resolver, format_checker=jsonschema.FormatChecker())
        self.assertEqual([error.message for error in validator.iter_errors(example)], [], where)

    def test_each_operation_is_described_in_words(self):
        ids = set()
        for name, operation in self.operations():
            with self.subTest(operation=name):
                self.assertTrue(operation["summary"])
                self.assertRegex(operation["description"], f"{operation['x-permission']}|Anybody may ask|Any valid token")
                self.assertIn(operation["tags"][0], TAGS)
                self.assertNotIn(operation["operationId"], ids)
                self.assertIn("X-Request-Id", next(iter(operation["responses"].values())).get("headers", {"X-Request-Id": 1}))
                ids.add(operation["operationId"])

    def test_each_body_has_an_example_that_fits(self):
        seen = 0
        for where, content in contents({"paths": self.api["paths"], "responses": self.api["components"]["responses"]}):
            examples = [content["example"]] if "example" in content else \
                [example["value"] for example in content.get("examples", {}).values()]
            if "json" in where and content["schema"]:
                self.assertTrue(examples, where)
            for example in examples:
                seen += 1
                self.fits(content["schema"], example, where)
        self.assertGreater(seen, 150)

    def test_each_needed_parameter_has_an_example_that_fits(self):
        seen = 0
        for name, operation in self.operations():
            for parameter in operation.get("parameters", []):
                if parameter.get("required"):
                    self.assertIn("example", parameter, f"{name} {parameter['name']}")
                if "example" in parameter:
                    seen += 1
                    self.fits(parameter["schema"], parameter["example"], f"{name} {parameter['name']}")
        self.assertGreater(seen, 30)

    def test_each_status_names_its_codes_and_begins_with_the_library_s(self):
        rows = re.findall(r'= \{"\w+", (\d+), "(\w+)"', (ROOT / "libcommon" / "err.c").read_text())
        self.assertEqual(set(CODES), set(REASONS))
        for status, code in rows:
            if status != "200":
                self.assertIn(code, CODES[int(status)])

    def test_codes_in_the_sources_stand_in_the_description(self):
        """A code that a service or the gateway says is one that a client can look up."""
        known = {code for codes in CODES.values() for code in codes}
        said = set()
        for path in (ROOT / "services" / "api-gateway").glob("*.c"):
            said |= set(re.findall(r'exchange_fail\(x, GANTRY_E_\w+, "([A-Z_]+)"', path.read_text()))
        self.assertEqual(said - known, set())
        self.assertGreater(len(said), 3)

    def test_the_bench_s_description_is_whole_too(self):
        bench = openapi_bench(self.schema, "1")
        for methods in bench["paths"].values():
            for operation in methods.values():
                self.assertTrue(operation["summary"] and operation["responses"])

    # -- the WebSocket

    def test_paths_and_types_of_the_websocket_are_those_of_the_gateway(self):
        text = (ROOT / "services/api-gateway/ws_frames.c").read_text()
        types = re.findall(r'\[WS_\w+\] = \{"(\w+)", "([\w:]+)", (\d)\}', text)
        paths = {path: set(re.findall(r"WS_(\w+)", bits)) for path, bits in re.findall(r'\{"(/ws[\w/]*)", ([^}]+)\}', text)}
        wishes = re.findall(r'\[WS_\w+\] = "(\w+)"', (ROOT / "services/api-gateway/ws_command.c").read_text())
        rows = [(f.of or f.name, f.permission, str(f.priority)) for f in self.schema.frames if f.permission]

        self.assertGreater(len(types), 5)
        self.assertEqual(sorted(rows), sorted(types))
        self.assertEqual(paths, {s.path: {name.upper() for name in s.types} for s in self.schema.sockets})
        self.assertEqual(sorted(wishes), sorted(f.name for f in self.schema.frames if f.sender == "client"))

    def test_each_frame_has_an_example_that_fits(self):
        api = asyncapi_ws(self.schema, "1")
        resolver = jsonschema.RefResolver("", api)
        for name, message in api["components"]["messages"].items():
            validator = jsonschema.Draft202012Validator(message["payload"], resolver=resolver, format_checker=jsonschema.FormatChecker())
            for example in message["examples"]:
                self.assertEqual([error.message for error in validator.iter_errors(example["payload"])], [], name)


if __name__ == "__main__":
    unittest.main()
