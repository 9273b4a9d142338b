"""D-Wave's client: connection, conversation with a solver, errors without secrets, stored answers."""
