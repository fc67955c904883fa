"""What the registry sends to members once a day, each time only what has changed since."""
