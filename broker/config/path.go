package config

import "strconv"

// parentPath cuts the last name or index: "a.b[1]" → "a.b" → "a" → "". Quoted names stay whole.
func parentPath(path string) string {
	cut, quoted := 0, false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			cut = i
		}
	}
	return path[:cut]
}

// joinPath appends a name: as it is if TOML lets it be bare, quoted otherwise. trust.Problem does the same.
func joinPath(prefix, name string) string {
	if !isBare(name) {
		name = strconv.Quote(name)
	}
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

func isBare(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return false
		}
	}
	return name != ""
}

func elemPath(prefix string, i int) string {
	return prefix + "[" + strconv.Itoa(i) + "]"
}
