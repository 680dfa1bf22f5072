"""The `tbc` command: a file for each subcommand."""
