TESTED_BY: dict[str, str] = {}
