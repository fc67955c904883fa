"""What the tests stand on: builders, assertions, broken adapters, counties, servers and processes."""
