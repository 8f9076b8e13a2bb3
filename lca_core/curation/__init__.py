"""Real photographs and clips to the records the model reads: decode, detect, matte, judge, fit, crop, group."""
