"""`python -m appliance` is `tallyman`: how the supervisor starts its children."""

from __future__ import annotations

from appliance.cli.main import main

main()
