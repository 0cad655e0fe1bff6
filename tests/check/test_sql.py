"""The SQL of storage, read from its sources: what both back ends share is prepared by both, on the tables of its
migrations; what the storage page does not allow is not there."""
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORAGE = ROOT / "services/storage"
sys.path.insert(0, str(ROOT / "tests"))
from pg_cluster import Cluster  # noqa: E402

# A statement that asks an engine's own catalogue is for that engine alone, as is the bulk path of readings.
ONLY = {"sqlite": re.compile(r"\b(sqlite|pragma)_|^INSERT OR IGNORE INTO reading \("), "pg": re.compile(r"\bpg_|\bto_regclass\b")}
LITERALS = re.compile(r'"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*')
STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b.*\b(FROM|INTO|SET|coalesce)\b", re.S)
# Words of one engine, or such as a distributed one lacks (docs/storage.md).
FORBIDDEN = re.compile(
    r"\b(SERIAL|BIGSERIAL|AUTOINCREMENT|IDENTITY|ROWID|OID|CTID|LISTEN|NOTIFY|TRIGGER|GLOB|REGEXP|IFNULL|NULLS"
    r"|PRAGMA|STRFTIME|DATETIME|JULIANDAY|GROUP_CONCAT|STRING_AGG|TABLESAMPLE|ONLY|ILIKE|SIMILAR|LATERAL|DISTINCT\s+ON"
    r"|INSERT\s+OR|REPLACE\s+INTO|FOR\s+UPDATE|PG_ADVISORY\w*|JSONB?_\w+|LAST_INSERT_ROWID|CHANGES)\b|::|\bLIMIT\s+[^\s)]+\s*,", re.I)
PG_FORBIDDEN = re.compile(r"\b(SERIAL|BIGSERIAL|IDENTITY|TRIGGER|FUNCTION|EXTENSION|GIST|GIN|LISTEN|NOTIFY|RULE|UNLOGGED|ENUM"
                          r"|PARTITION|BRIN)\b", re.I)
TYPES = {"INTEGER": "bigint", "REAL": "double precision", "TEXT": "text", "BLOB": "bytea", "BIGINT": "bigint"}


def expanded(folder):
    """Every C file of storage with its own macros expanded; foreign headers are left out."""
    copy = pathlib.Path(folder) / "storage"
    shutil.copytree(STORAGE, copy)
    for path in [*copy.rglob("*.[ch]")]:
        path.write_text(re.sub(r"^\s*#\s*include\s+<[^\n]*", "", path.read_text(), flags=re.M))
    folders = [f"-I{path}" for path in [copy, *copy.iterdir()] if path.is_dir()]
    for path in sorted(copy.rglob("*.c")):
        text = subprocess.run(["cc", "-E", "-P", "-w", *folders, str(path)], check=True, capture_output=True, text=True).stdout
        yield path.relative_to(copy).as_posix(), text


def statements(folder):
    """(file, statement), each once; texts with a % are made at run time."""
    for name, text in expanded(folder):
        seen = set()
        for match in LITERALS.finditer(text):
            parts = re.findall(r'"((?:\\.|[^"\\\n])*)"', match.group())
            sql = "".join(parts).replace('\\"', '"').strip()
            if STATEMENT.match(sql) and "%" not in sql and sql not in seen:
                seen.add(sql)
                yield name, sql


def shared(sql):
    return not any(only.search(sql) for only in ONLY.values())


def numbered(sql, sign):
    """Bare parameters get their number; returns the text and how many there are."""
    highest = 0

    def number(match):
        nonlocal highest
        if match.group(0)[0] == "'":
            return match.group(0)
        given = int(match.group(1)) if match.group(1) else highest + 1
        highest = max(highest, given)
        return f"{sign}{given}"
    return re.sub(r"'[^']*'|\?(\d*)", number, sql), highest


def migrations(kind):
    return sorted((STORAGE / "sql" / kind).glob("*.sql"))


