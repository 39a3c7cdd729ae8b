"""Cameras: pictures in, frames out, and the word for what is wrong with a camera (I4, I7)."""
