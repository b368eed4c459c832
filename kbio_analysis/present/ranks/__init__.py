"""What exporters and places are called, until the briefing names them itself."""
