"""The house's own rules, read from the sources: who may include what, how long a file or a function may be, which
calls are not made. Run by `./scripts/test`, or: python3 -m unittest discover -s tests/check"""
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("libcommon", "services", "tools", "tests")
SERVICES = ("rs485-bridge", "sensor-processor", "localization", "mapper", "storage", "api-gateway")

# Third-party header -> files (or folders, with a trailing slash) that may include it.
THIRD_PARTY = {
    "zmq.h": ["libcommon/frame", "libcommon/bus", "libcommon/rpc", "libcommon/service", "libcommon/parts.h",
              "tests/component/"],
    "msgpack.h": ["libcommon/pack", "libcommon/unpack", "tests/"],
    "jansson.h": ["libcommon/json", "services/rs485-bridge/line/profile_", "tests/"],
    "modbus.h": ["services/rs485-bridge/line/", "tools/sim/", "tests/"],
    "modbus/modbus.h": ["services/rs485-bridge/line/", "tools/sim/", "tests/"],
    "microhttpd.h": ["services/api-gateway/http"],
    "gnutls/": ["services/api-gateway/http_internal", "services/api-gateway/http_tls"],
    "wslay/wslay.h": ["services/api-gateway/ws_socket"],
    "sqlite3.h": ["services/storage/db/db_sqlite", "services/storage/db/bulk_sqlite", "libcommon/outbox", "tests/"],
    "libpq-fe.h": ["services/storage/db/db_pg", "services/storage/db/bulk_pg", "tests/"],
    "zstd.h": ["services/storage/series/chunk", "tests/"],
    "crypt.h": ["services/api-gateway/password"],
    "png.h": ["libcommon/slam/map_image", "tests/unit/slam/"],
    "suitesparse/": ["libcommon/slam/block_structure"],
    "zlib.h": ["services/api-gateway/gzip", "tests/unit/gateway/test_gzip", "libcommon/slam/carmen_file",
               "tools/gantry/path_file", "tests/unit/slam/", "tests/unit/sim/",
               "tests/bench/fusion_truth", "services/api-gateway/ws_deflate"],
    "openssl/": ["services/api-gateway/auth", "services/api-gateway/http_upgrade", "services/storage/digest",
                 "services/storage/seal", "tests/unit/gateway/",
                 "tests/unit/storage/"],
    "criterion/": ["tests/"],
}
# What a pure core may include from libcommon.
CORE_HEADERS = {"gantry/err.h", "gantry/geom.h", "gantry/ring.h", "gantry/buf.h"}
# Folders that are cores as a whole; other cores stand beside the glue of their service.
CORE_FOLDERS = ("libcommon/slam/", "services/sensor-processor/signal/", "services/sensor-processor/scan/",
                "services/rs485-bridge/robot/", "services/storage/series/")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|atoi|atof|alloca)\s*\(")
SLEEP = re.compile(r"\b(sleep|usleep|nanosleep|clock_nanosleep)\s*\(")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def sources(*suffixes):
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts:
                yield path, path.relative_to(ROOT).as_posix()


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


class Layers(unittest.TestCase):
    def test_third_party_headers_stay_in_their_files(self):
        wrong = []
        for path, name in sources(".c", ".h"):
            for _, header in INCLUDE.findall(path.read_text()):
                for key, allowed in THIRD_PARTY.items():
                    hit = header.startswith(key) if key.endswith("/") else header == key
                    if hit and not any(name.startswith(prefix) for prefix in allowed):
                        wrong.append(f"{name} includes <{header}>")
        self.assertEqual(wrong, [])

    def test_services_do_not_include_one_another(self):
        wrong = []
        for path, name in sources(".c", ".h"):
            for _, header in INCLUDE.findall(path.read_text()):
                if ".." in header.split("/"):
                    wrong.append(f"{name} includes {header}")
                if name.startswith("services/") and header.startswith(tuple(s + "/" for s in SERVICES)):
                    wrong.append(f"{name} includes {header}")
        self.assertEqual(wrong, [])

    def test_cores_know_nothing_of_messages_sockets_clocks_and_logs(self):
        wrong = []
        for path, name in sources(".c", ".h"):
            if not name.startswith(CORE_FOLDERS):
                continue
            for _, header in INCLUDE.findall(path.read_text()):
                is_common = header.startswith("gantry/") and not header.startswith("gantry/slam/")
                if header == "messages.h" or (is_common and header not in CORE_HEADERS):
                    wrong.append(f"{name} includes <{header}>")
        self.assertEqual(wrong, [])

    def test_only_config_reads_the_environment(self):
        wrong = [name for path, name in sources(".c")
                 if not name.startswith("tests/") and name != "libcommon/config.c"
                 and re.search(r"\b(secure_)?getenv\s*\(", without_comments(path.read_text()))]
        self.assertEqual(wrong, [])


class Sizes(unittest.TestCase):
    def test_files_are_short(self):
        long = [f"{name}: {n} lines" for path, name in sources(".c", ".h", ".py")
                if (n := len(path.read_text().splitlines())) >= 400]
        long += [f"{p.relative_to(ROOT)}: {n} lines" for p in (ROOT / "schemas/gen").glob("*.py")
                 if (n := len(p.read_text().splitlines())) >= 400]
        self.assertEqual(long, [])

    def test_main_is_a_line_or_two(self):
        long = [name for path, name in sources(".c")
                if path.name == "main.c" and len(path.read_text().splitlines()) > 20]
        self.assertEqual(long, [])

    def test_functions_are_short(self):
        self.assertIsNotNone(shutil.which("ctags"), "install universal-ctags")
        files = [str(path) for path, _ in sources(".c")]
        tags = subprocess.run(["ctags", "--fields=+ne", "--c-kinds=f", "-f", "-", *files], check=True,
                              capture_output=True, text=True).stdout
        long = []
        for tag in tags.splitlines():
            at = {k: int(v) for k, v in re.findall(r"\t(line|end):(\d+)", tag)}
            lines = at.get("end", 0) - at.get("line", 0) + 1
            if lines > 60:
                name, path = tag.split("\t")[:2]
                long.append(f"{pathlib.Path(path).relative_to(ROOT)}: {name} has {lines} lines")
        self.assertEqual(long, [])


class Calls(unittest.TestCase):
    def check(self, pattern, skip=()):
        wrong = []
        for path, name in sources(".c", ".h"):
            if name.startswith(tuple(skip)):
                continue
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
                if pattern.search(line):
                    wrong.append(f"{name}:{number}: {line.strip()}")
        self.assertEqual(wrong, [])

    def test_no_unsafe_calls(self):
        self.check(BANNED)

    def test_nobody_sleeps_outside_the_simulator(self):
        self.check(SLEEP, skip=["tools/sim/"])

    def test_nothing_is_marked_unfinished(self):
        wrong = [name for path, name in sources(".c", ".h", ".py")
                 if path != pathlib.Path(__file__).resolve() and UNFINISHED.search(path.read_text())]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
