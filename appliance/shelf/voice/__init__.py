"""Speech at the shelf, on the hub: sound in, a text of the closed grammar out (ADR 0043).

The hub only turns speech into text. What a text means is decided on the phone, and a change is
asked there before it is done.
"""
