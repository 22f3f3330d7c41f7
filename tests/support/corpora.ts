/** What is sent to break a service: texts, numbers as JSON writes them, and whole bodies. */

/** Each is a string of JavaScript, some of them no valid Unicode. */
export const TEXTS: readonly string[] = [
  ...[
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\uFEFF",
    "\uFEFF1988-07-21",
    "\u202Eabc",
    "\u2028",
    "\r\nX-A: 1",
  ],
  ...["\uD800", "\uDFFF\uD800", "a\uDC00b", "\u{1D4B3}".repeat(100), "e\u0301", "\u0130", "\uFFFF"],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__defineGetter__"],
  ...["'; DROP TABLE tasks; --", '" OR "1"="1', "1); DELETE FROM results; --", "%' ESCAPE '\\"],
  ...["../../etc/passwd", "%00", "%2e%2e%2f", "${7*7}", "{{7*7}}", "<script>alert(1)</script>"],
  ...[
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "0x10",
    "9".repeat(400),
    "null",
    "NULL",
    "undefined",
    "true",
  ],
  ...["a".repeat(10_000), "=1+1", "@SUM(A1)", "app_0@shop", ";,\t\"'\\"],
];

/** JSON's own writing: JavaScript could not hold all of them. */
export const NUMBERS: readonly string[] = [
  ...["-0", "0.1", "1e308", "1e309", "-1e999", "5e-324", "1E+2", "0.30000000000000004"],
  ...["9007199254740992", "9007199254740993", "-9223372036854775809", "18446744073709551616"],
  ...["9".repeat(400), `1${"0".repeat(5000)}`, `0.${"0".repeat(5000)}1`],
];

const encoder = new TextEncoder();

/** Members that would change every object where a body is copied without care. */
export const POLLUTIONS: readonly string[] = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"answers":{"__proto__":{"polluted":true}}}',
  '{"answers":{"constructor":{"prototype":{"polluted":true}}}}',
  '[{"__proto__":{"polluted":true}},{"answers":{"__proto__":null}}]',
  '{"outcomes":[{"__proto__":{"polluted":true}}]}',
];

/** Bytes, whatever the Content-Type says they are. */
export const BODIES: readonly Uint8Array[] = [
  ...POLLUTIONS,
  ...["", " ", "null", "true", "0", '""', "[]", "{}", "[{}", '{"answers":', '{"answers":{}}x'],
  ...["\uFEFF{}", '\uFEFF{"answers":{}}', '{"answers":{},"answers":[]}', "NaN", "[NaN,Infinity]"],
  ...[
    '"\\ud800"',
    '{"\\ud800":"\\udfff"}',
    '{"answers":{"position":"\\u0000"}}',
    "[\u0000]",
    "\u0000",
  ],
  ...[`${"[".repeat(20_000)}${"]".repeat(20_000)}`, `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`],
  ...["[".repeat(60_000), `{${Array.from({ length: 3000 }, (_, n) => `"a${n}":1`).join()}}`],
  ...["a;b\n1", '"', '"a";"b"\n"1', "birthdate\n\u0000\n", "birthdate;birthdate\n1;2", ";;;\n;;;"],
  ...["birthdate,__proto__\n1988-07-21,1\n", "\uFEFFbirthdate\n1988-07-21\n", "a\r\rb", "\n\n\n"],
].map((text) => encoder.encode(text)).concat([
  // UTF-8 that is none: a slash written too long, a surrogate, a byte that begins nothing, an end in the middle.
  new Uint8Array([0x22, 0xc0, 0xaf, 0x22]),
  new Uint8Array([0x22, 0xe0, 0x80, 0xaf, 0x22]),
  new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]),
  new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
  new Uint8Array([0x22, 0xf0, 0x9f, 0x98]),
  // UTF-16 with its mark, and UTF-32.
  new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
  new Uint8Array([0x00, 0x00, 0xfe, 0xff, 0x00, 0x00, 0x00, 0x7b]),
]);
