"""The body of a digital human: skin, eyes, teeth, feet, and the pieces of surface that a whole person is made of."""
