"""Dated policies: what a county's plan sets, by parameter and date, each figure with its source."""
