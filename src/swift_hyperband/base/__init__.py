"""The common ground of all packages: errors, the wording of messages, files, delimited text."""
