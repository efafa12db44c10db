"""How fast, how many calls, how much memory: side by side with what others do. ``python -m tests.benchmarks.run``."""
