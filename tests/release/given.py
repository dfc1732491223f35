"""What the examples take for granted, as declarations: by page, then by example.

A reader has these in the project that an example is pasted into. Type checkers need
them, and the tests run the examples with real ones of the same names.
"""

GIVEN = {}
