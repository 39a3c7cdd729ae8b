"""`tallyman bench shelf`: the phone at the shelf against films whose every frame is known."""
