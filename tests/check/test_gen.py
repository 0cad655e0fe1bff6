"""Every refusal of the generator, in the words a person reads, and the shape of what it writes."""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "schemas" / "gen"))

from check import check  # noqa: E402
from emit_asyncapi import asyncapi  # noqa: E402
from emit_docs import flow_dot, reference  # noqa: E402
from emit_messages import c_text, header, source  # noqa: E402
from emit_openapi import openapi  # noqa: E402
from load import load  # noqa: E402
from lock import baseline, check_lock  # noqa: E402
from model import ERRORS, SERVICES  # noqa: E402

BASE = """
[enum.colour]
doc = "Colours."
values = ["red", "green"]
[message.point]
doc = "A point."
[message.point.field]
x = { type = "f64", min = 0, max = 1, unit = "m", doc = "X." }
colour = { type = "enum colour", doc = "Colour." }
name = { type = "text<8>", doc = "Name." }
[message.empty]
doc = "Nothing."
"""
TOPIC = """
[topic."sys.{name}"]
message = "point"
producer = "mapper"
consumers = ["storage"]
kind = "stream"
doc = "Points."
"""
REQUEST = """
[request."sys.ask"]
server = "mapper"
takes = "point"
gives = "empty"
timeout_ms = 100
errors = ["conflict"]
doc = "Asks."
"""
PARAMS = '[message.params]\ndoc = "P."\n[message.params.field]\n' \
         'name = { type = "text<8>", doc = "Name.", example = "a" }\n' \
         'limit = { type = "u32", max = 100, optional = true, doc = "Most." }\n'
ENDPOINT = PARAMS + """
[endpoint."PUT /api/{name}"]
id = "set_point"
tag = "sys"
permission = "sys:write"
params = "params"
body = "sys.point"
answer = "sys.point"
errors = ["not_found"]
doc = "Sets."
"""


def schema_of(**families):
    with tempfile.TemporaryDirectory() as folder:
        for family, text in families.items():
            Path(folder, family + ".toml").write_text(text)
        return check(load(Path(folder).glob("*.toml")))


def field(text, extra=""):
    return f'[message.m]\ndoc = "M."\n[message.m.field]\nf = {{ {text} }}\n{extra}'


