"""Procedures: what people of members do step by step, each act a sealed record, and the states it leads to."""
