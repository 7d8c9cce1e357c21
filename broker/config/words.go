package config

import (
	"fmt"
	"strings"
	"time"
)

// shown describes a value that came instead of another, without quoting strings: they may be secrets.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		if _, err := time.ParseDuration(v); err == nil {
			return fmt.Sprintf("the string %q", v)
		}
		return "a string"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case time.Time:
		return "a date"
	case []any, []map[string]any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "something else"
}

func quoteShort(k *key, text string) string {
	if k.Secret {
		return "the same value"
	}
	return fmt.Sprintf("%q", text)
}

func countWords(least, most int64) string {
	switch {
	case most == 0:
		return fmt.Sprintf("at least %d", least)
	case least == most:
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// plain strips Markdown from a key's meaning, for error texts.
func plain(doc string) string { return strings.ReplaceAll(doc, "`", "") }

// nearest returns the candidate that is a typing error or two away from name, or that one of both
// abbreviates; "" if there is none.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", 1+min(3, len(name)/2)
	for _, c := range candidates {
		if strings.EqualFold(c, name) {
			return c
		}
		if len(name) > 64 {
			continue // the cost of the distance grows with it, and no key is as long
		}
		if len(name) > 2 && (strings.HasPrefix(c, name) || strings.HasPrefix(name, c)) {
			return c
		}
		if n := distance(name, c); n < bestDistance {
			best, bestDistance = c, n
		}
	}
	return best
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
