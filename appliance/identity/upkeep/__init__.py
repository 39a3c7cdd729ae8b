"""What keeps an identity usable: the machine's serial, renewal, recovery, TLS without a restart."""
