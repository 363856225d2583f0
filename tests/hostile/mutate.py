"""Ways to damage bytes, texts and JSON. Each takes a generator of random numbers: a seed gives the same damage."""

from __future__ import annotations

import json
import random
from typing import Any

# Fragments of JSON in place of a value.
FRAGMENTS = (
    *("NaN", "Infinity", "-1e999", "1e308", "-1", "0", "3.7", "9" * 5000, "-" + "9" * 400, "true", "null", "{}", "[]"),
    *('""', '" "', '"\\ud800"', '"\\u0000"', '"a\\nb"', '"../../../etc/passwd"', '"%s%n"', '"=1+1"', '"\u202e"'),
    *("[" * 5000, '{"a":' * 3000, "[" * 900 + "]" * 900, '{"a":1,"a":2}', "[[1, 2], [3]]", '"' + "x" * 200_000 + '"'),
)
TEXTS = (
    *(
        "",
        " ",
        "\0",
        "\x01\x02",
        "a" * 100_000,
        "€" * 1000,
        "\u202e\u0000",
        "e\u0301" * 5000,
        "𝔘𝔫𝔦" * 99,
        "\ufeff",
        "-1",
    ),
    *("nan", "inf", "1e999", "9" * 5000, "../../etc/passwd", "/dev/zero", "%s%s%n", "${HOME}", "=cmd|' /C calc'!A0"),
    *('"', "'", '""', "|", "||", "[]", "{}", "['a', 'b']", "<script>", "NULL", "None", "N/A", "true", "1_000", "٣"),
)


def flip(rng: random.Random, content: bytes) -> bytes:
    """Changes one to 40 bytes anywhere."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 3, 10, 40))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def truncate(rng: random.Random, content: bytes) -> bytes:
    """Cuts the end off."""
    return content[: rng.randrange(len(content))]


def splice(rng: random.Random, content: bytes) -> bytes:
    """Removes, repeats, blanks or fills a stretch."""
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.choice((1, 8, 100, 5000)))
    part = content[start:end]
    middle = rng.choice((b"", part * 3, bytes(len(part)), b"\xff" * len(part), rng.randbytes(len(part))))
    return content[:start] + middle + content[end:]


def damage(rng: random.Random, content: bytes) -> bytes:
    """One of the above, or nothing, or noise of the same length."""
    ways = (flip, flip, truncate, splice, splice, lambda rng, content: b"", lambda rng, content: rng.randbytes(2000))
    return rng.choice(ways)(rng, content) if content else rng.randbytes(100)


def damage_text(rng: random.Random, text: str) -> bytes:
    """Damages a text as a text: lines repeated, moved and cut, hostile words inserted, or saved in another encoding."""
    lines = text.splitlines(keepends=True) or [""]
    at = rng.randrange(len(lines))
    choice = rng.randrange(7)
    if choice == 0:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif choice == 1:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    elif choice == 2:
        rng.shuffle(lines)
    elif choice == 3:
        return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp037")))
    elif choice == 4:
        return damage(rng, text.encode())
    else:
        place = rng.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:place] + rng.choice(TEXTS) + lines[at][place:]
    return "".join(lines).encode("utf-8", "surrogatepass")


def damage_json(rng: random.Random, value: Any) -> bytes:
    """JSON in which one value or one key is replaced, taken away or repeated."""
    paths = list(_paths(value))
    path = rng.choice(paths)
    if not path or rng.random() < 0.1:
        return damage_text(rng, json.dumps(value, indent=1))
    copy = json.loads(json.dumps(value))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    choice = rng.random()
    if choice < 0.15:
        del parent[path[-1]]
    elif choice < 0.3 and isinstance(parent, dict):
        parent[rng.choice(TEXTS)[:1000]] = parent.pop(path[-1])
    else:
        parent[path[-1]] = "@@HOSTILE@@"
    text = json.dumps(copy).replace('"@@HOSTILE@@"', rng.choice(FRAGMENTS))
    return text.encode("utf-8", "surrogatepass")


def _paths(value: Any, path: tuple = ()) -> Any:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _paths(inner, (*path, key))
