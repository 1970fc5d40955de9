"""Floors: parts of the work done alone, as plainly as they can be, to see what a contender could reach at most."""
