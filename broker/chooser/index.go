package chooser

import (
	"slices"
	"strings"
	"unicode/utf8"

	"apostille/broker/page"
)

// field says where a word of the index stands; the order is that of the tables of points.
type field uint8

const (
	inName field = iota
	inKeyword
	inAbbreviation
	inDomain
)

// entry is one office that has a word.
type entry struct {
	office int32
	field  field
	first  bool // the name begins with it
}

// token is a word of the index.
type token struct {
	text    string
	runes   []rune
	set     uint64
	entries []entry
	typos   bool // a typo in it is forgiven: it stands in a name or among keywords
}

// known is what the ranking needs of an office beside its words.
type known struct {
	name  string // words of the folded name with single spaces
	words int32
}

// Index finds offices. It is immutable and safe for concurrent use.
type Index struct {
	offices  []Office // by name; a number of an office is its place here
	known    []known
	tokens   []token // by text
	byID     map[string]int32
	byIssuer map[string][]int32
	byDomain map[string][]int32
	domains  []string // sorted keys of byDomain
}

// NewIndex makes an index: 8,000 offices take some 50 ms. Names and keywords are cleaned for display; of two offices with one ID
// the first counts.
func NewIndex(offices []Office) *Index {
	x := &Index{byID: map[string]int32{}, byIssuer: map[string][]int32{}, byDomain: map[string][]int32{}}
	x.sorted(offices)
	words := map[string][]entry{}
	for i := range x.offices {
		x.add(int32(i), words)
	}
	x.tokens = make([]token, 0, len(words))
	for text, entries := range words {
		runes := []rune(text)
		typos := slices.ContainsFunc(entries, func(e entry) bool { return e.field <= inKeyword })
		x.tokens = append(x.tokens, token{text: text, runes: runes, set: letterSet(runes), entries: entries, typos: typos})
	}
	slices.SortFunc(x.tokens, func(a, b token) int { return strings.Compare(a.text, b.text) })
	for domain := range x.byDomain {
		x.domains = append(x.domains, domain)
	}
	slices.Sort(x.domains)
	return x
}

// Office returns an office by its ID.
func (x *Index) Office(id string) (Office, bool) {
	i, ok := x.byID[id]
	if !ok {
		return Office{}, false
	}
	return x.offices[i], true
}

// sorted takes copies of the offices in the order in which they are listed.
func (x *Index) sorted(offices []Office) {
	type folded struct {
		o     Office
		words []string
		name  string
		order string
	}
	all := make([]folded, 0, len(offices))
	seen := make(map[string]bool, len(offices))
	for _, o := range offices {
		if seen[o.ID] {
			continue
		}
		seen[o.ID] = true
		if o.Name = page.Clean(o.Name); o.Name == "" {
			o.Name = o.ID
		}
		w := words(fold(o.Name))
		name := strings.Join(w, " ")
		all = append(all, folded{o: o, words: w, name: name, order: padded(name)})
	}
	slices.SortFunc(all, func(a, b folded) int {
		if c := strings.Compare(a.order, b.order); c != 0 {
			return c
		}
		return strings.Compare(a.o.ID, b.o.ID)
	})
	for _, f := range all {
		x.offices = append(x.offices, f.o)
		x.known = append(x.known, known{name: f.name, words: int32(max(1, len(f.words)))})
	}
}

// padded makes numbers in a name sort by value: Office 9 stands before Office 10.
func padded(name string) string {
	const width = 8
	if !strings.ContainsAny(name, "0123456789") {
		return name
	}
	parts := strings.Split(name, " ")
	for i, p := range parts {
		if len(p) < width && strings.Trim(p, "0123456789") == "" {
			parts[i] = strings.Repeat("0", width-len(p)) + p
		}
	}
	return strings.Join(parts, " ")
}

// add puts one office under all words that find it.
func (x *Index) add(i int32, index map[string][]entry) {
	o := &x.offices[i]
	x.byID[o.ID] = i
	if o.Issuer != "" {
		x.byIssuer[o.Issuer] = append(x.byIssuer[o.Issuer], i)
	}
	put := func(word string, f field, first bool) {
		e := entry{office: i, field: f, first: first}
		if list := index[word]; len(list) == 0 || list[len(list)-1] != e {
			index[word] = append(list, e)
		}
	}
	names := strings.Fields(x.known[i].name)
	for n, w := range names {
		put(w, inName, n == 0)
	}
	for _, w := range otherSpellings(o.Name, names) {
		put(w, inName, false)
	}
	for _, w := range abbreviations(names) {
		put(w, inAbbreviation, false)
	}
	for _, k := range o.Keywords {
		folded := words(fold(k))
		for _, w := range append(folded, otherSpellings(k, folded)...) {
			put(w, inKeyword, false)
		}
	}
	for _, d := range o.Domains {
		x.addDomain(i, lowerASCII(d), put)
	}
}

// addDomain makes an office findable by a domain and by each part of it but the last: ad.ucla.edu, ucla.edu.
func (x *Index) addDomain(i int32, domain string, put func(string, field, bool)) {
	if list := x.byDomain[domain]; len(list) == 0 || list[len(list)-1] != i {
		x.byDomain[domain] = append(list, i)
	}
	for rest := domain; strings.Contains(rest, "."); _, rest, _ = strings.Cut(rest, ".") {
		put(rest, inDomain, false)
	}
}

// otherSpellings are further words by which a name is found: ue for ü, what follows an apostrophe or precedes it, each place
// inside a run of a script without spaces.
func otherSpellings(name string, folded []string) (list []string) {
	if spelt := spelled.Replace(name); spelt != name {
		for _, w := range words(fold(spelt)) {
			if !slices.Contains(folded, w) {
				list = append(list, w)
			}
		}
	}
	if strings.ContainsFunc(name, apostrophe) {
		for _, w := range strings.FieldsFunc(fold(name), func(r rune) bool { return !inWord(r) }) {
			if utf8.RuneCountInString(w) > 2 && !slices.Contains(folded, w) {
				list = append(list, w)
			}
		}
	}
	for _, w := range folded {
		list = append(list, suffixes(w)...)
	}
	return list
}
