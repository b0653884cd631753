"""The words of the service's filters: keys, the live catalogue, and what an everyday name means.

Nothing here reads sentences. A value is looked up alone, and is a value of the catalogue, its
label, another name of the same thing, a rung of the ladder, a range, or near to one of these.
"""
