"""The requests whose answers are kept as golden files, in groups; one file is one group.

Known limit: depth cases stay away from the reference's exact limit, which moves with the stack.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

# isort: split
from values import BROKEN_JSON, FIELD_NAMES, MEDIA_TYPES, TEXTS, TOKENS

JSON = "application/json"
DOCS = "https://errors.pydantic.dev/2.5/v/"

Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Wanted:
    """What the project answers instead: as the reference to another body, or errors by value."""

    why: str
    same_as_body: bytes | None = None
    status: int = 422
    body: str = ""


@dataclass(frozen=True)
class Case:
    """One request; a body of parts is each text repeated, joined."""

    name: str
    body: bytes | Parts = b""
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": JSON})
    method: str = "POST"
    path: str = "/upload_features"
    wanted: Wanted | None = None


MESSAGES = {
    "finite_number": "Input should be a finite number",
    "int_from_float": "Input should be a valid integer, got a number with a fractional part",
    "int_parsing": "Input should be a valid integer, unable to parse string as an integer",
    "float_parsing": "Input should be a valid number, unable to parse string as a number",
    "string_type": "Input should be a valid string",
    "int_type": "Input should be a valid integer",
    "float_type": "Input should be a valid number",
    "model_attributes_type": ("Input should be a valid dictionary or object to extract fields from"),
}

NULL = "null is a missing answer, as an absent field is"
FINITE = "numbers that are not finite are refused"
ECHO = "the reference fails with 500 while it writes the error; a clear 422 stands instead"

FIELD_OF_TYPE = {"string": "position", "integer": "gender", "number": "monthprofit"}


def error(kind: str, loc: str, echo: str) -> str:
    """Text of one error; `echo` is JSON, `loc` is JSON without its brackets."""
    message = MESSAGES[kind]
    head = f'"type":"{kind}","loc":[{loc}],"msg":"{message}","input":{echo}'
    return f'{{{head},"url":"{DOCS}{kind}"}}'


def errors(why: str, *details: str) -> Wanted:
    """A wanted answer of 422 with these errors."""
    return Wanted(why, body='{"detail":[' + ",".join(details) + "]}")


NOT_FINITE_TEXTS = {"nan", "-nan", "inf", "-inf", "infinity", "1e999", "-1e999"}
NOT_FINITE_TOKENS = {"1e999", "-1e999", "NaN", "Infinity", "-Infinity"}
OVERFLOWING_TEXTS = {
    "9" * 4300,
    "9" * 4301,
    "1" + "0" * 400,
    "1_" * 2149 + "1",
    "1_" * 2150 + "1",
}


def escaped(text: str) -> str:
    """JSON string with every character outside printable ASCII escaped by its UTF-16 units."""
    raw = text.encode("utf-16-be", "surrogatepass")
    units = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
    plain = set(range(0x20, 0x7F)) - {0x22, 0x5C}
    return '"' + "".join(chr(u) if u in plain else f"\\u{u:04x}" for u in units) + '"'


def shown(text: str) -> str:
    """A name for a value: long ones are cut."""
    return text if len(text) <= 40 else f"{text[:24]}... ({len(text)} characters)"


def wanted_value(kind: str, token: str, text: str | None) -> Wanted | None:
    """The wanted difference for one value of one type, if there is one."""
    loc = f'"body","{FIELD_OF_TYPE[kind]}"'
    if token == "null":
        return Wanted(NULL, same_as_body=b"{}")
    if token in NOT_FINITE_TOKENS:
        if kind == "string":
            return errors(ECHO, error("string_type", loc, "null"))
        why = FINITE if kind == "number" else ECHO
        return errors(why, error("finite_number", loc, "null"))
    overflows = text is not None and (text.lower() in NOT_FINITE_TEXTS or text in OVERFLOWING_TEXTS)
    if kind == "number" and overflows:
        return errors(FINITE, error("finite_number", loc, token))
    return None


def value_cases(kind: str) -> Iterator[Case]:
    """Every value in the one field of a type."""
    name = FIELD_OF_TYPE[kind]
    values: list[tuple[str, str | None]] = [(token, None) for token in TOKENS]
    values += [(escaped(text), text) for text in TEXTS]
    for token, text in values:
        body = f'{{"{name}":{token}}}'.encode()
        wanted = wanted_value(kind, token, text)
        yield Case(f"{kind} from {shown(token)}", body, wanted=wanted)


def several_cases() -> Iterator[Case]:
    """Surrogates, several fields at once, and whole good questionnaires."""
    yield Case("lone surrogate in a string", b'{"position":"a\\ud800b"}')
    yield Case("lone low surrogate in a string", b'{"position":"\\udc00"}')
    yield Case("escaped surrogate pair", b'{"position":"\\ud83d\\ude00"}')
    yield Case("surrogate as UTF-8 bytes", b'{"position":"\xed\xa0\x80"}')
    yield Case("surrogate as UTF-8 bytes, ignored", b'{"x":"\xed\xbf\xbf \xd0\xaf"}')
    lone = (("integer", "int_parsing"), ("number", "float_parsing"))
    for kind, code in lone:
        name = FIELD_OF_TYPE[kind]
        detail = error(code, f'"body","{name}"', '"\\ud800"')
        yield Case(
            f"lone surrogate for {kind}",
            f'{{"{name}":"\\ud800"}}'.encode(),
            wanted=errors(ECHO, detail),
        )
    detail = error("string_type", '"body","value"', '["\\udfff"]')
    yield Case("lone surrogate echoed", b'{"value":["\\udfff"]}', wanted=errors(ECHO, detail))
    good = (
        '"birthdate": "1988-07-21 00:00:00.0000000", "education": "Высшее - специалист",'
        '"employment_status": "Работаю по найму полный рабочий день\\\\/служу",'
        '"value": "9 - 10 лет", "jobstartdate": "2013-09-01 00:00:00.0000000",'
        '"position": "начальник п", "monthprofit": 180000.0, "monthexpense": 100000.0,'
        '"gender": 0, "family_status": "Никогда в браке не состоял(а)", "childcount": 0,'
        '"snils": 0, "merch_code": 77, "loan_amount": 137000.0, "loan_term": 18.0,'
        '"goods_category": "Furniture"'
    )
    yield Case("the documented questionnaire", f"{{{good}}}".encode())
    yield Case("slash escape", b'{"employment_status":"a\\/b\\\\/c"}')
    yield Case("unknown fields are ignored", f'{{"x":1,{good},"y":{{"z":[1]}}}}'.encode())
    yield Case("another order of fields", b'{"goods_category":"Tv","birthdate":"x"}')
    yield Case("documented, coerced", b'{"monthprofit":180000,"gender":"0","loan_term":"18"}')
    yield Case("duplicate keys, last good", b'{"gender":"x","gender":1}')
    yield Case("duplicate keys, last bad", b'{"gender":1,"gender":"x"}')
    yield Case("documented error", b'{"goods_category":120}')
    yield Case("empty object", b"{}")
    yield Case("__proto__ key", b'{"__proto__":{"gender":1},"constructor":2,"gender":0}')
    yield Case("escaped key", b'{"gend\\u0065r":"x"}')
    yield Case("errors come in field order", b'{"goods_category":1,"gender":"x","birthdate":2}')
    all_bad = ",".join(f'"{name}":[]' for name in reversed(FIELD_NAMES))
    yield Case("every field is wrong", f"{{{all_bad}}}".encode())
    mixed = '{"snils":1.5,"loan_term":"1,5","position":null,"monthprofit":NaN,"value":{"a":1e16}}'
    details = (
        error("string_type", '"body","value"', '{"a":1e+16}'),
        error("finite_number", '"body","monthprofit"', "null"),
        error("int_from_float", '"body","snils"', "1.5"),
        error("float_parsing", '"body","loan_term"', '"1,5"'),
    )
    yield Case("mixed errors", mixed.encode(), wanted=errors(FINITE, *details))


def syntax_cases() -> Iterator[Case]:
    """Text that is not JSON: alone, then after characters of two and four bytes."""
    for text in BROKEN_JSON:
        yield Case(f"broken {text!r}", text.encode())
        nested = f'{{"имя😀":"Ё𝄞\\u0416","b":{text}'
        yield Case(f"broken, nested {text!r}", nested.encode())


def body_cases() -> Iterator[Case]:
    """Whole bodies: kinds of value, encodings, depth and limits."""
    for text in (
        "",
        "null",
        " null ",
        "[]",
        '[{"gender":1}]',
        '"x"',
        "1",
        "1.0",
        "true",
        "0",
        '""',
    ):
        yield Case(f"body {text!r}", text.encode())
    yield Case("body 1e16", b"1e16")
    echo = error("model_attributes_type", '"body"', "[null,1]")
    yield Case("body [NaN,1]", b"[NaN,1]", wanted=errors(ECHO, echo))
    echo = error("model_attributes_type", '"body"', '"\\ud800"')
    yield Case("body lone surrogate", b'"\\ud800"', wanted=errors(ECHO, echo))
    text = '{"position":"начальник 😀"}'
    for encoding in (
        "utf-8-sig",
        "utf-16",
        "utf-32",
        "utf-16-le",
        "utf-16-be",
        "utf-32-le",
        "utf-32-be",
    ):
        yield Case(f"encoded as {encoding}", text.encode(encoding))
        yield Case(f"encoded as {encoding}, cut", text.encode(encoding)[:-1])
        yield Case(f"encoded as {encoding}, broken", ("[" + text + "x").encode(encoding))
    yield Case("UTF-16 with a big-endian mark", b"\xfe\xff" + text.encode("utf-16-be"))
    yield Case("UTF-32 with a big-endian mark", b"\0\0\xfe\xff" + text.encode("utf-32-be"))
    yield Case("UTF-16, lone surrogate", b'\xff\xfe"\x00\x00\xd8"\x00x\x00')
    yield Case("UTF-32, no code point", b"\xff\xfe\0\0\0\0\x11\0")
    for number in ("1", "12", "123"):
        yield Case(f"{number} in UTF-16", number.encode("utf-16-le"))
    for raw in (
        b"\xff",
        b'{"position":"\xff"}',
        b'{"position":"\xd0"}',
        b'{"x":"\xc0\x80"}',
    ):
        yield Case(f"not UTF-8 {raw!r}", raw)
    yield Case("not UTF-8, cut surrogate", b'{"x":"\xed\xa0"}')
    yield Case("not UTF-8, beyond Unicode", b'{"x":"\xf4\x90\x80\x80"}')
    yield Case("not UTF-8, after a surrogate", b'{"x":"\xed\xa0\x80\xff"}')
    for depth in (100, 900, 1100, 100_000):
        ignored: Parts = (('{"x":', 1), ("[", depth), ("]", depth), ("}", 1))
        yield Case(f"{depth} lists in an ignored field", ignored)
        yield Case(f"{depth} open lists", (("[", depth),))
        yield Case(f"{depth} open objects", (('{"a":', depth),))
    yield Case("100 lists echoed", (('{"value":', 1), ("[", 100), ("]", 100), ("}", 1)))
    yield Case("100 objects echoed", (('{"value":', 1), ('{"a":', 100), ("1", 1), ("}", 101)))
    yield Case("too long integer, ignored", (('{"x":', 1), ("1", 4301), ("}", 1)))
    yield Case("too long integer, then an error", (('{"x":', 1), ("1", 4301), ("]", 1)))
    yield Case("error, then a too long integer", (('{"x":]', 1), ("1", 4301), ("}", 1)))
    yield Case("long fraction, ignored", (('{"x":0.', 1), ("1", 5000), ("}", 1)))


def media_cases() -> Iterator[Case]:
    """Content types, each with a body that is JSON."""
    for media in MEDIA_TYPES:
        headers = {"content-type": media}
        yield Case(f"media type {media!r}", '{"value":"Ё"}'.encode(), headers)
        yield Case(f"media type {media!r}, empty body", b"", headers)
    yield Case("no media type", b'{"value":"x"}', {})
    yield Case("no media type, broken", b"value=x", {})
    yield Case("no media type, empty body", b"", {})
    form = {"content-type": "application/x-www-form-urlencoded"}
    yield Case("form", 'gender=1&value=Ё"\\\x01'.encode(), form)
    echo = error("model_attributes_type", '"body"', '"\ufffdx"')
    plain = {"content-type": "text/plain"}
    yield Case("text/plain, not UTF-8", b"\xffx", plain, wanted=errors(ECHO, echo))
    yield Case("text/plain, null", b"null", plain)
    yield Case("text/plain, byte order mark", b"\xef\xbb\xbf{}", plain)


def query_cases() -> Iterator[Case]:
    """Both readers of a task: the query is missing, empty, repeated or names no task."""
    for path in ("/check_task", "/get_result"):
        for query in (
            *(
                "",
                "?",
                "?task_id=",
                "?task_id",
                "?task=x",
                "?TASK_ID=x",
                "?task_id=nope",
            ),
            *(
                "?task_id=a&task_id=b",
                "?task_id=&x=1",
                "?x=1&task_id=%D0%AF",
                "?a=task_id",
                "?%74ask_id=x",
            ),
        ):
            yield Case(f"GET {path}{query}", b"", {}, "GET", path + query)


def groups() -> dict[str, list[Case]]:
    """Cases by the name of their golden file."""
    return {
        **{kind: list(value_cases(kind)) for kind in FIELD_OF_TYPE},
        "several": list(several_cases()),
        "syntax": list(syntax_cases()),
        "body": list(body_cases()),
        "media": list(media_cases()),
        "query": list(query_cases()),
    }
