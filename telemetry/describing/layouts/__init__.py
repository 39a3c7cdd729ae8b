"""How each format is read: a layout is written out once as Python, then made for each device."""
