"""Evaluations: thirty tasks for an assistant with a model, and who judges what came of them.

`python -m evals` gives them to an assistant that is started from a command line (docs/evals.md).
"""
