"""Ledgers pushed through the real services, and the plain model that says what must come of them."""
