"""The typed, frozen models of the files in configs/<use_case>/."""
