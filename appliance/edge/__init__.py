"""The edge process: composition of cameras, station, journal, uplink and station page."""
