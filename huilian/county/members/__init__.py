"""Who takes part: the directory, their keys and tokens, and how they join, stay and leave."""
