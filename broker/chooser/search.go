package chooser

import (
	"cmp"
	"slices"
	"strings"
)

// points by closeness and field. An abbreviation says the whole name, a domain is nobody else's.
var points = [...][4]int32{
	nearStart: {inName: 25, inKeyword: 20},
	near:      {inName: 40, inKeyword: 35},
	start:     {inName: 60, inKeyword: 55, inAbbreviation: 45, inDomain: 50},
	same:      {inName: 100, inKeyword: 95, inAbbreviation: 100, inDomain: 140},
}

const (
	wholeName  = 1000 // what was typed is the name
	nameStart  = 150  // … or how it begins
	covers     = 40   // shared by the words of the name that were typed
	firstWord  = 6
	completion = 20 // how much of the word was typed
	labelSame  = 90 // ucla of ucla.edu
	agrees     = 10 // … and of the name as well: of all that MIT spells, the one at mit.edu
)

// tally collects points by number of an office.
type tally struct {
	allowed []bool
	best    []int32 // of the current term
	points  []int32
	covered []int32 // words of the name that were typed
	hits    []uint8 // required terms that were found
}

// search finds the offices for what was typed, best first. Every word must be found; a word that stands nowhere is taken for a
// typo, then each of them, and of three words or more one may be missing in the end.
func (x *Index) search(typed string, allowed []bool) []int32 {
	if strings.Contains(typed, "@") {
		return x.searchAddress(typed, allowed)
	}
	visible := make([]bool, len(allowed))
	for i, ok := range allowed {
		visible[i] = ok && !x.offices[i].Hidden
	}
	list := terms(typed, x.hasDomain)
	required := 0
	for _, t := range list {
		if !t.optional {
			required++
		}
	}
	if required == 0 {
		return nil
	}
	name := joined(list)
	for _, forgiving := range []bool{false, true} {
		c := x.collect(list, visible, forgiving)
		if found := x.ordered(c, required, name); len(found) > 0 {
			return found
		}
		if forgiving && required > 2 {
			return x.ordered(c, required-1, name)
		}
	}
	return nil
}

func joined(list []term) string {
	parts := make([]string, len(list))
	for i, t := range list {
		parts[i] = t.text
	}
	return strings.Join(parts, " ")
}

func (x *Index) collect(list []term, visible []bool, forgiving bool) *tally {
	n := len(x.offices)
	c := &tally{allowed: visible, best: make([]int32, n), points: make([]int32, n), covered: make([]int32, n), hits: make([]uint8, n)}
	for _, t := range list {
		clear(c.best)
		found := x.exact(t, c)
		if !t.optional && len(t.runes) >= minTypo && (forgiving || !found) {
			x.typos(t, c)
		}
		for i, p := range c.best {
			if p == 0 {
				continue
			}
			c.points[i] += p
			if !t.optional {
				c.hits[i]++
			}
		}
	}
	return c
}

// exact counts the words that are a term or begin with it.
func (x *Index) exact(t term, c *tally) (found bool) {
	from, _ := slices.BinarySearchFunc(x.tokens, t.text, func(k token, text string) int { return strings.Compare(k.text, text) })
	for k := from; k < len(x.tokens) && strings.HasPrefix(x.tokens[k].text, t.text); k++ {
		how := start
		if len(x.tokens[k].text) == len(t.text) {
			how = same
		}
		found = c.count(&x.tokens[k], t, how) || found
	}
	return found
}

// typos counts the words that are one typo away from a term.
func (x *Index) typos(t term, c *tally) {
	set := letterSet(t.runes)
	for k := range x.tokens {
		word := &x.tokens[k]
		if extra := set &^ word.set; !word.typos || extra&(extra-1) != 0 { // two letters that the word has not
			continue
		}
		if how := compare(t.runes, word.runes); how == near || how == nearStart {
			c.count(word, t, how)
		}
	}
}

// count gives the offices that have a word its points, if no better word gave them more.
func (c *tally) count(word *token, t term, how closeness) (found bool) {
	part := int32(completion * min(len(t.runes), len(word.runes)) / len(word.runes))
	for _, e := range word.entries {
		if !c.allowed[e.office] {
			continue
		}
		p := points[how][e.field]
		switch {
		case p == 0:
			continue
		case e.field == inDomain && how == start && word.text[len(t.text)] == '.':
			p = labelSame
		case how == start || how == nearStart:
			p += part
		}
		if e.first {
			p += firstWord
		}
		found = true
		if c.best[e.office] == 0 && e.field == inName {
			c.covered[e.office]++
		}
		if e.field == inAbbreviation && how == same {
			c.covered[e.office] = 1 << 8
		}
		if p == labelSame && c.best[e.office] >= p {
			p = c.best[e.office] + agrees
		}
		c.best[e.office] = max(c.best[e.office], p)
	}
	return found
}

// ordered lists the offices with enough hits, best first; equals in the order of the index.
func (x *Index) ordered(c *tally, required int, typed string) []int32 {
	type scored struct{ points, office int32 }
	var list []scored
	for i, hits := range c.hits {
		if int(hits) < required {
			continue
		}
		k := &x.known[i]
		p := c.points[i] + covers*min(c.covered[i], k.words)/k.words
		switch {
		case k.name == typed:
			p += wholeName
		case strings.HasPrefix(k.name, typed):
			p += nameStart
		}
		list = append(list, scored{p, int32(i)})
	}
	slices.SortFunc(list, func(a, b scored) int {
		if a.points != b.points {
			return cmp.Compare(b.points, a.points)
		}
		return cmp.Compare(a.office, b.office)
	})
	found := make([]int32, len(list))
	for i, s := range list {
		found[i] = s.office
	}
	return found
}
