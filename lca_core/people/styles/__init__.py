"""Other looks than a photograph's: drawn and sculpted pictures, exaggerated proportions."""
