"""A whole digital human before the camera: put together, posed, path-traced, through a lens, before a background."""
