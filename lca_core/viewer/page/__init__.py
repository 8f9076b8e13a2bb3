"""An avatar as one HTML file: what Python hands over, and the page that needs no Python."""
