"""How healthy stock is: pure arithmetic over what is here and what went out."""
