"""Views of a run: all of them draw from its events, none asks the engine."""
