"""A county over years, event by event from a seed: valid and invalid, late, lost, repeated, through crashes."""
