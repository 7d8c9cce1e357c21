package config

import "strings"

// scanner walks TOML just far enough to know which key stands on which line. With lines nil it only
// measures nesting.
type scanner struct {
	src     string
	pos     int
	line    int
	lines   lineIndex
	arrays  map[string]int // path of an array of tables → tables so far
	tooDeep int
}

func (s *scanner) file() {
	s.src = strings.TrimPrefix(s.src, "\ufeff")
	prefix := ""
	for {
		s.blank()
		if s.pos >= len(s.src) {
			return
		}
		start := s.pos
		if s.src[s.pos] == '[' {
			prefix = s.header()
		} else {
			s.pair(prefix, 1)
		}
		s.restOfLine()
		if s.pos == start {
			s.pos++
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the path that the keys below it belong to.
func (s *scanner) header() string {
	line := s.line
	s.pos++
	array := s.peek() == '['
	if array {
		s.pos++
	}
	parts := s.key()
	if s.lines == nil {
		return ""
	}
	path := ""
	for i, part := range parts {
		path = joinPath(path, part)
		s.record(path, line)
		n, isArray := s.arrays[path]
		switch {
		case i == len(parts)-1 && array:
			s.arrays[path] = n + 1
			path = elemPath(path, n)
			s.record(path, line)
		case isArray:
			path = elemPath(path, n-1)
		}
	}
	return path
}

// pair reads key = value.
func (s *scanner) pair(prefix string, depth int) {
	line := s.line
	parts := s.key()
	path := prefix
	if s.lines != nil {
		for _, part := range parts {
			path = joinPath(path, part)
			s.record(path, line)
		}
	}
	s.space()
	if s.peek() != '=' {
		return
	}
	s.pos++
	s.space()
	s.value(path, depth)
}

func (s *scanner) value(path string, depth int) {
	switch s.peek() {
	case '"', '\'':
		s.text()
	case '[':
		s.array(path, depth)
	case '{':
		s.inlineTable(path, depth)
	default:
		s.bare(",]}#\n")
	}
}

func (s *scanner) array(path string, depth int) {
	if s.stop(depth) {
		return
	}
	s.pos++
	for i := 0; ; i++ {
		s.blank()
		if s.closed(']') {
			return
		}
		elem := path
		if s.lines != nil {
			elem = elemPath(path, i)
			s.record(elem, s.line)
		}
		start := s.pos
		s.value(elem, depth+1)
		s.blank()
		if s.peek() == ',' {
			s.pos++
		}
		if s.pos == start {
			return
		}
	}
}

func (s *scanner) inlineTable(path string, depth int) {
	if s.stop(depth) {
		return
	}
	s.pos++
	for {
		s.blank()
		if s.closed('}') {
			return
		}
		start := s.pos
		s.pair(path, depth+1)
		s.blank()
		if s.peek() == ',' {
			s.pos++
		}
		if s.pos == start {
			return
		}
	}
}

// key reads a dotted key up to what cannot belong to it.
func (s *scanner) key() []string {
	var parts []string
	for {
		s.space()
		if c := s.peek(); c == '"' || c == '\'' {
			parts = append(parts, s.text())
		} else {
			parts = append(parts, s.bare(".=]#\n \t,{}[\"'"))
		}
		s.space()
		if s.peek() != '.' {
			return parts
		}
		s.pos++
		if s.stop(len(parts)) {
			return parts
		}
	}
}

// stop ends the whole scan when depth is beyond the bound.
func (s *scanner) stop(depth int) bool {
	if depth <= maxDepth {
		return false
	}
	if s.tooDeep == 0 {
		s.tooDeep = s.line
	}
	s.pos = len(s.src)
	return true
}

// closed consumes the closing bracket; the end of the file closes everything.
func (s *scanner) closed(bracket byte) bool {
	if s.pos >= len(s.src) {
		return true
	}
	if s.src[s.pos] != bracket {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) record(path string, line int) {
	if _, known := s.lines[path]; !known {
		s.lines[path] = line
	}
}

func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// bare reads up to one of the stop bytes; trailing blanks and CR do not count.
func (s *scanner) bare(stop string) string {
	n := strings.IndexAny(s.src[s.pos:], stop)
	if n < 0 {
		n = len(s.src) - s.pos
	}
	text := s.src[s.pos : s.pos+n]
	s.pos += n
	return strings.TrimRight(text, " \t\r")
}

func (s *scanner) space() {
	for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
		s.pos++
	}
}

// blank skips white space, newlines and comments.
func (s *scanner) blank() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\t', '\r':
			s.pos++
		case '\n':
			s.line++
			s.pos++
		case '#':
			s.bare("\n")
		default:
			return
		}
	}
}

func (s *scanner) restOfLine() { s.bare("\n") }
