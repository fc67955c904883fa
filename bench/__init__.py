"""What Huilian costs beside bare PostgreSQL, measured side by side in one run."""
