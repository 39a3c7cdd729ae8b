"""Lines of print as cartons carry them, drawn to train the recogniser: what stands there
(`texts`), how it is printed (`faces`, `dots`), what happened to it since (`wear`), and how the
camera and the line finder hand it over (`camera`). `sample` makes one line of all of it.
"""
