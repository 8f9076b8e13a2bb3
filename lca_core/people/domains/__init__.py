"""What is recorded of digital humans: studio, wild and all other domains, and people drawn by the thousand."""
