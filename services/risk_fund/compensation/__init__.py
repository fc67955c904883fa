"""Compensation of losses: cases step by step as the policy has them, who paid, what was recovered and handed back."""
