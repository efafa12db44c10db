"""Relation and root steps: generators without I/O."""
