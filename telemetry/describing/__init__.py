"""What bytes of a sensor mean: templates without code, the sensor book, and the two together."""
