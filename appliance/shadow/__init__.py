"""Candidates judge beside what runs, on the same frames, and count for nothing but their gate."""
