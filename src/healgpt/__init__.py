"""HealGPT: the open, end-to-end stack for Chinese medical-consultation language models."""

__version__ = "0.1.0"
