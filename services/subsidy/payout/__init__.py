"""From the decision on: what was computed is posted, approved, ordered and paid; what was false is clawed back."""
