"""Write every generated page anew, or with ``--check`` say which are stale."""

import sys

from docs.generate import cli, dbt, errors, man, profiles, queries, schema, services

# services is made of what profiles writes
PAGES = (profiles, cli, dbt, errors, man, queries, schema, services)
sys.exit(max([page.main(sys.argv[1:]) for page in PAGES]))
