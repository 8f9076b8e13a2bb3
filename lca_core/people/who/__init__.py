"""Who a digital human is, from a seed: shape, tone, hair, clothes and what is worn, in numbers and names only."""
