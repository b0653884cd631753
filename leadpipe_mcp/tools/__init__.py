"""What the assistant sees: one module for each toolset, thin; `toolkit` is how a tool is made.

A tool takes checked arguments, calls one room below, and shapes the reply.
"""
