"""Who may write (lease), who leads a search (head), and processes that can always be ended (watch)."""
