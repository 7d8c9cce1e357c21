package federation

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Difference is what a refresh changed, for people.
type Difference struct {
	First   int      `json:"first,omitempty"` // members of the first aggregate: it has no difference
	Added   int      `json:"added"`
	Removed int      `json:"removed"`
	Changed int      `json:"changed"`           // other certificates or places
	Renamed int      `json:"renamed,omitempty"` // other names, scopes, categories and such
	Names   []string `json:"names,omitempty"`   // of the first few: "+ …", "- …", "~ …"
}

// maxNamed is how many members of each kind are named.
const maxNamed = 20

// compare goes through two lists that are sorted by ID.
func compare(old, now []head) (d Difference) {
	var added, removed, changed []string
	for len(old) > 0 || len(now) > 0 {
		switch order := next(old, now); {
		case order < 0:
			d.Removed++
			removed = noted(removed, "- ", &old[0])
			old = old[1:]
		case order > 0:
			d.Added++
			added = noted(added, "+ ", &now[0])
			now = now[1:]
		default:
			if !bytes.Equal(old[0].Sum, now[0].Sum) {
				d.Changed++
				changed = noted(changed, "~ ", &now[0])
			} else if !same(&old[0], &now[0]) {
				d.Renamed++
			}
			old, now = old[1:], now[1:]
		}
	}
	d.Names = slices.Concat(added, removed, changed)
	return d
}

// next says whether the next of both lists is in the old one only (-1), in the new one only (1), or in both.
func next(old, now []head) int {
	switch {
	case len(now) == 0:
		return -1
	case len(old) == 0:
		return 1
	}
	return cmp.Compare(old[0].ID, now[0].ID)
}

func same(a, b *head) bool {
	return a.Name == b.Name && a.Logo == b.Logo && a.Hidden == b.Hidden && a.Authority == b.Authority && slices.Equal(a.Keywords, b.Keywords) &&
		slices.Equal(a.Scopes, b.Scopes) && fmt.Sprint(a.Attributes) == fmt.Sprint(b.Attributes)
}

func noted(list []string, sign string, h *head) []string {
	if len(list) == maxNamed {
		return list
	}
	return append(list, sign+h.Name+" ("+h.EntityID+")")
}

// String says it in one line.
func (d Difference) String() string {
	if d.First > 0 {
		return fmt.Sprintf("%d members, the first time", d.First)
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{d.Added, "came"}, {d.Removed, "left"}, {d.Changed, "with other certificates or places"}, {d.Renamed, "described anew"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "no change"
	}
	return strings.Join(parts, ", ")
}
