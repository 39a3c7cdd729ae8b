"""History: what was acknowledged, kept as Parquet and asked by range (I2)."""
