"""One file a step; a landed step never changes."""
