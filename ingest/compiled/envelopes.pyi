BARE: int
COMPOSE: int
JSON_FILE: int
CRI: int
LONGEST: int
