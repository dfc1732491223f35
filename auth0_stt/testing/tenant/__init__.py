"""A tenant that lives in this process: its state, its rules, and how it is served."""
