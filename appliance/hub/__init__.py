"""The hub process: composition of stock core, device port, AGV bridge and pages."""
