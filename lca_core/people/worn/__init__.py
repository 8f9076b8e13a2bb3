"""What a digital human wears beside garments: shoes, hats and glasses."""
