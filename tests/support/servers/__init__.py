"""Private, real servers for the tests: each on free ports, with a data directory and a life of its own.

They are started from the system's binaries, touch nothing that is installed or running already, and never outlive
the process that started them. `kill()` followed by `start()` is what a power cut looks like to those who use them.
"""
