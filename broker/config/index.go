package config

// maxDepth bounds arrays, inline tables and dotted keys. The TOML library has no bound of its own, and
// what walks its result would recurse as deep as the file says.
const maxDepth = 32

// lineIndex maps dotted paths with array indices ("trust.head-office.grant[1].scopes") to the line where
// each was first named. The TOML library reports no positions for keys.
type lineIndex map[string]int

// indexLines scans a file. It never fails: what is not TOML is skipped to the end of its line.
func indexLines(src string) lineIndex {
	s := scanner{src: src, line: 1, lines: lineIndex{}, arrays: map[string]int{}}
	s.file()
	return s.lines
}

// nestingFault returns the first line that nests deeper than maxDepth, or 0.
func nestingFault(src string) int {
	s := scanner{src: src, line: 1}
	s.file()
	return s.tooDeep
}

// find returns the line of the longest prefix of path that the file names, or 0.
func (x lineIndex) find(path string) int {
	for path != "" {
		if line, ok := x[path]; ok {
			return line
		}
		path = parentPath(path)
	}
	return 0
}
