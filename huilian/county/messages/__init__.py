"""Messages at the county: let in, kept, handled, sent on, refused."""
