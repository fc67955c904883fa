"""What the tests stand on: builders of counties and files, assertions, broken adapters, servers and processes."""
