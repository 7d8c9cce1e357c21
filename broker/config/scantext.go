package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text reads a string of any of the four kinds and returns what it says.
func (s *scanner) text() string {
	quote := s.src[s.pos]
	if strings.HasPrefix(s.src[s.pos:], strings.Repeat(string(quote), 3)) {
		s.multiline(quote)
		return ""
	}
	s.pos++
	start := s.pos
	escaped := false
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == '\n':
			return s.src[start:s.pos]
		case c == '\\' && quote == '"':
			escaped = true
			s.pos++
		case c == quote:
			text := s.src[start:s.pos]
			s.pos++
			if escaped {
				return unescape(text)
			}
			return text
		}
		s.pos++
	}
	s.pos = len(s.src)
	return s.src[min(start, len(s.src)):]
}

// multiline skips a multi-line string. Up to two quotes may stand right before the closing three.
func (s *scanner) multiline(quote byte) {
	s.pos += 3
	run := 0
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		if run >= 3 && (c != quote || run == 5) {
			return
		}
		run++
		if c != quote {
			run = 0
		}
		if c == '\n' {
			s.line++
		}
		s.pos++
		if c == '\\' && quote == '"' && s.pos < len(s.src) && s.src[s.pos] != '\n' {
			s.pos++
		}
	}
}

var escapes = map[byte]string{'b': "\b", 't': "\t", 'n': "\n", 'f': "\f", 'r': "\r", 'e': "\x1b", '"': `"`, '\\': `\`}

var hexEscapes = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// unescape resolves the escapes of a basic string; one that is not TOML stays as it is.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if plain, ok := escapes[text[i]]; ok {
			b.WriteString(plain)
			continue
		}
		digits := hexEscapes[text[i]]
		if digits == 0 || i+digits >= len(text) {
			continue
		}
		if n, err := strconv.ParseUint(text[i+1:i+1+digits], 16, 32); err == nil && utf8.ValidRune(rune(n)) {
			b.WriteRune(rune(n))
		}
		i += digits
	}
	return b.String()
}
