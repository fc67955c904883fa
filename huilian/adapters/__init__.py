"""What an adapter is, how one is validated and found, and how a new one begins."""
