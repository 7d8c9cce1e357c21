package threat

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// idPattern is an id of the table: A for attacks, L for weak points of libraries, R for failures to survive.
var idPattern = regexp.MustCompile(`^[ALR][0-9]{2,3}$`)

// Row is one demand of docs/threats.md.
type Row struct {
	ID, Given, Must string
	Where           []string // packages with a test named after the id, sorted
}

// ParseTable reads the rows of the tables "| id | given | must | where tested |" of a Markdown text, in order.
// A row that is not of that shape, or an id that comes twice, is an error.
func ParseTable(markdown string) ([]Row, error) {
	var rows []Row
	for n, line := range strings.Split(markdown, "\n") {
		cells, ok := tableCells(line)
		if !ok || !idPattern.MatchString(cells[0]) {
			continue
		}
		if len(cells) != 4 || cells[1] == "" || cells[2] == "" {
			return nil, fmt.Errorf("line %d: wanted | id | given | must | where tested |", n+1)
		}
		row := Row{ID: cells[0], Given: cells[1], Must: cells[2]}
		if slices.ContainsFunc(rows, func(r Row) bool { return r.ID == row.ID }) {
			return nil, fmt.Errorf("line %d: %s comes twice", n+1, row.ID)
		}
		for _, p := range strings.Split(cells[3], ",") {
			if p = strings.Trim(strings.TrimSpace(p), "`"); p != "" {
				row.Where = append(row.Where, p)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// WithPlaces returns the Markdown text with the last column of each row set to the packages that found names.
func WithPlaces(markdown string, found map[string][]string) string {
	lines := strings.Split(markdown, "\n")
	for i, line := range lines {
		cells, ok := tableCells(line)
		if !ok || !idPattern.MatchString(cells[0]) || len(cells) != 4 {
			continue
		}
		var where []string
		for _, p := range found[cells[0]] {
			where = append(where, "`"+p+"`")
		}
		cells[3] = strings.Join(where, ", ")
		lines[i] = "| " + strings.Join(cells, " | ") + " |"
	}
	return strings.Join(lines, "\n")
}

func tableCells(line string) ([]string, bool) {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil, false
	}
	cells := strings.Split(strings.TrimSuffix(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells, true
}
