"""What every room needs: errors, the wording of messages, files, delimited text."""
