package chooser

import "strings"

// EmailDomain returns the domain of an e-mail address in lower case. It takes the plain form only (RFC 5321 §4.1.2 Dot-string
// and Domain): one @, no quotes, comments, spaces, addresses in brackets, trailing dot or characters outside ASCII. Whatever two
// parsers could read in two ways is no address at all (A92).
func EmailDomain(address string) (domain string, ok bool) {
	local, domain, found := strings.Cut(address, "@")
	if !found || len(local) > 64 || !localPart(local) {
		return "", false
	}
	domain = lowerASCII(domain)
	return domain, hostname(domain)
}

func localPart(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letterOrDigit(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// hostname says whether s is a name of at least two labels in lower case whose last one is not a number.
func hostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		if !hostLabel(label) {
			return false
		}
		labels++
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return labels >= 2 && strings.Trim(last, "0123456789") != ""
}

func hostLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (!letterOrDigit(c) || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

func letterOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// lowerASCII leaves what is not ASCII alone: strings.ToLower turns the Kelvin sign into k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Tidy cuts the part before the @ off what somebody typed: who they are is nobody's business here, and what is typed stands in
// the address of the page.
func Tidy(text string) string {
	text = strings.TrimSpace(text)
	if at := strings.LastIndexByte(text, '@'); at > 0 && !strings.ContainsAny(text[:at], " \t@") {
		return text[at:]
	}
	return text
}
