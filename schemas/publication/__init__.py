"""How the definitions are published: JSON Schemas, frozen with their hashes, and one description of all messages."""