class Refusals(unittest.TestCase):
    def refuses(self, expected, text=None, **families):
        errors = schema_of(**({"sys": text} if text is not None else families)).errors

        self.assertTrue(any(expected in error for error in errors), f"{expected!r} is not in {errors}")

    def test_base_is_accepted(self):
        schema = schema_of(sys=BASE + TOPIC + REQUEST, http=ENDPOINT)

        self.assertEqual(schema.errors, [])

    def test_names_file_section_and_field(self):
        errors = schema_of(sys=field('type = "u8"')).errors

        self.assertEqual(errors, ['sys.toml: [message.m] f: has no doc; add doc = "one sentence"'])

    def test_fields(self):
        doc = 'doc = "D."'
        cases = {
            f'type = "f32", {doc}': "f: has no bound; add min",
            f'type = "f64", min = 0, {doc}': "f: has no bound",
            f'type = "text", {doc}': "f: unknown type 'text'",
            f'type = "u7", {doc}': "f: unknown type or message 'sys.u7'",
            f'type = "u8[0]", {doc}': "f: unknown type",
            f'type = "u8[2][2]", {doc}': "f: unknown type",
            f'type = "enum mood", {doc}': "f: unknown enum 'sys.mood'",
            f'type = "loc.pose", {doc}': "f: unknown type or message 'loc.pose'",
            f'type = "u8", colour = 1, {doc}': "f: unknown key 'colour'; known are type",
            'type = "u8", doc = " "': "f: has an empty doc",
            f'type = 7, {doc}': "f: type must be text",
            doc: "f: has no type",
            f'type = "u8", max = 256, {doc}': "f: max must be an integer from 0 to 255",
            f'type = "u8", min = 0.5, {doc}': "f: min must be an integer",
            f'type = "u64", max = 1e18, {doc}': "f: max goes beyond 2^53",
            f'type = "i32", min = 2, max = 1, {doc}': "f: min is greater than max",
            f'type = "text<4>", min = 1, {doc}': "f: min and max are for numbers",
            f'type = "text<4>", min_len = 5, {doc}': "f: min_len must be 0 to 4",
            f'type = "u8", min_len = 1, {doc}': "f: min_len is for text",
            f'type = "u8", format = "hex", {doc}': "f: format 'hex' does not fit u8",
            f'type = "u64", format = "octal", {doc}': "f: format 'octal' does not fit u64; known are json",
            f'type = "u8", nullable = true, {doc}': "f: is nullable: then it is optional",
            f'type = "u8", format = "fraction", {doc}': "f: format 'fraction' does not fit u8",
            f'type = "u8", since = 2, {doc}': "f: has since but is not optional",
            f'type = "m", {doc}': "contains itself through sys.m > sys.m",
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.refuses(expected, field(text))

    def test_names(self):
        self.refuses("the name must be lower case", field('type = "u8", doc = "D."').replace("f =", "F ="))
        self.refuses(
            "becomes 'has_f' in C, as does field 'has_f'",
            '[message.m]\ndoc = "M."\n[message.m.field]\nhas_f = { type = "u8", doc = "D." }\n'
            'f = { type = "u8", optional = true, doc = "D." }\n')
        self.refuses("becomes sys_point_t in C", BASE + '[enum.point]\ndoc = "P."\nvalues = ["a"]\n')
        self.refuses("is not TOML", BASE + BASE)
        self.refuses("unknown table [massage]", "[massage.m]\n")
        self.refuses("a family is named in lower case", **{"Sys": BASE})

    def test_enums(self):
        self.refuses("has no doc", '[enum.e]\nvalues = ["a"]\n')
        self.refuses("has no values", '[enum.e]\ndoc = "E."\nvalues = []\n')
        self.refuses("value 'a' stands twice", '[enum.e]\ndoc = "E."\nvalues = ["a", "a"]\n')
        self.refuses("value 'count' stands twice, or is the reserved word", '[enum.e]\ndoc = "E."\nvalues = ["count"]\n')
        self.refuses("value 'a b' may hold", '[enum.e]\ndoc = "E."\nvalues = ["a b"]\n')
        self.refuses("values must be a list of texts", '[enum.e]\ndoc = "E."\nvalues = [1]\n')

    def test_depth_and_size(self):
        chain = "".join(f'[message.m{i}]\ndoc = "M."\n[message.m{i}.field]\n'
                        f'f = {{ type = "m{i + 1}", doc = "D." }}\n' for i in range(8))
        self.refuses("nests 9 deep; at most 8", chain + '[message.m8]\ndoc = "M."\n')
        many = "".join(f'f{i} = {{ type = "u8", doc = "D." }}\n' for i in range(129))
        self.refuses("has more than 128 fields", '[message.m]\ndoc = "M."\n[message.m.field]\n' + many)

    def test_settings(self):
        setting = '[message.s]\ndoc = "S."\nsetting = true\n[message.s.field]\nf = {{ type = "{}", doc = "D." }}\n'
        inner = '[message.i]\ndoc = "I."\n[message.i.field]\nb = { type = "blob<9>", doc = "D." }\n'
        self.assertEqual(schema_of(sys=setting.format("u8")).errors, [])
        self.refuses("is a setting but holds a blob", setting.format("blob<9>"))
        self.refuses("is a setting but holds a blob", setting.format("i") + inner)
        self.refuses("setting must be true or false", setting.format("u8").replace("= true", "= 1"))

    def test_topics(self):
        for old, new, expected in [
            ('"point"', '"pint"', "message 'sys.pint' is an unknown message"),
            ('"mapper"', '"maper"', "producer 'maper' is an unknown service"),
            ('["storage"]', '["store"]', "consumer 'store' is an unknown service"),
            ('["storage"]', '["storage", "storage"]', "consumer 'storage' stands twice"),
            ('"stream"', '"flood"', "kind 'flood' is unknown; use one of stream, state, event"),
            ('doc = "Points."', "", 'has no doc; add doc = "one sentence"'),
            ("sys.{name}", "sys.{name}.x", "with at most one {instance} at the end"),
            ("sys.{name}", "Sys", "a topic is lower-case dotted nouns"),
            ('kind = "stream"', 'kind = "stream"\nrate = 3', "unknown key 'rate'"),
            ('"stream"', '"stream"\nrate_hz = -1', "rate_hz must not be negative"),
        ]:
            with self.subTest(new):
                self.refuses(expected, BASE + TOPIC.replace(old, new))
        self.refuses("becomes 'TOPIC_SYS', as does", BASE + TOPIC + TOPIC.replace("sys.{name}", "sys"))
        self.refuses('producer "*" needs an {instance}',
                     BASE + TOPIC.replace("sys.{name}", "sys").replace('"mapper"', '"*"'))

    def test_requests(self):
        for old, new, expected in [
            ('"mapper"', '"maper"', "server 'maper' is an unknown service"),
            ('"point"', '"pint"', "takes 'sys.pint' is an unknown message; define it or mend the name"),
            ('"empty"', '"loc.point"', "gives 'loc.point' is an unknown message; did you mean sys.point?"),
            ('["conflict"]', '["konflikt"]', "unknown error 'konflikt'"),
            ("timeout_ms = 100", "", "has no timeout_ms"),
            ("timeout_ms = 100", "timeout_ms = 0", "timeout_ms must be 1 to 600000"),
            ("timeout_ms = 100", "timeout_ms = 1.5", "timeout_ms must be an integer"),
            ('doc = "Asks."', 'doc = "Asks."\nlane = "fast"', "lane 'fast' is unknown"),
            ("sys.ask", "Ask", "a request is lower-case dotted nouns"),
        ]:
            with self.subTest(new):
                self.refuses(expected, BASE + REQUEST.replace(old, new))

    def test_endpoints(self):
        for old, new, expected in [
            ('permission = "sys:write"', "", "has no permission; add permission = \"public\""),
            ('"sys:write"', '"root"', "permission 'root' must be public, authenticated or resource:action"),
            ("/api/{name}", "/api/{id}", "id: path parameter without a field; add id to the params"),
            ("/api/{name}", "/api/{limit}", "a path parameter is one required value"),
            ('params = "params"', "", "name: path parameter without a field"),
            ("/api/{name}", "api", "path 'api' must be /segments"),
            ("PUT", "GET", "GET takes no body; use params"),
            ("PUT", "FETCH", "method 'FETCH' is unknown"),
            ('"sys.point"', '"sys.pint"', "body 'sys.pint' is an unknown message"),
            ('["not_found"]', '["gone"]', "unknown error 'gone'"),
            ('body = "sys.point"', "body_optional = true", "body_optional without a body"),
            ('tag = "sys"', "", "has no tag"),
            ('doc = "Sets."', 'doc = "Sets."\nstatus = 404', "status is that of success"),
            ('doc = "Sets."', 'doc = "Sets."\nanswer_type = "text/html"', "answer is for JSON"),
            ('answer = "sys.point"', 'envelope = "list"', "an envelope needs an answer"),
            ('doc = "Sets."', 'doc = "Sets."\nenvelope = "box"', "envelope 'box' is unknown"),
            ('"set_point"', '"Set"', "id 'Set' must be lower case"),
            ("/api/{name}", "/api/{name}/{name}", "path parameter 'name' stands twice"),
            ('doc = "Sets."', 'doc = "Sets."\nbuilt = false', "body of a route that is not built"),
            ('doc = "Sets."', 'doc = "Sets."\nbuilt = "no"', "built must be true or false"),
        ]:
            with self.subTest(new):
                self.refuses(expected, sys=BASE, http=ENDPOINT.replace(old, new))
        twice = ENDPOINT + ENDPOINT[len(PARAMS):].replace("{name}", "{name}/")
        self.refuses("path '/api/{name}/' must be", sys=BASE, http=twice)
        again = ENDPOINT + ENDPOINT[len(PARAMS):].replace("/api", "/other")
        self.refuses("becomes 'ENDPOINT_SET_POINT', as does", sys=BASE, http=again)
        self.refuses("endpoints stand in http.toml and bench.toml only", BASE + ENDPOINT)


class Lock(unittest.TestCase):
    def against(self, old, new):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(baseline(schema_of(sys=old)), file)
            file.flush()
            return check_lock(schema_of(sys=new), file.name).errors

    def test_same_schema_is_accepted(self):
        self.assertEqual(self.against(BASE, BASE), [])

    def test_released_things_stay(self):
        name = 'name = { type = "text<8>", doc = "Name." }'
        for old, new, expected in [
            (name, "", "name: is released and may not be dropped"),
            ("text<8>", "text<9>", "name: is released as text<8> and may not become text<9>"),
            ('type = "text<8>"', 'optional = true, type = "text<8>"', "name: is released as required and must stay so"),
            (name, name + '\nz = { type = "u8", doc = "Z." }', "z: is new in a released message; add optional"),
            (name, name + '\nz = { type = "u8", optional = true, doc = "Z." }', "add optional = true and since"),
            ('"red", "green"', '"green", "red"', "released values red, green must stay first"),
            ('[message.empty]\ndoc = "Nothing."', "", "[sys.empty]: is released and may not be dropped"),
        ]:
            with self.subTest(new):
                errors = self.against(BASE, BASE.replace(old, new))

                self.assertEqual(len(errors), 1, errors)
                self.assertIn(expected, errors[0])

    def test_growth_is_accepted(self):
        grown = BASE.replace('"green"]', '"green", "blue"]').replace(
            '[message.empty]', 'z = { type = "u8", optional = true, since = 2, doc = "Z." }\n[message.empty]')

        self.assertEqual(self.against(BASE, grown + '[message.new]\ndoc = "N."\n'), [])

    def test_broken_lock_is_named(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write("{")
            file.flush()

            self.assertIn("is not JSON", check_lock(schema_of(sys=BASE), file.name).errors[0])


class Outputs(unittest.TestCase):
    def setUp(self):
        self.schema = schema_of(sys=BASE + TOPIC + REQUEST, http=ENDPOINT)

    def test_errors_are_those_of_the_library(self):
        text = (ROOT / "libcommon" / "err.c").read_text()

        rows = re.findall(r'= \{"(\w+)", (\d+),', text)

        self.assertEqual(list(ERRORS.items()), [(name, int(status)) for name, status in rows if name != "ok"])

    def test_structs_follow_what_they_embed(self):
        text = header(schema_of(a='[message.x]\ndoc = "X."\n[message.x.field]\n'
                                  'p = { type = "b.y[2]", doc = "P." }\n',
                                b='[message.y]\ndoc = "Y."\n'), "messages", True)

        self.assertLess(text.index("} b_y_t;"), text.index("b_y_t p[2];"))

    def test_words_of_c_keep_their_wire_name(self):
        schema = schema_of(sys=field('type = "u8", doc = "D."').replace("f =", "register ="))

        self.assertIn("uint8_t register_;", header(schema, "messages", True))
        self.assertIn('.name = "register"', source(schema, "messages"))

    def test_text_survives_as_a_c_literal(self):
        self.assertEqual(c_text('a"b\\c?ü\n'), '"a\\"b\\\\c\\?\\303\\274\\012"')

    def test_openapi_describes_every_part(self):
        api = openapi(self.schema, "1")
        operation = api["paths"]["/api/{name}"]["put"]
        name, limit = operation["parameters"]

        self.assertEqual((name["in"], name["required"], name["schema"]["examples"]), ("path", True, ["a"]))
        self.assertEqual((limit["in"], limit["required"], limit["schema"]["maximum"]), ("query", False, 100))
        self.assertTrue(operation["requestBody"]["required"])
        self.assertEqual(set(operation["responses"]), {"200", "401", "403", "404", "413", "422", "429", "500", "503", "504"})
        self.assertEqual(operation["security"], [{"bearer": []}])
        self.assertEqual(api["components"]["schemas"]["sys_point"]["required"], ["x", "colour", "name"])

    def test_openapi_describes_envelopes_and_parts(self):
        listed = ENDPOINT.replace('doc = "Sets."', 'envelope = "list"\nranges = true\ndoc = "Sets."')
        schema = schema_of(sys=BASE + TOPIC + REQUEST, http=listed)
        operation = openapi(schema, "1")["paths"]["/api/{name}"]["put"]
        page, bare = operation["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]

        self.assertEqual(schema.errors, [])
        self.assertEqual(operation["parameters"][-1]["name"], "envelope")
        self.assertEqual(page["properties"]["data"], bare)
        self.assertEqual(bare["items"], {"$ref": "#/components/schemas/sys_point"})
        self.assertLessEqual({"206", "304", "416"}, set(operation["responses"]))

    def test_openapi_says_what_is_not_built(self):
        schema = schema_of(sys=BASE, http='[endpoint]\n"GET /api/{id}" = { id = "later", tag = "sys", '
                                          'permission = "sys:read", built = false, doc = "Later." }\n')
        operation = openapi(schema, "1")["paths"]["/api/{id}"]["get"]

        self.assertEqual(schema.errors, [])
        self.assertEqual(set(operation["responses"]), {"401", "403", "429", "500", "501", "503", "504"})
        self.assertEqual([p["name"] for p in operation["parameters"]], ["id"])
        self.assertIn("| `GET /api/{id}` | sys:read |  |  | not built | 501 |", reference(schema, "1"))

    def test_asyncapi_and_drawing_name_who_talks_to_whom(self):
        api = asyncapi(self.schema, "1")

        self.assertEqual(api["channels"]["topic_sys"]["address"], "sys.{name}")
        self.assertEqual(api["operations"]["topic_sys_receive"]["x-consumers"], ["storage"])
        self.assertIn('"mapper" -> "storage" [label="sys"];', flow_dot(self.schema))
        self.assertIn("| `sys.{name}` | [sys.point](#syspoint) | stream |", reference(self.schema, "1"))

    def test_references_in_documents_lead_somewhere(self):
        for document in (openapi(self.schema, "1"), asyncapi(self.schema, "1")):
            for target in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
                node = document
                for part in target.split("/"):
                    self.assertIn(part, node)
                    node = node[part]

    def test_command_refuses_and_writes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            bad = Path(folder, "sys.toml")
            bad.write_text(field('type = "f32", doc = "D."'))
            run = subprocess.run([sys.executable, ROOT / "schemas/gen/gantry_gen.py", "--out", folder + "/out", bad],
                                 capture_output=True, text=True, check=False)

            self.assertEqual(run.returncode, 1)
            self.assertIn("sys.toml: [message.m] f: has no bound", run.stderr)
            self.assertFalse(Path(folder, "out").exists())

    def test_lock_command_writes_what_it_then_accepts(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "sys.toml").write_text(BASE)
            command = [sys.executable, ROOT / "schemas/gen/gantry_gen.py", "--lock-file", folder + "/lock.json",
                       folder + "/sys.toml"]

            self.assertEqual(subprocess.run([*command, "--lock"], check=False).returncode, 0)
            self.assertEqual(subprocess.run([*command, "--out", folder + "/out"], check=False).returncode, 0)
            self.assertEqual(len(list(Path(folder, "out").iterdir())), 10)

    def test_services_are_six(self):
        self.assertEqual(len(SERVICES), 6)

    def test_whoever_is_said_to_consume_a_topic_names_it(self):
        schema = check(load((ROOT / "schemas").glob("*.toml")))
        texts = {name: "\n".join(path.read_text() for path in (ROOT / "services" / name).rglob("*.c")) for name in SERVICES}
        false = [f"{topic.name}: {name}" for topic in schema.topics for name in topic.consumers
                 if not re.search(rf"\b{topic.macro}\b", texts[name])]

        self.assertEqual(false, [])


if __name__ == "__main__":
    unittest.main()
