"""ttsq: text-to-speech service logs, read exactly once, as SQL tables with named queries."""

__version__ = "0.1.0"
