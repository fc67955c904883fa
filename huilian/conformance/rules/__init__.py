"""The rules, one a module; each yields what is wrong, and nothing where all is well."""
