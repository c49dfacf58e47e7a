"""The cases: every module registers functions, every TOML file holds what they are compared with."""
