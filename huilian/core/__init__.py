"""What every other package stands on: errors, time, money, regions, files, logs."""
