"""What a schema says, as plain values: families, enums, messages, topics, requests, endpoints."""
import re
from dataclasses import dataclass, field as member

SERVICES = ["storage", "rs485-bridge", "sensor-processor", "localization", "mapper", "api-gateway"]

# Wire names of libcommon/err.c, in the order of gantry_err_t, with their HTTP status.
ERRORS = {
    "schema": 422, "invalid": 422, "refused": 400, "unauthenticated": 401, "forbidden": 403,
    "not_found": 404, "conflict": 409, "too_large": 413, "rate_limited": 429, "internal": 500,
    "not_implemented": 501, "unavailable": 503, "timeout": 504, "expired": 504, "device": 503,
}

KINDS = ["stream", "state", "event"]
LANES = ["normal", "safety"]
ENVELOPES = ["none", "object", "list", "array"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MAX_FIELDS = 128  # unpack.c marks the fields it has seen in this many bits
MAX_DEPTH = 8     # UNPACK_MAX_DEPTH

INTEGERS = {
    "u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1), "u64": (0, 2**64 - 1),
    "i32": (-2**31, 2**31 - 1), "i64": (-2**63, 2**63 - 1),
}
FLOATS = {"f32", "f64"}
FORMATS = {"json": ("text", "blob"), "time": ("u64",), "hex": ("u64",), "fraction": ("f64",)}
PROFILES = {"http": "ENDPOINT", "bench": "BENCH_ENDPOINT"}  # files with endpoints, one a listener, and the prefix of their names in C

C_TYPES = {
    "bool": "bool", "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
    "i32": "int32_t", "i64": "int64_t", "f32": "float", "f64": "double", "blob": "blob_t",
}
C_KEYWORDS = set("""auto break case char const continue default do double else enum extern float for
    goto if inline int long register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while bool true false errno stdin stdout stderr unix linux""".split())

_TYPE = re.compile(r"^(?:(text|blob)<(\d+)>|enum +([a-z][\w.]*)|([a-z][\w.]*))(?:\[(\d+)\])?$")


@dataclass
class Type:
    base: str            # bool u8 … text blob enum message
    text: str            # as written
    length: int = 0      # text and blob: most bytes
    count: int = 0       # array: most elements; 0 for a single value
    ref: str = ""        # enum and message: full name "family.name"


@dataclass
class Field:
    name: str
    type: Type
    doc: str = ""
    unit: str = ""
    min: float | None = None
    max: float | None = None
    min_len: int = 0
    optional: bool = False
    since: int = 0
    format: str = ""
    nullable: bool = False
    example: object = None

    @property
    def c(self):
        """Its name in C: a word of the language gets an underscore behind it."""
        return self.name + "_" if self.name in C_KEYWORDS else self.name


@dataclass
class Enum:
    name: str            # "robot.fsm_state"
    where: str           # "robot.toml: [enum.fsm_state]"
    doc: str
    values: list

    @property
    def c(self):
        return self.name.replace(".", "_")


@dataclass
class Message:
    name: str            # "sensor.scan"
    where: str
    doc: str
    setting: bool = False # storage keeps versions of it
    fields: list = member(default_factory=list)

    @property
    def c(self):
        return self.name.replace(".", "_")

    @property
    def desc(self):
        return self.c.upper() + "_DESC"

    def find(self, name):
        return next((f for f in self.fields if f.name == name), None)


@dataclass
class Topic:
    name: str            # the pattern
    where: str
    message: str
    producer: str
    consumers: list
    kind: str
    rate_hz: float
    durable: bool
    doc: str

    @property
    def prefix(self):
        return self.name.split("{")[0]

    @property
    def instanced(self):
        return "{" in self.name

    @property
    def macro(self):
        return "TOPIC_" + identifier(self.prefix.rstrip("."))


@dataclass
class Request:
    name: str
    where: str
    server: str
    takes: str
    gives: str
    errors: list
    timeout_ms: int
    lane: str
    doc: str

    @property
    def macro(self):
        return "REQUEST_" + identifier(self.name)


@dataclass
class Endpoint:
    name: str            # "POST /api/v1/…"
    where: str
    profile: str         # file it stands in: see PROFILES
    method: str
    path: str
    id: str
    tag: str
    permission: str
    params: str
    body: str
    example: dict         # of the body, beyond what its fields say
    body_optional: bool
    body_type: str        # of a body that is no described JSON; several apart by ", "
    answer: str
    answer_type: str      # of an answer that is no described JSON; several apart by ", "
    envelope: str         # what stands around `answer`: see ENVELOPES
    ranges: bool          # Range is understood
    conditional: bool     # has an ETag, and If-None-Match is understood
    versioned: bool       # has an ETag; what changes it understands If-Match
    status: int
    rate_exempt: bool     # the emergency stop: no limit of any kind
    ends_movement: bool   # no limit counts it
    errors: list
    built: bool           # False: stands in the API, answered 501
    doc: str
    about: str            # more than doc says, for the description

    @property
    def macro(self):
        return PROFILES[self.profile] + "_" + identifier(self.id)

    @property
    def path_parameters(self):
        return re.findall(r"{([^}]*)}", self.path)


@dataclass
class Socket:
    path: str
    where: str
    types: list           # frames subscribed on connect
    doc: str


@dataclass
class Frame:
    """What is said over a WebSocket."""
    name: str
    where: str
    sender: str           # server or client
    of: str               # what is subscribed for it; "": its name
    message: str          # of `data`; "": none
    fails: bool           # data may be an error instead
    bare: bool            # the message's fields stand beside `type`
    control: bool         # answers one client: no number, no priority
    permission: str       # that a subscription needs; "": not subscribed
    priority: int
    max_hz: float
    doc: str


@dataclass
class Schema:
    enums: dict = member(default_factory=dict)
    messages: dict = member(default_factory=dict)   # in dependency order after checking
    topics: list = member(default_factory=list)
    requests: list = member(default_factory=list)
    endpoints: list = member(default_factory=list)
    sockets: list = member(default_factory=list)
    frames: list = member(default_factory=list)
    errors: list = member(default_factory=list)     # what is wrong, as sentences

    def endpoints_of(self, profile):
        return [row for row in self.endpoints if row.profile == profile]

    def wrong(self, where, field, text):
        self.errors.append(f"{where} {field}: {text}" if field else f"{where}: {text}")


def identifier(text):
    return re.sub(r"\W", "_", text).upper()


def full_name(family, ref):
    return ref if not ref or "." in ref else f"{family}.{ref}"


def parse_type(family, text):
    """The type, or None when the text is none."""
    match = _TYPE.match(text) if isinstance(text, str) else None
    if not match:
        return None
    sized, length, enum, other, count = match.groups()
    count = int(count) if count is not None else 0
    if match.group(5) is not None and count < 1:
        return None
    if sized:
        return Type(sized, text, length=int(length), count=count) if int(length) else None
    if enum:
        return Type("enum", text, count=count, ref=full_name(family, enum))
    if other == "bool" or other in INTEGERS or other in FLOATS:
        return Type(other, text, count=count)
    if other in ("text", "blob"):
        return None
    return Type("message", text, count=count, ref=full_name(family, other))
