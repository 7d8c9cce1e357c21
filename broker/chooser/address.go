package chooser

import (
	"slices"
	"strings"
)

// searchAddress finds offices by a typed e-mail address, or by the part of one from the @ on: those of exactly its domain, and
// while there are none, those whose domain begins so. A malformed address finds nothing (A92).
func (x *Index) searchAddress(typed string, allowed []bool) []int32 {
	local, domain, _ := strings.Cut(typed, "@")
	domain = lowerASCII(domain)
	if local != "" && !localPart(local) || strings.Contains(domain, "@") || domain == "" {
		return nil
	}
	if exact := only(x.byDomain[domain], allowed); len(exact) > 0 {
		return exact
	}
	var list []int32
	seen := map[int32]bool{}
	from, _ := slices.BinarySearch(x.domains, domain)
	for _, d := range x.domains[from:] {
		if !strings.HasPrefix(d, domain) {
			break
		}
		for _, i := range x.byDomain[d] {
			if allowed[i] && !x.offices[i].Hidden && !seen[i] {
				seen[i] = true
				list = append(list, i)
			}
		}
		if len(list) > maxPerPage { // one goes on typing
			break
		}
	}
	return list
}

// hasDomain says whether a domain, or one without its first parts, begins with a text.
func (x *Index) hasDomain(text string) bool {
	from, _ := slices.BinarySearchFunc(x.tokens, text, func(k token, text string) int { return strings.Compare(k.text, text) })
	return from < len(x.tokens) && strings.HasPrefix(x.tokens[from].text, text)
}
