"""Tables, transactions and queries: SQLite by default, PostgreSQL when one machine is not enough."""
