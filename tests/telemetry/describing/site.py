"""What the tests of templates share: a template from its text, decoded at once."""

from telemetry.describing.binding import Refused
from telemetry.describing.compiled import compile_template
from telemetry.describing.layouts.source import Who
from telemetry.describing.template import read_template

HEAD = 'name = "a-sensor"\nkind = "temperature"\n'


def template(text):
    return read_template(HEAD + text)


def decoder(text, *, names=()):
    return compile_template(template(text)).decoding(Who(frozenset(names)))


def decode(text, payload, **kept):
    return decoder(text, **kept).decode(payload)


def values(text, payload, **kept):
    return decode(text, payload, **kept)[2]


def refusal(text, payload, **kept):
    try:
        found = decode(text, payload, **kept)
    except Refused as refused:
        return refused.code
    raise AssertionError(f"decoded as {found}")
