"""change_db.py FILE STATEMENT...: changes a database of rootc-tune."""

import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as database:
    for statement in sys.argv[2:]:
        if database.execute(statement).rowcount < 1:
            sys.exit(f"{statement}: no row")
