"""Twenty boxes and their hub as real processes: the real agent beside a light station in each."""
