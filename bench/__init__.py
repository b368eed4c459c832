"""Measurements of speed and memory; ``python -m bench`` runs them. No test depends on them."""
