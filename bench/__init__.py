"""Measurements of speed, memory and accuracy; ``python -m bench`` runs them. No test depends on them."""
