"""The stock-and-order core: domain, service, adapters (I1, I2)."""
