"""Applications for loans: what a borrower asks for, step by step as the policy has it, up to the loan in the ledger."""
