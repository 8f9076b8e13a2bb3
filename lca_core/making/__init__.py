"""Making: photographs to an avatar, and every file an avatar is handed over in."""
