package config

import (
	"fmt"
	"slices"
	"strings"
)

// Issue is one fault (or warning) with its place.
type Issue struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1; 0 = unknown
	Path   string `json:"path"`   // dotted, with array indices: "trust.head-office.grant[1].scopes"; "" = the file
	Text   string `json:"text"`   // what was expected and what came
	Remedy string `json:"remedy"` // what to do
}

// String is one line in the form compilers use: file:line: path: text. remedy.
func (i Issue) String() string {
	var b strings.Builder
	b.WriteString(i.File)
	if i.Line > 0 {
		fmt.Fprintf(&b, ":%d", i.Line)
	}
	b.WriteString(": ")
	if i.Path != "" {
		b.WriteString(i.Path + ": ")
	}
	b.WriteString(i.Text)
	if i.Remedy != "" {
		b.WriteString("; " + i.Remedy)
	}
	return b.String()
}

// Issues is all faults at once, sorted by file and line; it is the error of Load.
type Issues []Issue

// Error has one line per fault.
func (i Issues) Error() string {
	lines := make([]string, len(i))
	for n, issue := range i {
		lines[n] = issue.String()
	}
	return strings.Join(lines, "\n")
}

func (i Issues) sort() {
	slices.SortStableFunc(i, func(a, b Issue) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Path, b.Path)
	})
}
