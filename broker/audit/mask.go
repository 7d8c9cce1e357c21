package audit

import "strings"

// masked stands for what was taken out.
const masked = "[token]"

// mask replaces what looks like a compact JWS or JWE in s: base64url and dots, from the "eyJ" that a JSON object begins
// with in base64url. Nobody should put one here; this is for the library error that quotes what it could not read.
func mask(s string) string {
	start := strings.Index(s, "eyJ")
	if start < 0 {
		return s
	}
	var out strings.Builder
	for start >= 0 {
		end := start
		for end < len(s) && inToken(s[end]) {
			end++
		}
		out.WriteString(s[:start])
		if run := s[start:end]; strings.Contains(run, ".") || len(run) > 40 {
			out.WriteString(masked)
		} else {
			out.WriteString(run)
		}
		s = s[end:]
		start = strings.Index(s, "eyJ")
	}
	out.WriteString(s)
	return out.String()
}

func inToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}
