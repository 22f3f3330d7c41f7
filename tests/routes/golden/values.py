"""The values that the cases are made of, packed so that each list is seen at once."""

# fmt: off

# JSON values that are not text.
TOKENS = [
    "null", "true", "false", "0", "-0", "1", "-1", "77", "120", "180000",
    "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "1" * 30, "1" + "0" * 308, "1" + "0" * 309,
    "-1" + "0" * 400, "1" * 4300, "-" + "1" * 4300, "1" * 4301, "-" + "1" * 4301, "0.0",
    "-0.0", "1.0", "1.5", "-2.5", "77.0", "180000.0", "1e3", "1E+3", "1e-7", "1e-05",
    "0.0001", "0.1", "0.30000000000000004", "1e15", "1e16", "1e18", "1e19", "1e22",
    "9.2e18", "9223372036854774784.0", "9223372036854775807.0",
    "-9223372036854775808.0", "9007199254740993.0", "123456789012345678.0", "5e-324",
    "1e-400", "1.7976931348623157e308", "1e999", "-1e999", "NaN", "Infinity",
    "-Infinity", "[]", "[1]", "{}", '{"a":1}',
    '["x",1.0,null,true,{"k":180000.0,"n":-0}]',
    '{"b":1e16,"2":1,"1":2,"__proto__":{"x":1}}', '{"_sa_x":1,"_sb":2,"a":[{"_sa":3}]}',
]

# Texts, sent as JSON strings.
TEXTS = [
    "", " ", "77", " 77", "77 ", "\t77\n", "+77", "-77", "--7", "++7", "+-7", "- 7",
    "077", "0", "-0", "+0", "00", "-", "+", "_", ".", "1_000", "1__000", "_1", "1_",
    "1_0_0", "-_1", "77.0", "77.", "77.00", "-77.0", ".0", "-.0", ".5", "+.5", "77.5",
    "1_0.0", "1_0.5", "1._5", "1.5_", "7.0_0", "1.0.0", "1..", "1e3", "1E3", "1.5e-3",
    "1e+", "1e", "e5", "1_0e1_0", "1e5_", "1e-999", "0x10", "0b1", "0o7", "1 000",
    "1,5", "1,000.0", "½", "٧٧", "7\uff17", "\u00a077", "77\u0085", "\u200b77",
    "\ufeff77", "\u221277", "77\x00", "true", "True", "null", "None", "nan", "NaN",
    "-nan", "inf", "-inf", "Infinity", "iNfinity", "infinit", "1e999", "-1e999",
    "9007199254740993", "9223372036854775807", "9223372036854775808",
    "-9223372036854775809", "9223372036854775808.0", "1" * 18 + "_", "1" * 17 + "_",
    "1" * 16 + "__1", "1" * 17 + "__1", "1__0" + "0" * 20 + ".0",
    "1_0" + "0" * 14 + ".0", "1_0" + "0" * 17 + ".0", "+_1" + "0" * 20,
    "-_1" + "0" * 20, "+__1" + "0" * 20, "_1" + "0" * 20, "+" + "9" * 25,
    "-+" + "9" * 25, "0" * 30 + "7", "-" + "0" * 30, "9" * 4300, "9" * 4301, "0" * 4301,
    "1." + "0" * 4300, "x" * 4301, "٧" * 2150, "٧" * 2151, "1_" * 2149 + "1",
    "1_" * 2150 + "1", "1" + "0" * 400, "Работаю", "😀", "it's", 'say "x"',
    "both ' and \"", "back\\slash", "line\nfeed\r\t", "\x00\x1f\x7f\x80\xa0\xad",
    "\u2028\u2029\u200b", "\U0001fae8", "\u0378", "\U000e0001",
]

# The reference's fields in their order.
FIELD_NAMES = [
    "birthdate", "education", "employment_status", "value", "jobstartdate", "position",
    "monthprofit", "monthexpense", "gender", "family_status", "childcount", "snils",
    "merch_code", "loan_amount", "loan_term", "goods_category",
]

# Texts that are not JSON.
BROKEN_JSON = [
    " ", "\n\t", "{", "[", "}", "]", ",", ":", "x", "nul", "nulls", "tru", "falsy",
    "Nan", "Inf", "-", "+1", "-x", "-I", "-Infinit", "01", "-01", "1.", ".5", "1.e5",
    "1e", "1e+", "1.5e", "--1", '"', '"abc', '"abc\\', '"\\"', '"\\x41"', '"\\u"',
    '"\\u12"', '"\\u123', '"\\u1234', '"\\uzzzz"', '"\\ud800\\uzzzz"', '"\\ud800\\u12"',
    '"\\ud800\\x"', '"a\nb"', '"a\tb"', '"a\x00b"', '"\x1f', '{"a"', '{"a":', '{"a":1',
    '{"a":1,', '{"a":1,}', '{"a":1 "b":2}', '{"a" 1}', "{a:1}", "{'a':1}", "{1:2}",
    "{,}", '{"a":1,,}', '{"a":}', '{"a"::1}', '{"a":1]', '{"a":x}', "{ ", "[1", "[1,",
    "[1,]", "[1 2]", "[,]", "[1,,2]", "[1}", "[x]", "[ ", "[1,\n", "[1 ,", "[nul]",
    "{} {}", "{}x", "{},", "[] 1", "1 2", "null null", '"a" "b"', "NaNx", "{}\x0b",
    "{}\x00", "\x0b{}", '{"a":1}\xa0', "\ufeff\ufeff{}", "// c\n{}", '{"a":1 /* c */}',
    "{}\u2028", '{"\n":1}', '{"a', '{"a\\', "1_000", "0x10", "1e5.5", "1.5.5", "- 1",
    "[1e5x]", "[-]", "[--]", "[-NaN]", "truefalse", "[true",
]

# Content-Type headers.
MEDIA_TYPES = [
    "application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
    "application/json;", "", "application/vnd.api+json", "application/+json",
    "application/json; charset=cp1251", "application/problem+json;x=y",
    " application/json ; q=1", "application/jsonx", "text/plain", "text/json",
    "text/plain; charset=utf-8", "application/octet-stream",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "/",
    "application/", "application/json/x", "application/json, text/plain", "*/*", "; x",
    "application/xml", "application/x+jsonx", "application / json",
    '"application/json"',
]
