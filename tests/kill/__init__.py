"""Kill tests: real servers, real processes, SIGKILL."""
