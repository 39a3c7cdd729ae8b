"""Reads the vectors as they were published: some are JavaScript rather than JSON."""

import json
import re


def read_vectors(text):
    """A list of {name, input: {bytes, fPort}, expected: {data}}."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    text = re.sub(r"\b0x([0-9a-fA-F]+)\b", lambda match: str(int(match[1], 16)), text)
    text = re.sub(r"'([^']*)'", r'"\1"', text)
    text = re.sub(r"([{,]\s*)([A-Za-z_]\w*)\s*:", r'\1"\2":', text)
    return json.loads(re.sub(r",(\s*[\]}])", r"\1", text))


def leaves(data, above=""):
    """(name, value, unit) of everything measured in an expected answer, however it is nested."""
    for name, value in data.items():
        if isinstance(value, dict) and (
            {"value", "unit"} & set(value) or set(value) == {"data", "unit"}
        ):
            yield name, value.get("value", value.get("data")), value.get("unit")
        elif isinstance(value, dict):
            yield from leaves(value, name)
        elif isinstance(value, int | float | str) and not isinstance(value, bool):
            yield name, value, None
        elif isinstance(value, bool):
            yield name, int(value), None