class Dialect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="gantry_sql_")
        cls.all = list(statements(cls.folder.name))
        cls.sqlite = sqlite3.connect(":memory:")
        cls.sqlite.execute("CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT, checksum TEXT, applied BIGINT)")
        for path in migrations("sqlite"):
            cls.sqlite.executescript(path.read_text())
        cls.cluster = Cluster(tempfile.mkdtemp(prefix="gantry_pg_"))
        cls.cluster.start()
        cls.psql("CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT, checksum TEXT, applied BIGINT)")
        for path in migrations("pg"):
            cls.psql(path.read_text())

    @classmethod
    def tearDownClass(cls):
        cls.cluster.remove()
        cls.sqlite.close()
        cls.folder.cleanup()

    @classmethod
    def psql(cls, text, *options, check=True):
        done = subprocess.run(["psql", "-X", "-q", "-At", *(["-v", "ON_ERROR_STOP=1"] if check else []), *options, cls.cluster.dsn],
                              input=text, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(done.stderr)
        return done

    def test_finds_the_statements(self):
        self.assertGreater(len(self.all), 100)
        self.assertGreater(len({name for name, _ in self.all}), 12)

    def test_uses_no_word_of_one_engine_alone(self):
        wrong = [f"{name}: {found.group()} in {sql}" for name, sql in self.all
                 if shared(sql) and (found := FORBIDDEN.search(re.sub(r"'[^']*'", "''", sql)))]
        wrong += [f"{name}: two-argument {found.group(1)} in {sql}" for name, sql in self.all
                  if shared(sql) and (found := re.search(r"\b(min|max)\s*\([^()]*,", sql, re.I))]
        self.assertEqual(wrong, [])

    def test_sqlite_prepares_what_both_share(self):
        wrong = []
        for name, sql in self.all:
            if ONLY["pg"].search(sql):
                continue
            text, count = numbered(sql, "?")
            try:
                self.sqlite.execute("EXPLAIN " + text, [None] * count)
            except sqlite3.Error as error:
                wrong.append(f"{name}: {error}: {sql}")
        self.assertEqual(wrong, [])

    def test_postgresql_prepares_what_both_share(self):
        rows = [(name, sql) for name, sql in self.all if not ONLY["sqlite"].search(sql)]
        script = "".join(f"PREPARE s{i} AS {numbered(sql, '$')[0]};\n" for i, (_, sql) in enumerate(rows))
        done = self.psql("\\set VERBOSITY terse\n" + script, "-f", "-", check=False)
        wrong = []
        for line in done.stderr.splitlines():
            at = re.match(r".*?:(\d+): ERROR:\s*(.*)", line)
            name, sql = rows[int(at.group(1)) - 2] if at else ("", line)
            wrong.append(f"{name}: {at.group(2) if at else ''}: {sql}")
        self.assertEqual(wrong, [])

    def test_migrations_of_postgresql_ask_for_nothing_that_its_relatives_lack(self):
        wrong = []
        for path in migrations("pg"):
            text = path.read_text()
            if not text.startswith("-- Optional:"):
                wrong += [f"{path.name}: {word}" for word in PG_FORBIDDEN.findall(re.sub(r"--[^\n]*|'[^']*'", "", text))]
        self.assertEqual(wrong, [])

    def columns_of_sqlite(self):
        tables = self.sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {(table, name, TYPES[kind], bool(needed or key))
                for (table,) in tables.fetchall()
                for name, kind, needed, key in self.sqlite.execute(
                    'SELECT name, type, "notnull", pk FROM pragma_table_info(?)', [table])}

    def columns_of_postgresql(self):
        rows = self.psql("SELECT c.table_name, column_name, data_type, is_nullable FROM information_schema.columns c JOIN"
                         " information_schema.tables t ON t.table_name = c.table_name WHERE c.table_schema = 'public' AND"
                         " table_type = 'BASE TABLE' AND c.table_name NOT LIKE 'reading\\_%' OR c.table_name = 'reading_chunk'").stdout
        return {(table, name, kind, null == "NO") for table, name, kind, null in (row.split("|") for row in rows.splitlines())}

    def test_both_have_the_same_tables_and_columns(self):
        self.assertEqual(sorted(self.columns_of_sqlite() ^ self.columns_of_postgresql()), [])

    def test_both_have_the_same_views(self):
        names = [name for (name,) in self.sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
        self.assertEqual(len(names), 9)
        for view in names:
            ours = [name for (name,) in self.sqlite.execute("SELECT name FROM pragma_table_info(?)", [view])]
            theirs = self.psql(f"SELECT column_name FROM information_schema.columns WHERE table_name = '{view}'"
                               " ORDER BY ordinal_position").stdout.splitlines()
            self.assertEqual(ours, theirs, view)


if __name__ == "__main__":
    unittest.main()
