"""The commands of `vidmodel`, one module each.

A module has HELP, `add_arguments(parser)`, `run(options) -> exit code or None`, and the printing of its result. Nothing
heavy is imported before `run` begins: `vidmodel --help` imports all of these modules.
"""
