"""What in a request's or an error's attributes is certainly no user's words."""

# A member of a JSON object that is a number with a unit, or a truth: all else may be words. Values are strings with their quotes
# escaped, so this matches nothing within one. Read alike by RE2 and by PostgreSQL.
FIGURE = (
    '"[A-Za-z_][A-Za-z0-9_.-]*":"(?:true|false|yes|no|[+-]?[0-9]{1,9}(?:[.][0-9]{0,9})?'
    '(?: ?(?:ns|us|ms|s|min|B|KB|MB|GB|TB|KiB|MiB|GiB|TiB|Hz|kHz|chars?|%))?)"'
)
