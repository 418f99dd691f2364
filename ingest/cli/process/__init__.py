"""The process around a command: streams, signals, memory, its end."""
