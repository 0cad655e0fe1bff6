"""MESSAGES.md, the reference, and flow.dot, the drawing of who talks to whom."""
from model import SERVICES


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def _anchor(name):
    return f"[{name}](#{name.replace('.', '')})"


def reference(schema, version):
    out = [f"# Messages of Gantry {version}\n", "Generated from `schemas/`.\n", "## Flow\n", _mermaid(schema)]
    out += _topics(schema) + _requests(schema) + _endpoints(schema)
    out.append("## Messages\n")
    for message in schema.messages.values():
        out += _message(schema, message)
    out.append("## Enums\n")
    for enum in schema.enums.values():
        values = ", ".join(f"`{value}`" for value in enum.values)
        out.append(f"### {enum.name}\n\n{enum.doc}\n\n{values}\n")
    return "\n".join(out)


def _topics(schema):
    out = ["## Topics\n", "| topic | message | kind | Hz | durable | producer | consumers | meaning |",
           "|---|---|---|---|---|---|---|---|"]
    for t in schema.topics:
        rate = f"{t.rate_hz:g}" if t.rate_hz else "irregular"
        out.append(f"| `{t.name}` | {_anchor(t.message)} | {t.kind} | {rate} | {'yes' if t.durable else 'no'} "
                   f"| {_who(t.producer)} | {', '.join(map(_who, t.consumers))} | {_cell(t.doc)} |")
    return out + [""]


def _who(name):
    return "every service" if name == "*" else name


def _requests(schema):
    out = ["## Requests\n", "| request | server | takes | gives | errors | timeout ms | lane | meaning |",
           "|---|---|---|---|---|---|---|---|"]
    for r in schema.requests:
        out.append(f"| `{r.name}` | {_who(r.server)} | {_anchor(r.takes)} | {_anchor(r.gives)} "
                   f"| {', '.join(r.errors)} | {r.timeout_ms} | {r.lane} | {_cell(r.doc)} |")
    return out + [""]


def _endpoints(schema):
    return _routes("Endpoints", schema.endpoints_of("http")) + \
        _routes("Endpoints of the test-bench profile", schema.endpoints_of("bench"))


def _routes(title, rows):
    out = [f"## {title}\n", "| route | permission | params | body | answer | status | meaning |",
           "|---|---|---|---|---|---|---|"]
    for e in rows:
        links = [_anchor(name) if name else "" for name in (e.params, e.body, e.answer)]
        answer = (links[2] or e.answer_type) if e.built else "not built"
        answer = {"none": "", "array": "array of ", "object": "data: ", "list": "list of "}[e.envelope] + answer
        status = e.status if e.built else 501
        out.append(f"| `{e.name}` | {e.permission} | {links[0]} | {links[1]} | {answer} | {status} "
                   f"| {_cell(e.doc)} |")
    return out + [""]


def _message(schema, message):
    out = [f"### {message.name}\n", message.doc + "\n"]
    if not message.fields:
        return out + ["No fields.\n"]
    out += ["| field | type | bounds | unit | meaning |", "|---|---|---|---|---|"]
    for f in message.fields:
        notes = [note for note in (
            "optional" if f.optional else "", f"since {f.since}" if f.since else "", f.format) if note]
        type_ = f"`{f.type.text}`" + (f" ({', '.join(notes)})" if notes else "")
        out.append(f"| `{f.name}` | {type_} | {_bounds(f)} | {f.unit} | {_cell(f.doc)} |")
    return out + [""]


def _bounds(field):
    if field.min_len:
        return f"{field.min_len} to {field.type.length} bytes"
    if field.min is None and field.max is None:
        return ""
    low = "" if field.min is None else f"{field.min:g}"
    high = "" if field.max is None else f"{field.max:g}"
    return f"{low} to {high}".strip() if low else f"at most {high}"


def _edges(schema):
    """(producer, consumer) → topic prefixes; topics of every service are drawn from one node."""
    edges = {}
    for topic in schema.topics:
        for consumer in topic.consumers:
            edges.setdefault((_who(topic.producer), _who(consumer)), []).append(topic.prefix.rstrip("."))
    return edges


def _nodes(schema):
    names = {name for pair in _edges(schema) for name in pair}
    return [name for name in [*SERVICES, "every service"] if name in names]


def flow_dot(schema):
    out = ["digraph gantry {", "  rankdir=LR;", "  node [shape=box, fontname=sans];", "  edge [fontname=sans, fontsize=10];"]
    out += [f'  "{name}";' for name in _nodes(schema)]
    for (producer, consumer), topics in _edges(schema).items():
        label = "\\n".join(topics)
        out.append(f'  "{producer}" -> "{consumer}" [label="{label}"];')
    return "\n".join(out + ["}"]) + "\n"


def _mermaid(schema):
    ids = {name: f"n{i}" for i, name in enumerate(_nodes(schema))}
    out = ["```mermaid", "flowchart LR"] + [f'  {id_}["{name}"]' for name, id_ in ids.items()]
    for (producer, consumer), topics in _edges(schema).items():
        out.append(f'  {ids[producer]} -- "{"<br>".join(topics)}" --> {ids[consumer]}')
    return "\n".join(out + ["```"]) + "\n"
