"""Model sets: what may run here, by digest and signature (I3, I5)."""
