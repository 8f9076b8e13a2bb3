"""Garments of a digital human: cut, sewn, dyed and printed, and cloth that hangs and swings."""
