"""Looking at things: figures, sheets, videos, sliders."""
