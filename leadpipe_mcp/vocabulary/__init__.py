"""The words of the service's filters: keys, the live catalogue, and everyday names.

Sentences are not read here. Each value is looked up alone: as a value of the catalogue, its
label, another name of the same thing, a rung of the ladder, a range, or something near these.
"""
